// The citations of an answer by document: what a list of sources says without repeating itself.
import type { Citation } from "../wire/decode";

export interface CitedDocument {
  /** Its first citation, which the document's line opens. */
  first: Citation;
  /** Numbers in the answer, in its order. */
  markers: readonly number[];
  /** Different passages of it that were cited. */
  passages: number;
  /** Ascending. */
  pages: readonly number[];
  /** The least sure page of those that OCR read, in [0, 1]; null where there is none. */
  ocrConfidence: number | null;
  /** How many of those it was cited with but does not confirm. */
  unsupported: number;
}

/** One entry a document, in the order in which they are first cited. */
export function citedDocuments(citations: readonly Citation[]): CitedDocument[] {
  const byDocument = new Map<string, [Citation, ...Citation[]]>();
  for (const citation of citations) {
    const others = byDocument.get(citation.document_id);
    if (others) others.push(citation);
    else byDocument.set(citation.document_id, [citation]);
  }
  return [...byDocument.values()].map((cited) => ({
    first: cited[0],
    markers: unique(cited.map(({ marker }) => marker)),
    passages: countPassages(cited),
    pages: unique(cited.flatMap(({ page }) => page ?? [])).toSorted((a, b) => a - b),
    ocrConfidence: least(cited.flatMap(({ ocr_confidence }) => ocr_confidence ?? [])),
    unsupported: countPassages(cited.filter(({ supported }) => !supported)),
  }));
}

function countPassages(cited: readonly Citation[]): number {
  return unique(cited.map(({ char_start, char_end }) => `${char_start}-${char_end}`)).length;
}

function least(values: readonly number[]): number | null {
  return values.length > 0 ? Math.min(...values) : null;
}

function unique<T>(values: readonly T[]): T[] {
  return [...new Set(values)];
}
