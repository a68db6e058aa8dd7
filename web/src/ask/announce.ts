// What a screen reader is told of an answer that streams in: whole sentences, each once.

/** Up to where `text` consists of whole sentences, in UTF-16 units. */
export function spokenUntil(text: string): number {
  let until = 0;
  for (const match of text.matchAll(/[.!?]["')\]]*(?=\s)|[。！？；]["'」』”’）》]*|\n/g)) until = match.index + match[0].length;
  return until;
}

/** `text` as it's best read aloud; without Markdown's marks, unless it is `verbatim`. */
export function spoken(text: string, verbatim = false): string {
  if (verbatim) return text.replace(/\s+/g, " ").trim();
  return text
    .replace(/^[ \t]*(#{1,6}|[-*+>])[ \t]+/gm, "")
    .replace(/[*_`~|]+/g, "")
    .replace(/\s+/g, " ")
    .trim();
}
