// What can be done with words that are selected in a source: ask about them, or take them along with their place.
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState, type RefObject } from "react";
import { useWords } from "../i18n";
import { addressOf } from "../shell/address";
import { useApi } from "../shell/context";
import { codePointLength, indexOfInCodePoints } from "../text/codepoints";
import { CopyButton } from "../ui/CopyButton";
import { ChatIcon } from "../ui/Icons";
import { ShareButton } from "../ui/ShareButton";
import type { DocumentDetail, TextWindow } from "../wire/decode";
import { pageLabel } from "./outline";
import { isSame, selectedLines, spanOf, wordsOf } from "./pagewords";
import type { Span } from "./sourcetext";

const MOST_CODE_POINTS = 2_000;

interface Props {
  /** Whose words can be selected. */
  body: RefObject<HTMLElement | null>;
  document: DocumentDetail;
  onAsk: (quote: string) => void;
}

/** Of words in the indexed text, or as it is typeset. */
export function TextSelection({ body, document, window, onAsk }: Props & { window: TextWindow }) {
  const quote = useSelected(body, textIn);
  return quote && <SelectionBar document={document} quote={quote} place={placeOf(quote, window)} onAsk={onAsk} />;
}

/** Of words on pictures of pages: what is quoted is the document's text at their place, where that is certain. */
export function PageSelection({ body, document, onAsk }: Props) {
  const api = useApi();
  const found = useSelected(body, wordsIn);
  const span = found?.span ?? null;
  const { data } = useQuery({
    queryKey: ["text", document.id, span?.start, span?.end],
    queryFn: ({ signal }) => api.documentText(document.id, span?.start ?? 0, span?.end ?? 0, signal),
    enabled: span !== null && span.end - span.start <= MOST_CODE_POINTS,
    staleTime: 60_000,
  });
  if (!found) return null;
  const isExact = span !== null && data !== undefined && isSame(data.text, found.quote);
  return <SelectionBar document={document} quote={isExact ? data.text : found.quote} place={isExact ? span : null} onAsk={onAsk} />;
}

interface BarProps {
  document: DocumentDetail;
  quote: string;
  place: Span | null;
  onAsk: (quote: string) => void;
}

function SelectionBar({ document, quote, place, onAsk }: BarProps) {
  const words = useWords();
  const cited = (): string => citationOf(quote, document, place, words);
  return (
    <div className="selection-bar" data-testid="selection-bar" role="group" aria-label={words.selectedWords}>
      <button type="button" className="link-button" data-testid="ask-selection" onClick={() => onAsk(quote)}>
        <ChatIcon />
        {words.askAboutThis}
      </button>
      <CopyButton testId="copy-selection" label={words.copyCitation} text={cited} />
      <ShareButton text={cited} />
    </div>
  );
}

/** While a reader still draws it out, nothing is looked up. */
const SETTLED_MS = 150;

/** What `read` makes of the selection, as long as all of it is in `body`; null where nothing is selected, or too much. */
function useSelected<T>(body: RefObject<HTMLElement | null>, read: (root: HTMLElement, range: Range, selected: string) => T | null): T | null {
  const [found, setFound] = useState<T | null>(null);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = (): void => {
      const selection = getSelection();
      const range = selection && selection.rangeCount > 0 ? selection.getRangeAt(0) : null;
      const root = body.current;
      const isWithin = range !== null && !range.collapsed && root !== null && root.contains(range.commonAncestorContainer);
      setFound(isWithin ? read(root, range, selection?.toString() ?? "") : null);
    };
    const changed = (): void => {
      clearTimeout(timer);
      timer = setTimeout(look, SETTLED_MS);
    };
    document.addEventListener("selectionchange", changed);
    return () => {
      clearTimeout(timer);
      document.removeEventListener("selectionchange", changed);
    };
  }, [body, read]);
  return found;
}

function textIn(_root: HTMLElement, _range: Range, selected: string): string | null {
  return fitting(selected.trim());
}

function wordsIn(root: HTMLElement, range: Range): { quote: string; span: Span | null } | null {
  const lines = selectedLines(root, range);
  const quote = fitting(wordsOf(lines));
  return quote === null ? null : { quote, span: spanOf(lines) };
}

function fitting(quote: string): string | null {
  return quote === "" || codePointLength(quote) > MOST_CODE_POINTS ? null : quote;
}

/** Where a quote stands: in the loaded text once, letter by letter. Null where that is not certain. */
export function placeOf(quote: string, { text, start }: TextWindow): Span | null {
  const at = indexOfInCodePoints(text, quote);
  if (at < 0 || text.indexOf(quote) !== text.lastIndexOf(quote)) return null;
  return { start: start + at, end: start + at + codePointLength(quote) };
}

/** The words with their file, their page and, where their place is certain, its address. */
function citationOf(quote: string, document: DocumentDetail, place: Span | null, words: ReturnType<typeof useWords>): string {
  const { id, source, page_spans: pages } = document;
  const page = place && (pages.findLast(({ char_start: start }) => start <= place.start)?.number ?? null);
  const file = [source, ...(page === null ? [] : [pageLabel(source, page, words)])].join(" · ");
  const address = place ? addressOf.passage({ document_id: id, char_start: place.start, char_end: place.end, page }) : addressOf.document(id);
  return `“${quote.replace(/\s+/g, " ")}”\n${file}\n${new URL(address, location.href).href}`;
}
