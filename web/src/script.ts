// Which language a text is marked as, judged by its script alone.

const LETTER = /\p{L}/gu;
const HAN = /\p{Script=Han}/gu;
const KANA = /[\p{Script=Hiragana}\p{Script=Katakana}]/u;
const HANGUL = /\p{Script=Hangul}/u;

/**
 * The value for a `lang` attribute. A fifth of Han letters makes a text Chinese: one Han letter says about
 * as much as a Latin word, and Chinese technical text is full of Latin names.
 */
export function languageOf(text: string): "zh" | "ja" | "ko" | "en" {
  if (KANA.test(text)) return "ja";
  if (HANGUL.test(text)) return "ko";
  const letters = text.match(LETTER)?.length ?? 0;
  const han = text.match(HAN)?.length ?? 0;
  return han > 0 && han * 5 >= letters ? "zh" : "en";
}
