// @vitest-environment jsdom
import { render, screen } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { LanguageContext, type Language } from "../i18n";
import { documentOf } from "../testing/service";
import { decodeDocumentDetail, type DocumentDetail } from "../wire/decode";
import { DocumentNotes } from "./DocumentNotes";

function detail(rest: Record<string, unknown>): DocumentDetail {
  const decoded = decodeDocumentDetail({ ...documentOf("text"), ...rest });
  if (!decoded) throw new Error("no document");
  return decoded;
}

function show(document: DocumentDetail, language: Language = "en"): HTMLElement {
  return render(
    <LanguageContext.Provider value={language}>
      <DocumentNotes document={document} />
    </LanguageContext.Provider>,
  ).container;
}

describe("DocumentNotes", () => {
  it("are silent about an ordinary document", () => {
    expect(show(detail({ unknown_share: 0.02, is_unreadable: false, dropped: {}, duplicate_of: null })).textContent).toBe("");
    expect(show(detail({})).textContent).toBe(""); // of an older service
  });

  it("are silent about what the model can't read: the status screen says that of all documents at once", () => {
    expect(show(detail({ unknown_share: 0.834, is_unreadable: true })).textContent).toBe("");
  });

  it("count what was left out, by kind", () => {
    const cleaned = detail({ dropped: { zero_width: 3, page_furniture: 1200, new_kind: 1, none: 0, wrong: "x" } });
    expect(show(cleaned).textContent).toBe(
      "1 note on this documentLeft out when it was read: 1,204 characterscharacters without width: 3repeated page headers and footers: 1,200other (new_kind): 1",
    );
    expect(show(cleaned, "zh").textContent).toContain("零宽字符：3");
  });

  it("say in both languages that much of it was lost", () => {
    const lossy = detail({ dropped: { scanned_page: 900 }, lost_share: 0.304, is_lossy: true });
    expect(show(lossy).textContent).toMatch(/30 % of what a reader sees.*pages that are pictures/);
    expect(show(lossy, "zh").textContent).toContain("30 % 未能收入");
  });

  it("name the document that stands for it, made harmless", () => {
    show(detail({ duplicate_of: "a\u202e.md" }));
    expect(screen.getByTestId("duplicate-note").textContent).not.toContain("\u202e");
  });
});
