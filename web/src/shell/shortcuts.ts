// Keys that act on all of the page.
import { useEffect, useRef } from "react";
import { shortcutOf, type Shortcut } from "../ask/keyboard";

/** Not where a text is written, but for those with Ctrl or Cmd. */
export function useShortcuts(acts: Readonly<Record<Shortcut, () => void>>): void {
  const latest = useRef(acts);
  useEffect(() => {
    latest.current = acts;
  });
  useEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || event.isComposing) return;
      const writes = event.target instanceof HTMLElement && event.target.closest("input, textarea, select") !== null;
      const act = shortcutOf(event, writes);
      if (act === null) return;
      event.preventDefault();
      latest.current[act]();
    };
    document.addEventListener("keydown", pressed);
    return () => document.removeEventListener("keydown", pressed);
  }, []);
}

/** Escape, unless something nearer has taken it or an input method uses it. */
export function useEscape(act: () => void): void {
  const latest = useRef(act);
  useEffect(() => {
    latest.current = act;
  });
  useEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      if (event.key !== "Escape" || event.defaultPrevented || event.isComposing || event.keyCode === 229) return;
      latest.current();
    };
    document.addEventListener("keydown", pressed);
    return () => document.removeEventListener("keydown", pressed);
  }, []);
}
