// The documents of a shelf, page after page: narrowed and sorted by the service, or by the page where an older service
// knows nothing of that.
import { useInfiniteQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useSyncExternalStore } from "react";
import type { Shelf } from "../shell/address";
import { useApi } from "../shell/context";
import type { DocumentSummary } from "../wire/decode";
import { deletions } from "./deleting";
import { chosen, ORDERS, type Order } from "./documents";

const PAGE = 100;

export interface Shelved {
  documents: readonly DocumentSummary[];
  /** Whether all of them are here. */
  isWhole: boolean;
  status: "loading" | "ready" | "failed";
  error: unknown;
  more: (() => void) | null;
  retry: () => void;
}

export function orderOf(sort: string): Order {
  return ORDERS.find((one) => one === sort) ?? "source";
}

export function useShelf(collection: string, shelf: Shelf): Shelved {
  const api = useApi();
  const order = orderOf(shelf.sort);
  const query = useInfiniteQuery({
    queryKey: ["documents", collection, shelf],
    queryFn: ({ signal, pageParam }) => api.documents(collection, PAGE, pageParam, signal, asked(shelf)),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
  });
  const { data, hasNextPage, isFetching, isError, error, fetchNextPage, refetch } = query;
  const going = useSyncExternalStore(deletions.subscribe, deletions.getState);
  const loaded = useMemo(() => data?.pages.flatMap((page) => page.documents) ?? [], [data]);
  const counts = data?.pages[0]?.facets;
  const isNarrowedThere = counts !== undefined && Object.keys(counts).length > 0;
  const documents = useMemo(() => {
    const left = loaded.filter(({ id }) => !going.has(id));
    return isNarrowedThere ? left : chosen(left.filter((one) => isOn(shelf, one)), shelf.q, order);
  }, [loaded, going, isNarrowedThere, shelf, order]);
  // What is sought, or comes first in another order, may be on a page that isn't here yet.
  const isNarrowed = shelf.folder !== "" || shelf.q.trim() !== "" || shelf.status !== "" || shelf.type !== "" || shelf.language !== "" || order !== "source";
  const needsAll = isNarrowed && data !== undefined && !isNarrowedThere && hasNextPage;
  useEffect(() => {
    if (needsAll && !isFetching && !isError) void fetchNextPage();
  }, [needsAll, isFetching, isError, fetchNextPage]);
  return {
    documents,
    isWhole: !hasNextPage && !isFetching,
    status: isError ? "failed" : isFetching && (data === undefined || needsAll || query.isFetchingNextPage) ? "loading" : "ready",
    error,
    more: hasNextPage && !needsAll ? () => void fetchNextPage() : null,
    retry: () => void (data === undefined ? refetch() : fetchNextPage()),
  };
}

function asked({ folder, q, status, type, language, sort }: Shelf) {
  return { folder, q: q.trim(), status, media_type: type, language, sort, facets: true };
}

function isOn({ folder, status, type, language }: Shelf, document: DocumentSummary): boolean {
  return (
    document.source.startsWith(folder) &&
    (status === "" || document.status === status) &&
    (type === "" || document.media_type === type) &&
    (language === "" || document.language === language)
  );
}
