// The loaded stretch of a document as blocks of Markdown that can be drawn apart from each other. Pure.
import { splitBlocks } from "../ask/blocks";
import { unitIndexes } from "../text/codepoints";
import type { TextWindow } from "../wire/decode";
import type { Lit } from "./marking";
import type { LitSpan } from "./sourcetext";

export interface Stretch {
  /** Code points in the document. */
  start: number;
  text: string;
  lit: readonly Lit[];
  /** A page begins here. */
  page: number | null;
}

/**
 * The blocks of a window, cut at pages too; joined they are its text, but for what stands before the first blank line of
 * a window that begins in the middle: half a block would be drawn as something else. `header` has the first two lines of
 * the table within which it begins; its rows follow.
 */
export function stretchesOf(window: TextWindow, spans: readonly LitSpan[], pages: ReadonlyMap<number, number>, header = ""): Stretch[] {
  const units = unitIndexes(window.text);
  const unitOf = (offset: number): number => units[Math.max(0, Math.min(units.length - 1, offset - window.start))] ?? 0;
  const lit = spans
    .map(({ start, end, kind }) => ({ start: unitOf(start), end: unitOf(end), kind }))
    .filter(({ start, end }) => end > start)
    .sort((a, b) => a.start - b.start);
  const skipped = window.start === 0 ? 0 : header === "" ? firstWhole(window.text, lit[0]?.start ?? Number.POSITIVE_INFINITY) : window.text.indexOf("\n") + 1;
  const cuts = new Map([...pages].map(([offset, page]) => [unitOf(offset), page] as const));
  const offsets = offsetsOf(units);

  const found: Stretch[] = [];
  let at = skipped;
  for (const part of partsOf(window.text.slice(skipped), [...cuts.keys()].map((cut) => cut - skipped))) {
    for (const block of splitBlocks(part)) {
      const end = at + block.length;
      if (block.trim() !== "") {
        const within = lit.filter((one) => one.start < end && one.end > at).map((one) => ({ ...one, start: Math.max(one.start, at) - at, end: Math.min(one.end, end) - at }));
        const head = at === skipped ? header : "";
        const shifted = within.map((one) => ({ ...one, start: one.start + head.length, end: one.end + head.length }));
        found.push({ start: window.start + (offsets.get(at) ?? 0), text: head + block, lit: shifted, page: cuts.get(at) ?? null });
      }
      at = end;
    }
  }
  return found;
}

/** The stretches of each page together, in order; those before the first beginning of a page in the window are one. */
export function byPage(stretches: readonly Stretch[]): Stretch[][] {
  const pages: Stretch[][] = [];
  for (const stretch of stretches) {
    const last = pages.at(-1);
    if (stretch.page !== null || !last) pages.push([stretch]);
    else last.push(stretch);
  }
  return pages;
}

/** From UTF-16 index to code point. */
function offsetsOf(units: readonly number[]): ReadonlyMap<number, number> {
  return new Map(units.map((unit, offset) => [unit, offset]));
}

/** Where the first block begins that is whole; the beginning where what is lit comes before it. */
function firstWhole(text: string, firstLit: number): number {
  const blank = /\n[ \t]*\n+/.exec(text);
  const at = blank ? blank.index + blank[0].length : 0;
  return at > firstLit ? 0 : at;
}

function partsOf(text: string, cuts: readonly number[]): string[] {
  const parts: string[] = [];
  let at = 0;
  for (const cut of [...cuts.filter((one) => one > 0 && one < text.length).sort((a, b) => a - b), text.length]) {
    parts.push(text.slice(at, cut));
    at = cut;
  }
  return parts;
}
