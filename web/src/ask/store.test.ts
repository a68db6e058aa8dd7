// @vitest-environment jsdom
import { describe, expect, it } from "vitest";
import { newTurn, withTurn, type Turn } from "./conversations";
import { scopeOf } from "./scope";
import { loadConversations } from "./storage";
import { createStore, newId, type Store } from "./store";

let clock = 0;
const now = (): number => (clock += 1);
const done = (question: string): Turn => ({ ...newTurn(newId(), question), status: "done", answer: "a" });

function asked(store: Store, question: string): string {
  store.start();
  const { id } = store.getState().active;
  store.update(id, (conversation) => withTurn(conversation, done(question), now()));
  return id;
}

describe("the store", () => {
  it("lists and keeps a conversation only once something was asked", () => {
    const store = createStore(localStorage, now);
    expect(store.getState().conversations).toEqual([]);
    const id = asked(store, "one");
    store.flush();
    expect(store.getState().conversations.map((one) => one.id)).toEqual([id]);
    expect(createStore(localStorage, now).getState().active.turns[0]?.question).toBe("one");
  });

  it("starts one empty conversation, in the collection of the last, and no second", () => {
    const store = createStore(localStorage, now);
    store.setScope(scopeOf("handbook"));
    asked(store, "one");
    store.start();
    const { active } = store.getState();
    expect(active.scope.collections).toEqual(["handbook"]);
    store.start();
    expect(store.getState().active.id).toBe(active.id);
  });

  it("renames, deletes and goes to the newest that is left", () => {
    const store = createStore(localStorage, now);
    const first = asked(store, "one");
    const second = asked(store, "two");
    store.rename(first, "First");
    store.remove(second);
    store.flush();
    expect(store.getState().active.id).toBe(first);
    expect(loadConversations(localStorage).map(({ name }) => name)).toEqual(["First"]);
    store.remove(first);
    expect(store.getState().active.turns).toEqual([]);
    expect(loadConversations(localStorage)).toEqual([]);
  });

  it("doesn't bring a deleted conversation back with a late change", () => {
    const store = createStore(localStorage, now);
    const id = asked(store, "one");
    store.remove(id);
    store.updateTurn(id, "t", (turn) => ({ ...turn, answer: "late" }));
    store.flush();
    expect(loadConversations(localStorage)).toEqual([]);
  });

  it("takes over another tab's changes, but not over an answer that streams here", () => {
    const here = createStore(localStorage, now);
    const there = createStore(localStorage, now);
    const id = asked(there, "from there");
    there.flush();
    const key = `pgask.v1.conversation.${id}`;
    here.adopt(key, localStorage.getItem(key));
    expect(here.getState().conversations.map((one) => one.id)).toEqual([id]);

    here.update(id, (conversation) => withTurn(conversation, newTurn("s", "streams"), now()));
    here.adopt(key, localStorage.getItem(key));
    expect(here.find(id)?.turns).toHaveLength(2);
    here.updateTurn(id, "s", (turn) => ({ ...turn, status: "done" }));
    here.adopt(key, null);
    expect(here.getState().conversations).toEqual([]);
    here.adopt("something.else", "{}");
  });
});
