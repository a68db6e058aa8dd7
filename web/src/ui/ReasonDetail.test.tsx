// @vitest-environment jsdom
import { render } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { LanguageContext, type Language } from "../i18n";
import { limitInChinese } from "../i18n/limits";
import { limitsZh } from "../i18n/reasons";
import { ReasonDetail } from "./ReasonDetail";

const LARGE = "The file has 251,000,000 bytes; the limit is 200,000,000 (PGASK_MAX_FILE_BYTES). Split it, or raise the limit.";
const DAMAGED = "The file can't be read: BadZipFile.";

function show(detail: string | null, language: Language): HTMLElement {
  return render(
    <LanguageContext.Provider value={language}>
      <ReasonDetail detail={detail} />
    </LanguageContext.Provider>,
  ).container;
}

describe("ReasonDetail", () => {
  it("tells a limit in the reader's language, with the figures and the setting", () => {
    expect(show(LARGE, "en").textContent).toBe(` ${LARGE}`);
    expect(show(LARGE, "zh").textContent).toBe(" 文件有 251,000,000 字节，上限为 200,000,000（PGASK_MAX_FILE_BYTES）。请拆分文件或提高上限。");
    const page = show("The file has at least 20,000,417 characters of text; the limit is 20,000,000 (fixed). Split it.", "zh");
    expect(page.textContent).toBe(" 文件有 至少 20,000,417 个字符的文本，上限为 20,000,000（不可调整）。请拆分文件。");
  });

  it("folds what it has no words for, on the Chinese page alone", () => {
    const folded = show(DAMAGED, "zh").querySelector("details");
    expect(folded?.open).toBe(false);
    expect(folded?.querySelector("[lang=en]")?.textContent).toBe(DAMAGED);
    expect(show(DAMAGED, "en").querySelector("details")).toBeNull();
    expect(show(null, "zh").textContent).toBe("");
  });

  it("knows every sentence of the service's table", () => {
    for (const [english, chinese] of limitsZh) {
      const filled = (text: string): string => text.replace("{found}", "1,234").replace("{most}", "1,000");
      expect(limitInChinese(filled(english).replace("{setting}", "fixed"))).toBe(filled(chinese).replace("{setting}", "不可调整"));
    }
    expect(limitInChinese(`${LARGE} and more`)).toBe("");
  });
});
