// The service's REST shapes and the decoders that check what came over the wire or out of the browser's storage.
// A decoder returns what it could read and never throws: text from outside is not trusted to have a shape.

export interface Citation {
  marker: number;
  document_id: string;
  chunk_id: string;
  source: string;
  title: string;
  page: number | null;
  heading: string | null;
  /** Half-open offsets into the document's stored text, in code points. */
  char_start: number;
  char_end: number;
  quote: string;
  /** Higher is better. */
  score: number | null;
  supported: boolean;
}

export interface Reply {
  answer: string;
  abstained: boolean;
  generator: string;
  degraded: boolean;
  degraded_reason: string | null;
  standalone_question: string | null;
  citations: Citation[];
  total_ms: number | null;
  request_id: string;
}

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

export interface Collection {
  name: string;
  documents: number;
  chunks: number;
}

export interface DocumentSummary {
  id: string;
  source: string;
  title: string;
  media_type: string;
  language: string | null;
  status: string;
  reason: string | null;
  pages: number | null;
  chars: number | null;
  chunks: number | null;
  updated_at: string | null;
}

/** A document by itself: what its list does not say. */
export interface DocumentDetail extends DocumentSummary {
  /** Source of the document that holds the same text. */
  duplicate_of: string | null;
  /** Share of its tokens that the embedding model can't read, 0 to 1. */
  unknown_share: number | null;
  is_unreadable: boolean;
  /** What cleaning removed: kind to characters. */
  dropped: Readonly<Record<string, number>>;
}

export interface DocumentPage {
  documents: DocumentSummary[];
  next_cursor: string | null;
}

/** A stretch of a document's stored text; offsets in code points, half-open. */
export interface TextWindow {
  text: string;
  start: number;
  end: number;
  total_chars: number;
}

export interface HistoryMessage {
  role: "user" | "assistant";
  content: string;
}

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

/** Decodes each item of an array, leaving out those that can't be read. */
export function list<T>(value: unknown, decode: (item: unknown) => T | null): T[] {
  if (!Array.isArray(value)) return [];
  return value.map(decode).filter((item): item is T => item !== null);
}

export function decodeCitation(value: unknown): Citation | null {
  const from = fields(value);
  const marker = numberOrNull(from?.marker);
  const documentId = textOrNull(from?.document_id);
  if (!from || marker === null || documentId === null) return null;
  const source = text(from.source);
  return {
    marker,
    document_id: documentId,
    chunk_id: text(from.chunk_id),
    source,
    title: text(from.title) || source,
    page: numberOrNull(from.page),
    heading: textOrNull(from.heading),
    char_start: numberOrNull(from.char_start) ?? 0,
    char_end: numberOrNull(from.char_end) ?? 0,
    quote: text(from.quote),
    score: numberOrNull(from.score),
    supported: from.supported !== false,
  };
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
    citations: list(from.citations, decodeCitation),
    total_ms: numberOrNull(fields(from.timings_ms)?.total),
    request_id: text(from.request_id),
  };
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
  return { name, documents: numberOrNull(from.documents) ?? 0, chunks: numberOrNull(from.chunks) ?? 0 };
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
    status: text(from.status),
    reason: textOrNull(from.reason),
    pages: numberOrNull(from.pages),
    chars: numberOrNull(from.chars),
    chunks: numberOrNull(from.chunks),
    updated_at: textOrNull(from.updated_at),
  };
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
    duplicate_of: textOrNull(from.duplicate_of),
    unknown_share: numberOrNull(from.unknown_share),
    is_unreadable: from.is_unreadable === true,
    dropped: Object.fromEntries(dropped),
  };
}

export function decodeTextWindow(value: unknown): TextWindow | null {
  const from = fields(value);
  const start = numberOrNull(from?.start);
  const end = numberOrNull(from?.end);
  const total = numberOrNull(from?.total_chars);
  if (!from || typeof from.text !== "string" || start === null || end === null || total === null) return null;
  return { text: from.text, start, end, total_chars: total };
}
