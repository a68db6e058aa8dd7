// What came nearest to a question that was not answered: each passage with why it does not answer, opening its place.
import { truncate } from "../text/codepoints";
import { useWords } from "../i18n";
import { pageLabel } from "../reader/outline";
import { fileNameOf, folderOf, headingBelow, titleBeside } from "../text/names";
import { readable } from "../text/readable";
import { languageOf } from "../text/script";
import type { NearMiss, Passage } from "../wire/decode";

/** No more of a passage than this is drawn; two lines of it are seen. */
const SHOWN_CODE_POINTS = 300;

export function NearestList({ nearest, onOpen }: { nearest: readonly NearMiss[]; onOpen: (passage: Passage) => void }) {
  const words = useWords();
  return (
    <div className="nearest" data-testid="nearest">
      <h3 className="sources-heading">{words.nearest}</h3>
      <ol className="source-cards">
        {nearest.map((passage) => (
          <li key={passage.chunk_id}>
            <NearestCard passage={passage} onOpen={onOpen} />
          </li>
        ))}
      </ol>
    </div>
  );
}

function NearestCard({ passage, onOpen }: { passage: NearMiss; onOpen: (passage: Passage) => void }) {
  const words = useWords();
  const { source, page, why } = passage;
  const heading = headingBelow(passage);
  const beside = titleBeside(passage);
  const folder = folderOf(source);
  const quote = truncate(readable(passage.quote).replace(/\s+/g, " ").trim(), SHOWN_CODE_POINTS);
  return (
    <button type="button" className="source-card" data-testid="nearest-passage" onClick={() => onOpen(passage)}>
      <span className="source-body">
        <span className="source-title path">{fileNameOf(passage)}</span>
        <span className="source-place">
          {beside !== null && <bdi lang={languageOf(beside)}>{beside}</bdi>}
          {folder !== "" && <span className="path">{folder}/</span>}
          {page !== null && <span>{pageLabel(source, page, words)}</span>}
          {heading !== null && <bdi lang={languageOf(heading)}>{heading}</bdi>}
        </span>
        <span className="source-quote" lang={languageOf(quote)}>
          {quote}
        </span>
        {why !== "" && (
          <span className="source-why" lang={languageOf(why)}>
            {why}
          </span>
        )}
      </span>
    </button>
  );
}
