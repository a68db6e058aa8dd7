// @vitest-environment jsdom
import { describe, expect, it } from "vitest";
import { newConversation, newTurn, type Conversation } from "./conversations";
import { NO_SETTINGS } from "./settings";
import { scopeOf } from "./scope";
import { loadConversations, loadPreferences, MAX_CONVERSATIONS, saveConversation, savePreferences } from "./storage";

const conversation = (id: string, updatedAt: number): Conversation => ({
  ...newConversation(id, scopeOf(), updatedAt),
  turns: [{ ...newTurn("t", "q"), status: "done" }],
});

/** A storage that holds so many conversations and then throws, as a full one does. */
class SmallStorage implements Storage {
  private readonly items = new Map<string, string>();
  constructor(private readonly capacity: number) {}
  get length(): number {
    return this.items.size;
  }
  clear(): void {
    this.items.clear();
  }
  getItem(key: string): string | null {
    return this.items.get(key) ?? null;
  }
  key(index: number): string | null {
    return [...this.items.keys()][index] ?? null;
  }
  removeItem(key: string): void {
    this.items.delete(key);
  }
  setItem(key: string, value: string): void {
    if (!this.items.has(key) && this.items.size >= this.capacity) throw new DOMException("full", "QuotaExceededError");
    this.items.set(key, value);
  }
}

describe("stored conversations", () => {
  it("come back newest first", () => {
    for (const [id, at] of [["a", 1], ["b", 3], ["c", 2]] as const) saveConversation(localStorage, conversation(id, at));
    expect(loadConversations(localStorage).map(({ id }) => id)).toEqual(["b", "c", "a"]);
  });

  it("survive broken neighbours, which are removed, and leave foreign keys alone", () => {
    saveConversation(localStorage, conversation("good", 1));
    localStorage.setItem("pgask.v1.conversation.cut", '{"id": "cut", "tur');
    localStorage.setItem("pgask.v1.conversation.other", JSON.stringify(conversation("not-other", 1)));
    localStorage.setItem("pgask.v0.conversation.old", "?");
    expect(loadConversations(localStorage).map(({ id }) => id)).toEqual(["good"]);
    expect(Object.keys(localStorage).sort()).toEqual(["pgask.v0.conversation.old", "pgask.v1.conversation.good"]);
  });

  it("are bounded in number", () => {
    for (let at = 0; at < MAX_CONVERSATIONS + 3; at += 1) saveConversation(localStorage, conversation(`c${at}`, at));
    const loaded = loadConversations(localStorage);
    expect(loaded).toHaveLength(MAX_CONVERSATIONS);
    expect(loaded.at(-1)?.id).toBe("c3");
    expect(localStorage.length).toBe(MAX_CONVERSATIONS);
  });

  it("make room for a newer one when the storage is full, the oldest first", () => {
    const storage = new SmallStorage(2);
    saveConversation(storage, conversation("old", 1));
    saveConversation(storage, conversation("mid", 2));
    expect(saveConversation(storage, conversation("new", 3))).toEqual({ kept: true, evicted: ["old"] });
    expect(loadConversations(storage).map(({ id }) => id)).toEqual(["new", "mid"]);
  });

  it("say so when there's no room at all, or no storage", () => {
    expect(saveConversation(new SmallStorage(0), conversation("a", 1))).toEqual({ kept: false, evicted: [] });
    expect(saveConversation(null, conversation("a", 1)).kept).toBe(false);
    expect(loadConversations(null)).toEqual([]);
  });
});

describe("stored preferences", () => {
  it("come back, and are ignored where they can't be read", () => {
    const settings = { ...NO_SETTINGS, topK: 12, showWhy: true };
    savePreferences(localStorage, { language: "zh", theme: "dark", settings });
    expect(loadPreferences(localStorage)).toEqual({ language: "zh", theme: "dark", settings });
    localStorage.setItem("pgask.v1.preferences", '{"language": "xx", "theme": 3}');
    expect(loadPreferences(localStorage)).toEqual({ language: null, theme: null, settings: NO_SETTINGS });
    localStorage.setItem("pgask.v1.preferences", "{");
    expect(loadPreferences(localStorage)).toEqual({ language: null, theme: null, settings: NO_SETTINGS });
  });
});
