import { describe, expect, it } from "vitest";
import { excerpt, highlighted, soughtWords } from "./highlight";

const marked = (text: string, query: string): string[] =>
  highlighted(text, soughtWords(query)).flatMap(({ text: piece, matched }) => (matched ? [piece] : []));

describe("highlighted", () => {
  it("marks the words that were sought, whatever their case, width and English endings", () => {
    expect(marked("Use Lists, not list-making or listless lions.", "LISTS")).toEqual(["Lists", "list"]);
    expect(marked("ＧＰＵ and gpu", "gpu")).toEqual(["ＧＰＵ", "gpu"]);
    expect(marked("nothing here", "lists")).toEqual([]);
    expect(marked("The lists in the index", "how are the lists in it")).toEqual(["lists"]);
    expect(marked("The Who", "the who")).toEqual(["The", "Who"]);
  });

  it("marks Chinese words in running text", () => {
    expect(marked("如何选择分块大小？分块越大越好。", "分块").join("")).toBe("分块分块");
    expect(marked("重新切分和嵌入，分词器。分块大小：八分之一", "分块大小")).toEqual(["分块大小"]);
    expect(marked("用 GPU 加速，𠮷野家", "gpu 𠮷野家")).toEqual(["GPU", "𠮷野家"]);
  });

  it.each(["a 😀 list\n\nof lists", "", "   ", "\u202e[1] <b>list</b>"])("keeps every character of %j", (text) => {
    expect(highlighted(text, ["list"]).map((piece) => piece.text).join("")).toBe(text);
  });
});

describe("excerpt", () => {
  it("is where the first word stands, and says where it is cut", () => {
    const text = `${"before ".repeat(100)}the lists ${"after ".repeat(100)}`;
    const found = excerpt(text, ["lists"], 120);
    expect(found).toMatch(/^… .*the lists .* …$/);
    expect(found.length).toBeLessThan(130);
    expect(excerpt("short\n text", ["x"], 120)).toBe("short text");
  });
});
