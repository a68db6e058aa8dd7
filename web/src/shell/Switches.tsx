// The interface's language and colours.
import { useLanguage, useWords } from "../i18n";
import { HalfIcon, MoonIcon, SunIcon } from "../ui/Icons";
import type { Theme } from "./theme";

export function LanguageSwitch({ onLanguage }: { onLanguage: () => void }) {
  const words = useWords();
  const toChinese = useLanguage() === "en";
  return (
    <button
      type="button"
      className="icon-button language-switch"
      data-testid="language-switch"
      lang={toChinese ? "zh" : "en"}
      aria-label={words.switchLanguage}
      title={words.switchLanguage}
      onClick={onLanguage}
    >
      {toChinese ? "中文" : "EN"}
    </button>
  );
}

export function ThemeSwitch({ theme, onTheme }: { theme: Theme; onTheme: () => void }) {
  const words = useWords();
  const name = theme === null ? words.themeSystem : theme === "light" ? words.themeLight : words.themeDark;
  return (
    <button type="button" className="icon-button" data-testid="theme-switch" aria-label={name} title={name} onClick={onTheme}>
      {theme === null ? <HalfIcon /> : theme === "light" ? <SunIcon /> : <MoonIcon />}
    </button>
  );
}
