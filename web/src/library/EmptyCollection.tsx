// A collection without documents, and the command that fills it.
import { useWords } from "../i18n";
import { useMayWrite } from "../shell/context";
import { AddFiles } from "./AddFiles";
import { CopyButton } from "../ui/CopyButton";

export function EmptyCollection({ name }: { name: string }) {
  const words = useWords();
  const mayWrite = useMayWrite();
  return (
    <div className="empty-collection">
      <p>{words.documentsEmpty}</p>
      {mayWrite && <AddFiles />}
      {mayWrite && <p>{words.orDrop}</p>}
      <p className="documents-note">{words.documentsHint}</p>
      <IngestCommand collection={name} />
    </div>
  );
}

/** The command that takes a folder in, to be copied. */
export function IngestCommand({ collection }: { collection: string }) {
  const words = useWords();
  const command = `ingest ./docs${collection === "default" ? "" : ` --collection ${collection}`}`;
  return (
    <div className="command">
      <pre tabIndex={0}>
        <code>{command}</code>
      </pre>
      <CopyButton label={words.copyCommand} text={() => command} />
    </div>
  );
}
