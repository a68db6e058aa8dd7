// The mark of a claim: a button that opens the sentence it rests on, and shows it in a card while it is hovered, has the
// keyboard's focus or is pressed long.
import { useEffect, useRef, type PointerEvent } from "react";
import { useWords } from "../i18n";
import type { Citation } from "../wire/decode";
import { cards } from "./card";
import type { Mark } from "./places";

const LONG_PRESS_MS = 450;

export function MarkButton({ mark: { citation, supported }, onOpen }: { mark: Mark; onOpen: (citation: Citation) => void }) {
  const words = useWords();
  const button = useRef<HTMLButtonElement>(null);
  const pressing = useRef<ReturnType<typeof setTimeout>>(undefined);
  const pressedLong = useRef(false);
  useEffect(() => () => cards.hide(0), []);

  const open = (): void => {
    cards.hide(0);
    onOpen(citation);
  };
  const show = (afterMs?: number): void => {
    if (button.current) cards.show({ anchor: button.current, citation, open }, afterMs);
  };
  const down = ({ pointerType }: PointerEvent): void => {
    pressedLong.current = false;
    if (pointerType === "mouse") return;
    pressing.current = setTimeout(() => {
      pressedLong.current = true;
      show(0);
    }, LONG_PRESS_MS);
  };
  const label = words.openSource(String(citation.marker), citation.title);
  return (
    <button
      ref={button}
      type="button"
      className={supported ? "marker" : "marker marker-unsupported"}
      data-testid="citation-marker"
      data-marker={citation.marker}
      aria-label={supported ? label : `${label} (${words.unsupported})`}
      onPointerEnter={({ pointerType }) => pointerType === "mouse" && show()}
      onPointerLeave={({ pointerType }) => pointerType === "mouse" && cards.hide()}
      onPointerDown={down}
      onPointerUp={() => clearTimeout(pressing.current)}
      onPointerCancel={() => clearTimeout(pressing.current)}
      onContextMenu={(event) => pressedLong.current && event.preventDefault()}
      onFocus={() => button.current?.matches(":focus-visible") && show(0)}
      onBlur={() => cards.hide()}
      onClick={() => {
        if (!pressedLong.current) open();
        pressedLong.current = false;
      }}
    >
      {citation.marker}
    </button>
  );
}
