import { describe, expect, it } from "vitest";
import { ProblemError } from "./api";
import { dictionaries } from "../i18n";
import { failureText, problemText } from "./problems";
import { decodeProblem } from "./decode";

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

describe("failureText", () => {
  it("has a sentence in each language for every code that the service may send", () => {
    const codes = ["llm_unavailable", "llm_timeout", "llm_request_refused", "prompt_too_large"];
    for (const code of codes) {
      for (const [language, words] of Object.entries(dictionaries)) {
        const { sentence, detail } = failureText(`${code}: It said:\nno.`, words);
        expect(sentence).not.toBe(words.failureText(""));
        expect(/\p{Script=Han}/u.test(sentence), `${code} ${language}`).toBe(language === "zh");
        expect(detail).toBe("It said:\nno.");
      }
    }
  });

  it("says in general that the model failed where it doesn't know the code", () => {
    for (const reason of ["generation_failed: Something else.", "new_code: Something else.", "constructor: Something else.", "Something else."]) {
      expect(failureText(reason, dictionaries.zh)).toEqual({ sentence: "语言模型出错。请重新提问。", detail: "Something else." });
    }
  });
});
