import { describe, expect, it } from "vitest";
import { en } from "../i18n/en";
import { zh } from "../i18n/zh";
import { sectionPlaces } from "./outline";

const section = (start: number, heading: string, language: string | null) => ({ char_start: start, char_end: start + 10, heading_path: [heading], language });

describe("a document's sections", () => {
  it("say their language where it is another one than most of the document", () => {
    const document = { language: "en", sections: [section(0, "Leave", "en"), section(10, "休假", "zh"), section(20, "Numbers", "und"), section(30, "Old", null)] };
    expect(sectionPlaces(document, en).map(({ label }) => label)).toEqual(["Leave", "休假 (Chinese)", "Numbers", "Old"]);
    expect(sectionPlaces({ ...document, language: "zh" }, zh).map(({ label }) => label)[0]).toBe("Leave (英文)");
  });
});
