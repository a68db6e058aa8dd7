// @vitest-environment jsdom
import { describe, expect, it } from "vitest";
import { isSame, selectedLines, spanOf, wordsOf } from "./pagewords";

/** A layer with these lines, and the range from a place in one line's text to a place in another's. */
function layer(lines: readonly (readonly [string, number | null])[], [first, from]: [number, number], [last, to]: [number, number]) {
  const root = document.createElement("div");
  for (const [text, start] of lines) {
    const line = document.createElement("span");
    line.className = "page-line";
    if (start !== null) line.dataset.start = String(start);
    line.append(text);
    root.append(line);
  }
  document.body.replaceChildren(root);
  const range = document.createRange();
  const textOf = (index: number): Node => root.children[index]?.firstChild ?? root;
  range.setStart(textOf(first), from);
  range.setEnd(textOf(last), to);
  return selectedLines(root, range);
}

const LINES = [["The 😀 valve", 100], ["opens at", 112], ["7 bar.", 121]] as const;

describe("spanOf", () => {
  it("is the place of selected words in code points, over lines", () => {
    const lines = layer(LINES, [0, 7], [2, 1]);
    expect(wordsOf(lines)).toBe("valve\nopens at\n7");
    expect(spanOf(lines)).toEqual({ start: 106, end: 122 });
    expect(spanOf(layer(LINES, [1, 0], [1, 5]))).toEqual({ start: 112, end: 117 });
  });

  it("leaves out lines of which nothing is selected", () => {
    const lines = layer(LINES, [0, 12], [2, 0]);
    expect(wordsOf(lines)).toBe("opens at");
    expect(spanOf(lines)).toEqual({ start: 112, end: 120 });
  });

  it("is null where a line has no place, or lines are in another order", () => {
    expect(spanOf(layer([["one", 5], ["two", null], ["three", 20]], [0, 0], [2, 5]))).toBeNull();
    expect(spanOf(layer([["one", 50], ["two", 5]], [0, 0], [1, 3]))).toBeNull();
    expect(spanOf([])).toBeNull();
  });
});

describe("isSame", () => {
  it("compares letters, whatever lines and cells are set apart by", () => {
    expect(isSame("| Valve | 12 EUR |", "Valve\n12 EUR")).toBe(true);
    expect(isSame("examination", "exam-\nination")).toBe(true);
    expect(isSame("the old examination", "examination")).toBe(false);
  });
});
