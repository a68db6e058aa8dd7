// An answer and its sources as plain text, for who takes them elsewhere or onto paper.
import { addressOf } from "../shell/address";
import { scopeText } from "./chips";
import { titleOf, type Conversation, type Turn } from "./conversations";
import type { Citation } from "../wire/decode";
import type { Dictionary } from "../i18n";
import { pageLabel } from "../reader/outline";
import { visible } from "../text/visible";

/** A source in one line: number, title, file, page and the words that are cited. */
export function sourceLine({ marker, title, source, page, quote, spans }: Citation, words: Dictionary): string {
  const place = [visible(title), ...(source === title ? [] : [visible(source)]), ...(page === null ? [] : [pageLabel(source, page, words)])];
  const quotes = spans.length > 1 ? spans.map((span) => span.quote) : [quote];
  return `[${marker}] ${place.join(" · ")}: ${quotes.map((text) => `“${text.replace(/\s+/g, " ").trim()}”`).join(" … ")}`;
}

/** Question, answer and numbered sources with their addresses; `page` is the address of the page. */
export function withSources({ question, answer, citations }: Turn, words: Dictionary, page: string): string {
  const sources = citations.map((citation) => `${sourceLine(citation, words)}\n${new URL(addressOf.passage(citation), page).href}`);
  return [question, answer, words.sources, ...sources].join("\n\n");
}

/** The same as Markdown: the sources are links, their quotes are set apart. */
export function asMarkdown({ question, answer, citations, generator }: Turn, words: Dictionary, page: string): string {
  const sources = citations.map((citation) => {
    const { marker, quote, spans, source, page: number } = citation;
    const place = [source, ...(number === null ? [] : [pageLabel(source, number, words)])].join(" · ");
    const quotes = spans.length > 1 ? spans.map((span) => span.quote) : [quote];
    const quoted = quotes.flatMap((text) => text.trim().split("\n")).map((line) => `   > ${escaped(line)}`.trimEnd());
    return [`- [${marker}] [${escaped(visible(place))}](${new URL(addressOf.passage(citation), page).href})`, "", ...quoted].join("\n");
  });
  // What a model wrote is Markdown already; what is quoted must stay what it is.
  const text = generator === "extractive" ? escaped(answer) : answer;
  return [`## ${escaped(question)}`, text, `### ${words.sources}`, ...sources].join("\n\n") + "\n";
}

/** Text as Markdown that shows it letter by letter. */
function escaped(text: string): string {
  return text.replace(/[\\`*_{}<>#|~$]/g, "\\$&").replace(/(?<![\w\]])\[(?!\d+\])/g, "\\[");
}

/** A whole conversation: each question with its collection, its answer and its sources. */
export function conversationText(conversation: Conversation, words: Dictionary, page: string): string {
  const turns = conversation.turns.map((turn) => `## ${[scopeText(turn.scope, words), timeOf(turn)].filter(Boolean).join(" · ")}\n\n${turn.citations.length > 0 ? withSources(turn, words, page) : `${turn.question}\n\n${turn.answer}`}`);
  return `${[`# ${titleOf(conversation)}`, ...turns].join("\n\n")}\n`;
}

function timeOf({ askedAt }: Turn): string {
  return askedAt === 0 ? "" : new Date(askedAt).toISOString();
}
