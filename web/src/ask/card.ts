// Which mark's card is shown: one at a time, on the page as a whole, so that showing one draws no answer anew.
import type { Citation } from "../wire/decode";

export interface Card {
  anchor: HTMLElement;
  citation: Citation;
  open: () => void;
}

let shown: Card | null = null;
let timer: ReturnType<typeof setTimeout> | undefined;
const listeners = new Set<() => void>();

function set(next: Card | null): void {
  if (shown === next) return;
  shown = next;
  for (const listener of listeners) listener();
}

/** A pointer that only passes by shows nothing, and one on its way to the card loses nothing. */
const LINGER_MS = 250;

export const cards = {
  getState: (): Card | null => shown,
  subscribe(listener: () => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
  show(card: Card, afterMs = LINGER_MS): void {
    clearTimeout(timer);
    timer = setTimeout(() => set(card), afterMs);
  },
  hide(afterMs = LINGER_MS): void {
    clearTimeout(timer);
    if (afterMs === 0) set(null);
    else timer = setTimeout(() => set(null), afterMs);
  },
  /** The pointer or the focus has reached the card. */
  hold(): void {
    clearTimeout(timer);
  },
};
