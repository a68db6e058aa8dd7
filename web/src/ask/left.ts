// Questions that were being answered when the page was left, so that a reload goes on with them. Kept in the tab.
import { fields, list, numberOrNull, text } from "../wire/decode";

const KEY = "pgask.v1.left";
/** Who comes back later has something else in mind. */
const MOST_MS = 10 * 60_000;

export interface LeftQuestion {
  conversation: string;
  turn: string;
  /** The name of the stream that answers it. */
  stream: string;
}

export function rememberLeft(questions: readonly LeftQuestion[], now: number): void {
  try {
    sessionStorage.setItem(KEY, JSON.stringify({ at: now, questions }));
  } catch {
    // It is off or full: then they are stopped.
  }
}

export function forgetLeft(): void {
  try {
    sessionStorage.removeItem(KEY);
  } catch {
    // There is nothing in it.
  }
}

/** What was left lately; it is told once. */
export function takeLeft(now: number): LeftQuestion[] {
  try {
    const from = fields(JSON.parse(sessionStorage.getItem(KEY) ?? "null"));
    forgetLeft();
    if (now - (numberOrNull(from?.at) ?? 0) > MOST_MS) return [];
    return list(from?.questions, (one) => ({ conversation: text(fields(one)?.conversation), turn: text(fields(one)?.turn), stream: text(fields(one)?.stream) }));
  } catch {
    return []; // off, or nonsense
  }
}
