// Names that come from outside, with what hides or turns text made visible: a name that is turned around must not pass
// for another.

/** Controls, and the marks that set the direction of text (Unicode's Bidi_Control). */
const HIDDEN = /[\p{Cc}\p{Bidi_Control}]/gu;

/** A file's name or a title as it's shown: hidden characters as [U+202E]. */
export function visible(name: string): string {
  return name.replace(HIDDEN, (one) => `[U+${(one.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}]`);
}
