import { describe, expect, it } from "vitest";
import { NO_PLACES, placesOf, type Places } from "./places";
import { citationOf } from "../testing/service";
import { verbatimBlocks } from "./verbatim";

const shown = (answer: string, places: Places = NO_PLACES): [string, string][] =>
  verbatimBlocks(answer, places).map(({ kind, start, end }) => [kind, answer.slice(start, end)]);

/** Places of the "[1]"s that are meant as marks. */
function marked(answer: string, ...at: number[]): Places {
  const claims = at.map((start) => ({ start: 0, end: 1, mark_start: start, mark_end: start + 3, citations: [0], supported: true }));
  return placesOf(answer, claims, [citationOf("abc", "b")]);
}

describe("verbatimBlocks", () => {
  it("keeps text whole, with its lines and indents", () => {
    const text = "Steps:\n\n1. one\n   - two\n\n2. three";
    expect(shown(text)).toEqual([["prose", text]]);
    expect(shown("")).toEqual([]);
  });

  it("F-833: keeps the lines of code, without the marks around them", () => {
    const code = "def lists(rows):\n\n    return rows ** 0.5";
    const answer = `In retry.py:\n\n\`\`\`python\n${code}\n\`\`\`\n\n[1] and more.`;
    expect(shown(answer, marked(answer, answer.indexOf("[1]")))).toEqual([
      ["prose", "In retry.py:"],
      ["code", code],
      ["prose", "[1] and more."],
    ]);
  });

  it("takes a mark behind the closing line, or alone on a line, as prose after the code", () => {
    for (const gap of [" ", "\n"]) {
      const answer = `\`\`\`\nx = [1]\n\`\`\`${gap}[1]`;
      const blocks = shown(answer, marked(answer, answer.lastIndexOf("[1]")));
      expect(blocks.map(([kind, text]) => [kind, text.trim()])).toEqual([["code", "x = [1]"], ["prose", "[1]"]]);
    }
  });

  it("ends code only with as many marks, and takes an open fence as text", () => {
    expect(shown("````\n```\na\n```\n````")).toEqual([["code", "```\na\n```"]]);
    expect(shown("One\n```\ntwo")).toEqual([["prose", "One\n```\ntwo"]]);
    expect(shown("```\na\n```\nb\n```\nc\n```")).toEqual([["code", "a"], ["prose", "b"], ["code", "c"]]);
  });
});
