// A rehype plugin that lights stretches of a Markdown text where they stand in what is drawn of it.
// A stretch is lit only where the drawn words are the very words of the text at its place: never by a pattern.
import type { Element, ElementContent, Root, Text } from "hast";

/** UTF-16 indexes of the Markdown text, half-open. */
export interface Lit {
  start: number;
  end: number;
  kind: "cited" | "found";
}

export function rehypeLit(text: string, lit: readonly Lit[]): (tree: Root) => void {
  return (tree) => {
    light(tree, text, lit, null);
  };
}

/** What is lit side by side is lit as one: HTML, which is drawn as text, comes in pieces. */
function joined(children: readonly ElementContent[]): ElementContent[] {
  const found: ElementContent[] = [];
  for (const child of children) {
    const last = found.at(-1);
    if (isMark(child) && last && isMark(last) && String(last.properties.className) === String(child.properties.className)) {
      last.children.push(...child.children);
    } else found.push(child);
  }
  return found;
}

function isMark(node: ElementContent): node is Element {
  return node.type === "element" && node.tagName === "mark";
}

type Place = { start: number; end: number };

/** `around` is the place of the nearest element that has one: code has no place of its own. Whether anything was lit. */
function light(parent: Root | Element, text: string, lit: readonly Lit[], around: Place | null): boolean {
  let any = false;
  const children: ElementContent[] = [];
  for (const child of parent.children) {
    if (child.type === "doctype") continue;
    if (child.type === "element") {
      const within = light(child, text, lit, placeOf(child) ?? around);
      if (within && child.tagName === "tr") child.properties.className = ["cited-row"];
      any ||= within;
      children.push(child);
    } else if (child.type === "text" || child.type === "raw") {
      const pieces = split(child.value, startOf(child, text, around), lit);
      any ||= pieces.some(({ type }) => type === "element");
      children.push(...pieces);
    } else children.push(child);
  }
  parent.children = joined(children);
  return any;
}

function placeOf({ position }: { position?: Text["position"] }): Place | null {
  const start = position?.start.offset;
  const end = position?.end.offset;
  return start === undefined || end === undefined ? null : { start, end };
}

/** Where in the text the drawn words begin; null where they do not stand in it letter by letter. */
function startOf(node: { value: string; position?: Text["position"] }, text: string, around: Place | null): number | null {
  const place = placeOf(node) ?? around;
  if (!place || node.value.trim() === "") return null;
  const within = text.slice(place.start, place.end).indexOf(node.value);
  return within < 0 ? null : place.start + within;
}

function split(value: string, start: number | null, lit: readonly Lit[]): ElementContent[] {
  if (start === null) return [{ type: "text", value }];
  const pieces: ElementContent[] = [];
  let at = 0;
  const push = (until: number, kind: Lit["kind"] | null): void => {
    const piece = value.slice(at, until);
    at = Math.max(at, until);
    if (piece === "") return;
    const text: Text = { type: "text", value: piece };
    pieces.push(kind === null ? text : { type: "element", tagName: "mark", properties: { className: [kind] }, children: [text] });
  };
  for (const { start: from, end: to, kind } of lit) {
    const begin = Math.max(from - start, at);
    const end = Math.min(to - start, value.length);
    if (end <= begin) continue;
    push(begin, null);
    push(end, kind);
  }
  push(value.length, null);
  return pieces;
}
