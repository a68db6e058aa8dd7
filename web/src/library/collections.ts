// The collections of the service and what their documents have in common, loaded once for all that asks.
import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query";
import { useApi } from "../shell/context";
import type { Collection, Counts, DocumentSummary } from "../wire/decode";

export const COLLECTIONS = ["collections"] as const;

export function useCollections(): { collections: readonly Collection[] | null; failed: boolean; reload: () => void } {
  const api = useApi();
  const { data, isError, refetch } = useQuery({ queryKey: COLLECTIONS, queryFn: ({ signal }) => api.collections(signal) });
  return { collections: data ?? null, failed: isError, reload: () => void refetch() };
}

/** Marks all that is known of documents as old: after one was deleted or taken in. */
export function useRenewal(): () => void {
  const client = useQueryClient();
  return () => {
    for (const key of ["collections", "documents", "facets", "starters"]) void client.invalidateQueries({ queryKey: [key] });
  };
}

export interface Facets {
  /** Those right below the folder that was asked for, each with its slash. */
  folders: Counts[string];
  types: Counts[string];
  languages: Counts[string];
  statuses: Counts[string];
}

/** What the documents of a collection, or of a folder in it, can be narrowed to; null until it is known. */
export function useFacets(collection: string | null, folder = "", wanted = true): Facets | null {
  const api = useApi();
  const { data } = useQuery({
    queryKey: ["facets", collection, folder],
    queryFn: async ({ signal }) => facetsOf((await api.documents(collection ?? "", 1, null, signal, { folder, facets: true })).facets),
    enabled: wanted && collection !== null,
    placeholderData: (before, query) => (query?.queryKey[1] === collection ? before : undefined),
  });
  return data ?? null;
}

function facetsOf({ folder = [], media_type: types = [], language: languages = [], status: statuses = [] }: Counts): Facets {
  return { folders: folder.map(({ value, count }) => ({ value: value.endsWith("/") ? value : `${value}/`, count })), types, languages, statuses };
}

/** The documents whose name or title holds some words; none where nothing is sought. */
export function useNamed(collection: string | null, sought: string, most: number): readonly DocumentSummary[] {
  const api = useApi();
  const q = sought.trim();
  const { data } = useQuery({
    queryKey: ["documents", collection, "named", q, most],
    queryFn: ({ signal }) => api.documents(collection ?? "", most, null, signal, { q }),
    enabled: collection !== null && q !== "",
    placeholderData: keepPreviousData,
  });
  return q === "" ? [] : (data?.documents ?? []);
}

/** A folder and those around it, from the outermost, each with its slash. */
export function foldersTo(folder: string): string[] {
  const parts = folder.split("/").filter(Boolean);
  return parts.map((_, depth) => `${parts.slice(0, depth + 1).join("/")}/`);
}
