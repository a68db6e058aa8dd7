// The edge of the source beside the page: dragged, or moved by the arrow keys, it makes the source wider or narrower.
import { useEffect, useState, type KeyboardEvent, type PointerEvent } from "react";
import { useWords } from "../i18n";

const KEY = "pgask.v1.pane";
const LEAST = 22;
const MOST = 70;
const STEP = 2;

/** In hundredths of the window's width; null: as the stylesheet has it. */
function kept(): number | null {
  try {
    const width = Number(localStorage.getItem(KEY));
    return width >= LEAST && width <= MOST ? width : null;
  } catch {
    return null;
  }
}

export function PaneEdge() {
  const words = useWords();
  const [width, setWidth] = useState(kept);
  useEffect(() => {
    if (width === null) return;
    document.documentElement.style.setProperty("--pane-width", `${width}vw`);
    try {
      localStorage.setItem(KEY, String(width));
    } catch {
      // It holds until the page is left.
    }
  }, [width]);
  const set = (next: number): void => setWidth(Math.round(Math.min(MOST, Math.max(LEAST, next))));
  const dragged = ({ clientX, buttons }: PointerEvent): void => {
    if (buttons === 1) set(((innerWidth - clientX) / innerWidth) * 100);
  };
  const pressed = (event: KeyboardEvent): void => {
    const step = { ArrowLeft: STEP, ArrowRight: -STEP }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    set((width ?? 32) + step);
  };
  return (
    <div
      className="pane-edge"
      data-testid="pane-edge"
      role="separator"
      aria-orientation="vertical"
      aria-label={words.paneWidth}
      aria-valuemin={LEAST}
      aria-valuemax={MOST}
      aria-valuenow={width ?? 32}
      tabIndex={0}
      onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
      onPointerMove={dragged}
      onKeyDown={pressed}
    />
  );
}
