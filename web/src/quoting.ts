// An answer and its sources as plain text, for who takes them elsewhere or onto paper.
import { addressOf } from "./address";
import type { Turn } from "./conversations";
import type { Citation } from "./decode";
import type { Dictionary } from "./i18n";
import { visible } from "./visible";

/** A source in one line: number, title, file, page and the words that are cited. */
export function sourceLine({ marker, title, source, page, quote, spans }: Citation, words: Dictionary): string {
  const place = [visible(title), ...(source === title ? [] : [visible(source)]), ...(page === null ? [] : [words.page(page)])];
  const quotes = spans.length > 1 ? spans.map((span) => span.quote) : [quote];
  return `[${marker}] ${place.join(" · ")}: ${quotes.map((text) => `“${text.replace(/\s+/g, " ").trim()}”`).join(" … ")}`;
}

/** Question, answer and numbered sources with their addresses; `page` is the address of the page. */
export function withSources({ question, answer, citations }: Turn, words: Dictionary, page: string): string {
  const sources = citations.map((citation) => `${sourceLine(citation, words)}\n${new URL(addressOf.passage(citation), page).href}`);
  return [question, answer, words.sources, ...sources].join("\n\n");
}
