// The documents behind one answer, a line each, opening at the first passage that was cited of it.
import { useMemo, useState } from "react";
import { useWords } from "../i18n";
import { isSlides } from "../reader/outline";
import { fileNameOf, folderOf, titleBeside } from "../text/names";
import { languageOf } from "../text/script";
import { visible } from "../text/visible";
import { citedDocuments, type CitedDocument } from "./sources";
import type { Citation } from "../wire/decode";
import { WarningIcon } from "../ui/Icons";

/** More than these fold away, so that the answer stays in sight. */
const SHOWN = 4;

interface Props {
  citations: readonly Citation[];
  /** The answer is still being written: these were read, but nobody knows yet what is cited of them. */
  pending: boolean;
  onOpen: (citation: Citation) => void;
}

export function SourceList({ citations, pending, onOpen }: Props) {
  const words = useWords();
  const [all, setAll] = useState(false);
  const documents = useMemo(() => citedDocuments(citations), [citations]);
  const shown = all ? documents : documents.slice(0, SHOWN);
  const hidden = documents.length - SHOWN;
  const isFromSeveral = new Set(citations.map(({ collection }) => collection)).size > 1;
  return (
    <div className="sources" data-testid="sources">
      <h3 className="sources-heading">{words.sources}</h3>
      <ol className="source-cards">
        {shown.map((document) => (
          <li key={document.first.document_id}>
            <SourceLine document={document} pending={pending} isFromSeveral={isFromSeveral} onOpen={onOpen} />
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

/** More numbers than these, of marks or pages, are cut short with an ellipsis. */
const SHOWN_NUMBERS = 6;

interface LineProps {
  document: CitedDocument;
  pending: boolean;
  /** The documents are of more than one collection. */
  isFromSeveral: boolean;
  onOpen: (citation: Citation) => void;
}

function SourceLine({ document, pending, isFromSeveral, onOpen }: LineProps) {
  const words = useWords();
  const { first, markers, passages, pages, ocrConfidence, unsupported } = document;
  const doubted = unsupported > 0 && !pending;
  const all = unsupported === passages;
  const title = titleBeside(first);
  const folder = folderOf(first.source);
  return (
    <button
      type="button"
      className={doubted && all ? "source-card source-line source-card-unsupported" : "source-card source-line"}
      data-testid="source-card"
      onClick={() => onOpen(first)}
    >
      <span className="source-markers">
        {markers.slice(0, SHOWN_NUMBERS).map((marker) => (
          <span key={marker} className="source-marker">
            {marker}
          </span>
        ))}
        {markers.length > SHOWN_NUMBERS && "…"}
      </span>
      <span className="source-body">
        <span className="source-title path">{fileNameOf(first)}</span>
        <span className="source-place">
          {title !== null && <bdi lang={languageOf(title)}>{title}</bdi>}
          {isFromSeveral && <span>{visible(first.collection)}</span>}
          {folder !== "" && <span className="path">{folder}/</span>}
          {pages.length > 0 && (
            <span>
              {isSlides(first.source)
                ? pages.slice(0, SHOWN_NUMBERS).map(words.slide).join(", ")
                : words.pages(...pages.slice(0, SHOWN_NUMBERS))}
              {pages.length > SHOWN_NUMBERS && " …"}
            </span>
          )}
          {ocrConfidence !== null && <span title={words.ocrHint}>{words.ocr(ocrConfidence)}</span>}
          {!pending && passages > 1 && <span>{words.passages(passages)}</span>}
          {doubted && (
            <span className="badge badge-warning" title={words.unsupportedHint}>
              <WarningIcon />
              {all ? words.unsupported : words.unsupportedCount(unsupported)}
            </span>
          )}
        </span>
      </span>
    </button>
  );
}
