import { describe, expect, it } from "vitest";
import { languageOf } from "./script";

describe("languageOf", () => {
  it.each([
    ["How do I choose the number of ivfflat lists?", "en"],
    ["如何选择分块大小？", "zh"],
    ["pgvector 支持 HNSW 索引", "zh"],
    ["The word 分块 means chunking, as the handbook says in its glossary.", "en"],
    ["チャンクの大きさ", "ja"],
    ["청크 크기", "ko"],
    ["كم عدد القوائم في ivfflat؟", "und-Arab"],
    ["כמה רשימות?", "he"],
    ["Сколько списков?", "und-Cyrl"],
    ["12 + 34 😀", "en"],
    ["", "en"],
  ])("%s is %s", (text, language) => {
    expect(languageOf(text)).toBe(language);
  });
});
