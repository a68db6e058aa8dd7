// The collections of the service and what their documents have in common, loaded once for all that asks.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useApi } from "../shell/context";
import type { Collection, Counts, DocumentSummary } from "../wire/decode";

export const COLLECTIONS = ["collections"] as const;
/** Documents that are looked through where the service does not count by itself. */
const LOOKED_THROUGH = 1_000;

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
  folders: Counts[string];
  types: Counts[string];
  languages: Counts[string];
  statuses: Counts[string];
  /** Those that were looked through, by file. */
  documents: readonly DocumentSummary[];
}

/** What a collection's documents can be narrowed to; null until it is known, and for several collections. */
export function useFacets(collection: string | null, wanted = true): Facets | null {
  const api = useApi();
  const { data } = useQuery({
    queryKey: ["facets", collection],
    queryFn: async ({ signal }) => facetsOf(await api.documents(collection ?? "", LOOKED_THROUGH, null, signal, { facets: true })),
    enabled: wanted && collection !== null,
  });
  return data ?? null;
}

/** As the service counts, or else counted here. */
export function facetsOf({ documents, facets }: { documents: readonly DocumentSummary[]; facets: Counts }): Facets {
  return {
    folders: facets.folder ?? counted(documents.flatMap(({ source }) => foldersOf(source))),
    types: facets.media_type ?? counted(documents.map(({ media_type }) => media_type)),
    languages: facets.language ?? counted(documents.map(({ language }) => language ?? "")),
    statuses: facets.status ?? counted(documents.map(({ status }) => status)),
    documents,
  };
}

/** The folders that a file lies in, from the outermost, each with its slash. */
export function foldersOf(source: string): string[] {
  const parts = source.split("/").slice(0, -1);
  return parts.map((_, depth) => `${parts.slice(0, depth + 1).join("/")}/`);
}

function counted(values: readonly string[]): Counts[string] {
  const counts = new Map<string, number>();
  for (const value of values) if (value !== "") counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].map(([value, count]) => ({ value, count })).sort((a, b) => a.value.localeCompare(b.value));
}
