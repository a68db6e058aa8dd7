// Where the page is, as its address says after the #: a conversation, a collection's documents, a place in a document.
// The service needs no routes for them, and the page works below any path.
import { useCallback, useEffect, useMemo, useState } from "react";
import { decodeFilters, NO_FILTERS, type Filters } from "../ask/scope";
import type { DocumentSummary, Passage } from "../wire/decode";

export type Address =
  /** No address, or none that the page knows: the last conversation. */
  | { view: "start" }
  /** Null: a new conversation. */
  | { view: "chat"; conversation: string | null }
  | { view: "search"; q: string; collections: readonly string[]; filters: Filters }
  | ({ view: "documents"; collection: string } & Shelf)
  /** `job` is the one that is unfolded. */
  | { view: "activity"; job: string | null }
  | { view: "status" }
  /** `start` and `end` in code points, half-open. Without a span it is the page that is meant, else the whole document. */
  | { view: "source"; document: string; span: { start: number; end: number } | null; page: number | null };

/** Which documents of a collection are listed, and in which order. */
export interface Shelf {
  /** A prefix of sources, ending in a slash; empty: all. */
  folder: string;
  q: string;
  status: string;
  type: string;
  language: string;
  /** Empty: by file. */
  sort: string;
}

export const WHOLE_SHELF: Shelf = { folder: "", q: "", status: "", type: "", language: "", sort: "" };

/** What an entry of the browser's history knows beyond its address. */
export interface Entry {
  /** The address of what lies under or beside a source. */
  under?: string;
  /** The page has made the entry on top of another one of its own, so that Back leads there. */
  pushed?: boolean;
  /** The citations between which one steps. */
  passages?: readonly Passage[];
  index?: number;
  document?: DocumentSummary;
}

export function parseAddress(hash: string): Address {
  const [path = "", query = ""] = hash.replace(/^#/, "").split("?", 2);
  const [root, view, ...rest] = path.split("/");
  const name = decoded(rest.join("/"));
  if (root !== "" || name === null) return { view: "start" };
  if (view === "ask") return { view: "chat", conversation: name === "" ? null : name };
  const about = new URLSearchParams(query);
  if (view === "library" && name !== "") {
    const [collection = "", ...folders] = rest.map(decodeURIComponent);
    const folder = folders.filter(Boolean).map((part) => `${part}/`).join("");
    const said = (key: string): string => about.get(key) ?? "";
    return { view: "documents", collection, folder, q: said("q"), status: said("status"), type: said("type"), language: said("lang"), sort: said("sort") };
  }
  if (view === "search") return { view: "search", q: about.get("q") ?? "", collections: about.getAll("in"), filters: filtersIn(about) };
  if (view === "activity") return { view: "activity", job: name === "" ? null : name };
  if (view === "status") return { view: "status" };
  if (view === "d" && name !== "") {
    return { view: "source", document: name, span: spanOf(about.get("at")), page: pageOf(about.get("page")) };
  }
  return { view: "start" };
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null; // a lone percent sign
  }
}

function spanOf(at: string | null): { start: number; end: number } | null {
  const [, first, last] = /^(\d{1,9})-(\d{1,9})$/.exec(at ?? "") ?? [];
  if (first === undefined || last === undefined || Number(last) <= Number(first)) return null;
  return { start: Number(first), end: Number(last) };
}

function filtersIn(about: URLSearchParams): Filters {
  return decodeFilters({
    folder: about.get("folder"),
    types: about.getAll("type"),
    languages: about.getAll("lang"),
    since: about.get("since"),
    documents: about.getAll("doc").map((source) => ({ source })),
  });
}

/** "?a=b&c=d" of the entries that hold something; "" where none does. */
function queryOf(entries: readonly (readonly [string, string])[]): string {
  const filled = entries.filter(([, value]) => value !== "").map(([key, value]) => [key, value]);
  return filled.length > 0 ? `?${new URLSearchParams(filled)}` : "";
}

function pageOf(page: string | null): number | null {
  return /^\d{1,6}$/.test(page ?? "") ? Number(page) : null;
}

export const addressOf = {
  conversation: (id: string | null): string => (id === null ? "#/ask" : `#/ask/${encodeURIComponent(id)}`),
  documents: (collection: string, shelf: Partial<Shelf> = {}): string => {
    const { folder, q, status, type, language, sort } = { ...WHOLE_SHELF, ...shelf };
    const path = [collection, ...folder.split("/").filter(Boolean)].map(encodeURIComponent).join("/");
    return `#/library/${path}${queryOf([["q", q], ["status", status], ["type", type], ["lang", language], ["sort", sort]])}`;
  },
  search: (q: string, collections: readonly string[] = [], filters: Filters = NO_FILTERS): string => {
    const { folder, types, languages, since, documents } = filters;
    const many = (key: string, values: readonly string[]) => values.map((value): [string, string] => [key, value]);
    return `#/search${queryOf([
      ["q", q],
      ...many("in", collections),
      ["folder", folder],
      ...many("type", types),
      ...many("lang", languages),
      ["since", since],
      ...many("doc", documents.map(({ source }) => source)),
    ])}`;
  },
  activity: (job: string | null = null): string => (job === null ? "#/activity" : `#/activity/${encodeURIComponent(job)}`),
  status: (): string => "#/status",
  document: (id: string): string => `#/d/${encodeURIComponent(id)}`,
  passage: ({ document_id: id, char_start: start, char_end: end, page }: Pick<Passage, "document_id" | "char_start" | "char_end" | "page">): string => {
    const about = [...(end > start ? [`at=${start}-${end}`] : []), ...(page === null ? [] : [`page=${page}`])];
    return addressOf.document(id) + (about.length > 0 ? `?${about.join("&")}` : "");
  },
};

export interface Navigation {
  /** Grows with each step, also to the same address. */
  step: number;
  hash: string;
  address: Address;
  entry: Entry;
  /** Adds an entry to the history, or takes the present one's place. */
  go: (hash: string, entry?: Entry, how?: "push" | "replace") => void;
  /** Back to what lies under a source. */
  leaveSource: () => void;
}

function here(step: number) {
  const state: unknown = history.state;
  const entry: Entry = typeof state === "object" && state !== null ? state : {};
  return { step, hash: location.hash, entry };
}

export function useNavigation(): Navigation {
  const [now, setNow] = useState(() => here(0));
  useEffect(() => {
    const moved = (): void => setNow(({ step }) => here(step + 1));
    addEventListener("popstate", moved);
    return () => removeEventListener("popstate", moved);
  }, []);

  const go = useCallback((hash: string, entry: Entry = {}, how: "push" | "replace" = "push") => {
    const target = `${location.pathname}${location.search}${hash}`;
    if (how === "push") history.pushState({ ...entry, pushed: true }, "", target);
    else history.replaceState(entry, "", target);
    setNow(({ step }) => here(step + 1));
  }, []);

  const { under = "", pushed = false } = now.entry;
  const leaveSource = useCallback(() => {
    if (!pushed) {
      go(under, {}, "replace");
      return;
    }
    setNow(({ step }) => ({ step: step + 1, hash: under, entry: {} })); // the browser goes back a moment later
    history.back();
  }, [go, pushed, under]);

  const address = useMemo(() => parseAddress(now.hash), [now.hash]);
  return useMemo(() => ({ ...now, address, go, leaveSource }), [now, address, go, leaveSource]);
}
