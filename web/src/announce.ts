// What a screen reader is told of an answer that streams in: whole sentences, each once, without Markdown's marks.

/** Up to where `text` consists of whole sentences, in UTF-16 units. */
export function spokenUntil(text: string): number {
  let until = 0;
  for (const match of text.matchAll(/[.!?]["')\]]*(?=\s)|[。！？；]["'」』”’）》]*|\n/g)) until = match.index + match[0].length;
  return until;
}

/** `text` as it's best read aloud. */
export function spoken(text: string): string {
  return text
    .replace(/\[\d{1,4}\]/g, "")
    .replace(/^[ \t]*(#{1,6}|[-*+>])[ \t]+/gm, "")
    .replace(/[*_`~|]+/g, "")
    .replace(/\s+/g, " ")
    .trim();
}
