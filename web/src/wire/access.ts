// Who reads the page: asked of the service at the start, and again whenever it refuses to know the reader.
// The page is drawn without waiting for the answer. It knows the API, not the page.
import { ProblemError, type Api } from "./api";
import type { Session } from "./decode";

export type Access =
  /** Not answered yet, or the service could not say: the page is shown, and its calls say what is wrong. */
  | { status: "unknown" }
  | { status: "in"; session: Session }
  /**
   * `hasEnded`: there was a session, and nobody here has closed it. `asksForKey`: a key opens one; where it is false
   * only the proxy in front lets readers in. `detail`: the service's own words.
   */
  | { status: "out"; hasEnded: boolean; asksForKey: boolean; detail: string };

export interface AccessStore {
  getState(): Access;
  subscribe(listener: () => void): () => void;
  /** Asks the service who reads; never rejects. */
  check(): Promise<void>;
  /** Throws ProblemError, after which nothing has changed. */
  logIn(key: string): Promise<void>;
  /** Throws ProblemError, after which nothing has changed. */
  logOut(): Promise<void>;
}

export function createAccess(api: Api): AccessStore {
  const listeners = new Set<() => void>();
  let state: Access = { status: "unknown" };
  let checking: Promise<void> | null = null;

  function set(next: Access): void {
    state = next;
    for (const listener of listeners) listener();
  }

  async function ask(): Promise<void> {
    try {
      set({ status: "in", session: await api.session() });
    } catch (error) {
      if (!(error instanceof ProblemError) || error.problem.status !== 401) return; // nobody was refused
      const hasEnded = state.status === "in" || (state.status === "out" && state.hasEnded);
      set({ status: "out", hasEnded, asksForKey: error.asksForKey, detail: error.problem.detail });
    }
  }

  function check(): Promise<void> {
    checking ??= ask().finally(() => {
      checking = null;
    });
    return checking;
  }

  // A refusal may be older than the session that was opened since: what counts is what the service says now.
  api.onUnauthenticated(() => void check());
  return {
    getState: () => state,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    check,
    async logIn(key) {
      set({ status: "in", session: await api.logIn(key) });
    },
    async logOut() {
      try {
        await api.logOut();
      } catch (error) {
        if (!(error instanceof ProblemError) || error.problem.status !== 401) throw error; // had ended already
      }
      set({ status: "out", hasEnded: false, asksForKey: true, detail: "" });
    },
  };
}
