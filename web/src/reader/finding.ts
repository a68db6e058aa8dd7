// Looking for words in a whole document, whatever of it is shown.
import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { useApi } from "../shell/context";
import type { Api } from "../wire/api";
import type { Span } from "./sourcetext";

/** What the service gives at once. */
const AT_ONCE = 100_000;
/** No more places than these are counted. */
const MOST = 1_000;

export interface Find {
  sought: string;
  seek: (sought: string) => void;
  /** Where it stands, in code points; null until the document was looked through. */
  found: readonly Span[] | null;
  at: number;
  go: (at: number) => void;
}

export function useFind(documentId: string, chars: number | null): Find {
  const api = useApi();
  const [{ sought, at }, set] = useState({ sought: "", at: 0 });
  const wanted = sought.trim() !== "";
  const { data } = useQuery({
    queryKey: ["whole", documentId, chars],
    queryFn: ({ signal }) => wholeText(api, documentId, chars ?? 0, signal),
    enabled: wanted && chars !== null,
    staleTime: 60_000,
  });
  const found = useMemo(() => (wanted && data !== undefined ? placesOf(data, sought) : null), [wanted, data, sought]);
  return { sought, at, found, seek: (next) => set({ sought: next, at: 0 }), go: (next) => set({ sought, at: next }) };
}

async function wholeText(api: Api, id: string, chars: number, signal: AbortSignal): Promise<string> {
  const starts = Array.from({ length: Math.ceil(chars / AT_ONCE) }, (_, n) => n * AT_ONCE);
  const parts = await Promise.all(starts.map((start) => api.documentText(id, start, Math.min(chars, start + AT_ONCE), signal)));
  return parts.map(({ text }) => text).join("");
}

/** Every place of a text, whatever its case; in code points. */
export function placesOf(text: string, sought: string): Span[] {
  const words = sought.trim();
  const pattern = new RegExp(words.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replace(/\s+/g, "\\s+"), "giu");
  const spans: Span[] = [];
  let units = 0;
  let points = 0;
  const pointsTo = (until: number): number => {
    for (; units < until; points += 1) units += (text.codePointAt(units) ?? 0) > 0xffff ? 2 : 1;
    return points;
  };
  for (const match of text.matchAll(pattern)) {
    const start = pointsTo(match.index);
    spans.push({ start, end: pointsTo(match.index + match[0].length) });
    if (spans.length >= MOST) break;
  }
  return spans;
}
