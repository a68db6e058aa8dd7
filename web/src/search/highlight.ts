// Which stretches of a found text are words that were sought. Pure.

export interface Stretch {
  text: string;
  matched: boolean;
}

const segmenter = new Intl.Segmenter(undefined, { granularity: "word" });

/** English words that say little of what is sought; where nothing else is, they are lit too. */
const FUNCTION_WORDS: ReadonlySet<string> = new Set(
  "an and are as at be by can did do does for from had has have how if in into is it its me my not of on or our she so that the their them then there these they this those to was we were what when where which who why will with you your".split(" "),
);

const HAN = /\p{Script=Han}+/gu;

/**
 * The words of a query, folded; of alphabets only those of two letters and more. Chinese in pairs of characters, as it
 * is searched: what a word is, dictionaries do not agree on.
 */
export function soughtWords(query: string): string[] {
  const text = folded(query);
  const all = [...segmenter.segment(text.replace(HAN, " "))].filter(({ isWordLike, segment }) => isWordLike && segment.length > 1).map(({ segment }) => segment);
  const telling = all.filter((word) => !FUNCTION_WORDS.has(word));
  const words = telling.length > 0 ? telling : all;
  const pairs = [...text.matchAll(HAN)].flatMap(([run]) => pairsOf(Array.from(run)));
  return [...new Set([...words, ...pairs])];
}

function pairsOf(run: readonly string[]): string[] {
  return run.length < 2 ? [...run] : run.slice(1).map((char, index) => `${run[index]}${char}`);
}

/** The text in pieces; joined they are the text. A word is matched whatever its English ending: "list" by "lists". */
export function highlighted(text: string, words: readonly string[]): Stretch[] {
  const pieces: Stretch[] = [];
  const push = (piece: string, matched: boolean): void => {
    const last = pieces.at(-1);
    if (piece === "") return;
    if (last?.matched === matched) last.text += piece;
    else pieces.push({ text: piece, matched });
  };
  let from = 0;
  const pushOthers = (until: number): void => {
    for (const { segment, isWordLike } of segmenter.segment(text.slice(from, until))) push(segment, isWordLike === true && words.some((word) => stem(folded(segment)) === stem(word)));
  };
  for (const { 0: run, index } of text.matchAll(HAN)) {
    pushOthers(index);
    for (const { text: piece, matched } of marked(run, words)) push(piece, matched);
    from = index + run.length;
  }
  pushOthers(text.length);
  return pieces;
}

/** A run of Chinese, lit where a pair of its characters is sought. */
function marked(run: string, words: readonly string[]): Stretch[] {
  const lit = new Set<number>();
  for (const word of words) for (let at = run.indexOf(word); at >= 0; at = run.indexOf(word, at + 1)) for (let unit = 0; unit < word.length; unit += 1) lit.add(at + unit);
  return Array.from({ length: run.length }, (_, unit) => ({ text: run.charAt(unit), matched: lit.has(unit) }));
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
