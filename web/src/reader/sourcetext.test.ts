import { describe, expect, it } from "vitest";
import { joined, locate, splitAt, type LitSpan, type Span } from "./sourcetext";
import { citationOf } from "../testing/service";
import type { TextWindow } from "../wire/decode";

const TEXT = "😀 头部 𠮷野家。Use rows / 1000 lists. 尾部 🎉 end";
const cut = (start: number, end: number, text = TEXT): TextWindow => ({
  text: Array.from(text).slice(start, end).join(""),
  start,
  end: Math.min(end, Array.from(text).length),
  total_chars: Array.from(text).length,
});

const lit = (spans: readonly Span[] = []): LitSpan[] => spans.map((span) => ({ ...span, kind: "cited" }));

describe("locate and splitAt", () => {
  it("find the cited span by code points, in a window that starts anywhere before it", () => {
    for (const quote of ["Use rows / 1000 lists.", "𠮷野家。", "尾部 🎉"]) {
      const citation = citationOf(TEXT, quote);
      for (let start = 0; start <= citation.char_start; start += 1) {
        const window = cut(start, 99);
        const place = locate(window, citation);
        expect(place).toEqual({ spans: [{ start: citation.char_start, end: citation.char_end }], moved: false });
        const pieces = splitAt(window, lit(place?.spans));
        expect(pieces.filter(({ kind }) => kind === "cited")).toEqual([{ text: quote, kind: "cited", start: citation.char_start }]);
        expect(pieces.map(({ text }) => text).join("")).toBe(window.text);
      }
    }
  });

  it("find the quote elsewhere when the document has changed, and say so", () => {
    const citation = citationOf(TEXT, "Use rows / 1000 lists.");
    const changed = `🎉🎉${TEXT}`;
    expect(locate(cut(0, 99, changed), citation)).toEqual({
      spans: [{ start: citation.char_start + 2, end: citation.char_end + 2 }],
      moved: true,
    });
  });

  it("mark nothing when the quote is gone", () => {
    const citation = citationOf(TEXT, "Use rows / 1000 lists.");
    const window = cut(0, 99, "Entirely another text, long enough to hold the offsets.");
    expect(locate(window, citation)).toBeNull();
    expect(splitAt(window, [])).toEqual([{ text: window.text, kind: null, start: 0 }]);
  });

  it("stay right when more is loaded on either side", () => {
    const citation = citationOf(TEXT, "𠮷野家。");
    const whole = joined(cut(0, 4), joined(cut(4, 12), cut(12, 99)));
    expect(whole).toEqual(cut(0, 99));
    expect(splitAt(whole, lit(locate(whole, citation)?.spans))[1]).toEqual({ text: "𠮷野家。", kind: "cited", start: citation.char_start });
  });

  it("mark every span of a citation, a table's header and its row, also when both have moved", () => {
    const table = "😀 | 型号 | Price |\n| A | 1 |\n| 𠮷 | 2 |\n| 𠮷 | 2 |\n";
    const [header, row] = [citationOf(table, "| 型号 | Price |"), citationOf(table, "| 𠮷 | 2 |")];
    const citation = { ...row, spans: [row, header] };
    const cited = (text: string): string[] => {
      const window = cut(0, 99, text);
      return splitAt(window, lit(locate(window, citation)?.spans))
        .filter((piece) => piece.kind === "cited")
        .map((piece) => piece.text);
    };
    expect(cited(table)).toEqual(["| 型号 | Price |", "| 𠮷 | 2 |"]);
    expect(cited(`新的开头🎉\n${table}`)).toEqual(["| 型号 | Price |", "| 𠮷 | 2 |"]);
    expect(locate(cut(0, 99, `x${table}`), citation)?.moved).toBe(true);
    expect(cited(table.replace("型号", "名称"))).toEqual(["| 𠮷 | 2 |"]); // what is left of it
  });

  it("cut at pages, within what is cited too, and nowhere else", () => {
    const window = cut(2, 8, "abcdefghi");
    const pieces = splitAt(window, lit([{ start: 3, end: 6 }]), [0, 2, 4, 7, 8]);
    expect(pieces.map(({ text, start, kind }) => `${text}${start}${kind ? "!" : ""}`)).toEqual(["c2", "d3!", "ef4!", "g6", "h7"]);
  });

  it("joins spans that overlap, and leaves out what lies outside of the window", () => {
    const window = cut(0, 6, "abcdefghi");
    const spans = [{ start: 3, end: 5 }, { start: 1, end: 4 }, { start: 7, end: 9 }];
    expect(splitAt(window, lit(spans)).map(({ text }) => text)).toEqual(["a", "bcd", "e", "f"]);
  });
});
