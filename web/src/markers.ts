// Turns the [n] markers of an answer into buttons in the rendered tree, where n is one of its citations.
// It works on the parsed Markdown (hast), never on HTML text, and leaves code alone.
import type { Element, ElementContent, Root } from "hast";

const MARKER = /\[(\d{1,4})\]/g;

/** A rehype plugin. A number without a citation stays the text it is. */
export function rehypeMarkers(known: ReadonlySet<number>): (tree: Root) => void {
  return (tree) => {
    replaceIn(tree, known);
  };
}

function replaceIn(parent: Root | Element, known: ReadonlySet<number>): void {
  const children: ElementContent[] = [];
  for (const child of parent.children) {
    if (child.type === "doctype") continue;
    if (child.type === "text") {
      children.push(...splitText(child.value, known));
      continue;
    }
    if (child.type === "element" && child.tagName !== "code") replaceIn(child, known);
    children.push(child);
  }
  parent.children = children;
}

function splitText(value: string, known: ReadonlySet<number>): ElementContent[] {
  const parts: ElementContent[] = [];
  let from = 0;
  for (const match of value.matchAll(MARKER)) {
    const marker = Number(match[1]);
    if (!known.has(marker)) continue;
    if (match.index > from) parts.push({ type: "text", value: value.slice(from, match.index) });
    parts.push({
      type: "element",
      tagName: "button",
      properties: { value: String(marker) },
      children: [{ type: "text", value: String(marker) }],
    });
    from = match.index + match[0].length;
  }
  if (from < value.length) parts.push({ type: "text", value: value.slice(from) });
  return parts;
}
