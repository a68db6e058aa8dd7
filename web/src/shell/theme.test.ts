import { describe, expect, it } from "vitest";
import { nextTheme } from "./theme";

describe("nextTheme", () => {
  it("changes the colours at once, and comes back to the system's", () => {
    expect([nextTheme(null, false), nextTheme("dark", false), nextTheme("light", false)]).toEqual(["dark", "light", null]);
    expect([nextTheme(null, true), nextTheme("light", true), nextTheme("dark", true)]).toEqual(["light", "dark", null]);
  });
});
