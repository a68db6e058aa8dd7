// What a question asks: which collections, and which of their documents. Pure: no network, no storage, no React.
import { fields, list, text, textOrNull } from "../wire/decode";
import type { AnyFilter, Asked, FilterTest } from "../wire/filter";

export const DEFAULT_COLLECTION = "default";
/** Stands for all collections that who reads may see. */
export const ALL_COLLECTIONS = "*";

/** A document that was picked by hand. */
export interface Picked {
  source: string;
  title: string;
}

export interface Filters {
  /** A prefix of sources, ending in a slash; empty: any. */
  folder: string;
  /** Media types. */
  types: readonly string[];
  languages: readonly string[];
  /** A day as ISO 8601 has it, from which on documents were updated; empty: any. */
  since: string;
  documents: readonly Picked[];
}

export interface Scope {
  /** At least one name; [ALL_COLLECTIONS] is all of them. */
  collections: readonly string[];
  filters: Filters;
}

export const NO_FILTERS: Filters = { folder: "", types: [], languages: [], since: "", documents: [] };

export function scopeOf(...collections: string[]): Scope {
  return { collections: collections.length > 0 ? collections : [DEFAULT_COLLECTION], filters: NO_FILTERS };
}

/** Where questions go of who has chosen nothing: to the collection that the service makes by itself, else to the first that is there. */
export function homeOf(names: readonly string[]): string {
  return names.includes(DEFAULT_COLLECTION) ? DEFAULT_COLLECTION : (names[0] ?? DEFAULT_COLLECTION);
}

export function hasFilters(filters: Filters): boolean {
  return filterOf(filters) !== null;
}

/** The collection whose documents are listed and counted, where there is only one. */
export function onlyCollection({ collections }: Scope): string | null {
  const [first = DEFAULT_COLLECTION, ...more] = collections;
  return more.length > 0 || first === ALL_COLLECTIONS ? null : first;
}

/** The scope of other collections: folders and documents that were picked are those of one, and do not go along. */
export function inCollections({ filters }: Scope, collections: readonly string[]): Scope {
  return { collections, filters: { ...filters, folder: "", documents: [] } };
}

/** Whether two scopes name the same collections, whatever their filters. */
export function sameCollections(a: Scope, b: Scope): boolean {
  return a.collections.length === b.collections.length && a.collections.every((name) => b.collections.includes(name));
}

/** The filters as the service takes them; null where there are none. */
export function filterOf({ folder, types, languages, since, documents }: Filters): AnyFilter | null {
  const all: FilterTest[] = [];
  if (folder !== "") all.push({ field: "source", op: "prefix", value: folder });
  if (types.length > 0) all.push({ field: "media_type", op: "in", values: [...types] });
  if (languages.length > 0) all.push({ field: "language", op: "in", values: [...languages] });
  if (since !== "") all.push({ field: "updated_at", op: "range", from: since });
  if (documents.length > 0) all.push({ field: "source", op: "in", values: documents.map(({ source }) => source) });
  return all.length > 0 ? { all } : null;
}

/** What goes over the wire of it. */
export function askedIn(scope: Scope): Asked {
  const filter = filterOf(scope.filters);
  const one = onlyCollection(scope);
  return {
    ...(one === null ? { collections: [...scope.collections] } : { collection: one }),
    ...(filter === null ? {} : { filter }),
  };
}

/** Reads a scope that was kept; earlier builds kept one collection's name. */
export function decodeScope(value: unknown, collection: unknown): Scope {
  const from = fields(value);
  const collections = list(from?.collections, textOrNull);
  return {
    collections: collections.length > 0 ? collections : [text(collection) || DEFAULT_COLLECTION],
    filters: decodeFilters(from?.filters),
  };
}

export function decodeFilters(value: unknown): Filters {
  const from = fields(value);
  return {
    folder: text(from?.folder),
    types: list(from?.types, textOrNull),
    languages: list(from?.languages, textOrNull),
    since: /^\d{4}-\d{2}-\d{2}$/.test(text(from?.since)) ? text(from?.since) : "",
    documents: list(from?.documents, (one) => {
      const picked = fields(one);
      const source = textOrNull(picked?.source);
      return source === null ? null : { source, title: text(picked?.title) || source };
    }),
  };
}
