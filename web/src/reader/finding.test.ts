import { describe, expect, it } from "vitest";
import { placesOf } from "./finding";

describe("placesOf", () => {
  it("finds every place in code points, whatever the case and white space, and takes no pattern", () => {
    expect(placesOf("😀 List, list\n of (x.*) lists", "LIST")).toEqual([{ start: 2, end: 6 }, { start: 8, end: 12 }, { start: 23, end: 27 }]);
    expect(placesOf("a\n\n b", "a b")).toEqual([{ start: 0, end: 5 }]);
    expect(placesOf("x.* x", ".*")).toEqual([{ start: 1, end: 3 }]);
    expect(placesOf("分块大小", "大小")).toEqual([{ start: 2, end: 4 }]);
  });
});
