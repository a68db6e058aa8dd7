// The collections of the service as React state: loaded once, and again on demand or when the page is looked at anew.
import { useCallback, useEffect, useState } from "react";
import { isAbort, type Api } from "../wire/api";
import type { Collection } from "../wire/decode";

export function useCollections(api: Api): { collections: Collection[] | null; failed: boolean; reload: () => void } {
  const [collections, setCollections] = useState<Collection[] | null>(null);
  const [failed, setFailed] = useState(false);
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    const abort = new AbortController();
    api
      .collections(abort.signal)
      .then((found) => {
        setCollections(found);
        setFailed(false);
      })
      .catch((error: unknown) => {
        if (!isAbort(error)) setFailed(true);
      });
    return () => abort.abort();
  }, [api, attempt]);

  const reload = useCallback(() => setAttempt((n) => n + 1), []);
  useEffect(() => {
    const seen = (): void => {
      if (document.visibilityState === "visible") reload();
    };
    document.addEventListener("visibilitychange", seen);
    return () => document.removeEventListener("visibilitychange", seen);
  }, [reload]);
  return { collections, failed, reload };
}
