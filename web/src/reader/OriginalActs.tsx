// What can be done with the file that a document was made of, where it is kept: save it, take it in again, or put another in its place.
import { useRef, useState } from "react";
import { useWords } from "../i18n";
import { arrivals } from "../library/drop";
import { useReingesting } from "../library/reingesting";
import { useApi, useMayWrite } from "../shell/context";
import { DownloadIcon, RetryIcon, UploadIcon } from "../ui/Icons";
import { toaster } from "../ui/toasts";
import { problemOf } from "../wire/api";
import type { DocumentDetail } from "../wire/decode";

export function OriginalActs({ document: { id, source, collection } }: { document: DocumentDetail }) {
  const words = useWords();
  const api = useApi();
  const mayWrite = useMayWrite();
  const field = useRef<HTMLInputElement>(null);
  const takeInAgain = useReingesting();
  const [sending, setSending] = useState(false);
  const name = source.split("/").at(-1) ?? source;
  const replace = async (file: File): Promise<void> => {
    setSending(true);
    try {
      // Under the document's own name, whatever the file is called: that is what it replaces.
      arrivals.sent(await api.upload(collection, [{ file, path: name }], source.split("/").slice(0, -1).join("/")));
    } catch (error) {
      const { title, detail } = problemOf(error);
      toaster.show({ text: `${title} ${detail}`.trim() || words.notSent, ms: 8_000 });
    }
    setSending(false);
  };
  return (
    <>
      <a className="icon-button" data-testid="open-original" href={api.addressOf(`documents/${encodeURIComponent(id)}/original`)} download={name} aria-label={words.openOriginal} title={words.openOriginal}>
        <DownloadIcon />
      </a>
      {mayWrite && (
        <>
          <button type="button" className="icon-button" data-testid="reingest" aria-label={words.ingestAgain} title={words.ingestAgain} onClick={() => void takeInAgain([id])}>
            <RetryIcon />
          </button>
          <button type="button" className="icon-button" data-testid="replace" aria-label={words.replaceFile} title={words.replaceFile} disabled={sending} onClick={() => field.current?.click()}>
            <UploadIcon />
          </button>
          <input
            ref={field}
            type="file"
            hidden
            data-testid="replace-input"
            aria-label={words.replaceFile}
            accept={/\.[^./]+$/.exec(name)?.[0]}
            onChange={({ currentTarget }) => {
              const file = currentTarget.files?.[0];
              currentTarget.value = "";
              if (file) void replace(file);
            }}
          />
        </>
      )}
    </>
  );
}
