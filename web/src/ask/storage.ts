// Conversations and preferences in localStorage. One key a conversation, so that two tabs don't overwrite each other.
// Keys carry the format's version; what can't be read is left out. Storage may be full, off or absent: nothing throws.
import { byRecency, decodeConversation, merged, type Conversation } from "./conversations";
import { fields } from "../wire/decode";
import { decodeSettings, type Settings } from "./settings";

const PREFIX = "pgask.v1.";
const CONVERSATION = `${PREFIX}conversation.`;
const PREFERENCES = `${PREFIX}preferences`;

export const MAX_CONVERSATIONS = 50;

export interface Preferences {
  language: "en" | "zh" | null;
  theme: "light" | "dark" | null;
  settings: Settings;
}

/** The browser's storage, or null where it's off. */
export function browserStorage(): Storage | null {
  try {
    return window.localStorage;
  } catch {
    return null;
  }
}

/** All that can be read, newest first, at most MAX_CONVERSATIONS; the rest and what is broken is removed. */
export function loadConversations(storage: Storage | null): Conversation[] {
  if (!storage) return [];
  const found: Conversation[] = [];
  for (const key of keysOf(storage)) {
    const conversation = decodeConversation(readJson(storage, key));
    if (conversation && key === CONVERSATION + conversation.id) found.push(conversation);
    else remove(storage, key);
  }
  found.sort(byRecency);
  for (const surplus of found.slice(MAX_CONVERSATIONS)) removeConversation(storage, surplus.id);
  return found.slice(0, MAX_CONVERSATIONS);
}

/**
 * Writes one conversation, with the turns that another tab has added to it. Where the storage is full, the oldest others
 * give way.
 * Returns whether it's kept, and the ids of those that gave way.
 */
export function saveConversation(storage: Storage | null, conversation: Conversation): { kept: boolean; evicted: string[] } {
  const evicted: string[] = [];
  if (!storage) return { kept: false, evicted };
  const kept = decodeConversation(readJson(storage, CONVERSATION + conversation.id));
  const value = JSON.stringify(kept ? merged(conversation, kept) : conversation);
  for (;;) {
    try {
      storage.setItem(CONVERSATION + conversation.id, value);
      return { kept: true, evicted };
    } catch {
      const oldest = loadConversations(storage).filter((other) => other.id !== conversation.id).at(-1);
      if (!oldest) return { kept: false, evicted };
      removeConversation(storage, oldest.id);
      evicted.push(oldest.id);
    }
  }
}

export function removeConversation(storage: Storage | null, id: string): void {
  if (storage) remove(storage, CONVERSATION + id);
}

/** What a storage event of another tab is about; null when it's nothing of ours. */
export function changedConversation(key: string | null, value: string | null): { id: string; conversation: Conversation | null } | null {
  if (!key?.startsWith(CONVERSATION)) return null;
  return { id: key.slice(CONVERSATION.length), conversation: decodeConversation(parse(value)) };
}

/** Whether a storage event of another tab is about the preferences. */
export function arePreferences(key: string | null): boolean {
  return key === PREFERENCES;
}

export function loadPreferences(storage: Storage | null): Preferences {
  const from = fields(storage ? readJson(storage, PREFERENCES) : null);
  return {
    language: from?.language === "en" || from?.language === "zh" ? from.language : null,
    theme: from?.theme === "light" || from?.theme === "dark" ? from.theme : null,
    settings: decodeSettings(from?.settings),
  };
}

export function savePreferences(storage: Storage | null, preferences: Preferences): void {
  try {
    storage?.setItem(PREFERENCES, JSON.stringify(preferences));
  } catch {
    // A preference that can't be kept still holds until the page is left.
  }
}

function keysOf(storage: Storage): string[] {
  try {
    const keys = Array.from({ length: storage.length }, (_, index) => storage.key(index));
    return keys.filter((key): key is string => key?.startsWith(CONVERSATION) ?? false);
  } catch {
    return [];
  }
}

function readJson(storage: Storage, key: string): unknown {
  try {
    return parse(storage.getItem(key));
  } catch {
    return null;
  }
}

function parse(value: string | null): unknown {
  try {
    return value === null ? null : JSON.parse(value);
  } catch {
    return null;
  }
}

function remove(storage: Storage, key: string): void {
  try {
    storage.removeItem(key);
  } catch {
    // Nothing to be done: it will be skipped again on the next load.
  }
}
