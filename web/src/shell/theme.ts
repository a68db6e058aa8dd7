// Light, dark, or as the system has it. The choice stands in `data-theme` on the root element; styles/ read it there.

/** Null follows the system. */
export type Theme = "light" | "dark" | null;

export function systemIsDark(): boolean {
  return typeof matchMedia === "function" && matchMedia("(prefers-color-scheme: dark)").matches;
}

/** From the system's colours to the other ones, then to the system's by name, then back to following it. */
export function nextTheme(theme: Theme, dark: boolean): Theme {
  const opposite = dark ? "light" : "dark";
  if (theme === null) return opposite;
  return theme === opposite ? (dark ? "dark" : "light") : null;
}

export function applyTheme(theme: Theme): void {
  if (theme === null) delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}
