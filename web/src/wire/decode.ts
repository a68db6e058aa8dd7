// What the page knows of the service's replies, out of the types of the wire (wire.ts, which scripts/web_sources.py writes),
// and the decoders that check what came over the wire or out of the browser's storage.
// A decoder returns what it could read and never throws: text from outside is not trusted to have a shape.

import type {
  Ask,
  AskReply,
  CollectionList,
  DocumentDetail as WireDocument,
  DocumentList,
  SessionReply,
  TextSlice,
} from "./wire";

type WireCitation = AskReply["citations"][number];

/** A stretch of a document's stored text: half-open offsets in code points, and what stands there. */
export type QuotedSpan = NonNullable<WireCitation["spans"]>[number];

/** A place in a document that can be opened: a citation, or a hit with its text as the quote. */
export interface Passage
  extends Pick<
    WireCitation,
    "document_id" | "chunk_id" | "source" | "title" | "page" | "heading" | "char_start" | "char_end" | "quote"
  > {
  /** Empty where an older service does not say. */
  collection: string;
  /** Higher is better. */
  score: number | null;
  /** All its stretches where it has more than one; else empty. */
  spans: QuotedSpan[];
}

export interface Citation extends Passage, Pick<WireCitation, "marker" | "supported"> {
  /** How sure OCR was of the page, in [0, 1]; null where it did not read it. */
  ocr_confidence: number | null;
}

/** What came nearest to a question that was not answered, and why it does not answer. */
export interface NearMiss extends Passage {
  why: string;
}

/** A statement of an answer. Half-open offsets in code points of the answer, for its mark too. */
export type Claim = AskReply["claims"][number];

export type AnswerKind = AskReply["kind"];
export type AbstentionReason = NonNullable<AskReply["reason"]>;

// As records, so that a kind or a reason that the service gets is missed here by the types.
const KINDS: Record<AnswerKind, true> = {
  passage: true,
  table: true,
  list: true,
  steps: true,
  count: true,
  comparison: true,
  overview: true,
  meta: true,
  chat: true,
};
const REASONS: Record<AbstentionReason, true> = {
  no_evidence: true,
  no_document_matches_filter: true,
  empty_collection: true,
  not_readable_language: true,
};

export interface Reply
  extends Pick<AskReply, "answer" | "abstained" | "generator" | "degraded" | "kind" | "reason" | "request_id"> {
  degraded_reason: string | null;
  standalone_question: string | null;
  citations: Citation[];
  claims: Claim[];
  /** The words that were asked, where those of the question were mended. */
  searched_for: string | null;
  nearest: NearMiss[];
  total_ms: number | null;
  timings: Timings;
  reach: Reach | null;
}

/** How far the passages reach as an answer, in [0, 1], and below which it is refused; told where it is asked for. */
export interface Reach {
  value: number;
  needed: number;
}

/** Milliseconds by stage. */
export type Timings = Readonly<Record<string, number>>;

/** An error as RFC 9457 has it. `status` is 0 when no reply came at all. */
export interface Problem {
  code: string;
  title: string;
  detail: string;
  status: number;
  request_id: string;
  /** From a Retry-After header, in seconds. */
  retry_after_s: number | null;
}

export type Collection = Pick<CollectionList["collections"][number], "name" | "description" | "documents" | "chunks">;

/** A document of a list, as it comes or out of an older service: what can't be read is null. */
export type DocumentSummary = Pick<WireDocument, "id" | "source" | "title" | "media_type" | "status" | "reason" | "pages" | "languages" | "readers"> & {
  [name in "chars" | "chunks" | "language" | "updated_at"]: WireDocument[name] | null;
};

/** A document by itself: what its list does not say. */
export interface DocumentDetail extends DocumentSummary, Pick<WireDocument, "collection" | "has_original" | "reason_detail" | "page_spans" | "sections" | "duplicate_of" | "is_unreadable" | "is_lossy"> {
  /** Share of its tokens that the embedding model can't read, 0 to 1. */
  unknown_share: number | null;
  /** What cleaning removed: kind to characters. */
  dropped: Readonly<WireDocument["dropped"]>;
  /** Share of its visible text that is in `dropped`, 0 to 1. */
  lost_share: number | null;
}

export interface DocumentPage extends Pick<DocumentList, "next_cursor"> {
  documents: DocumentSummary[];
  /** How many documents of the whole list have each value, by field; empty where the service does not count. */
  facets: Counts;
  /** How many documents the whole list has; null where the service does not count. */
  total: number | null;
}

export type Counts = Readonly<Record<string, readonly { value: string; count: number }[]>>;

/** One of the service's parts. */
export interface Check {
  name: string;
  ok: boolean;
  detail: string;
}

export interface Readiness {
  ready: boolean;
  checks: Check[];
}

/** A stretch of a document's stored text; offsets in code points, half-open. */
export type TextWindow = TextSlice;

/** A message of the conversation so far. */
export type HistoryMessage = NonNullable<Ask["history"]>[number];

/** Who asks. `token` is null where changes need none, `conversations_of` where the service keeps no conversations. */
export type Session = Pick<SessionReply, "auth" | "name" | "role" | "token" | "conversations_of" | "groups">;

export type Fields = Record<string, unknown>;

export function fields(value: unknown): Fields | null {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : null;
}

export function text(value: unknown, fallback = ""): string {
  return typeof value === "string" ? value : fallback;
}

export function textOrNull(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

export function numberOrNull(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

/** An offset or index: a whole number from 0 on. */
export function offsetOrNull(value: unknown): number | null {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : null;
}

/** Decodes each item of an array, leaving out those that can't be read. */
export function list<T>(value: unknown, decode: (item: unknown) => T | null): T[] {
  if (!Array.isArray(value)) return [];
  return value.map(decode).filter((item): item is T => item !== null);
}

function decodeSpan(value: unknown): QuotedSpan | null {
  const from = fields(value);
  const start = offsetOrNull(from?.char_start);
  const end = offsetOrNull(from?.char_end);
  if (!from || start === null || end === null || end <= start) return null;
  return { char_start: start, char_end: end, quote: text(from.quote) };
}

function decodePassage(from: Fields, documentId: string, quote: string): Passage {
  const source = text(from.source);
  return {
    document_id: documentId,
    collection: text(from.collection),
    chunk_id: text(from.chunk_id),
    source,
    title: text(from.title) || source,
    page: numberOrNull(from.page),
    heading: textOrNull(from.heading),
    char_start: numberOrNull(from.char_start) ?? 0,
    char_end: numberOrNull(from.char_end) ?? 0,
    quote,
    score: numberOrNull(from.score),
    spans: list(from.spans, decodeSpan),
  };
}

export function decodeCitation(value: unknown): Citation | null {
  const from = fields(value);
  const marker = numberOrNull(from?.marker);
  const documentId = textOrNull(from?.document_id);
  if (!from || marker === null || documentId === null) return null;
  return {
    ...decodePassage(from, documentId, text(from.quote)),
    marker,
    supported: from.supported !== false,
    ocr_confidence: numberOrNull(from.ocr_confidence),
  };
}

/** A hit of a refusal as it comes over the wire (its `text`), or out of the storage (its `quote`). */
export function decodeNearMiss(value: unknown): NearMiss | null {
  const from = fields(value);
  const documentId = textOrNull(from?.document_id);
  if (!from || documentId === null) return null;
  const why = text(fields(from.why)?.sentence) || text(from.why);
  return { ...decodePassage(from, documentId, text(from.text) || text(from.quote)), why };
}

/**
 * An answer's citations and the claims that count on them. A citation that can't be read is left out, and with it what
 * a claim says of it; the claims' indexes are those of the citations that are returned.
 */
export function decodeEvidence(citations: unknown, claims: unknown): { citations: Citation[]; claims: Claim[] } {
  const kept: Citation[] = [];
  const places = (Array.isArray(citations) ? citations : []).map((value) => {
    const citation = decodeCitation(value);
    return citation === null ? null : kept.push(citation) - 1;
  });
  return { citations: kept, claims: list(claims, (value) => decodeClaim(value, places)) };
}

/** `places` says where each citation of the reply has gone, null for one that was left out. */
function decodeClaim(value: unknown, places: readonly (number | null)[]): Claim | null {
  const from = fields(value);
  const start = offsetOrNull(from?.start);
  const end = offsetOrNull(from?.end);
  if (!from || start === null || end === null || end < start) return null;
  const markStart = offsetOrNull(from.mark_start);
  const markEnd = offsetOrNull(from.mark_end);
  const marked = markStart !== null && markEnd !== null && markEnd > markStart;
  return {
    start,
    end,
    mark_start: marked ? markStart : null,
    mark_end: marked ? markEnd : null,
    citations: list(from.citations, (index) => places[offsetOrNull(index) ?? -1] ?? null),
    supported: typeof from.supported === "boolean" ? from.supported : null,
  };
}

export function decodeKind(value: unknown): AnswerKind {
  return typeof value === "string" && Object.hasOwn(KINDS, value) ? (value as AnswerKind) : "passage";
}

export function decodeReason(value: unknown): AbstentionReason | null {
  return typeof value === "string" && Object.hasOwn(REASONS, value) ? (value as AbstentionReason) : null;
}

/** Null when there is no `answer` in it: then it's no reply at all. */
export function decodeReply(value: unknown): Reply | null {
  const from = fields(value);
  if (!from || typeof from.answer !== "string") return null;
  return {
    answer: from.answer,
    abstained: from.abstained === true,
    generator: text(from.generator),
    degraded: from.degraded === true,
    degraded_reason: textOrNull(from.degraded_reason),
    standalone_question: textOrNull(from.standalone_question),
    ...decodeEvidence(from.citations, from.claims),
    kind: decodeKind(from.kind),
    searched_for: textOrNull(from.searched_for),
    reason: decodeReason(from.reason),
    nearest: list(from.nearest, decodeNearMiss),
    total_ms: numberOrNull(fields(from.timings_ms)?.total),
    timings: decodeTimings(from.timings_ms),
    reach: decodeReach(fields(from.explain)?.answerability, fields(from.explain)?.abstain_threshold),
    request_id: text(from.request_id),
  };
}

export function decodeReach(given: unknown, least: unknown): Reach | null {
  const value = numberOrNull(given);
  const needed = numberOrNull(least);
  return value === null || needed === null ? null : { value, needed };
}

export function decodeTimings(value: unknown): Timings {
  return numbers(fields(value));
}

/** The entries that are numbers. */
export function numbers(from: Fields | null): Record<string, number> {
  return Object.fromEntries(Object.entries(from ?? {}).filter((entry): entry is [string, number] => numberOrNull(entry[1]) !== null));
}

export function decodeProblem(value: unknown, status: number, retryAfter: string | null = null): Problem {
  const from = fields(value) ?? {};
  const detail = from.detail;
  const seconds = retryAfter !== null && /^\d+$/.test(retryAfter) ? Number(retryAfter) : null;
  return {
    code: text(from.code) || (status > 0 ? `http_${status}` : "unknown"),
    title: text(from.title),
    detail: typeof detail === "string" || detail === undefined || detail === null ? text(detail) : JSON.stringify(detail),
    status: numberOrNull(from.status) ?? status,
    request_id: text(from.request_id),
    retry_after_s: numberOrNull(from.retry_after_s) ?? seconds,
  };
}

export function decodeCollection(value: unknown): Collection | null {
  const from = fields(value);
  const name = textOrNull(from?.name);
  if (!from || name === null) return null;
  return { name, description: text(from.description), documents: numberOrNull(from.documents) ?? 0, chunks: numberOrNull(from.chunks) ?? 0 };
}

export function decodeDocument(value: unknown): DocumentSummary | null {
  const from = fields(value);
  const id = textOrNull(from?.id);
  if (!from || id === null) return null;
  const source = text(from.source);
  return {
    id,
    source,
    title: text(from.title) || source,
    media_type: text(from.media_type),
    language: from.language === "und" ? null : textOrNull(from.language), // BCP 47's "undetermined"
    languages: list(from.languages, textOrNull), // none out of an older service
    status: text(from.status),
    reason: textOrNull(from.reason),
    readers: list(from.readers, textOrNull),
    pages: numberOrNull(from.pages),
    chars: numberOrNull(from.chars),
    chunks: numberOrNull(from.chunks),
    updated_at: textOrNull(from.updated_at),
  };
}

function decodePage(value: unknown): WireDocument["page_spans"][number] | null {
  const from = fields(value);
  const number = offsetOrNull(from?.number);
  const start = offsetOrNull(from?.char_start);
  const end = offsetOrNull(from?.char_end);
  return number === null || start === null || end === null ? null : { number, char_start: start, char_end: end };
}

function decodeSection(value: unknown): WireDocument["sections"][number] | null {
  const from = fields(value);
  const start = offsetOrNull(from?.char_start);
  const end = offsetOrNull(from?.char_end);
  const path = list(from?.heading_path, textOrNull);
  return start === null || end === null || path.length === 0 ? null : { char_start: start, char_end: end, heading_path: path, language: textOrNull(from?.language) };
}

export function decodeDocumentDetail(value: unknown): DocumentDetail | null {
  const summary = decodeDocument(value);
  const from = fields(value);
  if (!summary || !from) return null;
  const dropped = Object.entries(fields(from.dropped) ?? {}).flatMap(([kind, count]) => {
    const characters = numberOrNull(count);
    return characters === null || characters <= 0 ? [] : [[kind, characters] as const];
  });
  return {
    ...summary,
    collection: text(from.collection),
    has_original: from.has_original === true,
    reason_detail: textOrNull(from.reason_detail),
    page_spans: list(from.page_spans, decodePage).sort((a, b) => a.char_start - b.char_start),
    sections: list(from.sections, decodeSection).sort((a, b) => a.char_start - b.char_start),
    duplicate_of: textOrNull(from.duplicate_of),
    unknown_share: numberOrNull(from.unknown_share),
    is_unreadable: from.is_unreadable === true,
    dropped: Object.fromEntries(dropped),
    lost_share: numberOrNull(from.lost_share),
    is_lossy: from.is_lossy === true,
  };
}

/** Counts by field and value, as lists of `{value, count}` or as records of counts. */
export function decodeCounts(value: unknown): Counts {
  return Object.fromEntries(
    Object.entries(fields(value) ?? {}).map(([field, counts]) => [
      field,
      Array.isArray(counts)
        ? list(counts, (one) => {
            const count = numberOrNull(fields(one)?.count);
            return count === null ? null : { value: text(fields(one)?.value), count };
          })
        : Object.entries(numbers(fields(counts))).map(([key, count]) => ({ value: key, count })),
    ]),
  );
}

export function decodeReadiness(value: unknown): Readiness {
  const from = fields(value);
  const checks = Object.entries(fields(from?.checks) ?? {}).map(([name, check]) => {
    const said = fields(check);
    return { name, ok: said?.ok === true, detail: text(said?.detail) };
  });
  return { ready: from?.status === "ready", checks };
}

export function decodeTextWindow(value: unknown): TextWindow | null {
  const from = fields(value);
  const start = numberOrNull(from?.start);
  const end = numberOrNull(from?.end);
  const total = numberOrNull(from?.total_chars);
  if (!from || typeof from.text !== "string" || start === null || end === null || total === null) return null;
  return { text: from.text, start, end, total_chars: total };
}

/** Null where it can't be told who asks: a service that this page does not know. */
export function decodeSession(value: unknown): Session | null {
  const from = fields(value);
  const { auth, role } = from ?? {};
  if (auth !== "off" && auth !== "keys" && auth !== "proxy") return null;
  if (role !== "reader" && role !== "writer" && role !== "admin") return null;
  return { auth, role, name: text(from?.name), token: textOrNull(from?.token), conversations_of: textOrNull(from?.conversations_of), groups: list(from?.groups, textOrNull) };
}
