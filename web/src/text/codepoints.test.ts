import { describe, expect, it } from "vitest";
import { codePointLength, indexOfInCodePoints, sliceCodePoints, truncate, unitIndex } from "./codepoints";

// One code point each, two UTF-16 units: an emoji and a character of CJK extension B.
const EMOJI = "😀";
const EXTENSION_B = "𠮷";

describe("code points", () => {
  it("are counted, not UTF-16 units", () => {
    expect(codePointLength("")).toBe(0);
    expect(codePointLength(`a${EMOJI}中${EXTENSION_B}`)).toBe(4);
  });

  it("give the unit index, clamped to the text", () => {
    const text = `${EMOJI}a${EXTENSION_B}b`;
    expect([0, 1, 2, 3, 4, 9].map((offset) => unitIndex(text, offset))).toEqual([0, 2, 3, 5, 6, 6]);
    expect(unitIndex(text, -3)).toBe(0);
  });

  it("slice as an array of characters does, for every range", () => {
    const text = `文${EMOJI}${EXTENSION_B}x👩‍🔬é`;
    const points = Array.from(text);
    for (let start = 0; start <= points.length + 1; start += 1) {
      for (let end = start; end <= points.length + 1; end += 1) {
        expect(sliceCodePoints(text, start, end)).toBe(points.slice(start, end).join(""));
      }
    }
    expect(sliceCodePoints(text, 3, 1)).toBe("");
  });

  it("find a needle by code points", () => {
    expect(indexOfInCodePoints(`${EMOJI}${EXTENSION_B}分块`, "分块")).toBe(2);
    expect(indexOfInCodePoints("abc", "z")).toBe(-1);
  });

  it("are never split by truncation", () => {
    expect(truncate(EMOJI.repeat(5), 5)).toBe(EMOJI.repeat(5));
    expect(truncate(EMOJI.repeat(5), 3)).toBe(`${EMOJI}${EMOJI}…`);
  });
});
