// Conversations of those who log in, kept by the service too: what this browser has goes there a moment after each
// change, what another machine or tab put there comes here. It knows the API and the store, not the page.
// What the service's copy is like is remembered beside the conversations: its version, and whether it is behind.
import { ProblemError, type Api } from "../wire/api";
import { fields, numberOrNull, text } from "../wire/decode";
import { decodeConversation, titleOf, type Conversation } from "./conversations";
import { MAX_CONVERSATIONS } from "./storage";
import type { Store } from "./store";

const KEY = "pgask.v1.kept";
const SEND_AFTER_MS = 1_500;
/** A change that another one overtakes is put together with it, and tried again so often. */
const TRIES = 3;

export interface Keeper {
  /** Whose conversations the service keeps (null: nobody's), and what they are called in this browser. */
  keepFor(owner: string | null, name: string): void;
  /** Looks for what another machine did. Never rejects. */
  look(): Promise<void>;
  /** Deletes the service's copy, too. */
  forget(id: string): void;
  /** Ids of those that the service did not take: too long, or too many. */
  refused(): ReadonlySet<string>;
  subscribe(listener: () => void): () => void;
  stop(): void;
}

/** What is known of the service's copy of a conversation. */
interface Kept {
  /** Null: it has none yet. */
  version: number | null;
  /** This browser has changed it since. */
  behind: boolean;
  /** Deleted here, and not yet there. */
  gone: boolean;
}

type KeepingApi = Pick<Api, "conversations" | "conversation" | "keepConversation" | "forgetConversation">;

export function createKeeper(api: KeepingApi, store: Store, storage: Storage | null, sendAfterMs = SEND_AFTER_MS): Keeper {
  const listeners = new Set<() => void>();
  let owner: string | null = null;
  let name = "";
  let timer: ReturnType<typeof setTimeout> | undefined;
  let working: Promise<void> = Promise.resolve();
  let refused: ReadonlySet<string> = new Set();
  /** As they were looked at last: what is another object now was changed. */
  let seen = new Map<string, Conversation>();
  let taking = false;

  const remembered = (): Record<string, Kept> => recall(storage, owner);
  const remember = (id: string, kept: Kept | null): void => {
    const { [id]: _, ...others } = remembered();
    keep(storage, owner, kept === null ? others : { ...others, [id]: kept });
  };
  const mine = (): Conversation[] => store.getState().conversations.filter((one) => one.owner === name);

  function changed(): void {
    if (owner === null) return;
    const now = new Map(mine().map((one) => [one.id, one]));
    if (!taking) {
      const known = remembered();
      for (const [id, one] of now) {
        if (seen.get(id) === one) continue;
        const kept = known[id];
        if (!kept?.behind) remember(id, { version: kept?.version ?? null, behind: true, gone: false });
        sendSoon();
      }
    }
    seen = now;
  }

  function sendSoon(): void {
    clearTimeout(timer);
    timer = setTimeout(() => void inTurn(sendAll), sendAfterMs);
  }

  /** One thing after the other; what fails is tried again with the next change, or the next look. */
  function inTurn(act: (whose: string) => Promise<void>): Promise<void> {
    const whose = owner;
    working = working.then(async () => {
      if (whose !== null && whose === owner) await act(whose).catch(() => undefined);
    });
    return working;
  }

  async function sendAll(whose: string): Promise<void> {
    for (const [id, kept] of Object.entries(remembered())) {
      if (owner !== whose) return;
      if (kept.gone) await remove(id);
      else if (kept.behind && !refused.has(id)) await send(id, kept.version);
    }
  }

  async function remove(id: string): Promise<void> {
    await api.forgetConversation(id).catch((error: unknown) => {
      if (statusOf(error) !== 404) throw error; // another machine was first
    });
    remember(id, null);
  }

  async function send(id: string, known: number | null): Promise<void> {
    let version = known;
    for (let tried = 0; tried < TRIES; tried += 1) {
      const conversation = mine().find((one) => one.id === id);
      if (!conversation || conversation.turns.at(-1)?.status === "streaming") return;
      try {
        const stored = await api.keepConversation(id, { name: titleOf(conversation) || null, version, content: { conversation } });
        remember(id, { version: stored, behind: store.find(id) !== conversation, gone: false });
        return;
      } catch (error) {
        if (statusOf(error) !== 409) {
          if (codeOf(error) !== "limit_exceeded") throw error;
          refused = new Set([...refused, id]);
          for (const tell of listeners) tell();
          return;
        }
        version = await fetchOne(id);
      }
    }
  }

  /** Takes the service's copy in; its version, null where there is none any more. */
  async function fetchOne(id: string): Promise<number | null> {
    try {
      const { version, content } = await api.conversation(id);
      const theirs = decodeConversation(fields(content)?.conversation);
      if (theirs?.id === id) take({ ...theirs, owner: name });
      return version;
    } catch (error) {
      if (statusOf(error) === 404) return null;
      throw error;
    }
  }

  function take(theirs: Conversation): void {
    taking = true;
    try {
      store.take(theirs);
    } finally {
      taking = false;
    }
  }

  async function compare(whose: string): Promise<void> {
    const there = await api.conversations();
    if (owner !== whose) return;
    const known = remembered();
    const newest = [...there].sort((a, b) => b.updatedAt - a.updatedAt).slice(0, MAX_CONVERSATIONS);
    for (const { id, version } of newest) {
      const kept = known[id];
      if (kept?.gone || kept?.version === version) continue;
      // What stood here without a word of the service's copy may have more than that.
      const behind = kept?.behind ?? mine().some((one) => one.id === id);
      const fetched = await fetchOne(id);
      if (owner !== whose) return;
      remember(id, { version: fetched, behind, gone: false });
    }
    const ids = new Set(there.map(({ id }) => id));
    for (const [id, kept] of Object.entries(known)) {
      if (ids.has(id) || kept.version === null) continue;
      // Deleted on another machine, unless it was gone on with here since.
      if (!kept.behind) store.remove(id);
      remember(id, kept.behind ? { ...kept, version: null } : null);
    }
    for (const { id } of mine()) if (remembered()[id] === undefined) remember(id, { version: null, behind: true, gone: false });
    await sendAll(whose);
  }

  const unsubscribe = store.subscribe(changed);
  return {
    keepFor(next, called) {
      if (next === owner && called === name) return;
      clearTimeout(timer);
      owner = next;
      name = called;
      refused = new Set();
      seen = new Map(mine().map((one) => [one.id, one]));
      if (owner !== null) void inTurn(compare);
    },
    look: () => inTurn(compare),
    forget(id) {
      const kept = owner === null ? undefined : remembered()[id];
      if (kept === undefined) return;
      remember(id, kept.version === null ? null : { ...kept, gone: true });
      if (kept.version !== null) void inTurn(sendAll);
    },
    refused: () => refused,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    stop() {
      clearTimeout(timer);
      owner = null;
      unsubscribe();
    },
  };
}

function statusOf(error: unknown): number | null {
  return error instanceof ProblemError ? error.problem.status : null;
}

function codeOf(error: unknown): string {
  return error instanceof ProblemError ? error.problem.code : "";
}

/** By conversation; nothing where another owner's is remembered, or none. */
function recall(storage: Storage | null, owner: string | null): Record<string, Kept> {
  try {
    const from = fields(JSON.parse(storage?.getItem(KEY) ?? "null"));
    if (text(from?.owner) !== owner) return {};
    return Object.fromEntries(
      Object.entries(fields(from?.copies) ?? {}).map(([id, one]) => {
        const kept = fields(one);
        return [id, { version: numberOrNull(kept?.version), behind: kept?.behind === true, gone: kept?.gone === true }];
      }),
    );
  } catch {
    return {}; // off, or nonsense
  }
}

function keep(storage: Storage | null, owner: string | null, copies: Readonly<Record<string, Kept>>): void {
  try {
    storage?.setItem(KEY, JSON.stringify({ owner, copies }));
  } catch {
    // It is full: all is compared anew the next time.
  }
}
