// Which language a text is marked as, judged by its script alone.

const LETTER = /\p{L}/gu;
const HAN = /\p{Script=Han}/gu;
const KANA = /[\p{Script=Hiragana}\p{Script=Katakana}]/u;
const HANGUL = /\p{Script=Hangul}/u;

/** By the letters that most of a text is in; a script of several languages names itself alone (BCP 47). */
const OTHERS: readonly (readonly [script: RegExp, language: string])[] = [
  [/\p{Script=Arabic}/gu, "und-Arab"],
  [/\p{Script=Hebrew}/gu, "he"],
  [/\p{Script=Cyrillic}/gu, "und-Cyrl"],
  [/\p{Script=Greek}/gu, "el"],
  [/\p{Script=Thai}/gu, "th"],
  [/\p{Script=Devanagari}/gu, "und-Deva"],
];

/**
 * The value for a `lang` attribute. A fifth of Han letters makes a text Chinese: one Han letter says about
 * as much as a Latin word, and Chinese technical text is full of Latin names.
 */
export function languageOf(text: string): string {
  if (KANA.test(text)) return "ja";
  if (HANGUL.test(text)) return "ko";
  const letters = text.match(LETTER)?.length ?? 0;
  const han = text.match(HAN)?.length ?? 0;
  if (han > 0 && han * 5 >= letters) return "zh";
  return OTHERS.find(([script]) => (text.match(script)?.length ?? 0) * 2 > letters)?.[1] ?? "en";
}
