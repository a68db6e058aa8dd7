// Where an answer's claims and marks stand: by the service's places, never by a pattern. Any other [n] is text.
// Here the places become positions in a JavaScript string, and a string is cut at them.
import { unitIndexes } from "../text/codepoints";
import type { Citation, Claim } from "../wire/decode";

/** A mark that opens a citation. `start` and `end` are UTF-16 indexes of the answer, half-open, as in all of this. */
export interface Mark {
  start: number;
  end: number;
  citation: Citation;
  supported: boolean;
}

/** What is wrong with a statement: its source does not confirm it, or it has none. */
export type Doubt = "unsupported" | "sourceless";

export interface DoubtedStretch {
  start: number;
  end: number;
  doubt: Doubt;
}

/** Both lists are in order and free of overlaps within themselves. */
export interface Places {
  marks: readonly Mark[];
  doubts: readonly DoubtedStretch[];
}

export const NO_PLACES: Places = { marks: [], doubts: [] };

/** The places of an answer; what lies outside of it or overlaps what came before is left out. */
export function placesOf(answer: string, claims: readonly Claim[], citations: readonly Citation[]): Places {
  if (claims.length === 0) return NO_PLACES;
  const units = unitIndexes(answer);
  const marks: Mark[] = [];
  for (const claim of claims) {
    const citation = citations[claim.citations[0] ?? -1];
    const start = units[claim.mark_start ?? -1];
    const end = units[claim.mark_end ?? -1];
    if (citation && start !== undefined && end !== undefined) {
      marks.push({ start, end, citation, supported: claim.supported !== false });
    }
  }
  const doubts: DoubtedStretch[] = [];
  for (const [first, ...more] of sameStretch(claims)) {
    const doubt = doubtOf([first, ...more]);
    const start = units[first.start];
    const end = units[first.end];
    if (doubt !== null && start !== undefined && end !== undefined) doubts.push({ start, end, doubt });
  }
  return { marks: withoutOverlaps(marks), doubts: withoutOverlaps(doubts) };
}

/** The claims by their stretch: a statement with several marks is several claims. */
function sameStretch(claims: readonly Claim[]): Iterable<[Claim, ...Claim[]]> {
  const found = new Map<string, [Claim, ...Claim[]]>();
  for (const claim of claims) {
    const key = `${claim.start}-${claim.end}`;
    const others = found.get(key);
    if (others) others.push(claim);
    else found.set(key, [claim]);
  }
  return found.values();
}

/** One source that confirms a statement is enough. */
function doubtOf(claims: readonly Claim[]): Doubt | null {
  if (claims.some(({ supported }) => supported === true)) return null;
  if (claims.some(({ supported }) => supported === false)) return "unsupported";
  return claims.every(({ citations }) => citations.length === 0) ? "sourceless" : null;
}

function withoutOverlaps<Part extends { start: number; end: number }>(parts: readonly Part[]): Part[] {
  let last = 0;
  return parts
    .toSorted((a, b) => a.start - b.start)
    .filter(({ start, end }) => {
      const fits = start >= last && end > start;
      if (fits) last = end;
      return fits;
    });
}

/** A piece of an answer: a mark, or text that is of one kind throughout. */
export type Piece = { mark: Mark } | { text: string; doubt: Doubt | null };

/** The stretch [from, to) of an answer in pieces; a mark that it cuts through is text. */
export function piecesOf(answer: string, places: Places, from = 0, to = answer.length): Piece[] {
  const pieces: Piece[] = [];
  let at = from;
  const pushText = (until: number): void => {
    for (const { start, end, doubt } of places.doubts) {
      if (end <= at || start >= until) continue;
      if (start > at) pieces.push({ text: answer.slice(at, start), doubt: null });
      const upTo = Math.min(end, until);
      pieces.push({ text: answer.slice(Math.max(at, start), upTo), doubt });
      at = upTo;
    }
    if (until > at) pieces.push({ text: answer.slice(at, until), doubt: null });
    at = until;
  };
  for (const mark of places.marks) {
    if (mark.start < at || mark.end > to) continue;
    pushText(mark.start);
    pieces.push({ mark });
    at = mark.end;
  }
  pushText(to);
  return pieces;
}

/** The answer without its marks, as it is read aloud. */
export function withoutMarks(answer: string, places: Places): string {
  return piecesOf(answer, places)
    .map((piece) => ("mark" in piece ? "" : piece.text))
    .join("");
}

/** Stands for a mark in `blanked`; no letter, no white space. */
export const BLANK = "\uFFFC";

/** The answer with blanks where its marks are: of the same length, for who looks for words or lines in it. */
export function blanked(answer: string, places: Places): string {
  return piecesOf(answer, { marks: places.marks, doubts: [] })
    .map((piece) => ("mark" in piece ? BLANK.repeat(piece.mark.end - piece.mark.start) : piece.text))
    .join("");
}
