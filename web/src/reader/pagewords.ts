// From words that are selected on a page's picture to their place in the document's text.
import { codePointLength } from "../text/codepoints";
import type { Span } from "./sourcetext";

/** A part of a line that is selected; `start` is that of the whole line in the document, null where it is not known. */
export interface SelectedLine {
  start: number | null;
  text: string;
  /** In UTF-16 units of `text`. */
  from: number;
  to: number;
}

/** The lines of a text layer in which a range has words. */
export function selectedLines(root: HTMLElement, range: Range): SelectedLine[] {
  const found: SelectedLine[] = [];
  for (const line of root.querySelectorAll<HTMLElement>(".page-line")) {
    if (!range.intersectsNode(line)) continue;
    const text = line.textContent;
    const from = line.contains(range.startContainer) ? within(range.startContainer, range.startOffset, text) : 0;
    const to = line.contains(range.endContainer) ? within(range.endContainer, range.endOffset, text) : text.length;
    const start = line.dataset.start;
    if (to > from) found.push({ start: start === undefined ? null : Number(start), text, from, to });
  }
  return found;
}

/** A place in a line's only text; in the line itself the offset counts texts. */
function within(container: Node, offset: number, text: string): number {
  if (container.nodeType === Node.TEXT_NODE) return offset;
  return offset === 0 ? 0 : text.length;
}

export function wordsOf(lines: readonly SelectedLine[]): string {
  return lines.map(({ text, from, to }) => text.slice(from, to)).join("\n").trim();
}

/** From the first selected word to the last, in code points. Null where a line has no place, or they are in no order. */
export function spanOf(lines: readonly SelectedLine[]): Span | null {
  const spans = lines.map(({ start, text, from, to }) =>
    start === null ? null : { start: start + codePointLength(text.slice(0, from)), end: start + codePointLength(text.slice(0, to)) },
  );
  const [first, last] = [spans[0], spans.at(-1)];
  if (!first || !last) return null;
  for (const [index, span] of spans.entries()) {
    const before = spans[index - 1];
    if (!span || (before && span.start < before.end)) return null;
  }
  return { start: first.start, end: last.end };
}

/** Whether a stretch of the text is what was selected: the same letters; how lines and cells are set apart is no matter. */
export function isSame(text: string, selected: string): boolean {
  return lettersOf(text) === lettersOf(selected);
}

function lettersOf(text: string): string {
  return text.replace(/[\s|\\\-\u00ad\u2010\u2011]/g, "");
}
