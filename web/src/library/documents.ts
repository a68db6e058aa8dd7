// Which documents of a list are shown, and in which order.
import type { DocumentSummary } from "../wire/decode";

export const ORDERS = ["source", "title", "updated", "trouble"] as const;
/** `source` is the service's own; `updated` puts the newest first, `trouble` what failed. */
export type Order = (typeof ORDERS)[number];

/** Those whose name or title holds all the words that are sought, whatever their case and width. */
export function chosen(documents: readonly DocumentSummary[], sought: string, order: Order): DocumentSummary[] {
  const words = folded(sought).split(/\s+/).filter(Boolean);
  const left = documents.filter(({ title, source }) => {
    const name = folded(`${title} ${source}`);
    return words.every((word) => name.includes(word));
  });
  return order === "source" ? left : left.sort(COMPARE[order]);
}

function folded(text: string): string {
  return text.normalize("NFKC").toLowerCase();
}

type Compare = (a: DocumentSummary, b: DocumentSummary) => number;

const COMPARE: Record<Exclude<Order, "source">, Compare> = {
  title: (a, b) => a.title.localeCompare(b.title) || a.source.localeCompare(b.source),
  updated: (a, b) => (b.updated_at ?? "").localeCompare(a.updated_at ?? "") || a.source.localeCompare(b.source),
  trouble: (a, b) => Number(b.reason !== null) - Number(a.reason !== null) || a.source.localeCompare(b.source),
};
