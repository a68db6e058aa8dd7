// The service's REST endpoints as typed functions. It knows nothing of the page.
// Every failure is a ProblemError; a cancelled call throws the browser's AbortError unchanged.
import { EventStreamParser } from "./sse";
import {
  decodeCitation,
  decodeCollection,
  decodeDocument,
  decodeDocumentDetail,
  decodeProblem,
  decodeReply,
  decodeSession,
  decodeTextWindow,
  fields,
  list,
  text,
  textOrNull,
  type Citation,
  type Collection,
  type DocumentDetail,
  type DocumentPage,
  type HistoryMessage,
  type Problem,
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
  ) {
    super(problem.title || problem.code);
    this.name = "ProblemError";
  }

  static local(code: LocalCode, status = 0): ProblemError {
    return new ProblemError({ code, title: "", detail: "", status, request_id: "", retry_after_s: null });
  }
}

export interface Question {
  question: string;
  collection: string;
  history: HistoryMessage[];
}

export interface AskListener {
  onSources(citations: Citation[]): void;
  onToken(token: string): void;
  /** What a model that reasons does from here on; "answer" takes back all tokens before it. */
  onStage(stage: "reasoning" | "answer"): void;
}

export interface Api {
  /** Asks and streams; resolves with the whole reply. */
  ask(question: Question, listener: AskListener, signal: AbortSignal): Promise<Reply>;
  collections(signal?: AbortSignal): Promise<Collection[]>;
  documents(collection: string, limit: number, cursor: string | null, signal?: AbortSignal): Promise<DocumentPage>;
  document(id: string, signal?: AbortSignal): Promise<DocumentDetail>;
  /** The file stays where it is: taking it in again brings the document back. */
  deleteDocument(id: string): Promise<void>;
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

  async function takeSession(response: Response): Promise<Session> {
    const found = checked(decodeSession(await readJson(response)), response.status);
    token = found.token;
    return found;
  }

  async function session(signal?: AbortSignal): Promise<Session> {
    return takeSession(await request("session", reading(signal)));
  }

  return {
    async ask(question, listener, signal) {
      const answer = async (): Promise<Reply> => {
        const response = await change("ask", {
          method: "POST",
          headers: { "content-type": "application/json", accept: "text/event-stream, application/json" },
          body: JSON.stringify({ ...question, stream: true }),
          signal,
        });
        if (!(response.headers.get("content-type") ?? "").startsWith("text/event-stream")) {
          return checked(decodeReply(await readJson(response)), response.status);
        }
        return readAnswer(response, listener);
      };
      return known(answer());
    },

    async collections(signal) {
      return list(fields(await get("collections", signal))?.collections, decodeCollection);
    },

    async documents(collection, limit, cursor, signal) {
      const query = new URLSearchParams({ collection, limit: String(limit), ...(cursor ? { cursor } : {}) });
      const page = fields(await get(`documents?${query}`, signal));
      return { documents: list(page?.documents, decodeDocument), next_cursor: textOrNull(page?.next_cursor) };
    },

    async document(id, signal) {
      return checked(decodeDocumentDetail(await get(`documents/${encodeURIComponent(id)}`, signal)), 200);
    },

    async deleteDocument(id) {
      await known(change(`documents/${encodeURIComponent(id)}`, { method: "DELETE" }));
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

function reading(signal?: AbortSignal): RequestInit {
  return { headers: { accept: "application/json" }, ...(signal ? { signal } : {}) };
}

/** Reads the events of one answer up to `done`; a stream that ends before it is "interrupted". */
async function readAnswer(response: Response, listener: AskListener): Promise<Reply> {
  if (!response.body) throw ProblemError.local("interrupted");
  const reader = response.body.getReader();
  const parser = new EventStreamParser();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) throw ProblemError.local("interrupted");
      for (const { event, data } of parser.push(value)) {
        const reply = takeEvent(event, data, listener);
        if (reply) return reply;
      }
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
