// The mark of a claim: a button that opens the sentence it rests on.
import { useWords } from "../i18n";
import type { Citation } from "../wire/decode";
import type { Mark } from "./places";

export function MarkButton({ mark: { citation, supported }, onOpen }: { mark: Mark; onOpen: (citation: Citation) => void }) {
  const words = useWords();
  const label = words.openSource(String(citation.marker), citation.title);
  return (
    <button
      type="button"
      className={supported ? "marker" : "marker marker-unsupported"}
      data-testid="citation-marker"
      data-marker={citation.marker}
      aria-label={supported ? label : `${label} (${words.unsupported})`}
      title={supported ? citation.title : `${citation.title} – ${words.unsupportedHint}`}
      onClick={() => onOpen(citation)}
    >
      {citation.marker}
    </button>
  );
}
