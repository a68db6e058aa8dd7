import { describe, expect, it } from "vitest";
import { NO_PLACES, piecesOf, placesOf, withoutMarks } from "./places";
import { survey, threeClaims } from "../testing/cases";
import { citationOf, claimsOf } from "../testing/service";
import type { Claim } from "../wire/decode";

const CITATION = citationOf("abc", "b");
const claim = (rest: Partial<Claim>): Claim => ({ start: 0, end: 1, mark_start: null, mark_end: null, citations: [0], supported: true, ...rest });

describe("placesOf", () => {
  it("counts code points: emoji, Chinese and extension B before and between the marks", () => {
    const answer = "😀 𠮷野家在奈良 [1]。👩‍🔬 É vero [1]!";
    const claims = claimsOf(answer, [["𠮷野家在奈良", "[1]", 0], ["É vero", "[1]", 1, false]]);
    const citations = [CITATION, citationOf("abc", "c")];
    const { marks, doubts } = placesOf(answer, claims, citations);
    expect(marks.map(({ start, end }) => answer.slice(start, end))).toEqual(["[1]", "[1]"]);
    expect(marks.map(({ citation }) => citation)).toEqual(citations);
    expect(doubts.map(({ start, end, doubt }) => [answer.slice(start, end), doubt])).toEqual([["É vero", "unsupported"]]);
    expect(withoutMarks(answer, { marks, doubts })).toBe("😀 𠮷野家在奈良 。👩‍🔬 É vero !");
  });

  it("F-601: takes no number of a quoted text for a mark", () => {
    const { answer, claims, citations } = survey();
    const { marks } = placesOf(answer, claims, citations);
    expect(marks.map(({ citation }) => citation)).toEqual(citations);
    expect(marks.map(({ start, end }) => answer.slice(start - 5, end))).toEqual(["[2]. [1]", "[1]. [2]"]);
  });

  it("F-602: gives each claim on one marker its own citation, and doubts only what is not confirmed or not cited", () => {
    const { answer, claims, citations } = threeClaims();
    const { marks, doubts } = placesOf(answer, claims, citations);
    expect(marks.map(({ citation, supported }) => [citation, supported])).toEqual([
      [citations[0], true],
      [citations[1], true],
      [citations[2], false],
    ]);
    expect(doubts.map(({ start, end, doubt }) => [answer.slice(start, end), doubt])).toEqual([
      ["A thousand unicorns voted for purple probes on Tuesday", "unsupported"],
      ["Everybody **likes** `probes`", "sourceless"],
    ]);
  });

  it("takes a claim with several marks for confirmed where one of its sources confirms it", () => {
    const answer = "A [1][2] B [2]";
    const claims = [
      claim({ mark_start: 2, mark_end: 5, supported: false }),
      claim({ mark_start: 5, mark_end: 8 }),
      claim({ start: 9, end: 10, mark_start: 11, mark_end: 14, supported: false }),
    ];
    const { marks, doubts } = placesOf(answer, claims, [CITATION]);
    expect(marks.map(({ supported }) => supported)).toEqual([false, true, false]);
    expect(doubts).toEqual([{ start: 9, end: 10, doubt: "unsupported" }]);
  });

  it("leaves out what lies outside of the answer, overlaps or cites nothing", () => {
    const answer = "Short [1]";
    const claims = [
      claim({ mark_start: 6, mark_end: 9 }),
      claim({ mark_start: 7, mark_end: 9 }),
      claim({ mark_start: 8, mark_end: 12 }),
      claim({ mark_start: 0, mark_end: 2, citations: [4] }),
      claim({ start: 0, end: 99, citations: [], supported: null }),
    ];
    expect(placesOf(answer, claims, [CITATION])).toEqual({
      marks: [{ start: 6, end: 9, citation: CITATION, supported: true }],
      doubts: [],
    });
    expect(placesOf(answer, [], [CITATION])).toBe(NO_PLACES);
  });
});

describe("piecesOf", () => {
  it("loses nothing, wherever it is cut", () => {
    const { answer, claims, citations } = threeClaims();
    const places = placesOf(answer, claims, citations);
    for (let at = 0; at <= answer.length; at += 1) {
      const text = [...piecesOf(answer, places, 0, at), ...piecesOf(answer, places, at)]
        .map((piece) => ("mark" in piece ? answer.slice(piece.mark.start, piece.mark.end) : piece.text))
        .join("");
      expect(text).toBe(answer);
    }
  });
});
