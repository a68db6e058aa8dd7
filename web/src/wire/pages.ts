// The pages of a document as pictures, and where on them a stretch of its text stands: types and decoders.
import { fields, list, numberOrNull, offsetOrNull, text } from "./decode";

/** Sizes in points. `image` is an address relative to the service's. */
export interface PagePicture {
  number: number;
  width: number;
  height: number;
  char_start: number;
  char_end: number;
  image: string;
}

/** A rectangle in points from the top left of its page. */
export interface Box {
  page: number;
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Words that stand side by side on a page, in their box; where they are in the document's text, in code points. */
export interface PageLine {
  text: string;
  char_start: number | null;
  x: number;
  y: number;
  width: number;
  height: number;
}

export function decodePictures(value: unknown): PagePicture[] {
  return list(fields(value)?.pages, (one) => {
    const from = fields(one);
    const number = offsetOrNull(from?.number);
    const width = numberOrNull(from?.width);
    const height = numberOrNull(from?.height);
    const image = text(from?.image);
    // Null where the file is not kept, or has no pages to draw.
    if (!from || image === "" || number === null || !width || !height || width < 0 || height < 0) return null;
    return { number, width, height, char_start: numberOrNull(from.char_start) ?? 0, char_end: numberOrNull(from.char_end) ?? 0, image };
  });
}

export function decodeLines(value: unknown): PageLine[] {
  return list(fields(value)?.lines, (one) => {
    const from = fields(one);
    const [x, y, width, height] = [from?.x, from?.y, from?.width, from?.height].map(numberOrNull);
    const words = text(from?.text);
    return words === "" || x == null || y == null || !width || !height ? null : { text: words, char_start: offsetOrNull(from?.char_start), x, y, width, height };
  });
}

export function decodeBoxes(value: unknown): Box[] {
  return list(fields(value)?.boxes, (one) => {
    const from = fields(one);
    const [page, x, y, width, height] = [from?.page, from?.x, from?.y, from?.width, from?.height].map(numberOrNull);
    return page == null || x == null || y == null || width == null || height == null ? null : { page, x, y, width, height };
  });
}
