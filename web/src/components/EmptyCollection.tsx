// A collection without documents, and the command that fills it.
import { useWords } from "../i18n";

export function EmptyCollection({ name }: { name: string }) {
  const words = useWords();
  return (
    <div className="empty-collection">
      <p>
        {words.documentsEmpty} {words.documentsHint}
      </p>
      <pre>
        <code>ingest ./docs{name === "default" ? "" : ` --collection ${name}`}</code>
      </pre>
    </div>
  );
}
