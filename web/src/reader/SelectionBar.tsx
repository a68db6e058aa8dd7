// What can be done with words that are selected in a source: ask about them, or take them along with their place.
import { useEffect, useState, type RefObject } from "react";
import { useWords } from "../i18n";
import { addressOf } from "../shell/address";
import { codePointLength, indexOfInCodePoints } from "../text/codepoints";
import { CopyButton } from "../ui/CopyButton";
import { ChatIcon } from "../ui/Icons";
import type { DocumentDetail, TextWindow } from "../wire/decode";
import { pageLabel } from "./outline";
import type { Span } from "./sourcetext";

const MOST_CODE_POINTS = 2_000;

interface Props {
  /** Whose words can be selected. */
  body: RefObject<HTMLElement | null>;
  document: DocumentDetail;
  window: TextWindow;
  onAsk: (quote: string) => void;
}

export function SelectionBar({ body, document, window, onAsk }: Props) {
  const words = useWords();
  const quote = useSelectedText(body);
  if (quote === "") return null;
  return (
    <div className="selection-bar" data-testid="selection-bar" role="group" aria-label={words.selectedWords}>
      <button type="button" className="link-button" data-testid="ask-selection" onClick={() => onAsk(quote)}>
        <ChatIcon />
        {words.askAboutThis}
      </button>
      <CopyButton testId="copy-selection" label={words.copyCitation} text={() => citationOf(quote, document, placeOf(quote, window), words)} />
    </div>
  );
}

/** The selected words, as long as they all stand in `body`. */
function useSelectedText(body: RefObject<HTMLElement | null>): string {
  const [quote, setQuote] = useState("");
  useEffect(() => {
    const changed = (): void => {
      const selection = getSelection();
      const range = selection && selection.rangeCount > 0 ? selection.getRangeAt(0) : null;
      const within = range !== null && !range.collapsed && body.current?.contains(range.commonAncestorContainer);
      const text = within ? (selection?.toString().trim() ?? "") : "";
      setQuote(codePointLength(text) > MOST_CODE_POINTS ? "" : text);
    };
    document.addEventListener("selectionchange", changed);
    return () => document.removeEventListener("selectionchange", changed);
  }, [body]);
  return quote;
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
