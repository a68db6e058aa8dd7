// A media query as React state.
import { useSyncExternalStore } from "react";

/** Whether `query` holds now; false where the browser has no media queries. */
export function useMediaQuery(query: string): boolean {
  return useSyncExternalStore(
    (changed) => {
      if (typeof matchMedia !== "function") return () => undefined;
      const list = matchMedia(query);
      list.addEventListener("change", changed);
      return () => list.removeEventListener("change", changed);
    },
    () => typeof matchMedia === "function" && matchMedia(query).matches,
  );
}
