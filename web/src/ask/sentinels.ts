// Carries an answer's places through Markdown: characters for private use stand in the text where a mark is and where
// a doubted statement begins and ends, and become elements in the parsed tree (hast). It never looks for [n].
import type { Element, ElementContent, Properties, Root } from "hast";
import { blanked, type Doubt, type Mark, type Places } from "./places";

const MARK_OPEN = "\uE000";
const MARK_CLOSE = "\uE001";
const BEGIN: Readonly<Record<Doubt, string>> = { unsupported: "\uE002", sourceless: "\uE003" };
const END = "\uE004";
/** What the answer's own text must not hold. */
const RESERVED = /[\uE000-\uE004]/g;
/** Around a mark's number: punctuation as the brackets were, so that **a statement.**[1] stays bold, and no syntax. */
const EDGE = "\u00B7";
const SENTINEL = /\u00B7\uE000(\d+)\uE001\u00B7|[\uE002-\uE004]/g;
/** Sentinels in an address, which the parser percent-encodes. */
const ENCODED = /(?:%C2%B7)?%EE%80%80(\d+)%EE%80%81(?:%C2%B7)?|%EE%80%8[2-4]/g;

/** A block of Markdown with sentinels in it, and the marks that they number. */
export interface MarkedBlock {
  text: string;
  marks: Mark[];
}

/**
 * The blocks of an answer (joined they are the answer) with its places in them. A character of the answer that is
 * itself a sentinel becomes U+FFFD.
 */
export function markBlocks(answer: string, blocks: readonly string[], places: Places): MarkedBlock[] {
  const words = blanked(answer, places);
  let from = 0;
  return blocks.map((block) => {
    const to = from + block.length;
    const marked = markBlock(answer, words, from, to, places);
    from = to;
    return marked;
  });
}

function markBlock(answer: string, words: string, from: number, to: number, places: Places): MarkedBlock {
  const marks = places.marks.filter(({ start, end }) => start >= from && end <= to);
  const inserted = marks.map(({ start, end }, index) => ({ start, end, text: `${EDGE}${MARK_OPEN}${index}${MARK_CLOSE}${EDGE}` }));
  for (const { start, end, doubt } of places.doubts) {
    const core = wordsWithin(words, Math.max(start, from), Math.min(end, to));
    if (!core) continue;
    inserted.push({ start: core.start, end: core.start, text: BEGIN[doubt] }, { start: core.end, end: core.end, text: END });
  }
  inserted.sort((a, b) => a.start - b.start || a.end - b.end);
  let text = "";
  let at = from;
  for (const { start, end, text: sentinel } of inserted) {
    text += answer.slice(at, start).replace(RESERVED, "\uFFFD") + sentinel;
    at = end;
  }
  return { text: text + answer.slice(at, to).replace(RESERVED, "\uFFFD"), marks };
}

/** Words, and what looks like one but is Markdown: a character reference, the number of a list's item, a task's box, a footnote's name. */
const WORD = /&#?\w{1,31};|^[ \t>]*\d{1,9}[.)](?=\s)|\[[ xX]\](?=\s)|\[\^[^\]\s]+\]|([\p{L}\p{N}]\p{M}*[.!?…。！？]*)/gmu;

/**
 * The stretch from the first letter or figure to the last, with the end of its sentence. Beside a letter a sentinel is like one more letter to
 * Markdown; at the stretch's own ends it could part a list's bullet or a heading's # from the line's start.
 */
function wordsWithin(words: string, from: number, to: number): { start: number; end: number } | null {
  let start: number | null = null;
  let end = 0;
  for (const match of words.slice(from, Math.max(from, to)).matchAll(WORD)) {
    if (match[1] === undefined) continue;
    start ??= from + match.index;
    end = from + match.index + match[1].length;
  }
  return start === null ? null : { start, end };
}

/**
 * A rehype plugin for one marked block. Makes `button` elements of the marks (`value` is the mark's index) and `span`s
 * of class `claim-…` of doubted text; HTML becomes text. Marks in code or in an address are the text they were.
 */
export function rehypeSentinels(texts: readonly string[]): (tree: Root) => void {
  return (tree) => {
    new Weaver(texts).weave(tree, false);
  };
}

class Weaver {
  private doubt: Doubt | null = null;

  constructor(private readonly texts: readonly string[]) {}

  weave(parent: Root | Element, inCode: boolean): void {
    const children: ElementContent[] = [];
    for (const child of parent.children) {
      if (child.type === "doctype") continue;
      if (child.type === "text" || child.type === "raw") {
        children.push(...this.split(child.value, inCode));
        continue;
      }
      if (child.type === "element") {
        this.weave(child, inCode || child.tagName === "code");
        this.restore(child.properties);
      }
      children.push(child);
    }
    parent.children = children;
  }

  private split(value: string, inCode: boolean): ElementContent[] {
    const parts: ElementContent[] = [];
    let from = 0;
    const pushText = (text: string): void => {
      if (text === "") return;
      // White space between the rows of a table or the items of a list has no place in a span.
      parts.push(this.doubt === null || text.trim() === "" ? { type: "text", value: text } : spanOf(`claim claim-${this.doubt}`, text));
    };
    for (const match of value.matchAll(SENTINEL)) {
      pushText(value.slice(from, match.index));
      from = match.index + match[0].length;
      if (match[1] === undefined) {
        if (match[0] === END && this.doubt === "sourceless") parts.push(spanOf("claim-note", ""));
        this.turn(match[0]);
      } else if (inCode) pushText(this.texts[Number(match[1])] ?? "");
      else parts.push({ type: "element", tagName: "button", properties: { value: match[1] }, children: [] });
    }
    pushText(value.slice(from));
    return parts;
  }

  /** Takes sentinels out of what an element's attributes hold: an address, a picture's description. */
  private restore(properties: Properties): void {
    for (const [name, value] of Object.entries(properties)) {
      if (typeof value !== "string") continue;
      const back = (sentinel: string, index: string | undefined): string => {
        if (index !== undefined) return this.texts[Number(index)] ?? "";
        this.turn(sentinel.startsWith("%") ? decodeURIComponent(sentinel) : sentinel);
        return "";
      };
      properties[name] = value.replace(SENTINEL, back).replace(ENCODED, back);
    }
  }

  private turn(sentinel: string): void {
    if (sentinel === END) this.doubt = null;
    else this.doubt = sentinel === BEGIN.unsupported ? "unsupported" : "sourceless";
  }
}

function spanOf(className: string, text: string): Element {
  return { type: "element", tagName: "span", properties: { className: className.split(" ") }, children: [{ type: "text", value: text }] };
}
