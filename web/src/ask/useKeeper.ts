// The conversations of who is logged in, kept by the service: fetched where it keeps any, looked at anew when the page is.
import { useEffect, useState, useSyncExternalStore } from "react";
import type { Api } from "../wire/api";
import type { Session } from "../wire/decode";
import type { Keeper } from "./keeping";
import type { Store } from "./store";

const NONE: ReadonlySet<string> = new Set();

export interface Keeping {
  /** The service keeps this reader's conversations. */
  kept: boolean;
  /** Ids of those that it did not take. */
  refused: ReadonlySet<string>;
  forget: (id: string) => void;
}

export function useKeeper(api: Api, store: Store, storage: Storage | null, session: Session | undefined): Keeping {
  const [keeper, setKeeper] = useState<Keeper | null>(null);
  const owner = session?.conversations_of ?? null;
  const name = session?.name ?? "";
  const wanted = owner !== null;
  useEffect(() => {
    if (!wanted) return;
    let made: Keeper | null = null;
    let here = true;
    import("./keeping").then(
      ({ createKeeper }) => {
        if (here) setKeeper((made = createKeeper(api, store, storage)));
      },
      () => undefined, // the service is away: they stay in this browser until the page is opened anew
    );
    return () => {
      here = false;
      made?.stop();
      setKeeper(null);
    };
  }, [wanted, api, store, storage]);
  useEffect(() => {
    if (!keeper) return;
    keeper.keepFor(owner, name);
    const seen = (): void => {
      if (document.visibilityState === "visible") void keeper.look();
    };
    document.addEventListener("visibilitychange", seen);
    return () => document.removeEventListener("visibilitychange", seen);
  }, [keeper, owner, name]);
  const refused = useSyncExternalStore(keeper?.subscribe ?? nothing, () => keeper?.refused() ?? NONE);
  return { kept: wanted, refused, forget: (id) => keeper?.forget(id) };
}

function nothing(): () => void {
  return () => undefined;
}
