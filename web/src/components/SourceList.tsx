// The citations of one answer, each opening its place in the source.
import { useState } from "react";
import { useWords } from "../i18n";
import { languageOf } from "../script";
import { visible } from "../visible";
import type { Citation } from "../wire";
import { WarningIcon } from "./Icons";

/** More than these fold away, so that the answer stays in sight. */
const SHOWN = 4;

interface Props {
  citations: readonly Citation[];
  onOpen: (citation: Citation) => void;
}

export function SourceList({ citations, onOpen }: Props) {
  const words = useWords();
  const [all, setAll] = useState(false);
  const shown = all ? citations : citations.slice(0, SHOWN);
  const hidden = citations.length - SHOWN;
  return (
    <div className="sources" data-testid="sources">
      <h3 className="sources-heading">{words.sources}</h3>
      <ol className="source-cards">
        {shown.map((citation, index) => (
          <li key={`${citation.marker}-${index}`}>
            <SourceCard citation={citation} onOpen={onOpen} />
          </li>
        ))}
      </ol>
      {hidden > 0 && (
        <button type="button" className="link-button" aria-expanded={all} onClick={() => setAll(!all)}>
          {all ? words.fewerSources : words.moreSources(hidden)}
        </button>
      )}
    </div>
  );
}

function SourceCard({ citation, onOpen }: { citation: Citation; onOpen: (citation: Citation) => void }) {
  const words = useWords();
  return (
    <button
      type="button"
      className={citation.supported ? "source-card" : "source-card source-card-unsupported"}
      data-testid="source-card"
      onClick={() => onOpen(citation)}
    >
      <span className="source-marker" aria-hidden="true">
        {citation.marker}
      </span>
      <span className="source-body">
        <span className="source-title" lang={languageOf(citation.title)}>
          {visible(citation.title)}
        </span>
        <span className="source-place">
          {citation.title !== citation.source && <span className="path">{visible(citation.source)}</span>}
          {citation.page !== null && <span>{words.page(citation.page)}</span>}
          {citation.heading !== null && citation.heading !== citation.title && (
            <span lang={languageOf(citation.heading)}>{citation.heading}</span>
          )}
          {citation.score !== null && <span className="score">{words.score(citation.score.toFixed(2))}</span>}
        </span>
        <span className="source-quote" lang={languageOf(citation.quote)}>
          {citation.quote}
        </span>
        {!citation.supported && (
          <span className="badge badge-warning" title={words.unsupportedHint}>
            <WarningIcon />
            {words.unsupported}
          </span>
        )}
      </span>
    </button>
  );
}
