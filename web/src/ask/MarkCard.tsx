// The card of a mark: the cited words within their paragraph, where they stand, and what to do with them.
import { useQuery } from "@tanstack/react-query";
import { useWords } from "../i18n";
import { pageLabel } from "../reader/outline";
import { useApi } from "../shell/context";
import { sliceCodePoints } from "../text/codepoints";
import { fileNameOf, headingBelow, titleBeside } from "../text/names";
import { languageOf } from "../text/script";
import { CopyButton } from "../ui/CopyButton";
import { Floating } from "../ui/Floating";
import { ShareButton } from "../ui/ShareButton";
import type { Citation } from "../wire/decode";
import { cards, type Card } from "./card";
import { addressOf } from "../shell/address";
import { sourceLine } from "./quoting";

/** Code points that are looked at on either side for the paragraph's ends. */
const AROUND = 240;

export function MarkCard({ card: { anchor, citation, open } }: { card: Card }) {
  const words = useWords();
  const { before, after } = useParagraph(citation);
  const { page, source } = citation;
  const quotes = citation.spans.length > 1 ? citation.spans.map(({ quote }) => quote) : [citation.quote];
  const cited = (): string => `${sourceLine(citation, words)}\n${new URL(addressOf.passage(citation), location.href).href}`;
  const place = [titleBeside(citation), headingBelow(citation)].filter(Boolean).join(" › ");
  return (
    <Floating
      anchor={anchor}
      placement="top"
      gapPx={6}
      className="mark-card"
      testId="mark-card"
      label={words.openSource(String(citation.marker), fileNameOf(citation))}
      takesFocus={false}
      onClose={() => cards.hide(0)}
      onReached={cards.hold}
      onLeft={() => cards.hide()}
    >
      <p className="card-head">
        <strong className="path">{fileNameOf(citation)}</strong>
        {page !== null && <span>{pageLabel(source, page, words)}</span>}
      </p>
      {place !== "" && <p className="card-title">{place}</p>}
      <blockquote className="card-quote" lang={languageOf(citation.quote)}>
        {before}
        {quotes.map((quote, index) => (
          <span key={index}>
            {index > 0 && " … "}
            <mark>{quote}</mark>
          </span>
        ))}
        {after}
      </blockquote>
      {!citation.supported && <p className="card-doubt">{words.unsupportedHint}</p>}
      <p className="card-acts">
        <button type="button" className="link-button" onClick={open}>
          {words.open}
        </button>
        <CopyButton label={words.copyCitation} text={cited} />
        <ShareButton text={cited} />
      </p>
    </Floating>
  );
}

/** What stands before and after the quote in its paragraph; nothing until it is known, or where the document changed. */
function useParagraph({ document_id: id, char_start: start, char_end: end, quote, spans }: Citation): { before: string; after: string } {
  const api = useApi();
  const from = Math.max(0, start - AROUND);
  const { data } = useQuery({
    queryKey: ["text", id, from, end + AROUND],
    queryFn: ({ signal }) => api.documentText(id, from, end + AROUND, signal),
    staleTime: 60_000,
  });
  if (!data || spans.length > 1 || sliceCodePoints(data.text, start - data.start, end - data.start) !== quote) return { before: "", after: "" };
  const before = sliceCodePoints(data.text, 0, start - data.start);
  const after = sliceCodePoints(data.text, end - data.start, data.end - data.start);
  return { before: before.slice(before.lastIndexOf("\n") + 1), after: after.split("\n", 1)[0] ?? "" };
}
