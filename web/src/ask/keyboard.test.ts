import { describe, expect, it } from "vitest";
import { sendsQuestion, type KeyPress } from "./keyboard";

const enter: KeyPress = { key: "Enter", keyCode: 13, shiftKey: false, altKey: false, isComposing: false };

describe("sendsQuestion", () => {
  it("is true for Enter alone", () => {
    expect(sendsQuestion(enter, false)).toBe(true);
    expect(sendsQuestion({ ...enter, key: "a", keyCode: 65 }, false)).toBe(false);
  });

  it("is false for a new line", () => {
    expect(sendsQuestion({ ...enter, shiftKey: true }, false)).toBe(false);
    expect(sendsQuestion({ ...enter, altKey: true }, false)).toBe(false);
  });

  it("is false while an input method composes, however the browser says so", () => {
    expect(sendsQuestion({ ...enter, isComposing: true }, false)).toBe(false);
    expect(sendsQuestion({ ...enter, keyCode: 229 }, false)).toBe(false);
    expect(sendsQuestion(enter, true)).toBe(false);
  });
});
