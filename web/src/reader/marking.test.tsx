// @vitest-environment jsdom
import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, describe, expect, it } from "vitest";
import { stretchesOf } from "./stretches";
import { Typeset } from "./Typeset";

afterEach(cleanup);

/** What is lit of a text that is drawn, where `quote` stands in it; several pieces are joined by "|". */
function lit(text: string, quote: string): string {
  const start = Array.from(text.slice(0, text.indexOf(quote))).length;
  const span = { start, end: start + Array.from(quote).length, kind: "cited" as const };
  const window = { text, start: 0, end: Array.from(text).length, total_chars: Array.from(text).length };
  for (const stretch of stretchesOf(window, [span], new Map())) render(<Typeset stretch={stretch} />);
  const pieces = screen.queryAllByTestId("cited-span").map((mark) => mark.textContent);
  return pieces.join("|");
}

describe("a document as people wrote it", () => {
  it("lights the very words that are cited, over bold, links and code, with emoji before them", () => {
    expect(lit("😀 𠮷\n\n# Title\n\nUse **rows / 1000** lists, see [the page](x.md). Then `ANALYZE`.", "rows / 1000** lists, see [the")).toBe("rows / 1000| lists, see |the");
    expect(screen.getByRole("heading", { level: 3 }).textContent).toBe("Title");
  });

  it("lights code, and rows of tables", () => {
    expect(lit("```sql\nSELECT 1;\nSELECT 2;\n```\n", "SELECT 2;")).toBe("SELECT 2;");
    cleanup();
    expect(lit("| A | B |\n| --- | --- |\n| 1 | 型号 |\n| 1 | 2 |\n", "| 1 | 型号 |")).toBe("1|型号");
    expect(document.querySelectorAll("tr.cited-row")).toHaveLength(1);
  });

  it("lights what holds HTML as one stretch of text", () => {
    expect(lit("The keeper <b>lit</b> it <i>at dusk</i>.", "keeper <b>lit</b> it <i>at")).toBe("keeper <b>lit</b> it <i>at");
  });

  it("lights nothing where the drawn words are not those of the text", () => {
    expect(lit("Tom &amp; Jerry went home.", "&amp; Jerry")).toBe("");
  });

  it.each(["<script>alert(1)</script>", "![x](http://elsewhere.example/x.png)", "[x](javascript:alert(1))"])("draws nothing that acts: %s", (text) => {
    lit(`${text} end`, "end");
    expect(document.querySelector("script, img, a, iframe")).toBeNull();
  });
});

describe("stretchesOf", () => {
  it("leaves out half a block at the beginning, unless it is cited, and puts a table's header before its rows", () => {
    const window = { text: "half a line\n\nwhole 😀\n\nlast", start: 100, end: 126, total_chars: 500 };
    expect(stretchesOf(window, [], new Map()).map(({ start, text }) => [start, text.trim()])).toEqual([[113, "whole 😀"], [122, "last"]]);
    expect(stretchesOf(window, [{ start: 100, end: 104, kind: "cited" }], new Map())[0]?.text).toContain("half");
    const table = { text: "x | y |\n| 1 | 2 |\n", start: 50, end: 68, total_chars: 100 };
    const [first] = stretchesOf(table, [{ start: 60, end: 61, kind: "cited" }], new Map(), "| A | B |\n| --- | --- |\n");
    expect(first?.text).toBe("| A | B |\n| --- | --- |\n| 1 | 2 |\n");
    expect(first?.text.slice(first.lit[0]?.start, first.lit[0]?.end)).toBe("1");
  });

  it("cuts at pages", () => {
    const window = { text: "One.\n\nTwo.", start: 0, end: 10, total_chars: 10 };
    expect(stretchesOf(window, [], new Map([[0, 1], [6, 2]])).map(({ page, text }) => [page, text.trim()])).toEqual([[1, "One."], [2, "Two."]]);
  });
});
