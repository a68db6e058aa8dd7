import { describe, expect, it } from "vitest";
import { splitBlocks, withNotes } from "./blocks";

describe("splitBlocks", () => {
  it("cuts at blank lines and loses nothing", () => {
    const text = "One.\n\nTwo\nlines.\n\n\n# Three\n";
    expect(splitBlocks(text)).toEqual(["One.\n\n", "Two\nlines.\n\n\n", "# Three\n"]);
    expect(splitBlocks(text).join("")).toBe(text);
    expect(splitBlocks("")).toEqual([]);
  });

  it("keeps a list, its indented paragraphs and a quote whole", () => {
    const list = "1. one\n\n   more of one\n\n2. two\n\n- three\n\n> quote\n\n> goes on\n";
    expect(splitBlocks(list)).toEqual([list]);
  });

  it("F-1023: leaves footnotes with what speaks of them", () => {
    const noted = "A footnote.[^1]\n\nMore.\n\n[^1]: The note.\n";
    expect(splitBlocks(noted)).toEqual([noted]);
    const apart = noted.replace("]:", "] :");
    expect(splitBlocks(apart)).toEqual([apart]);
  });

  it("reads footnotes as the service writes them, and leaves code as it is", () => {
    expect(withNotes("A.[^1]\n\n[^1] : The note.\n[^注] : 见第三章。")).toBe("A.[^1]\n\n[^1]: The note.\n[^注]: 见第三章。");
    const code = "```\n[^1] : a\n```\n[1] : no\n";
    expect(withNotes(code)).toBe(code);
  });

  it("keeps a code fence whole, also while it is still open", () => {
    const fence = "```sql\nSELECT 1;\n\nSELECT 2;\n~~~\n\n``\n```\n";
    expect(splitBlocks(`${fence}\nAfter.`)).toEqual([`${fence}\n`, "After."]);
    expect(splitBlocks("````\na\n\n```\n\nb")).toEqual(["````\na\n\n```\n\nb"]);
  });
});
