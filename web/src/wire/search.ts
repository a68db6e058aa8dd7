// What a search finds and how it went: types and decoders, which never throw.
import { fields, list, numberOrNull, numbers, text, textOrNull, type Fields } from "./decode";
import type { Explanation as WireExplanation, SearchReply } from "./wire";

type WireHit = SearchReply["hits"][number];

/** A chunk that was found. `page` and `heading` are where it begins. */
export interface Hit extends Pick<WireHit, "chunk_id" | "document_id" | "source" | "title" | "page" | "heading" | "char_start" | "char_end" | "text"> {
  /** Empty where an older service does not say. */
  collection: string;
  /** Higher is better. */
  score: number;
  /** By meaning and by words; null where that search did not weigh it. */
  dense: number | null;
  lexical: number | null;
  /** By how many standard deviations it is nearer in meaning than texts that don't answer; null where nobody says. */
  standard: number | null;
}

export interface Found {
  hits: Hit[];
  /** Milliseconds by stage. */
  timings: Readonly<Record<string, number>>;
  explanation: Explanation | null;
}

export type Candidate = WireExplanation["candidates"][number];

export interface Explanation
  extends Pick<WireExplanation, "search" | "rows" | "candidates_per_search" | "reranked" | "dense_weight"> {
  /** The rarest first. */
  terms: { term: string; idf: number }[];
  unknown_share: number;
  /** In the order of fusion. */
  candidates: Candidate[];
  stages: Readonly<Record<string, number>>;
}

export function decodeHit(value: unknown): Hit | null {
  const from = fields(value);
  const documentId = textOrNull(from?.document_id);
  if (!from || documentId === null) return null;
  const source = text(from.source);
  const scores = fields(from.scores);
  return {
    chunk_id: text(from.chunk_id),
    document_id: documentId,
    collection: text(from.collection),
    source,
    title: text(from.title) || source,
    page: numberOrNull(from.page),
    heading: textOrNull(from.heading),
    char_start: numberOrNull(from.char_start) ?? 0,
    char_end: numberOrNull(from.char_end) ?? 0,
    text: text(from.text),
    score: numberOrNull(from.score) ?? 0,
    dense: numberOrNull(scores?.dense),
    lexical: numberOrNull(scores?.lexical),
    standard: numberOrNull(scores?.standard),
  };
}

export function decodeFound(value: unknown): Found | null {
  const from = fields(value);
  if (!from || !Array.isArray(from.hits)) return null;
  return { hits: list(from.hits, decodeHit), timings: numbers(fields(from.timings_ms)), explanation: decodeExplanation(from.explain) };
}

export function decodeExplanation(value: unknown): Explanation | null {
  const from = fields(value);
  if (!from) return null;
  const search = from.search;
  return {
    terms: list(from.terms, (one) => {
      const term = textOrNull(fields(one)?.term);
      return term === null ? null : { term, idf: numberOrNull(fields(one)?.idf) ?? 0 };
    }),
    unknown_share: numberOrNull(from.unknown_share) ?? 0,
    dense_weight: numberOrNull(from.dense_weight) ?? 0,
    search: search === "ivfflat" || search === "hnsw" ? search : "exact",
    rows: numberOrNull(from.rows) ?? 0,
    candidates_per_search: numberOrNull(from.candidates_per_search) ?? 0,
    reranked: numberOrNull(from.reranked) ?? 0,
    candidates: list(from.candidates, decodeCandidate),
    stages: numbers(fields(from.stages_ms)),
  };
}

function decodeCandidate(value: unknown): Candidate | null {
  const from = fields(value);
  const chunk = textOrNull(from?.chunk_id);
  if (!from || chunk === null) return null;
  const number = (name: keyof Candidate): number => numberOrNull(from[name]) ?? 0;
  return {
    chunk_id: chunk,
    document_id: text(from.document_id),
    source: text(from.source),
    dense_rank: numberOrNull(from.dense_rank),
    dense: number("dense"),
    lexical_rank: numberOrNull(from.lexical_rank),
    lexical: number("lexical"),
    window_lexical: number("window_lexical"),
    standard: number("standard"),
    readability: number("readability"),
    score: number("score"),
    fused_rank: number("fused_rank"),
    rerank: numberOrNull(from.rerank),
    rank: numberOrNull(from.rank),
    dropped: decodeDropped(from),
    near_identical_to: textOrNull(from.near_identical_to),
  };
}

const DROPPED: Record<NonNullable<Candidate["dropped"]>, true> = { top_k: true, near_identical: true, document_cap: true, sender_cap: true, deleted: true };

function decodeDropped({ dropped }: Fields): Candidate["dropped"] {
  return typeof dropped === "string" && Object.hasOwn(DROPPED, dropped) ? (dropped as Candidate["dropped"]) : null;
}
