// When a key press in the question box sends, and when it belongs to the input method.

export interface KeyPress {
  key: string;
  keyCode: number;
  shiftKey: boolean;
  altKey: boolean;
  isComposing: boolean;
}

/** The code that browsers give for a key that an input method has taken. */
const TAKEN_BY_INPUT_METHOD = 229;

/**
 * True where the key belongs to an input method. `composing` is what composition events said last:
 * Safari ends the composition before it reports the Enter that ended it, and then only keyCode tells.
 */
export function isComposing(press: KeyPress, composing: boolean): boolean {
  return composing || press.isComposing || press.keyCode === TAKEN_BY_INPUT_METHOD;
}

/** Enter sends; with Shift or Alt, or while an input method composes, it doesn't. */
export function sendsQuestion(press: KeyPress, composing: boolean): boolean {
  return press.key === "Enter" && !press.shiftKey && !press.altKey && !isComposing(press, composing);
}

export type Shortcut = "ask" | "start" | "palette" | "keys";

/** What keys do anywhere on the page; null where they are the reader's own, as they are while they write. */
export function shortcutOf(
  { key, ctrlKey, metaKey, shiftKey, altKey }: Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "shiftKey" | "altKey">,
  writes: boolean,
): Shortcut | null {
  const command = ctrlKey || metaKey;
  if (command && shiftKey && !altKey && key.toLowerCase() === "o") return "start";
  if (command && !shiftKey && !altKey && key.toLowerCase() === "k") return "palette";
  if (command || altKey || writes) return null;
  return key === "/" ? "ask" : key === "?" ? "keys" : null;
}
