// Who may read some documents is changed.
import { useState } from "react";
import { useWords } from "../i18n";
import { useApi } from "../shell/context";
import { Modal } from "../ui/Modal";
import { ProblemNotice } from "../ui/ProblemNotice";
import { problemOf } from "../wire/api";
import type { DocumentSummary, Problem } from "../wire/decode";
import { useRenewal } from "./collections";
import { groupsIn, ReadersField } from "./ReadersField";

export function ReadersDialog({ documents, onClose }: { documents: readonly DocumentSummary[]; onClose: () => void }) {
  const words = useWords();
  const api = useApi();
  const renew = useRenewal();
  const [groups, setGroups] = useState(documents[0]?.readers.join(", ") ?? "");
  const [refused, setRefused] = useState<Problem | null>(null);
  const [working, setWorking] = useState(false);
  const change = async (): Promise<void> => {
    setWorking(true);
    setRefused(null);
    try {
      for (const { id } of documents) await api.changeDocument(id, { readers: groupsIn(groups) });
      onClose();
    } catch (error) {
      setRefused(problemOf(error));
      setWorking(false);
    }
    renew(); // some may have been changed before one was refused
  };
  return (
    <Modal className="dialog" testId="readers-dialog" title={words.whoMayRead} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void change();
        }}
      >
        <ReadersField value={groups} onValue={setGroups} />
        <p className="field-hint">{words.readersHint}</p>
        {refused && <ProblemNotice problem={refused} />}
        <div className="popup-foot">
          <button type="button" className="button" onClick={onClose}>
            {words.cancel}
          </button>
          <button type="submit" className="button button-primary" data-testid="readers-done" disabled={working}>
            {words.done}
          </button>
        </div>
      </form>
    </Modal>
  );
}
