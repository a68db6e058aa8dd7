import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { en } from "./en";
import { dictionaries, preferredLanguage } from "./index";
import { zh } from "./zh";

/** Those that are the same in every interface language, or name the other one in its own words. */
const NOT_CHINESE = new Set(["switchLanguage"]);

function samples(value: unknown): string[] {
  if (typeof value === "function") return [String(value(2, 3, 4, 5, 6))];
  return Array.isArray(value) ? value.map(String) : [String(value)];
}

describe("the dictionaries", () => {
  it("have the same keys, and kinds of value", () => {
    expect(Object.keys(zh).sort()).toEqual(Object.keys(en).sort());
    for (const key of Object.keys(en) as (keyof typeof en)[]) expect(typeof zh[key]).toBe(typeof en[key]);
  });

  it("have no empty words", () => {
    for (const words of Object.values(dictionaries)) {
      for (const value of Object.values(words)) for (const sample of samples(value)) expect(sample.trim()).not.toBe("");
    }
  });

  it("are in their own language", () => {
    const han = /\p{Script=Han}/u;
    for (const [key, value] of Object.entries(zh)) {
      const given = samples(value).join("");
      const onlyFigures = /^[\d\s/]+$/.test(given);
      if (!NOT_CHINESE.has(key) && !onlyFigures && !/Name$/.test(key)) expect(given, key).toMatch(han);
    }
    for (const [key, value] of Object.entries(en)) {
      if (!NOT_CHINESE.has(key)) expect(samples(value).join(""), key).not.toMatch(han);
    }
  });

  it("say why a file failed as docs/reason-codes.md does", () => {
    const page = readFileSync(new URL("../../../docs/reason-codes.md", import.meta.url), "utf8");
    const rows = page.split("\n").filter((line) => line.startsWith("| `"));
    expect(rows.length).toBeGreaterThan(5);
    for (const row of rows) {
      const [, code = "", english, advice, chinese, chineseAdvice] = row.split("|").map((cell) => cell.trim());
      expect(en.reasonText(code.slice(1, -1))).toBe(`${english} ${advice}`);
      expect(zh.reasonText(code.slice(1, -1))).toBe(`${chinese}${chineseAdvice}`);
    }
  });
});

describe("preferredLanguage", () => {
  it("takes the first that the interface speaks", () => {
    expect(preferredLanguage(["zh-CN", "en"])).toBe("zh");
    expect(preferredLanguage(["fr-FR", "zh-Hant-TW", "en-US"])).toBe("zh");
    expect(preferredLanguage(["en-GB", "zh"])).toBe("en");
    expect(preferredLanguage(["fr"])).toBe("en");
    expect(preferredLanguage([])).toBe("en");
  });
});
