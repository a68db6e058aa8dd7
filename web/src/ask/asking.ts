// From a question to an answer in the store: asks, takes the tokens as they come, stops, asks again.
// One answer at a time in each conversation. It knows the API and the store, not the page.
import { isAbort, problemOf, type Api, type AskListener, type AskSettings } from "../wire/api";
import type { Reply } from "../wire/decode";
import { completed, historyBefore, newTurn, withTurn, type Turn } from "./conversations";
import { askedIn, type Scope } from "./scope";
import { forgetLeft, rememberLeft, takeLeft } from "./left";
import { newId, type Store } from "./store";

export interface Asker {
  /** Does nothing while the conversation waits for an answer, or for a blank question. */
  ask(conversationId: string, question: string): void;
  /** Asks a turn's question again and puts what comes in its place. */
  retry(conversationId: string, turnId: string): void;
  /** Asks another question in a turn's place: what came after it stays. */
  reword(conversationId: string, turnId: string, question: string): void;
  /** Asks a turn's question again of other documents. */
  widen(conversationId: string, turnId: string, scope: Scope): void;
  /** Asks a turn's question again without what was said before it. */
  askAlone(conversationId: string, turnId: string): void;
  /** Ends the wait and keeps what has arrived. */
  stop(conversationId: string): void;
  /** The page goes away, or is about to: what breaks off from here on has been stopped, and is no fault. */
  leave(): void;
  /** Goes on with what was being answered when this tab was left a moment ago, by a reload: takes up its stream, or asks again. */
  resume(): void;
}

/** Calls `paint` once before the next frame; returns a function that takes the call back. */
export type Schedule = (paint: () => void) => () => void;

/** The browser draws no frame for a hidden page, so there the text goes on by a timer. */
export const nextFrame: Schedule = (paint) => {
  if (document.visibilityState === "hidden") {
    const timer = setTimeout(paint, 250);
    return () => clearTimeout(timer);
  }
  const frame = requestAnimationFrame(paint);
  return () => cancelAnimationFrame(frame);
};

/** `settings` are those of the reader, as they are when a question is asked. */
/** After so long each, a stream that broke is taken up again: lines are mostly back within seconds. */
const AGAIN_AFTER_MS = [0, 1_500, 4_000];

/** What `resume` gives once it succeeds; else the first error. */
async function onceMore(error: unknown, resume: () => Promise<Reply>, isWanted: () => boolean): Promise<Reply> {
  for (const ms of isBroken(error) ? AGAIN_AFTER_MS : []) {
    await new Promise((done) => setTimeout(done, ms));
    if (!isWanted()) break;
    try {
      return await resume();
    } catch (next) {
      if (isAbort(next)) throw next;
      if (!isBroken(next)) break;
    }
  }
  throw error;
}

function isBroken(error: unknown): boolean {
  const { code } = problemOf(error);
  return !isAbort(error) && (code === "interrupted" || code === "network");
}

/** The service does not have the stream any more. */
function isGone(error: unknown): boolean {
  return !isAbort(error) && problemOf(error).status === 404;
}

export function createAsker(
  api: Api,
  store: Store,
  settings: () => AskSettings = () => ({}),
  schedule: Schedule = nextFrame,
  now: () => number = Date.now,
): Asker {
  /** By conversation: which turn is answered, and what ends it. */
  const running = new Map<string, { turn: string; stream: string; stop: () => void }>();
  let leaving = false;

  /** With a stream that the service still has, that is taken up from its first event. */
  async function run(conversationId: string, turnId: string, left = ""): Promise<void> {
    const conversation = store.find(conversationId);
    const turn = conversation?.turns.find((one) => one.id === turnId);
    if (!conversation || !turn) return;

    const change = (how: (turn: Turn) => Turn): void => store.updateTurn(conversationId, turnId, how);
    const abort = new AbortController();
    // Tokens can come faster than frames: they gather here and are painted together.
    let waiting = "";
    let cancelPaint: (() => void) | null = null;
    const paint = (): void => {
      cancelPaint?.();
      cancelPaint = null;
      const arrived = waiting;
      waiting = "";
      if (arrived !== "") change((one) => ({ ...one, answer: one.answer + arrived }));
    };
    const end = (how: (turn: Turn) => Turn): void => {
      if (running.get(conversationId)?.stop !== stop) return; // ended already
      running.delete(conversationId);
      paint();
      change(how);
      store.flush();
    };
    const stream = left || newId();
    let events = 0;
    const stop = (): void => {
      end((one) => ({ ...one, status: "stopped" }));
      abort.abort();
      api.endStream(stream).catch(() => undefined); // it has ended, or the service is away
    };
    running.set(conversationId, { turn: turnId, stream, stop });
    const listener: AskListener = {
      onEvent: () => {
        events += 1;
      },
      onSources: (citations) => change((one) => ({ ...one, citations })),
      onToken: (token) => {
        waiting += token;
        cancelPaint ??= schedule(paint);
      },
      onStage: (stage) => {
        waiting = "";
        change((one) => ({ ...one, answer: "", isReasoning: stage === "reasoning" }));
      },
    };
    const asked = { question: turn.question, ...askedIn(turn.scope), history: historyBefore(conversation, turnId), ...settings() };
    const ask = (): Promise<Reply> => api.ask(asked, listener, abort.signal, stream);
    const resume = (): Promise<Reply> => api.resume(stream, events, listener, abort.signal);

    try {
      const first = left === "" ? ask() : resume().catch((error) => (isGone(error) ? ask() : Promise.reject(error)));
      const reply = await first.catch((error) => onceMore(error, resume, () => events > 0 && !leaving && !abort.signal.aborted));
      end((one) => completed(one, reply));
    } catch (error) {
      const problem = isAbort(error) ? null : problemOf(error);
      // Browsers break the connection off some time before they say that the page is left.
      const isStopped = problem === null || (leaving && (problem.code === "interrupted" || problem.code === "network"));
      end((one) => (isStopped ? { ...one, status: "stopped" } : { ...one, status: "failed", problem }));
    }
  }

  function again(conversationId: string, turnId: string, other: Partial<Pick<Turn, "alone" | "question" | "scope">>, stream = ""): void {
    if (running.has(conversationId)) return;
    leaving = false;
    store.updateTurn(conversationId, turnId, (turn) =>
      newTurn(turn.id, other.question ?? turn.question, {
        alone: other.alone ?? turn.alone,
        scope: other.scope ?? turn.scope,
        askedAt: now(),
      }),
    );
    void run(conversationId, turnId, stream);
  }

  return {
    ask(conversationId, question) {
      if (running.has(conversationId) || question.trim() === "") return;
      leaving = false;
      const id = newId();
      store.update(conversationId, (conversation) => {
        const { scope } = conversation;
        return withTurn(conversation, newTurn(id, question.trim(), { scope, askedAt: now() }), now());
      });
      void run(conversationId, id);
    },
    retry: (conversationId, turnId) => again(conversationId, turnId, {}),
    reword(conversationId, turnId, question) {
      if (question.trim() !== "") again(conversationId, turnId, { question: question.trim() });
    },
    widen: (conversationId, turnId, scope) => again(conversationId, turnId, { scope }),
    askAlone: (conversationId, turnId) => again(conversationId, turnId, { alone: true }),
    stop(conversationId) {
      forgetLeft();
      running.get(conversationId)?.stop();
    },
    leave() {
      leaving = true;
      if (running.size > 0) rememberLeft(Array.from(running, ([conversation, { turn, stream }]) => ({ conversation, turn, stream })), now());
    },
    resume() {
      for (const { conversation, turn, stream } of takeLeft(now())) {
        const left = store.find(conversation)?.turns.find(({ id }) => id === turn);
        if (left?.status === "stopped") again(conversation, turn, {}, stream);
      }
    },
  };
}
