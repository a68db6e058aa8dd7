// What every part of the page may need: the service, and the way to another address.
import { createContext, useContext } from "react";
import type { Api } from "../wire/api";
import type { Session } from "../wire/decode";
import type { Navigation } from "./address";

export interface Surroundings {
  api: Api;
  go: Navigation["go"];
  /** Undefined while it isn't known who reads. */
  session: Session | undefined;
}

export const SurroundingsContext = createContext<Surroundings | null>(null);

export function useSurroundings(): Surroundings {
  const found = useContext(SurroundingsContext);
  if (!found) throw new Error("no surroundings: this part stands outside of the page");
  return found;
}

export function useApi(): Api {
  return useSurroundings().api;
}

/** Whether who reads may change what is stored. */
export function useMayWrite(): boolean {
  const { session } = useSurroundings();
  return session !== undefined && session.role !== "reader";
}
