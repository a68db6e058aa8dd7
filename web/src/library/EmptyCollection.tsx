// A collection without documents, and the command that fills it.
import { useWords } from "../i18n";
import { CopyButton } from "../ui/CopyButton";

export function EmptyCollection({ name }: { name: string }) {
  const words = useWords();
  return (
    <div className="empty-collection">
      <p>
        {words.documentsEmpty} {words.documentsHint}
      </p>
      <IngestCommand collection={name} />
    </div>
  );
}

/** The command that takes a folder in, to be copied. */
export function IngestCommand({ collection }: { collection: string }) {
  const words = useWords();
  const command = `.venv/bin/ingest ./docs${collection === "default" ? "" : ` --collection ${collection}`}`;
  return (
    <div className="command">
      <pre tabIndex={0}>
        <code>{command}</code>
      </pre>
      <CopyButton label={words.copyCommand} text={() => command} />
    </div>
  );
}
