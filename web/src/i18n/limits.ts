// What the service says of a file that is over a limit, in English with figures, told in Chinese.
import type { Language } from ".";
import { limitsZh, limitWordsZh } from "./reasons";

const PLACE = /\{(\w+)\}/g;
const SENTENCES = limitsZh.map(([english, chinese]) => ({ pattern: patternOf(english), chinese }));

function patternOf(english: string): RegExp {
  const literal = english.split(PLACE).map((part, index) => (index % 2 === 0 ? part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&") : `(?<${part}>[\\w ,.]{1,60})`));
  return new RegExp(`^${literal.join("")}$`);
}

/** Empty for any other sentence. */
export function limitInChinese(detail: string): string {
  for (const { pattern, chinese } of SENTENCES) {
    const places = pattern.exec(detail)?.groups;
    if (places) return chinese.replace(PLACE, (_, name: string) => limitWordsZh.reduce((text, [english, word]) => text.replace(english, word), places[name] ?? ""));
  }
  return "";
}

/** What the service says of a file in its own words, in the reader's language; empty where the page has no words for it. */
export function detailIn(language: Language, detail: string): string {
  return language === "zh" ? limitInChinese(detail) : detail;
}
