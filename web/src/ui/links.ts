// Links that the page follows itself, and the browser where the reader asks for a new tab, a window or a download.
import type { MouseEvent } from "react";

export function onPlainClick(event: MouseEvent, act: () => void): void {
  if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  act();
}
