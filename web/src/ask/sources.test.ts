import { describe, expect, it } from "vitest";
import { citedDocuments } from "./sources";
import { citationOf } from "../testing/service";

const TEXT = "one two three";

describe("citedDocuments", () => {
  it("F-1003: gives a document one entry, however often and under whatever numbers it is cited", () => {
    const citations = [
      citationOf(TEXT, "one", { page: 9, ocr_confidence: 0.98 }),
      citationOf(TEXT, "two", { marker: 3, document_id: "doc-2" }),
      citationOf(TEXT, "three", { marker: 2, page: 4, supported: false, ocr_confidence: 0.91 }),
      citationOf(TEXT, "one", { page: 9 }),
    ];
    expect(citedDocuments(citations)).toEqual([
      { first: citations[0], markers: [1, 2], passages: 2, pages: [4, 9], ocrConfidence: 0.91, unsupported: 1 },
      { first: citations[1], markers: [3], passages: 1, pages: [], ocrConfidence: null, unsupported: 0 },
    ]);
    expect(citedDocuments([])).toEqual([]);
  });
});
