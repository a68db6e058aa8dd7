// A document's outline: its pages and sections as places to go to, and what its pages are called.
import type { DocumentDetail } from "../wire/decode";
import type { Dictionary } from "../i18n";

export interface Place {
  offset: number;
  label: string;
}

/** Slides are counted, not paged. */
export function isSlides(source: string): boolean {
  return /\.(pptx?|odp|pps|ppsx|potx)$/i.test(source);
}

/** "p. 3", or "slide 3". */
export function pageLabel(source: string, page: number, words: Dictionary): string {
  return isSlides(source) ? words.slide(page) : words.page(page);
}

/** No more places than these are offered: a list of thousands helps nobody. */
const MOST_PLACES = 1_000;

/** Its sections, indented by their depth; one in another language than most of the document says so. */
export function sectionPlaces({ sections, language: most }: Pick<DocumentDetail, "sections" | "language">, words: Dictionary): Place[] {
  const places: Place[] = [];
  for (const { char_start: offset, heading_path: path, language } of sections.slice(0, MOST_PLACES)) {
    const other = language && language !== "und" && language !== most ? ` (${words.languageName(language)})` : "";
    const label = "\u2003".repeat(path.length - 1) + (path.at(-1) ?? "") + other;
    if (places.at(-1)?.label !== label) places.push({ offset, label });
  }
  return places;
}

export function pagePlaces({ page_spans: spans, source }: Pick<DocumentDetail, "page_spans" | "source">, words: Dictionary): Place[] {
  return spans.slice(0, MOST_PLACES).map(({ number, char_start: offset }) => ({ offset, label: pageLabel(source, number, words) }));
}

/** Headings that ask something, with their places: what readers can begin or go on with. */
export function questionPlaces({ sections }: Pick<DocumentDetail, "sections">): Place[] {
  const found = new Map<string, Place>();
  for (const { char_start: offset, heading_path: path } of sections) {
    const label = (path.at(-1) ?? "").replace(/\s+/g, " ").trim();
    if (/^.{3,120}[?？]$/su.test(label) && !found.has(label)) found.set(label, { offset, label });
  }
  return [...found.values()];
}

export function questionsOf(document: Pick<DocumentDetail, "sections">): string[] {
  return questionPlaces(document).map(({ label }) => label);
}
