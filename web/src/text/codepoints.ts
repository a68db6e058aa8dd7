// Offsets in code points, as the service counts them, against JavaScript strings, which count UTF-16 units.
// A character outside the basic plane (emoji, CJK extension B) is one code point and two units.

/** The number of code points in `text`. */
export function codePointLength(text: string): number {
  let length = 0;
  for (let unit = 0; unit < text.length; unit += unitsAt(text, unit)) length += 1;
  return length;
}

/**
 * The UTF-16 index of the code point number `offset` (from 0).
 * An offset below zero gives 0, one past the end gives `text.length`.
 */
export function unitIndex(text: string, offset: number): number {
  let unit = 0;
  for (let left = offset; left > 0 && unit < text.length; left -= 1) unit += unitsAt(text, unit);
  return unit;
}

/** The UTF-16 index of each code point of `text`, and last its length: offset n is at [n]. */
export function unitIndexes(text: string): number[] {
  const indexes: number[] = [];
  for (let unit = 0; unit < text.length; unit += unitsAt(text, unit)) indexes.push(unit);
  indexes.push(text.length);
  return indexes;
}

/** The half-open slice [start, end) of `text`, both in code points. */
export function sliceCodePoints(text: string, start: number, end: number): string {
  if (end <= start) return "";
  const from = unitIndex(text, start);
  const rest = text.slice(from);
  return rest.slice(0, unitIndex(rest, end - Math.max(start, 0)));
}

/** The offset in code points of the first `needle` in `text`, or -1. */
export function indexOfInCodePoints(text: string, needle: string): number {
  const unit = text.indexOf(needle);
  return unit < 0 ? -1 : codePointLength(text.slice(0, unit));
}

/** `text`, cut to at most `limit` code points, with an ellipsis as the last one when something was cut. */
export function truncate(text: string, limit: number): string {
  const cut = unitIndex(text, limit);
  return cut >= text.length ? text : `${sliceCodePoints(text, 0, limit - 1).trimEnd()}…`;
}

function unitsAt(text: string, unit: number): 1 | 2 {
  return (text.codePointAt(unit) ?? 0) > 0xffff ? 2 : 1;
}
