// A passage of stored Markdown for the eye, where it is shown in a line or two: without the marks that draw it. Where
// a quote is shown as evidence, it stays letter by letter.

const RULER = /^[ \t]*\|?[ \t]*:?-{3,}:?[ \t]*(\|[ \t]*:?-{3,}:?[ \t]*)*\|?[ \t]*$/;

export function readable(text: string): string {
  return text
    .split("\n")
    .filter((line) => !RULER.test(line))
    .map(lineOf)
    .join("\n");
}

function lineOf(line: string): string {
  const words = line.replace(/^[ \t]*(#{1,6}|>)[ \t]+/, "").replace(/\*\*(?=\S)(.+?)(?<=\S)\*\*/g, "$1");
  if (!/^[ \t]*\|.*\|[ \t]*$/.test(words)) return words;
  const cells = words.trim().slice(1, -1).split(/(?<!\\)\|/).map((cell) => cell.trim());
  return cells.filter(Boolean).join(" · ");
}
