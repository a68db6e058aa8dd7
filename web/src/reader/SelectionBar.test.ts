import { describe, expect, it } from "vitest";
import { placeOf } from "./SelectionBar";

const window = { text: "😀 one two, one three\n二 三", start: 100, end: 124, total_chars: 500 };

describe("placeOf", () => {
  it("is where words stand, in code points of the document", () => {
    expect(placeOf("one three", window)).toEqual({ start: 111, end: 120 });
    expect(placeOf("二 三", window)).toEqual({ start: 121, end: 124 });
  });

  it("is nowhere where they stand twice, or only as they are drawn", () => {
    expect(placeOf("one", window)).toBeNull();
    expect(placeOf("**one", window)).toBeNull();
  });
});
