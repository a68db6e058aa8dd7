// Code with its lines numbered and its words coloured. The colours are the language's, the numbers the file's.
import { Fragment, useEffect, useMemo, useState, type ReactNode } from "react";
import { sliceCodePoints, unitIndexes } from "../text/codepoints";
import type { TextWindow } from "../wire/decode";
import type { LitSpan } from "./sourcetext";

interface Props {
  window: TextWindow;
  spans: readonly LitSpan[];
  mediaType: string;
  /** An offset that is gone to. */
  jump: number | null;
}

type Colour = (text: string) => readonly { text: string; className: string }[] | null;

/** Longer texts are not coloured. */
const MOST = 200_000;

export function CodeText({ window, spans, mediaType, jump }: Props) {
  const colour = useColour(mediaType, window.text.length <= MOST);
  const lines = useMemo(() => linesOf(window, spans, colour), [window, spans, colour]);
  const isNumbered = window.start === 0;
  return (
    <table className="code-lines">
      <tbody>
        {lines.map(({ start, pieces }, index) => (
          <tr key={start} data-offset={jump !== null && jump >= start && jump < (lines[index + 1]?.start ?? Number.POSITIVE_INFINITY) ? jump : undefined}>
            {isNumbered && <td className="line-number" data-number={index + 1} aria-hidden="true" />}
            <td className="line-text">
              {pieces}
              {"\n"}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

interface Line {
  /** Code points in the document. */
  start: number;
  pieces: ReactNode[];
}

/** The lines of a window, what is lit apart from the rest, and each piece in the colours of its words. */
function linesOf(window: TextWindow, spans: readonly LitSpan[], colour: Colour | null): Line[] {
  const units = unitIndexes(window.text);
  const offsets = new Map(units.map((unit, offset) => [unit, window.start + offset]));
  const lit = spans
    .map(({ start, end, kind }) => ({ start: units[start - window.start] ?? 0, end: units[end - window.start] ?? window.text.length, kind }))
    .sort((a, b) => a.start - b.start);
  const lines: Line[] = [{ start: window.start, pieces: [] }];
  let at = 0;
  let next = 0;
  const push = (text: string, className: string): void => {
    const present = lit[next];
    const kind = present && at >= present.start ? present.kind : null;
    const words = className === "" ? text : <span className={className}>{text}</span>;
    const key = at;
    lines.at(-1)?.pieces.push(kind === null ? <Fragment key={key}>{words}</Fragment> : <Lit key={key} kind={kind}>{words}</Lit>);
  };
  for (const { text, className } of colour?.(window.text) ?? [{ text: window.text, className: "" }]) {
    let from = 0;
    while (from < text.length) {
      while ((lit[next]?.end ?? Number.POSITIVE_INFINITY) <= at) next += 1;
      const present = lit[next];
      const border = present ? (at < present.start ? present.start : present.end) - at : Number.POSITIVE_INFINITY;
      const newline = text.indexOf("\n", from);
      const until = Math.min(text.length, from + border, newline < 0 ? Number.POSITIVE_INFINITY : newline);
      if (until > from) push(text.slice(from, until), className);
      at += until - from;
      from = until;
      if (from === newline) {
        at += 1;
        from += 1;
        lines.push({ start: offsets.get(at) ?? window.end, pieces: [] });
      }
    }
  }
  return lines;
}

function Lit({ kind, children }: { kind: LitSpan["kind"]; children: ReactNode }) {
  return (
    <mark data-testid={kind === "found" ? "found-span" : "cited-span"} className={kind === "found" ? "found" : undefined}>
      {children}
    </mark>
  );
}

function useColour(mediaType: string, wanted: boolean): Colour | null {
  const [colour, setColour] = useState<Colour | null>(null);
  useEffect(() => {
    if (!wanted) return;
    let here = true;
    import("../ui/colours").then(
      ({ colourOf }) => here && setColour(() => colourOf(mediaType)),
      () => undefined, // without colours it is code, too
    );
    return () => {
      here = false;
    };
  }, [mediaType, wanted]);
  return colour;
}

/** The numbers of the lines that hold a span, where the text is there from its beginning. */
export function linesAt(window: TextWindow, { start, end }: { start: number; end: number }): { first: number; last: number } | null {
  if (window.start !== 0 || start < 0 || end > window.end) return null;
  const count = (until: number): number => sliceCodePoints(window.text, 0, until).split("\n").length;
  return { first: count(start), last: count(Math.max(start, end - 1)) };
}
