import { describe, expect, it } from "vitest";
import { spoken, spokenUntil } from "./announce";

describe("what is read aloud", () => {
  it("ends at the last whole sentence", () => {
    expect(spokenUntil("Use 3.5 lists. And th")).toBe("Use 3.5 lists.".length);
    expect(spokenUntil("分块不宜过大。他说：“好。”然后")).toBe("分块不宜过大。他说：“好。”".length);
    expect(spokenUntil("No end yet")).toBe(0);
    expect(spokenUntil("At the very end.")).toBe(0); // a number or a quote may still follow
  });

  it("leaves out Markdown, but not numbers in brackets: marks are taken out by their places", () => {
    expect(spoken("## Lists\n- use **rows / 1000** [12]")).toBe("Lists use rows / 1000 [12]");
  });

  it("keeps every letter of a quoted answer", () => {
    expect(spoken("Call __init__\n  on C:\\*_a, `0` [2]", true)).toBe("Call __init__ on C:\\*_a, `0` [2]");
  });
});
