// Cuts a Markdown answer into blocks that can be rendered apart from each other, so that a long answer which is
// still streaming in renders its last block again with each token, and not all of it.

const FENCE = /^ {0,3}(`{3,}|~{3,})/;
/** A line that can't start a block of its own: it may go on with the list or quote above the blank line. */
const GOES_ON = /^(\s|[-*+]\s|\d{1,9}[.)]\s|>)/;

/**
 * A footnote, which counts wherever it is spoken of. The service sets the colon apart, since other programs could make a
 * link of it; here links lead nowhere.
 */
const NOTE = /^( {0,3}\[\^[^\]\s]+\]) ?(?=:)/m;

/**
 * The blocks in order; joined they are `text` again. A cut falls only at a blank line outside a code fence, and none in a
 * text with footnotes.
 */
export function splitBlocks(text: string): string[] {
  if (NOTE.test(text)) return [text];
  const blocks: string[] = [];
  let block = "";
  let fence: string | null = null;
  let afterBlank = false;
  for (const line of text.split(/(?<=\n)/)) {
    const blank = line.trim() === "";
    if (fence === null && afterBlank && !blank && !GOES_ON.test(line) && block.trim() !== "") {
      blocks.push(block);
      block = "";
    }
    fence = fenceAfter(line, fence);
    afterBlank = blank;
    block += line;
  }
  if (block !== "") blocks.push(block);
  return blocks;
}

/** The text with its footnotes as Markdown has them. */
export function withNotes(text: string): string {
  if (!NOTE.test(text)) return text;
  let fence: string | null = null;
  return text
    .split(/(?<=\n)/)
    .map((line) => {
      const isCode = fence !== null;
      fence = fenceAfter(line, fence);
      return isCode ? line : line.replace(NOTE, "$1");
    })
    .join("");
}

/** The open fence after `line`, or null. A fence closes with as many marks of its own kind, or more. */
function fenceAfter(line: string, open: string | null): string | null {
  const mark = FENCE.exec(line)?.[1];
  if (mark === undefined) return open;
  if (open === null) return mark;
  const closes = mark[0] === open[0] && mark.length >= open.length && line.trim() === mark;
  return closes ? null : open;
}
