import { describe, expect, it } from "vitest";
import { joined, locate, splitAt } from "./sourcetext";
import { citationOf } from "./testing/service";
import type { TextWindow } from "./wire";

const TEXT = "😀 头部 𠮷野家。Use rows / 1000 lists. 尾部 🎉 end";
const cut = (start: number, end: number, text = TEXT): TextWindow => ({
  text: Array.from(text).slice(start, end).join(""),
  start,
  end: Math.min(end, Array.from(text).length),
  total_chars: Array.from(text).length,
});

describe("locate and splitAt", () => {
  it("find the cited span by code points, in a window that starts anywhere before it", () => {
    for (const quote of ["Use rows / 1000 lists.", "𠮷野家。", "尾部 🎉"]) {
      const citation = citationOf(TEXT, quote);
      for (let start = 0; start <= citation.char_start; start += 1) {
        const window = cut(start, 99);
        const place = locate(window, citation);
        expect(place).toEqual({ span: { start: citation.char_start, end: citation.char_end }, moved: false });
        const [before, cited, after] = splitAt(window, place?.span ?? null);
        expect(cited).toBe(quote);
        expect(before + cited + after).toBe(window.text);
      }
    }
  });

  it("find the quote elsewhere when the document has changed, and say so", () => {
    const citation = citationOf(TEXT, "Use rows / 1000 lists.");
    const changed = `🎉🎉${TEXT}`;
    expect(locate(cut(0, 99, changed), citation)).toEqual({
      span: { start: citation.char_start + 2, end: citation.char_end + 2 },
      moved: true,
    });
  });

  it("mark nothing when the quote is gone", () => {
    const citation = citationOf(TEXT, "Use rows / 1000 lists.");
    const window = cut(0, 99, "Entirely another text, long enough to hold the offsets.");
    expect(locate(window, citation)).toBeNull();
    expect(splitAt(window, null)).toEqual([window.text, "", ""]);
  });

  it("stay right when more is loaded on either side", () => {
    const citation = citationOf(TEXT, "𠮷野家。");
    const whole = joined(cut(0, 4), joined(cut(4, 12), cut(12, 99)));
    expect(whole).toEqual(cut(0, 99));
    expect(splitAt(whole, locate(whole, citation)?.span ?? null)[1]).toBe("𠮷野家。");
  });
});
