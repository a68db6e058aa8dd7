// Language, colours and the settings of questions, as this browser keeps them and its tabs share them.
import { useEffect, useState } from "react";
import { arePreferences, loadPreferences, savePreferences, type Preferences } from "../ask/storage";
import { preferredLanguage, type Language } from "../i18n";
import type { Settings } from "../ask/settings";
import { applyTheme, nextTheme, systemIsDark, type Theme } from "./theme";

export interface PreferenceControls {
  language: Language;
  theme: Theme;
  settings: Settings;
  switchLanguage: () => void;
  switchTheme: () => void;
  setSettings: (settings: Settings) => void;
}

export function usePreferences(storage: Storage | null): PreferenceControls {
  const [preferences, setPreferences] = useState(() => loadPreferences(storage));
  const language: Language = preferences.language ?? preferredLanguage(navigator.languages);
  const { theme, settings } = preferences;
  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);
  useEffect(() => applyTheme(theme), [theme]);
  useEffect(() => {
    const changed = ({ key }: StorageEvent): void => {
      if (arePreferences(key)) setPreferences(loadPreferences(storage));
    };
    addEventListener("storage", changed);
    return () => removeEventListener("storage", changed);
  }, [storage]);

  const change = (next: Partial<Preferences>): void => {
    const changed = { ...preferences, ...next };
    setPreferences(changed);
    savePreferences(storage, changed);
  };
  return {
    language,
    theme,
    settings,
    switchLanguage: () => change({ language: language === "en" ? "zh" : "en" }),
    switchTheme: () => change({ theme: nextTheme(theme, systemIsDark()) }),
    setSettings: (settings) => change({ settings }),
  };
}
