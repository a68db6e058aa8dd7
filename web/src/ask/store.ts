// The page's conversations as one observable state, written to the browser's storage a moment after each change.
import {
  byRecency,
  merged,
  newConversation,
  renamed,
  type Conversation,
  type Turn,
} from "./conversations";
import { scopeOf, type Scope } from "./scope";
import { changedConversation, loadConversations, MAX_CONVERSATIONS, removeConversation, saveConversation } from "./storage";

export interface State {
  /** Newest first. Only these are listed and kept. */
  conversations: Conversation[];
  /** The one on the screen; it isn't in `conversations` until it has a turn. */
  active: Conversation;
  /** False after the browser refused to keep a conversation. */
  kept: boolean;
}

export interface Store {
  getState(): State;
  subscribe(listener: () => void): () => void;
  find(id: string): Conversation | undefined;
  /** Starts an empty conversation on the screen, with the scope of the present one. */
  start(): void;
  open(id: string): void;
  rename(id: string, name: string): void;
  remove(id: string): void;
  setScope(scope: Scope): void;
  /** Who reads: shows their conversations, and those that are nobody's. Another reader's stay kept, and hidden. */
  setOwner(owner: string | null): void;
  /** Replaces a conversation by what `change` makes of it; does nothing when it's gone. */
  update(id: string, change: (conversation: Conversation) => Conversation): void;
  updateTurn(id: string, turnId: string, change: (turn: Turn) => Turn): void;
  /** Writes what waits to be written, at once. */
  flush(): void;
  /** Puts what another machine has of a conversation together with what is here. */
  take(theirs: Conversation): void;
  /** Takes over what another tab did. */
  adopt(key: string | null, value: string | null): void;
}

const WRITE_AFTER_MS = 400;

/** A random id; `crypto.randomUUID` is missing where the page isn't served over HTTPS or from localhost. */
export function newId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function createStore(storage: Storage | null, now: () => number = Date.now): Store {
  const listeners = new Set<() => void>();
  const unsaved = new Set<string>();
  let timer: ReturnType<typeof setTimeout> | null = null;

  let owner: string | null = null;
  const isMine = (one: Conversation): boolean => one.owner === null || one.owner === owner;
  const fresh = (scope: Scope): Conversation => newConversation(newId(), scope, now(), owner);

  const loaded = loadConversations(storage).filter(isMine);
  let state: State = {
    conversations: loaded,
    active: loaded[0] ?? fresh(scopeOf()),
    kept: storage !== null,
  };

  function set(next: Partial<State>): void {
    state = { ...state, ...next };
    for (const listener of listeners) listener();
  }

  /** Puts a changed conversation where it stands in the state. Only one with turns is listed and kept. */
  function put(conversation: Conversation): void {
    const others = state.conversations.filter((other) => other.id !== conversation.id);
    const listed = conversation.turns.length > 0 ? [...others, conversation].sort(byRecency) : others;
    for (const surplus of listed.slice(MAX_CONVERSATIONS)) removeConversation(storage, surplus.id);
    set({
      conversations: listed.slice(0, MAX_CONVERSATIONS),
      active: state.active.id === conversation.id ? conversation : state.active,
    });
  }

  function save(id: string): void {
    unsaved.add(id);
    timer ??= setTimeout(flush, WRITE_AFTER_MS);
  }

  function flush(): void {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    let kept = storage !== null;
    const evicted = new Set<string>();
    for (const id of unsaved) {
      const conversation = state.conversations.find((one) => one.id === id);
      if (!conversation) continue;
      const written = saveConversation(storage, conversation);
      kept &&= written.kept;
      for (const gone of written.evicted) evicted.add(gone);
    }
    unsaved.clear();
    if (kept !== state.kept || evicted.size > 0) {
      set({ kept, conversations: state.conversations.filter((one) => !evicted.has(one.id)) });
    }
  }

  function find(id: string): Conversation | undefined {
    return state.active.id === id ? state.active : state.conversations.find((one) => one.id === id);
  }

  function update(id: string, change: (conversation: Conversation) => Conversation): void {
    const conversation = find(id);
    if (!conversation) return;
    put(change(conversation));
    save(id);
  }

  return {
    getState: () => state,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    find,
    start() {
      if (state.active.turns.length === 0) return;
      set({ active: fresh(state.active.scope) });
    },
    open(id) {
      const conversation = find(id);
      if (conversation) set({ active: conversation });
    },
    rename(id, name) {
      update(id, (conversation) => renamed(conversation, name));
    },
    remove(id) {
      removeConversation(storage, id);
      unsaved.delete(id);
      const conversations = state.conversations.filter((one) => one.id !== id);
      const active =
        state.active.id === id
          ? (conversations[0] ?? fresh(state.active.scope))
          : state.active;
      set({ conversations, active });
    },
    setScope(scope) {
      update(state.active.id, (conversation) => ({ ...conversation, scope }));
    },
    setOwner(next) {
      if (next === owner) return;
      flush();
      const wasKnown = owner !== null;
      owner = next;
      const here = state.conversations.filter(isMine);
      const others = loadConversations(storage).filter((one) => isMine(one) && !here.some(({ id }) => id === one.id));
      const conversations = [...here, ...others].sort(byRecency);
      const { active } = state;
      if (active.turns.length > 0 && isMine(active)) set({ conversations });
      // What was begun before it was known who reads is theirs; what somebody else has begun is not.
      else set({ conversations, active: conversations[0] ?? (wasKnown ? fresh(scopeOf()) : { ...active, owner }) });
    },
    update,
    updateTurn(id, turnId, change) {
      update(id, (conversation) => ({
        ...conversation,
        turns: conversation.turns.map((turn) => (turn.id === turnId ? change(turn) : turn)),
      }));
    },
    flush,
    take(theirs) {
      const mine = find(theirs.id);
      put(mine ? { ...merged(mine, theirs), name: theirs.name } : theirs);
      save(theirs.id);
    },
    adopt(key, value) {
      const changed = changedConversation(key, value);
      if (!changed) return;
      const mine = find(changed.id);
      if (changed.conversation) {
        // What this tab has of it, as an answer that streams into it, isn't overwritten by a copy from another.
        const { name, owner: whose } = changed.conversation;
        const both = mine ? { ...merged(mine, changed.conversation), name } : changed.conversation;
        if (whose === null || whose === owner) put(both);
      } else if (!mine?.turns.some((turn) => turn.status === "streaming")) {
        set({ conversations: state.conversations.filter((one) => one.id !== changed.id) });
      }
    },
  };
}
