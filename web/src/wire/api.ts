// The service's REST endpoints as typed functions. It knows nothing of the page.
// Every failure is a ProblemError; a cancelled call throws the browser's AbortError unchanged.
import type { Asked } from "./filter";
import { decodeRated, type RatedAnswer } from "./feedback";
import { decodeJob, decodePlanned, type PlannedFile, type Job, type JobPage, type JobState } from "./jobs";
import { decodeBoxes, decodeLines, decodePictures, type Box, type PageLine, type PagePicture } from "./pages";
import { decodeFound, type Found } from "./search";
import { decodeState, type ServiceState } from "./status";
import { EventStreamParser } from "./sse";
import {
  decodeCitation,
  decodeCollection,
  decodeCounts,
  decodeDocument,
  decodeDocumentDetail,
  decodeProblem,
  decodeReadiness,
  decodeReply,
  decodeSession,
  decodeTextWindow,
  fields,
  list,
  numberOrNull,
  text,
  textOrNull,
  type Citation,
  type Collection,
  type DocumentDetail,
  type DocumentPage,
  type HistoryMessage,
  type Problem,
  type Readiness,
  type Reply,
  type Session,
  type TextWindow,
} from "./decode";

/** What the page itself finds wrong, beside the codes of the service. */
export type LocalCode = "network" | "interrupted" | "bad_response";

export class ProblemError extends Error {
  /** `asksForKey`: what was refused for want of somebody's name can be had with a key. */
  constructor(
    readonly problem: Problem,
    readonly asksForKey = false,
    /** What a service that is not ready says of its parts. */
    readonly checks: unknown = null,
  ) {
    super(problem.title || problem.code);
    this.name = "ProblemError";
  }

  static local(code: LocalCode, status = 0): ProblemError {
    return new ProblemError({ code, title: "", detail: "", status, request_id: "", retry_after_s: null });
  }
}

/** What a reader may set; what is absent is the service's default. */
export interface AskSettings {
  top_k?: number;
  generation?: { temperature?: number; max_tokens?: number };
  quotes_only?: boolean;
  /** Asks how the search went, too: how far the passages reach stands in the reply. */
  explain?: boolean;
}

export interface Question extends Asked, AskSettings {
  question: string;
  history: HistoryMessage[];
}

/** What a list of documents is narrowed to; empty texts are left out. */
export interface ListQuery {
  q?: string;
  status?: string;
  media_type?: string;
  language?: string;
  folder?: string;
  sort?: string;
  facets?: boolean;
}

/** A conversation in the service's list; times in milliseconds since the epoch. */
export interface KeptConversation {
  id: string;
  version: number;
  updatedAt: number;
}

export interface AskListener {
  /** Each event, before what it says. */
  onEvent?(): void;
  onSources(citations: Citation[]): void;
  onToken(token: string): void;
  /** What a model that reasons does from here on; "answer" takes back all tokens before it. */
  onStage(stage: "reasoning" | "answer"): void;
}

export interface Api {
  /** Asks and streams; resolves with the whole reply. By `stream`, a name of one's own, it can be taken up again. */
  ask(question: Question, listener: AskListener, signal: AbortSignal, stream?: string): Promise<Reply>;
  /** Takes up a stream after its first events. 404 where the service does not have it any more. */
  resume(stream: string, after: number, listener: AskListener, signal: AbortSignal): Promise<Reply>;
  /** Ends a stream's work. */
  endStream(stream: string): Promise<void>;
  search(asked: Asked & { question: string; top_k?: number; explain?: boolean }, signal?: AbortSignal): Promise<Found>;
  collections(signal?: AbortSignal): Promise<Collection[]>;
  createCollection(name: string, description: string): Promise<void>;
  changeCollection(name: string, change: { name?: string; description?: string }): Promise<void>;
  deleteCollection(name: string): Promise<void>;
  /** `about` is absent where an older service does not know it: then all documents come, by source. */
  documents(collection: string, limit: number, cursor: string | null, signal?: AbortSignal, about?: ListQuery): Promise<DocumentPage>;
  document(id: string, signal?: AbortSignal): Promise<DocumentDetail>;
  /** The file stays where it is: taking it in again brings the document back. */
  deleteDocument(id: string): Promise<void>;
  changeDocument(id: string, change: { title?: string; readers?: string[] }): Promise<void>;
  /** What would become of files, in their order; nothing is sent of them. */
  plan(collection: string, folder: string, readers: readonly string[], files: readonly { name: string; size_bytes: number; sha256: string | null }[], signal?: AbortSignal): Promise<(PlannedFile | null)[]>;
  /** `names` are the files' paths, with their folders. */
  upload(collection: string, files: readonly { file: File; path: string }[], folder: string, readers?: readonly string[]): Promise<Job>;
  /** Makes documents anew of the files that are kept of them; resolves with how many have none, too. */
  reingest(ids: readonly string[]): Promise<{ jobs: Job[]; withoutOriginal: number }>;
  jobs(about: { state?: JobState; collection?: string; cursor?: string | null }, signal?: AbortSignal): Promise<JobPage>;
  job(id: string, signal?: AbortSignal): Promise<Job>;
  /** Tells of each change of a job, until it is over or `signal` ends it. */
  watchJob(id: string, onJob: (job: Job) => void, signal: AbortSignal): Promise<void>;
  retryJob(id: string): Promise<void>;
  cancelJob(id: string): Promise<void>;
  pages(id: string, signal?: AbortSignal): Promise<PagePicture[]>;
  /** The words on a page. */
  lines(id: string, page: number, signal?: AbortSignal): Promise<PageLine[]>;
  boxes(id: string, start: number, end: number, signal?: AbortSignal): Promise<Box[]>;
  /** The address of a file of the service, as of a page's picture or an original. */
  addressOf(path: string): string;
  rate(requestId: string, rating: "up" | "down", reason: string | null, comment: string): Promise<void>;
  /** What readers thought of answers, the newest first; for admins. */
  rated(rating: "up" | "down", signal?: AbortSignal): Promise<RatedAnswer[]>;
  readiness(signal?: AbortSignal): Promise<Readiness>;
  /** One's own, as far as the service keeps them: what they are, not what is in them. */
  conversations(signal?: AbortSignal): Promise<KeptConversation[]>;
  conversation(id: string): Promise<{ version: number; content: unknown }>;
  /** `version` is that which was read; the new one comes back. 409 where another one is stored. */
  keepConversation(id: string, conversation: { name: string | null; version: number | null; content: object }): Promise<number>;
  forgetConversation(id: string): Promise<void>;
  /** For those who run the service. */
  state(signal?: AbortSignal): Promise<ServiceState>;
  /** `start` and `end` in code points, half-open. */
  documentText(id: string, start: number, end: number, signal?: AbortSignal): Promise<TextWindow>;
  /** Who asks, which a service that asks for keys refuses with 401 until `logIn`. */
  session(signal?: AbortSignal): Promise<Session>;
  logIn(key: string): Promise<Session>;
  logOut(): Promise<void>;
  /** Calls `listener` after each 401 of any call but these three. */
  onUnauthenticated(listener: () => void): void;
}

/** What a change has to bring that the session's cookie makes. */
const TOKEN_HEADER = "x-csrf-token";

/** `base` is the address that the paths are relative to, ending in a slash. */
export function createApi(base: string = document.baseURI, fetchFrom: typeof fetch = (...call) => fetch(...call)): Api {
  let token: string | null = null;
  const refused: (() => void)[] = [];

  async function request(path: string, init: RequestInit): Promise<Response> {
    let response: Response;
    try {
      response = await fetchFrom(new URL(path, base), { ...init, credentials: "same-origin" });
    } catch (error) {
      throw isAbort(error) ? error : ProblemError.local("network");
    }
    if (response.ok) return response;
    const body: unknown = await response.json().catch(() => null);
    throw new ProblemError(
      decodeProblem(body, response.status, response.headers.get("retry-after")),
      response.headers.has("www-authenticate"),
      fields(body)?.checks ?? null,
    );
  }

  /** What `call` gives; tells of a 401. */
  async function known<T>(call: Promise<T>): Promise<T> {
    try {
      return await call;
    } catch (error) {
      if (error instanceof ProblemError && error.problem.status === 401) for (const tell of refused) tell();
      throw error;
    }
  }

  async function get(path: string, signal?: AbortSignal): Promise<unknown> {
    const response = await known(request(path, reading(signal)));
    return readJson(response);
  }

  /** A request that changes something, or a question. Another tab may have opened a new session, with a new token. */
  async function change(path: string, init: RequestInit): Promise<Response> {
    const brought = token;
    const send = (): Promise<Response> =>
      request(path, { ...init, headers: { ...init.headers, ...(token === null ? {} : { [TOKEN_HEADER]: token }) } });
    try {
      return await send();
    } catch (error) {
      if (!(error instanceof ProblemError) || error.problem.status !== 403) throw error;
      await session(init.signal ?? undefined);
      if (token === brought) throw error;
      return send();
    }
  }

  async function oneJob(id: string, signal?: AbortSignal): Promise<Job> {
    return checked(decodeJob(await get(`jobs/${encodeURIComponent(id)}`, signal)), 200);
  }

  async function takeSession(response: Response): Promise<Session> {
    const found = checked(decodeSession(await readJson(response)), response.status);
    token = found.token;
    return found;
  }

  async function session(signal?: AbortSignal): Promise<Session> {
    return takeSession(await request("session", reading(signal)));
  }

  return {
    async ask(question, listener, signal, stream) {
      const answer = async (): Promise<Reply> => {
        const response = await change("ask", {
          method: "POST",
          headers: { "content-type": "application/json", accept: "text/event-stream, application/json" },
          body: JSON.stringify({ ...question, stream: true, ...(stream === undefined ? {} : { stream_id: stream }) }),
          signal,
        });
        if (!(response.headers.get("content-type") ?? "").startsWith("text/event-stream")) {
          return checked(decodeReply(await readJson(response)), response.status);
        }
        return readAnswer(response, listener);
      };
      return known(answer());
    },

    async resume(stream, after, listener, signal) {
      const init = { headers: { accept: "text/event-stream", "last-event-id": String(after) }, signal };
      return readAnswer(await known(request(`ask/${stream}`, init)), listener);
    },

    async endStream(stream) {
      await change(`ask/${stream}`, { method: "DELETE", keepalive: true });
    },

    async collections(signal) {
      return list(fields(await get("collections", signal))?.collections, decodeCollection);
    },

    async search(asked, signal) {
      const init = { ...json(asked), ...(signal ? { signal } : {}) };
      return checked(decodeFound(await readJson(await known(change("search", init)))), 200);
    },

    async createCollection(name, description) {
      await known(change("collections", json({ name, ...(description === "" ? {} : { description }) })));
    },

    async changeCollection(name, to) {
      await known(change(`collections/${encodeURIComponent(name)}`, json(to, "PATCH")));
    },

    async deleteCollection(name) {
      await known(change(`collections/${encodeURIComponent(name)}`, { method: "DELETE" }));
    },

    async documents(collection, limit, cursor, signal, about = {}) {
      const narrowed = Object.entries(about).flatMap(([name, value]) => (value ? [[name, String(value)]] : []));
      const query = new URLSearchParams([["collection", collection], ["limit", String(limit)], ...(cursor ? [["cursor", cursor]] : []), ...narrowed]);
      const page = fields(await get(`documents?${query}`, signal));
      return { documents: list(page?.documents, decodeDocument), next_cursor: textOrNull(page?.next_cursor), facets: decodeCounts(page?.facets), total: numberOrNull(fields(page?.facets)?.total) };
    },

    async changeDocument(id, to) {
      await known(change(`documents/${encodeURIComponent(id)}`, json(to, "PATCH")));
    },

    async plan(collection, folder, readers, files, signal) {
      const init = { ...json({ folder, readers, files }), ...(signal ? { signal } : {}) };
      const reply = fields(await readJson(await known(change(`documents/plan?${new URLSearchParams({ collection })}`, init))));
      return Array.isArray(reply?.files) ? reply.files.map(decodePlanned) : [];
    },

    async upload(collection, files, folder, readers = []) {
      const form = new FormData();
      for (const { file, path } of files) form.append("files", file, path);
      if (folder !== "") form.append("folder", folder);
      for (const group of readers) form.append("readers", group);
      const reply = await known(change(`documents?${new URLSearchParams({ collection })}`, { method: "POST", headers: { accept: "application/json" }, body: form }));
      return checked(decodeJob(fields(await readJson(reply))?.job), reply.status);
    },

    async reingest(documents) {
      const reply = await known(change("documents/reingest", json({ documents })));
      const made = fields(await readJson(reply));
      return { jobs: list(made?.jobs, decodeJob), withoutOriginal: list(made?.without_original, textOrNull).length };
    },

    async jobs({ state, collection, cursor }, signal) {
      const query = new URLSearchParams({ ...(state ? { state } : {}), ...(collection ? { collection } : {}), ...(cursor ? { cursor } : {}) });
      const page = fields(await get(`jobs?${query}`, signal));
      return { jobs: list(page?.jobs, decodeJob), next_cursor: textOrNull(page?.next_cursor) };
    },

    job: oneJob,

    async watchJob(id, onJob, signal) {
      const response = await known(request(`jobs/${encodeURIComponent(id)}/events`, { headers: { accept: "text/event-stream" }, signal }));
      for await (const { data } of eventsOf(response)) {
        const job = decodeJob(parseJson(data));
        if (job) onJob(job);
      }
    },

    async retryJob(id) {
      await known(change(`jobs/${encodeURIComponent(id)}/retry`, { method: "POST" }));
    },

    async cancelJob(id) {
      await known(change(`jobs/${encodeURIComponent(id)}/cancel`, { method: "POST" }));
    },

    async pages(id, signal) {
      return decodePictures(await get(`documents/${encodeURIComponent(id)}/pages`, signal));
    },

    async lines(id, page, signal) {
      return decodeLines(await get(`documents/${encodeURIComponent(id)}/pages/${page}/lines`, signal));
    },

    async boxes(id, start, end, signal) {
      const query = new URLSearchParams({ start: String(start), end: String(end) });
      return decodeBoxes(await get(`documents/${encodeURIComponent(id)}/boxes?${query}`, signal));
    },

    addressOf: (path) => new URL(path.replace(/^\//, ""), base).href,

    async rate(requestId, rating, reason, comment) {
      const said = { ...(reason === null ? {} : { reason }), ...(comment === "" ? {} : { comment }) };
      await known(change("feedback", json({ request_id: requestId, rating, ...said })));
    },

    async rated(rating, signal) {
      return list(fields(await get(`feedback?${new URLSearchParams({ rating, limit: "20" })}`, signal))?.feedback, decodeRated);
    },

    async conversations(signal) {
      const found: KeptConversation[] = [];
      for (let after: string | null = ""; after !== null; ) {
        const page = fields(await get(`conversations${after === "" ? "" : `?${new URLSearchParams({ after })}`}`, signal));
        found.push(...list(page?.conversations, decodeKept));
        after = textOrNull(page?.next_after);
      }
      return found;
    },

    async conversation(id) {
      const found = fields(await get(`conversations/${encodeURIComponent(id)}`));
      return { version: checked(numberOrNull(found?.version), 200), content: found?.content };
    },

    async keepConversation(id, conversation) {
      const reply = await known(change(`conversations/${encodeURIComponent(id)}`, json(conversation, "PUT")));
      return checked(numberOrNull(fields(await readJson(reply))?.version), reply.status);
    },

    async forgetConversation(id) {
      await known(change(`conversations/${encodeURIComponent(id)}`, { method: "DELETE", keepalive: true }));
    },

    async state(signal) {
      return checked(decodeState(await get("status", signal)), 200);
    },

    async readiness(signal) {
      // 503 is an answer, too: it says what is missing.
      try {
        return decodeReadiness(await get("readyz", signal));
      } catch (error) {
        if (error instanceof ProblemError && error.checks) return decodeReadiness({ status: "not_ready", checks: error.checks });
        throw error;
      }
    },

    async document(id, signal) {
      return checked(decodeDocumentDetail(await get(`documents/${encodeURIComponent(id)}`, signal)), 200);
    },

    async deleteDocument(id) {
      await known(change(`documents/${encodeURIComponent(id)}`, { method: "DELETE", keepalive: true }));
    },

    async documentText(id, start, end, signal) {
      const query = new URLSearchParams({ start: String(start), end: String(end) });
      return checked(decodeTextWindow(await get(`documents/${encodeURIComponent(id)}/text?${query}`, signal)), 200);
    },

    session,

    async logIn(key) {
      const init = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ key }) };
      return takeSession(await request("session", init));
    },

    async logOut() {
      await change("session", { method: "DELETE" });
      token = null;
    },

    onUnauthenticated(listener) {
      refused.push(listener);
    },
  };
}

function decodeKept(value: unknown): KeptConversation | null {
  const from = fields(value);
  const id = textOrNull(from?.id);
  const version = numberOrNull(from?.version);
  return id === null || version === null ? null : { id, version, updatedAt: Date.parse(text(from?.updated_at)) || 0 };
}

/** A request with a JSON body. */
function json(value: unknown, method = "POST"): RequestInit {
  return { method, headers: { "content-type": "application/json", accept: "application/json" }, body: JSON.stringify(value) };
}

function reading(signal?: AbortSignal): RequestInit {
  return { headers: { accept: "application/json" }, ...(signal ? { signal } : {}) };
}

/** Reads the events of one answer up to `done`; a stream that ends before it is "interrupted". */
async function readAnswer(response: Response, listener: AskListener): Promise<Reply> {
  for await (const { event, data } of eventsOf(response)) {
    const reply = takeEvent(event, data, listener);
    if (reply) return reply;
  }
  throw ProblemError.local("interrupted");
}

/** The events of a stream, as they come. */
async function* eventsOf(response: Response): AsyncGenerator<{ event: string; data: string }> {
  if (!response.body) throw ProblemError.local("interrupted");
  const reader = response.body.getReader();
  const parser = new EventStreamParser();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield* parser.push(value);
    }
  } catch (error) {
    if (error instanceof ProblemError || isAbort(error)) throw error;
    throw ProblemError.local("interrupted"); // the connection broke in the middle
  } finally {
    reader.cancel().catch(() => undefined); // it may be closed already
  }
}

const EVENTS: ReadonlySet<string> = new Set(["sources", "stage", "token", "done", "error"]);

function takeEvent(event: string, data: string, listener: AskListener): Reply | null {
  listener.onEvent?.();
  if (!EVENTS.has(event)) return null;
  const value = parseJson(data);
  if (event === "error") throw new ProblemError(decodeProblem(value, 0));
  if (event === "done") return checked(decodeReply(value), 200);
  if (event === "sources") listener.onSources(list(fields(value)?.citations, decodeCitation));
  else if (event === "stage") listener.onStage(fields(value)?.stage === "reasoning" ? "reasoning" : "answer");
  else listener.onToken(text(fields(value)?.text));
  return null;
}

function parseJson(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch {
    throw ProblemError.local("bad_response", 200);
  }
}

async function readJson(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch (error) {
    throw isAbort(error) ? error : ProblemError.local("bad_response", response.status);
  }
}

function checked<T>(value: T | null, status: number): T {
  if (value === null) throw ProblemError.local("bad_response", status);
  return value;
}

export function isAbort(error: unknown): boolean {
  return typeof error === "object" && error !== null && "name" in error && error.name === "AbortError";
}

/** Any thrown value as a problem to show. */
export function problemOf(error: unknown): Problem {
  return error instanceof ProblemError ? error.problem : ProblemError.local("bad_response").problem;
}
