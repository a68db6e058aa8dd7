// A service for tests: answers the page's requests as the REST contract says, from a script of the test's making.
// It takes the place of fetch, so that everything from the client's own code upwards runs as in the browser.
import type { Citation, Claim, DocumentSummary, Reply } from "../wire/decode";

export interface Asked {
  question: string;
  collection: string;
  history: { role: string; content: string }[];
  stream: boolean;
}

/** One /ask that the test answers piece by piece. */
export interface OpenAnswer {
  asked: Asked;
  signal: AbortSignal;
  /** What X-CSRF-Token brought. */
  token: string | null;
  send(event: string, data: unknown): void;
  /** Raw bytes of the stream. */
  write(text: string): void;
  end(): void;
  breakOff(): void;
}

export interface Script {
  /** Called with each question; return a Response to refuse it, or nothing to stream an answer. */
  onAsk?: (answer: OpenAnswer) => Response | undefined;
  documents?: DocumentSummary[];
  texts?: Record<string, string>;
  /** Answers /session; without it the service asks nobody who they are. */
  onSession?: (method: string, body: string) => Response;
  /** Answers a stream that is taken up again, or ended; without it there is none. */
  onStream?: (method: string, id: string, after: string | null) => Response;
  /** Answers DELETE of anything but a session. */
  onDelete?: (path: string) => Response;
  /** Answers an upload. */
  onUpload?: (form: FormData, url: URL) => Response;
  /** Answers /jobs and what is below it. */
  onJobs?: (method: string, path: string) => Response;
  /** Answers /search; without it nothing is found. */
  onSearch?: (asked: Record<string, unknown>, signal: AbortSignal) => Response | Promise<Response>;
  /** Answers what changes a collection, or sends feedback. */
  onChange?: (method: string, path: string, body: Record<string, unknown>) => Response;
  /** Called with each other request but questions; return a Response to refuse it. */
  onRead?: (path: string) => Response | undefined;
  collections?: { name: string; description?: string; documents: number; chunks: number }[];
}

export function jsonResponse(value: unknown, status = 200, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(value), { status, headers: { "content-type": "application/json", ...headers } });
}

export function problemResponse(status: number, code: string, headers: Record<string, string> = {}): Response {
  const body = { code, title: `Title of ${code}`, detail: `Detail of ${code}`, status, request_id: "req-7" };
  return jsonResponse(body, status, { "content-type": "application/problem+json", ...headers });
}

export function createService(script: Script): { fetch: typeof fetch; requests: string[] } {
  const requests: string[] = [];
  const answer = async (input: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
    const url = new URL(input instanceof Request ? input.url : input);
    requests.push(`${init?.method ?? "GET"} ${url.pathname}${url.search}`);
    if (url.pathname === "/session") return session(script, init);
    if (url.pathname === "/ask") {
      return ask(script, JSON.parse(String(init?.body)) as Asked, init?.signal as AbortSignal, new Headers(init?.headers).get("x-csrf-token"));
    }
    if (url.pathname.startsWith("/ask/")) {
      const after = new Headers(init?.headers).get("last-event-id");
      return script.onStream?.(init?.method ?? "GET", url.pathname.slice("/ask/".length), after) ?? problemResponse(404, "not_found");
    }
    if (url.pathname === "/search") {
      return script.onSearch?.(bodyOf(init), init?.signal as AbortSignal) ?? jsonResponse({ hits: [], timings_ms: {} });
    }
    if (url.pathname === "/documents" && init?.method === "POST") {
      return script.onUpload?.(init.body as FormData, url) ?? problemResponse(405, "method_not_allowed");
    }
    if (url.pathname.startsWith("/jobs")) return script.onJobs?.(init?.method ?? "GET", url.pathname) ?? problemResponse(404, "not_found");
    if (init?.method === "POST" || init?.method === "PATCH") {
      return script.onChange?.(init.method, url.pathname, bodyOf(init)) ?? problemResponse(404, "not_found");
    }
    if (init?.method === "DELETE") return script.onDelete?.(url.pathname) ?? problemResponse(404, "not_found");
    const refusal = script.onRead?.(url.pathname);
    if (refusal) return refusal;
    if (url.pathname === "/collections") return jsonResponse({ collections: script.collections ?? [] });
    if (url.pathname === "/documents" && script.collections?.some(({ name }) => name === url.searchParams.get("collection")) === false) return problemResponse(404, "not_found");
    if (url.pathname === "/documents") return jsonResponse(listed(script.documents ?? [], url.searchParams));
    return document(script, url);
  };
  return { fetch: answer, requests };
}

/** A list as the service narrows, sorts and counts it. */
function listed(all: readonly DocumentSummary[], about: URLSearchParams): object {
  const folded = (text: string): string => text.normalize("NFKC").toLowerCase();
  const said = (name: string): string => about.get(name) ?? "";
  const [, minus = "", by = "source"] = /^(-?)(.*)$/.exec(said("sort") || "source") ?? [];
  const words = folded(said("q")).split(/\s+/).filter(Boolean);
  const documents = all
    .filter(({ source, title }) => source.startsWith(said("folder")) && words.every((word) => folded(`${source} ${title}`).includes(word)))
    .filter((one) => (["status", "media_type"] as const).every((name) => said(name) === "" || one[name] === said(name)))
    .filter(({ languages }) => said("language") === "" || languages.includes(said("language")))
    .toSorted((a, b) => String(a[by as keyof DocumentSummary]).localeCompare(String(b[by as keyof DocumentSummary])) * (minus ? -1 : 1));
  const counted = (values: readonly (string | null)[]) =>
    [...new Set(values)].filter(Boolean).map((value) => ({ value, count: values.filter((one) => one === value).length }));
  const folders = documents.map(({ source }) => {
    const [first, ...more] = source.slice(said("folder").length).split("/");
    return more.length > 0 ? `${said("folder")}${first}` : null;
  });
  const facets = {
    total: documents.length,
    status: counted(documents.map(({ status }) => status)),
    media_type: counted(documents.map((one) => one.media_type)),
    language: counted(documents.flatMap(({ languages }) => languages)),
    folder: counted(folders),
  };
  return { documents: documents.slice(0, Number(about.get("limit"))), next_cursor: null, ...(about.has("facets") ? { facets } : {}) };
}

function bodyOf(init?: RequestInit): Record<string, unknown> {
  return JSON.parse(String(init?.body ?? "{}")) as Record<string, unknown>;
}

export const LOCAL = { auth: "off", name: "local", role: "admin", tenant: "default", groups: [], token: null };

function session(script: Script, init?: RequestInit): Response {
  return script.onSession?.(init?.method ?? "GET", String(init?.body ?? "")) ?? jsonResponse(LOCAL);
}

function ask(script: Script, asked: Asked, signal: AbortSignal, token: string | null): Response {
  const encoder = new TextEncoder();
  let control!: ReadableStreamDefaultController<Uint8Array>;
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      control = controller;
    },
  });
  signal.addEventListener("abort", () => control.error(signal.reason));
  const write = (text: string): void => control.enqueue(encoder.encode(text));
  const refusal = script.onAsk?.({
    asked,
    signal,
    token,
    write,
    send: (event, data) => write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`),
    end: () => control.close(),
    breakOff: () => control.error(new TypeError("network error")),
  });
  return refusal ?? new Response(body, { headers: { "content-type": "text/event-stream; charset=utf-8" } });
}

function document(script: Script, url: URL): Response {
  const [, id = "", part] = /^\/documents\/([^/]+)(\/text)?$/.exec(url.pathname) ?? [];
  const text = script.texts?.[id];
  const found = script.documents?.find((one) => one.id === id);
  if (text === undefined || !found) return problemResponse(404, "document_not_found");
  if (!part) return jsonResponse(found);
  const points = Array.from(text);
  const start = Number(url.searchParams.get("start"));
  const end = Math.min(Number(url.searchParams.get("end")), points.length);
  return jsonResponse({ text: points.slice(start, end).join(""), start, end, total_chars: points.length });
}

export function citationOf(text: string, quote: string, rest: Partial<Citation> = {}): Citation {
  const start = Array.from(text.slice(0, text.indexOf(quote))).length;
  return {
    marker: 1,
    document_id: "doc-1",
    chunk_id: "chunk-1",
    collection: "default",
    source: "docs/tuning.md",
    title: "Tuning",
    page: null,
    heading: "Lists",
    char_start: start,
    char_end: start + Array.from(quote).length,
    quote,
    score: 0.82,
    spans: [],
    supported: true,
    ocr_confidence: null,
    ...rest,
  };
}

/** Claims in the order of the answer: each a statement, its mark (null: it has none) and the citation behind it. */
export function claimsOf(answer: string, parts: readonly [statement: string, mark: string | null, citation: number, supported?: boolean][]): Claim[] {
  const points = (units: number): number => Array.from(answer.slice(0, units)).length;
  let from = 0;
  return parts.map(([statement, mark, citation, supported = true]) => {
    const start = answer.indexOf(statement, from);
    const end = start + statement.length;
    from = end;
    const markStart = mark === null ? null : answer.indexOf(mark, end);
    if (mark !== null && markStart !== null) from = markStart + mark.length;
    return {
      start: points(start),
      end: points(end),
      mark_start: markStart === null ? null : points(markStart),
      mark_end: markStart === null || mark === null ? null : points(markStart + mark.length),
      citations: mark === null ? [] : [citation],
      supported: mark === null ? null : supported,
    };
  });
}

export function documentOf(text: string, rest: Partial<DocumentSummary> = {}): DocumentSummary {
  return {
    id: "doc-1",
    source: "docs/tuning.md",
    title: "Tuning",
    media_type: "text/markdown",
    language: "en",
    languages: ["en"],
    status: "ready",
    reason: null,
    readers: [],
    pages: null,
    chars: Array.from(text).length,
    chunks: 3,
    updated_at: "2026-11-24T10:00:00Z",
    ...rest,
  };
}

export function replyOf(rest: Partial<Reply> & { answer: string }): object {
  const { total_ms: total = 120, ...shown } = rest;
  return {
    abstained: false,
    generator: "extractive",
    degraded: false,
    citations: [],
    claims: [],
    kind: "passage",
    searched_for: null,
    reason: null,
    nearest: [],
    usage: { prompt_tokens: 0, completion_tokens: 0 },
    timings_ms: { total },
    request_id: "req-1",
    ...shown,
  };
}
