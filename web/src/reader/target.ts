// What the source pane shows, as an address or an answer names it.
import type { DocumentSummary, Passage } from "../wire/decode";
import type { Span } from "./sourcetext";

/** What the pane shows: one of an answer's citations or of a refusal's nearest passages, or a whole document. */
export type Target =
  | { kind: "passage"; passages: readonly Passage[]; index: number }
  | { kind: "document"; document: DocumentSummary }
  /** What an address names; the rest is not known before the document is loaded. */
  | { kind: "place"; documentId: string; span: Span | null; page: number | null };

export function documentOf(target: Target): string {
  if (target.kind === "passage") return target.passages[target.index]?.document_id ?? "";
  return target.kind === "document" ? target.document.id : target.documentId;
}
