import { describe, expect, it } from "vitest";
import { visible } from "./visible";

describe("visible", () => {
  it("shows what turns or hides text", () => {
    expect(visible("report \u202egnp.md")).toBe("report [U+202E]gnp.md");
    expect(visible("a\u0007b\u2066c\u2069")).toBe("a[U+0007]b[U+2066]c[U+2069]");
  });

  it("leaves every other name as it is", () => {
    for (const name of ["docs/tuning.md", "第 1 章／概述.md", "👩‍🚀 مرحبا.txt", "<img>.md"]) expect(visible(name)).toBe(name);
  });
});
