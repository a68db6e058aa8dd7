// The documents of a shelf, page after page, as the service narrows and sorts them.
import { useInfiniteQuery } from "@tanstack/react-query";
import { useMemo, useSyncExternalStore } from "react";
import type { Shelf } from "../shell/address";
import { useApi } from "../shell/context";
import type { DocumentSummary } from "../wire/decode";
import { deletions } from "./deleting";

const PAGE = 100;

/** As the service calls them; the first is its own. */
export const ORDERS = ["source", "title", "-updated_at", "media_type", "-chars"] as const;
export type Order = (typeof ORDERS)[number];

export function orderOf(sort: string): Order {
  return ORDERS.find((one) => one === sort) ?? "source";
}

export interface Shelved {
  documents: readonly DocumentSummary[];
  /** How many there are, those that aren't loaded too; null until it is known. */
  total: number | null;
  status: "loading" | "ready" | "failed";
  error: unknown;
  more: (() => void) | null;
  retry: () => void;
}

export function useShelf(collection: string, shelf: Shelf): Shelved {
  const api = useApi();
  const { folder, q, status, type, language, sort } = shelf;
  const asked = { folder, q: q.trim(), status, media_type: type, language, sort: orderOf(sort), facets: true };
  const query = useInfiniteQuery({
    queryKey: ["documents", collection, asked],
    queryFn: ({ signal, pageParam }) => api.documents(collection, PAGE, pageParam, signal, asked),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    // What is shown stays until what was asked for is there.
    placeholderData: (before, earlier) => (earlier?.queryKey[1] === collection ? before : undefined),
  });
  const { data, hasNextPage, isFetchingNextPage, isPending, isError, error, fetchNextPage, refetch, isPlaceholderData } = query;
  const going = useSyncExternalStore(deletions.subscribe, deletions.getState);
  const documents = useMemo(() => data?.pages.flatMap((page) => page.documents.filter(({ id }) => !going.has(id))) ?? [], [data, going]);
  const total = data?.pages[0]?.total ?? null;
  return {
    documents,
    total: total === null || isPlaceholderData ? null : Math.max(documents.length, total - going.size),
    status: isError ? "failed" : isPending || isFetchingNextPage ? "loading" : "ready",
    error,
    more: hasNextPage ? () => void fetchNextPage() : null,
    retry: () => void (data === undefined ? refetch() : fetchNextPage()),
  };
}
