// The text of a document around a citation: loaded in stretches, and where in it the cited span stands.
import { useCallback, useEffect, useRef, useState } from "react";
import { isAbort, problemOf, type Api } from "./api";
import { codePointLength, indexOfInCodePoints, sliceCodePoints } from "./codepoints";
import type { Citation, DocumentDetail, Problem, TextWindow } from "./wire";

/** Code points shown before and after a citation at first, and added by each "load more". */
const BEFORE = 1_500;
const AFTER = 2_500;
const MORE = 4_000;

/** A span of the document, half-open, in code points. */
export interface Span {
  start: number;
  end: number;
}

export type SourceText =
  | { status: "loading" }
  | { status: "failed"; problem: Problem }
  | { status: "ready"; document: DocumentDetail; window: TextWindow };

/** Where the citation stands in the window: as cited, found elsewhere in it ("moved"), or nowhere. */
export function locate(window: TextWindow, citation: Citation): { span: Span; moved: boolean } | null {
  const start = citation.char_start - window.start;
  const end = citation.char_end - window.start;
  if (start >= 0 && end > start) {
    const cited = sliceCodePoints(window.text, start, end);
    if (cited !== "" && (cited === citation.quote || citation.quote === "")) {
      return { span: { start: citation.char_start, end: citation.char_end }, moved: false };
    }
  }
  const found = citation.quote === "" ? -1 : indexOfInCodePoints(window.text, citation.quote);
  if (found < 0) return null;
  const from = window.start + found;
  return { span: { start: from, end: from + codePointLength(citation.quote) }, moved: true };
}

/** The text of a window before, in and after a span; all of it is "before" where there's no span. */
export function splitAt(window: TextWindow, span: Span | null): [before: string, cited: string, after: string] {
  if (!span) return [window.text, "", ""];
  const start = span.start - window.start;
  const end = span.end - window.start;
  return [
    sliceCodePoints(window.text, 0, start),
    sliceCodePoints(window.text, start, end),
    sliceCodePoints(window.text, end, window.end - window.start),
  ];
}

/** Two stretches that touch, as one. */
export function joined(first: TextWindow, second: TextWindow): TextWindow {
  return { text: first.text + second.text, start: first.start, end: second.end, total_chars: second.total_chars };
}

export interface SourceTextControls {
  state: SourceText;
  /** While more is on its way. */
  busy: boolean;
  loadBefore: () => void;
  loadAfter: () => void;
  reload: () => void;
}

/** Loads the document and the text around `citation`, or its beginning where there's none. */
export function useSourceText(api: Api, documentId: string, citation: Citation | null): SourceTextControls {
  const [state, setState] = useState<SourceText>({ status: "loading" });
  const [busy, setBusy] = useState(false);
  const [attempt, setAttempt] = useState(0);
  const abort = useRef<AbortController>(new AbortController());
  const start = citation?.char_start ?? 0;
  const end = citation?.char_end ?? 0;

  useEffect(() => {
    const controller = new AbortController();
    abort.current = controller;
    setState({ status: "loading" });
    setBusy(false);
    loadAround(api, documentId, start, end, controller.signal)
      .then((loaded) => {
        if (!controller.signal.aborted) setState(loaded);
      })
      .catch((error: unknown) => {
        if (!controller.signal.aborted && !isAbort(error)) setState({ status: "failed", problem: problemOf(error) });
      });
    return () => controller.abort();
  }, [api, documentId, start, end, attempt]);

  const extend = useCallback(
    (range: (window: TextWindow) => Span, join: (window: TextWindow, more: TextWindow) => TextWindow) => {
      if (state.status !== "ready" || busy) return;
      const { signal } = abort.current;
      const { start: from, end: to } = range(state.window);
      if (to <= from) return;
      setBusy(true);
      api
        .documentText(documentId, from, to, signal)
        .then((more) => setState({ ...state, window: join(state.window, more) }))
        .catch((error: unknown) => {
          if (!isAbort(error)) setState({ status: "failed", problem: problemOf(error) });
        })
        .finally(() => {
          if (!signal.aborted) setBusy(false);
        });
    },
    [api, documentId, state, busy],
  );

  const loadBefore = useCallback(
    () => extend((at) => ({ start: Math.max(0, at.start - MORE), end: at.start }), (at, more) => joined(more, at)),
    [extend],
  );
  const loadAfter = useCallback(
    () => extend((at) => ({ start: at.end, end: Math.min(at.total_chars, at.end + MORE) }), joined),
    [extend],
  );
  const reload = useCallback(() => setAttempt((n) => n + 1), []);
  return { state, busy, loadBefore, loadAfter, reload };
}

async function loadAround(api: Api, id: string, start: number, end: number, signal: AbortSignal): Promise<SourceText> {
  const document = await api.document(id, signal);
  const total = document.chars ?? Number.MAX_SAFE_INTEGER;
  if (total === 0) {
    return { status: "ready", document, window: { text: "", start: 0, end: 0, total_chars: 0 } };
  }
  // A document that shrank since it was cited: show its end rather than ask for what isn't there.
  const from = Math.max(0, Math.min(start, total - 1) - BEFORE);
  const to = Math.min(total, Math.max(end, from) + AFTER);
  return { status: "ready", document, window: await api.documentText(id, from, to, signal) };
}
