// A panel that floats beside what it belongs to, above all else on the page, and stays within the window.
import { autoUpdate, computePosition, flip, offset, shift, size, type Placement } from "@floating-ui/dom";
import { useEffect, useLayoutEffect, useRef, type ReactNode } from "react";

const MARGIN_PX = 8;

interface Props {
  /** Beside what it floats. */
  anchor: HTMLElement | null;
  placement: Placement;
  gapPx: number;
  className: string;
  testId: string;
  label: string;
  /** Takes the focus when it opens, and gives it back to the anchor. */
  takesFocus: boolean;
  onClose: () => void;
  /** The pointer or the focus is on it; and no longer. */
  onReached?: () => void;
  onLeft?: () => void;
  children: ReactNode;
}

export function Floating({ anchor, placement, gapPx, className, testId, label, takesFocus, onClose, onReached, onLeft, children }: Props) {
  const box = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const panel = box.current;
    if (!panel || !anchor) return;
    panel.showPopover();
    const stop = autoUpdate(anchor, panel, () => void place(anchor, panel, placement, gapPx));
    return () => {
      stop();
      panel.hidePopover();
    };
  }, [anchor, placement, gapPx]);
  useLayoutEffect(() => {
    if (!takesFocus) return;
    const panel = box.current;
    panel?.querySelector<HTMLElement>("input, select, button")?.focus({ preventScroll: true });
    return () => {
      if (panel?.contains(document.activeElement)) anchor?.focus();
    };
  }, [takesFocus, anchor]);
  useDismissal(box, anchor, onClose);
  return (
    <div ref={box} popover="manual" className={`popup floating ${className}`} data-testid={testId} role="dialog" aria-label={label} onPointerEnter={onReached} onPointerLeave={onLeft} onFocus={onReached} onBlur={onLeft}>
      {children}
    </div>
  );
}

async function place(anchor: HTMLElement, panel: HTMLElement, placement: Placement, gapPx: number): Promise<void> {
  const fits = size({
    padding: MARGIN_PX,
    apply: ({ availableHeight }) => panel.style.setProperty("--available-height", `${Math.max(120, availableHeight)}px`),
  });
  const { x, y } = await computePosition(anchor, panel, {
    strategy: "fixed",
    placement,
    middleware: [offset(gapPx), flip({ padding: MARGIN_PX }), shift({ padding: MARGIN_PX }), fits],
  });
  panel.style.left = `${x}px`;
  panel.style.top = `${y}px`;
}

/** Escape, a press elsewhere, and the focus that goes elsewhere take it away. */
function useDismissal(box: React.RefObject<HTMLElement | null>, anchor: HTMLElement | null, onClose: () => void): void {
  const latest = useRef(onClose);
  useEffect(() => {
    latest.current = onClose;
  });
  useEffect(() => {
    const isElsewhere = (target: EventTarget | null): boolean => target instanceof Node && !box.current?.contains(target) && !anchor?.contains(target);
    const pressed = (event: KeyboardEvent): void => {
      if (event.key !== "Escape" || event.isComposing) return;
      event.preventDefault(); // the page's own Escape is not meant
      latest.current();
    };
    const went = (event: Event): void => {
      if (isElsewhere(event.target)) latest.current();
    };
    document.addEventListener("keydown", pressed, true);
    document.addEventListener("pointerdown", went, true);
    document.addEventListener("focusin", went);
    return () => {
      document.removeEventListener("keydown", pressed, true);
      document.removeEventListener("pointerdown", went, true);
      document.removeEventListener("focusin", went);
    };
  }, [box, anchor]);
}
