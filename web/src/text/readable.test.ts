import { describe, expect, it } from "vitest";
import { readable } from "./readable";

describe("readable", () => {
  it("takes away what draws headings, tables, quotations and bold words", () => {
    const text = "## What works?\n\nUse **ivfflat** here.\n\n| Filter | Recall |\n|---|:---:|\n| 10 % | .952 |\n\n> 备注：**注意**事项";
    expect(readable(text)).toBe("What works?\n\nUse ivfflat here.\n\nFilter · Recall\n10 % · .952\n\n备注：注意事项");
  });

  it("leaves everything else as it is", () => {
    for (const text of ["a ** b ** c", "#include <x>", "__init__ and 2 * 3 * 4", "a | b", "-", "x --- y", ""]) expect(readable(text)).toBe(text);
  });
});
