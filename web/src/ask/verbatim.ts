// Cuts an answer that is shown letter by letter into prose and code. Code is what stands between two lines of ``` marks,
// which the service writes around a block of code; nothing else in the text means anything.
import { BLANK, blanked, type Places } from "./places";

/** UTF-16 indexes, half-open: without the lines of marks around code, and without blank lines at either end. */
export interface VerbatimBlock {
  kind: "prose" | "code";
  start: number;
  end: number;
}

interface Line {
  start: number;
  /** Before its line break. */
  end: number;
  text: string;
}

const OPENING = /^(`{3,})[^`]*$/;
const CLOSING = new RegExp(`^(\`{3,})[ \\t${BLANK}]*$`);

/** The blocks in order. A fence that is never closed is prose; a mark may follow the closing one on its line. */
export function verbatimBlocks(answer: string, places: Places): VerbatimBlock[] {
  const lines = linesOf(blanked(answer, places));
  const blocks: VerbatimBlock[] = [];
  const push = (kind: VerbatimBlock["kind"], from: number, until: number): void => {
    const taken = lines.slice(from, until);
    const isFilled = (line: Line): boolean => line.text.trim() !== "";
    const first = taken.find(isFilled);
    const last = taken.findLast(isFilled);
    if (first && last) blocks.push({ kind, start: first.start, end: last.end });
  };
  let from = 0;
  for (let index = 0; index < lines.length; index += 1) {
    const fence = OPENING.exec(lines[index]?.text ?? "")?.[1];
    if (fence === undefined) continue;
    const close = lines.findIndex(({ text }, at) => at > index && (CLOSING.exec(text)?.[1]?.length ?? 0) >= fence.length);
    if (close < 0) continue;
    push("prose", from, index);
    push("code", index + 1, close);
    const closing = lines[close];
    if (closing) {
      const rest = closing.text.replace(/^`+/, "");
      lines[close] = { ...closing, start: closing.end - rest.length, text: rest };
    }
    from = close;
    index = close;
  }
  push("prose", from, lines.length);
  return blocks;
}

function linesOf(text: string): Line[] {
  const lines: Line[] = [];
  let start = 0;
  for (const line of text.split("\n")) {
    lines.push({ start, end: start + line.length, text: line });
    start += line.length + 1;
  }
  return lines;
}
