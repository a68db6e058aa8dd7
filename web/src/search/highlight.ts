// Which stretches of a found text are words that were sought. Pure.

export interface Stretch {
  text: string;
  matched: boolean;
}

const segmenter = new Intl.Segmenter(undefined, { granularity: "word" });

/** The words of a query, folded; of alphabets only those of two letters and more. */
export function soughtWords(query: string): string[] {
  const words = [...segmenter.segment(folded(query))].filter(({ isWordLike }) => isWordLike).map(({ segment }) => segment);
  return [...new Set(words.filter((word) => word.length > 1 || /\p{Script=Han}/u.test(word)))];
}

/** The text in pieces; joined they are the text. A word is matched whatever its English ending: "list" by "lists". */
export function highlighted(text: string, words: readonly string[]): Stretch[] {
  const pieces: Stretch[] = [];
  const push = (piece: string, matched: boolean): void => {
    const last = pieces.at(-1);
    if (last?.matched === matched) last.text += piece;
    else pieces.push({ text: piece, matched });
  };
  for (const { segment, isWordLike } of segmenter.segment(text)) {
    push(segment, isWordLike === true && matches(folded(segment), words));
  }
  return pieces;
}

function matches(segment: string, words: readonly string[]): boolean {
  return words.some((word) => {
    if (/\p{Script=Han}/u.test(word)) return segment.includes(word) || (segment.length > 1 && word.includes(segment));
    return stem(segment) === stem(word);
  });
}

/** Without the endings that English adds; no more than a hint for the eye. */
function stem(word: string): string {
  return word.length < 4 ? word : word.replace(/(ing|ed|es|s)$/, "");
}

function folded(text: string): string {
  return text.normalize("NFKC").toLowerCase();
}

/** The part of a long text that holds the most of the words, cut at white space, with "…" where it is cut. */
export function excerpt(text: string, words: readonly string[], most: number): string {
  const flat = text.replace(/\s+/g, " ").trim();
  if (flat.length <= most) return flat;
  const low = folded(flat);
  const places = words.flatMap((word) => {
    const at = low.indexOf(word);
    return at < 0 ? [] : [at];
  });
  const first = places.length > 0 ? Math.min(...places) : 0;
  let start = Math.max(0, Math.min(first - Math.floor(most / 4), flat.length - most));
  if (start > 0) {
    const space = flat.indexOf(" ", start);
    if (space >= 0 && space < first) start = space + 1;
  }
  const end = Math.min(flat.length, start + most);
  return `${start > 0 ? "… " : ""}${flat.slice(start, end).trim()}${end < flat.length ? " …" : ""}`;
}
