// What a reader may set for their questions. What is null is left to the service.
import { fields, numberOrNull } from "../wire/decode";
import type { AskSettings } from "../wire/api";

export interface Settings {
  /** How many passages are looked at. */
  topK: number | null;
  temperature: number | null;
  maxTokens: number | null;
  /** No language model writes: answers are quotes. */
  quotesOnly: boolean;
  /** Shows how a search went under each answer. */
  showWhy: boolean;
}

export const NO_SETTINGS: Settings = { topK: null, temperature: null, maxTokens: null, quotesOnly: false, showWhy: false };

/** Smallest, largest and step of each number, as the service takes them. */
export const LIMITS = {
  topK: { min: 1, max: 50, step: 1 },
  temperature: { min: 0, max: 2, step: 0.1 },
  maxTokens: { min: 16, max: 4_096, step: 16 },
} as const;

export function decodeSettings(value: unknown): Settings {
  const from = fields(value);
  const within = (name: keyof typeof LIMITS): number | null => {
    const number = numberOrNull(from?.[name]);
    return number !== null && number >= LIMITS[name].min && number <= LIMITS[name].max ? number : null;
  };
  return { topK: within("topK"), temperature: within("temperature"), maxTokens: within("maxTokens"), quotesOnly: from?.quotesOnly === true, showWhy: from?.showWhy === true };
}

/** As they go with a question. */
export function askSettings({ topK, temperature, maxTokens, quotesOnly, showWhy }: Settings): AskSettings {
  const generation = { ...(temperature === null ? {} : { temperature }), ...(maxTokens === null ? {} : { max_tokens: maxTokens }) };
  return {
    ...(topK === null ? {} : { top_k: topK }),
    ...(Object.keys(generation).length > 0 ? { generation } : {}),
    ...(quotesOnly ? { quotes_only: true } : {}),
    ...(showWhy ? { explain: true } : {}),
  };
}
