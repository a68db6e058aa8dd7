// Which language the interface speaks, and its words for the components.
import { createContext, useContext } from "react";
import { en, type Dictionary } from "./en";
import { zh } from "./zh";

export type Language = "en" | "zh";
export type { Dictionary };

export const dictionaries: Readonly<Record<Language, Dictionary>> = { en, zh };

/** The first of the browser's languages that the interface speaks; English where it speaks none. */
export function preferredLanguage(languages: readonly string[]): Language {
  for (const language of languages) {
    const primary = language.toLowerCase().split("-")[0];
    if (primary === "zh" || primary === "en") return primary;
  }
  return "en";
}

export const LanguageContext = createContext<Language>("en");

export function useLanguage(): Language {
  return useContext(LanguageContext);
}

export function useWords(): Dictionary {
  return dictionaries[useContext(LanguageContext)];
}
