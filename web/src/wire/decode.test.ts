import { describe, expect, it } from "vitest";
import { citationOf, replyOf } from "../testing/service";
import { decodeEvidence, decodeNearMiss, decodeReply } from "./decode";

const A = citationOf("abc", "a");
const C = citationOf("abc", "c", { marker: 2 });
const CLAIM = { start: 0, end: 4, mark_start: 5, mark_end: 8, citations: [2, 0], supported: false };

describe("decodeEvidence", () => {
  it("keeps what claims point at when a citation can't be read", () => {
    const { citations, claims } = decodeEvidence([A, { marker: "?" }, C], [CLAIM, { ...CLAIM, citations: [1, 7, -1, "0"] }]);
    expect(citations).toEqual([A, C]);
    expect(claims).toEqual([{ ...CLAIM, citations: [1, 0] }, { ...CLAIM, citations: [] }]);
  });

  it("refuses places that are none, and takes half a mark for no mark", () => {
    const broken = [null, 3, {}, { ...CLAIM, start: -1 }, { ...CLAIM, end: 1.5 }, { ...CLAIM, start: 9 }];
    expect(decodeEvidence([A], broken).claims).toEqual([]);
    const { claims } = decodeEvidence([A], [{ ...CLAIM, mark_end: null, supported: "yes" }, { ...CLAIM, mark_start: 8, mark_end: 5 }]);
    expect(claims.map(({ mark_start, mark_end, supported }) => [mark_start, mark_end, supported])).toEqual([
      [null, null, null],
      [null, null, false],
    ]);
    expect(decodeEvidence("x", { length: 3 })).toEqual({ citations: [], claims: [] });
  });
});

describe("decodeReply", () => {
  it("knows the kinds and reasons of the contract, and no others", () => {
    const decoded = decodeReply(replyOf({ answer: "A", kind: "steps", reason: "empty_collection", searched_for: "lists" }));
    expect(decoded).toMatchObject({ kind: "steps", reason: "empty_collection", searched_for: "lists", claims: [], nearest: [] });
    expect(decodeReply({ answer: "A", kind: "toString", reason: 7 })).toMatchObject({ kind: "passage", reason: null, searched_for: null });
  });

  it("reads all spans of a citation and leaves out broken ones", () => {
    const spans = [{ char_start: 4, char_end: 6, quote: "ab" }, { char_start: 6, char_end: 6, quote: "" }, "x"];
    expect(decodeReply({ answer: "A", citations: [{ ...A, spans }] })?.citations[0]?.spans).toEqual([spans[0]]);
  });

  it("reads the nearest passages, from the wire and out of the storage", () => {
    const { marker: _, supported: __, ocr_confidence: ___, quote, ...hit } = A;
    const near = decodeNearMiss({ ...hit, text: quote, rank: 1, why: { code: "other_number", sentence: "It speaks of the FM-30." } });
    expect(near).toEqual({ ...hit, quote, why: "It speaks of the FM-30." });
    expect(decodeNearMiss(JSON.parse(JSON.stringify(near)))).toEqual(near);
    expect(decodeNearMiss({ text: "no document" })).toBeNull();
  });
});
