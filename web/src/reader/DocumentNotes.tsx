// What the reader of a document should know of it: that another one stands for it, and what was left out when it was
// taken in. What the model can't read is told once, on the status screen.
import { useWords } from "../i18n";
import { visible } from "../text/visible";
import type { DocumentDetail } from "../wire/decode";

export function DocumentNotes({ document }: { document: DocumentDetail }) {
  const words = useWords();
  const dropped = Object.entries(document.dropped);
  const count = dropped.reduce((sum, [, characters]) => sum + characters, 0);
  // Folded: whoever runs the service can do something about them, a reader of the text can't.
  const notes = Number(document.is_lossy) + Number(dropped.length > 0);
  return (
    <>
      {document.duplicate_of !== null && (
        <p className="pane-note" data-testid="duplicate-note">
          {words.duplicateOf(visible(document.duplicate_of))}
        </p>
      )}
      {notes > 0 && (
        <details className="pane-note pane-notes" data-testid="document-notes">
          <summary>{words.aboutDocument(notes)}</summary>
          {document.is_lossy && <p data-testid="lossy-note">{words.lossy(Math.round((document.lost_share ?? 0) * 100))}</p>}
          {dropped.length > 0 && <p data-testid="dropped-note">{words.dropped(count)}</p>}
          {dropped.length > 0 && (
            <ul>
              {dropped.map(([kind, characters]) => (
                <li key={kind}>{words.droppedKind(kind, characters)}</li>
              ))}
            </ul>
          )}
        </details>
      )}
    </>
  );
}
