// A collection is made, renamed, described or deleted.
import { useId, useRef, useState } from "react";
import { DEFAULT_COLLECTION } from "../ask/scope";
import { useWords } from "../i18n";
import { useApi } from "../shell/context";
import { visible } from "../text/visible";
import { Modal } from "../ui/Modal";
import { ProblemNotice } from "../ui/ProblemNotice";
import { problemOf } from "../wire/api";
import type { Problem } from "../wire/decode";
import { useCollections, useRenewal } from "./collections";

interface Props {
  kind: "new" | "rename" | "delete";
  /** Empty for a new one. */
  name: string;
  onClose: () => void;
  /** With the name of the collection to be shown now. */
  onDone: (name: string) => void;
}

export function CollectionDialog({ kind, name, onClose, onDone }: Props) {
  const words = useWords();
  const api = useApi();
  const renew = useRenewal();
  const { collections } = useCollections();
  const [wanted, setWanted] = useState(name);
  const now = collections?.find((one) => one.name === name);
  const [written, setWritten] = useState<string | null>(null);
  const [refused, setRefused] = useState<Problem | null>(null);
  const [working, setWorking] = useState(false);
  const first = useRef<HTMLInputElement>(null);
  const id = useId();
  const documents = now?.documents ?? 0;
  const target = wanted.trim();
  const described = now?.description ?? "";
  const description = written?.trim() ?? described;
  const isChanged = target !== name || description !== described;

  const act = async (): Promise<void> => {
    setWorking(true);
    setRefused(null);
    try {
      if (kind === "new") await api.createCollection(target, description);
      else if (kind === "rename") await api.changeCollection(name, { ...(target === name ? {} : { name: target }), ...(description === described ? {} : { description }) });
      else await api.deleteCollection(name);
    } catch (error) {
      setRefused(problemOf(error));
      setWorking(false);
      return;
    }
    renew();
    onDone(kind === "delete" ? (collections?.find((one) => one.name !== name)?.name ?? DEFAULT_COLLECTION) : target);
  };
  const title = { new: words.newCollection, rename: words.renameCollection, delete: words.deleteCollection }[kind];
  return (
    <Modal className="dialog" testId="collection-dialog" title={title} initialFocus={kind === "delete" ? undefined : first} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (kind === "delete" || (target !== "" && isChanged)) void act();
        }}
      >
        {kind === "delete" ? (
          <p>{words.deleteCollectionText(visible(name), documents)}</p>
        ) : (
          <>
            <label className="field" htmlFor={id}>
              <span>{words.collectionName}</span>
              <input ref={first} id={id} type="text" data-testid="collection-name" maxLength={64} autoComplete="off" value={wanted} onChange={(event) => setWanted(event.target.value)} />
            </label>
            <label className="field" htmlFor={`${id}-description`}>
              <span>{words.collectionDescription}</span>
              <textarea id={`${id}-description`} data-testid="collection-description" rows={3} maxLength={1_000} value={written ?? described} onChange={(event) => setWritten(event.target.value)} />
            </label>
          </>
        )}
        {refused && <ProblemNotice problem={refused} />}
        <div className="popup-foot">
          <button type="button" className="button" onClick={onClose}>
            {words.cancel}
          </button>
          <button type="submit" className={kind === "delete" ? "button button-danger" : "button button-primary"} data-testid="collection-done" disabled={working || (kind !== "delete" && (target === "" || !isChanged))}>
            {kind === "new" ? words.make : kind === "rename" ? words.save : words.delete}
          </button>
        </div>
      </form>
    </Modal>
  );
}
