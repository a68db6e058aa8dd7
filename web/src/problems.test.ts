import { describe, expect, it } from "vitest";
import { ProblemError } from "./api";
import { dictionaries } from "./i18n";
import { problemText } from "./problems";
import { decodeProblem } from "./wire";

describe("problemText", () => {
  it("has words of its own for what the page finds", () => {
    for (const code of ["network", "interrupted", "bad_response"] as const) {
      for (const words of Object.values(dictionaries)) {
        const { title, detail } = problemText(ProblemError.local(code).problem, words);
        expect(title).not.toBe(words.unknownTitle);
        expect(detail).not.toBe("");
      }
    }
  });

  it("keeps the service's words and advises by status", () => {
    const words = dictionaries.en;
    const sent = (status: number, retryAfter: string | null = null) =>
      problemText(decodeProblem({ code: "c", title: "T", detail: "D" }, status, retryAfter), words);
    expect(sent(413)).toEqual({ title: "T", detail: "D", advice: words.adviceTooLarge });
    expect(sent(422).advice).toBe(words.adviceInvalid);
    expect(sent(429).advice).toBe(words.adviceBusy);
    expect(sent(429, "3").advice).toContain("3 seconds");
    expect(sent(503).advice).toBe(words.adviceUnavailable);
    expect(sent(500).advice).toBe("");
  });

  it("shows a detail that is no sentence as it came", () => {
    expect(decodeProblem({ detail: [{ loc: ["q"], msg: "too long" }] }, 422).detail).toContain("too long");
    expect(problemText(decodeProblem(null, 500), dictionaries.en).title).toBe(dictionaries.en.unknownTitle);
  });
});
