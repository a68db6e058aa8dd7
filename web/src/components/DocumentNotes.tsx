// What the reader of a document should know of it: that another one stands for it, that the model can't read it, and
// what was left out when it was taken in.
import { useWords } from "../i18n";
import { visible } from "../visible";
import type { DocumentDetail } from "../decode";

export function DocumentNotes({ document }: { document: DocumentDetail }) {
  const words = useWords();
  const dropped = Object.entries(document.dropped);
  const count = dropped.reduce((sum, [, characters]) => sum + characters, 0);
  return (
    <>
      {document.duplicate_of !== null && (
        <p className="pane-note" data-testid="duplicate-note">
          {words.duplicateOf(visible(document.duplicate_of))}
        </p>
      )}
      {document.is_unreadable && (
        <p className="pane-note pane-warning" data-testid="unreadable-note">
          {words.unreadable(Math.round((document.unknown_share ?? 0) * 100))}
        </p>
      )}
      {document.is_lossy && (
        <p className="pane-note pane-warning" data-testid="lossy-note">
          {words.lossy(Math.round((document.lost_share ?? 0) * 100))}
        </p>
      )}
      {dropped.length > 0 && (
        <details className="pane-note" data-testid="dropped-note">
          <summary>{words.dropped(count)}</summary>
          <ul>
            {dropped.map(([kind, characters]) => (
              <li key={kind}>{words.droppedKind(kind, characters)}</li>
            ))}
          </ul>
        </details>
      )}
    </>
  );
}
