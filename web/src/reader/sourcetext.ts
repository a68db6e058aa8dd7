// The text of a document around a passage: loaded in stretches, and where in it the cited spans stand.
import { useCallback, useEffect, useRef, useState } from "react";
import { isAbort, problemOf, type Api } from "../wire/api";
import { codePointLength, indexOfInCodePoints, sliceCodePoints } from "../text/codepoints";
import type { DocumentDetail, Passage, Problem, QuotedSpan, TextWindow } from "../wire/decode";

/** Code points shown before and after a passage at first, and added when more is asked for. */
const BEFORE = 1_500;
const AFTER = 2_500;
const MORE = 20_000;
/** Spans further apart than this are not loaded at once. */
const MAX_EXTENT = 20_000;

/** A span of the document, half-open, in code points. */
export interface Span {
  start: number;
  end: number;
}

/** A span that is lit: what is cited, or what was looked for. */
export interface LitSpan extends Span {
  kind: "cited" | "found";
}

export type SourceText =
  | { status: "loading" }
  | { status: "failed"; problem: Problem }
  | { status: "ready"; document: DocumentDetail; window: TextWindow };

/** Where the passage's spans stand in the window: as cited, found elsewhere in it ("moved"), or null: nowhere. */
export function locate(window: TextWindow, passage: Passage): { spans: Span[]; moved: boolean } | null {
  const [first, ...more] = passage.spans.length > 1 ? passage.spans : [passage];
  const main = first && find(window, first, 0);
  if (!main) return null;
  // A document that changed above them has moved the others by as much.
  const others = more.map((span) => find(window, span, main.by)).filter((found) => found !== null);
  const found = [main, ...others];
  return { spans: found.map(({ span }) => span), moved: found.some(({ by }) => by !== 0) };
}

/** A quoted span where it says, or `shift` further, or else at the first place with its words. */
function find(window: TextWindow, { char_start, char_end, quote }: QuotedSpan, shift: number): { span: Span; by: number } | null {
  const start = char_start + shift - window.start;
  const end = char_end + shift - window.start;
  if (start >= 0 && end > start) {
    const cited = sliceCodePoints(window.text, start, end);
    if (cited !== "" && (cited === quote || quote === "")) {
      return { span: { start: char_start + shift, end: char_end + shift }, by: shift };
    }
  }
  const found = quote === "" ? -1 : indexOfInCodePoints(window.text, quote);
  if (found < 0) return null;
  const from = window.start + found;
  return { span: { start: from, end: from + codePointLength(quote) }, by: from - char_start };
}

/** A piece of a window's text, which begins at `start` in the document. */
export interface TextPiece {
  text: string;
  kind: LitSpan["kind"] | null;
  start: number;
}

/**
 * The text of a window in pieces, those that are cited apart from the others, and cut at each of `cuts` (rising offsets
 * in the document); joined they are the text.
 */
export function splitAt(window: TextWindow, spans: readonly LitSpan[], cuts: readonly number[] = []): TextPiece[] {
  const pieces: TextPiece[] = [];
  let at = window.start;
  const push = (until: number, kind: LitSpan["kind"] | null): void => {
    for (const end of [...cuts.filter((cut) => cut > at && cut < until), until]) {
      const text = sliceCodePoints(window.text, at - window.start, end - window.start);
      if (text !== "") pieces.push({ text, kind, start: at });
      at = Math.max(at, end);
    }
  };
  for (const { start, end, kind } of spans.toSorted((a, b) => a.start - b.start)) {
    push(start, null);
    push(end, kind);
  }
  push(window.end, null);
  return pieces;
}

/** Two stretches that touch, as one. */
export function joined(first: TextWindow, second: TextWindow): TextWindow {
  return { text: first.text + second.text, start: first.start, end: second.end, total_chars: second.total_chars };
}

/** Counted, so that one can go to the same place again. */
export interface Jump {
  offset: number;
  count: number;
}

export interface SourceTextControls {
  state: SourceText;
  /** While more is on its way. */
  busy: boolean;
  loadBefore: () => void;
  loadAfter: () => void;
  /** Goes to an offset in the document; `jump` is the last one that is loaded, null where the passage is shown. */
  goTo: (offset: number) => void;
  jump: Jump | null;
  reload: () => void;
}

/** The stretch that holds all spans of a passage, or the passage's own where they lie far apart. */
function extentOf(passage: Passage | null): Span {
  if (!passage) return { start: 0, end: 0 };
  const start = Math.min(passage.char_start, ...passage.spans.map((span) => span.char_start));
  const end = Math.max(passage.char_end, ...passage.spans.map((span) => span.char_end));
  return end - start <= MAX_EXTENT ? { start, end } : { start: passage.char_start, end: passage.char_end };
}

/** Loads the document and the text around `passage`, or its beginning where there's none. */
export function useSourceText(api: Api, documentId: string, passage: Passage | null): SourceTextControls {
  const [state, setState] = useState<SourceText>({ status: "loading" });
  const [busy, setBusy] = useState(false);
  const [attempt, setAttempt] = useState(0);
  const abort = useRef<AbortController>(new AbortController());
  const extent = extentOf(passage);
  // A jump holds until another passage is shown.
  const [jumped, setJumped] = useState<{ from: Passage | null; to: Jump } | null>(null);
  const [jump, setJump] = useState<Jump | null>(null);
  const to = jumped?.from === passage ? jumped.to : null;
  const start = to?.offset ?? extent.start;
  const end = to?.offset ?? extent.end;

  useEffect(() => {
    const controller = new AbortController();
    abort.current = controller;
    // What is read stays until the place that was asked for is there.
    setState((now) => (to !== null && now.status === "ready" ? now : { status: "loading" }));
    setBusy(to !== null);
    loadAround(api, documentId, start, end, controller.signal)
      .then((loaded) => {
        if (controller.signal.aborted) return;
        setState(loaded);
        setJump(to);
        setBusy(false);
      })
      .catch((error: unknown) => {
        if (!controller.signal.aborted && !isAbort(error)) setState({ status: "failed", problem: problemOf(error) });
      });
    return () => controller.abort();
  }, [api, documentId, start, end, to, attempt]);

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
  const goTo = useCallback(
    (offset: number) => setJumped((last) => ({ from: passage, to: { offset, count: (last?.to.count ?? 0) + 1 } })),
    [passage],
  );
  return { state, busy, loadBefore, loadAfter, goTo, jump, reload };
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
