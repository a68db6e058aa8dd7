// A problem in the reader's words: the page's own ones translated, the service's as it sent them, with advice by status.
// What a model could not do, which the service tells in English, has the page's words first.
import type { Dictionary } from "../i18n";
import type { Problem } from "./decode";

export interface ProblemText {
  title: string;
  detail: string;
  advice: string;
}

export function problemText(problem: Problem, words: Dictionary): ProblemText {
  const [title, detail] = ownWords(problem.code, words);
  return {
    title: problem.title || title,
    detail: problem.detail || detail,
    advice: advice(problem, words),
  };
}

/** Why a model didn't answer: the page's sentence for the code, and the service's own words, which name what happened
 *  (it sends "code: words"). */
export function failureText(reason: string, words: Dictionary): { sentence: string; detail: string } {
  const [, code = "", detail = reason] = /^([a-z_]+): (.*)$/s.exec(reason) ?? [];
  return { sentence: words.failureText(code), detail };
}

function ownWords(code: string, words: Dictionary): [title: string, detail: string] {
  switch (code) {
    case "network":
      return [words.networkTitle, words.networkDetail];
    case "interrupted":
      return [words.interruptedTitle, words.interruptedDetail];
    case "bad_response":
      return [words.badResponseTitle, words.badResponseDetail];
    default:
      return [words.unknownTitle, ""];
  }
}

function advice(problem: Problem, words: Dictionary): string {
  switch (problem.status) {
    case 413:
      return words.adviceTooLarge;
    case 422:
      return words.adviceInvalid;
    case 429:
      return problem.retry_after_s === null ? words.adviceBusy : words.adviceBusyFor(problem.retry_after_s);
    case 503:
      return words.adviceUnavailable;
    default:
      return "";
  }
}
