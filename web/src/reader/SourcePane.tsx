// The source beside the answer: a stretch of the document's text as it's stored, the cited spans marked in it.
// The text is set as text, whatever it contains.
import { Fragment, useEffect, useLayoutEffect, useMemo, useRef } from "react";
import { useApi } from "../shell/context";
import { useLanguage, useWords, type Dictionary } from "../i18n";
import { isCode, pageLabel, pagePlaces, sectionPlaces, type Place } from "./outline";
import { languageOf } from "../text/script";
import { locate, splitAt, useSourceText, type SourceTextControls, type Span } from "./sourcetext";
import { visible } from "../text/visible";
import type { Citation, DocumentDetail, DocumentSummary, Passage, TextWindow } from "../wire/decode";
import { CopyButton } from "../ui/CopyButton";
import { DocumentNotes } from "./DocumentNotes";
import { CloseIcon, LeftIcon, LinkIcon, RightIcon } from "../ui/Icons";
import { ProblemNotice } from "../ui/ProblemNotice";

/** What the pane shows: one of an answer's citations or of a refusal's nearest passages, or a whole document. */
export type Target =
  | { kind: "passage"; passages: readonly Passage[]; index: number }
  | { kind: "document"; document: DocumentSummary }
  /** What an address names; the rest is not known before the document is loaded. */
  | { kind: "place"; documentId: string; span: Span | null; page: number | null };

export function documentOf(target: Target): string {
  if (target.kind === "passage") return target.passages[target.index]?.document_id ?? "";
  return target.kind === "document" ? target.document.id : target.documentId;
}

interface Props {
  target: Target;
  /** The pane covers the page, which waits behind it. */
  modal: boolean;
  onTarget: (target: Target) => void;
  /** What the document is called, once that is known. */
  onTitle: (title: string | null) => void;
  onClose: () => void;
}

export function SourcePane({ target, modal, onTarget, onTitle, onClose }: Props) {
  const words = useWords();
  const api = useApi();
  const heading = useRef<HTMLHeadingElement>(null);
  const passage = useMemo(() => passageOf(target), [target]);
  const citation = passage && isCitation(passage) ? passage : null;
  const text = useSourceText(api, documentOf(target), passage);
  const loaded = text.state.status === "ready" ? text.state.document : null;
  const { title, source } = (target.kind === "document" ? target.document : target.kind === "passage" ? passage : loaded) ?? NAMELESS;
  const page = target.kind === "place" && target.span === null ? target.page : null;
  const pageStart = loaded?.page_spans.find(({ number }) => number === page)?.char_start ?? null;
  const { goTo } = text;
  useEffect(() => {
    if (pageStart !== null) goTo(pageStart);
  }, [pageStart, goTo]);
  useEffect(() => heading.current?.focus({ preventScroll: true }), [target]);
  useEffect(() => {
    onTitle(title || null);
    return () => onTitle(null);
  }, [title, onTitle]);

  return (
    <div
      className="source-pane"
      data-testid="source-pane"
      role={modal ? "dialog" : "complementary"}
      aria-modal={modal || undefined}
      aria-labelledby="source-pane-title"
    >
      <div className="pane-head">
        <div className="pane-titles">
          <h2 id="source-pane-title" ref={heading} tabIndex={-1} className="pane-title" lang={languageOf(title)}>
            {citation && <span className="source-marker">{citation.marker}</span>}
            <span className="visually-hidden">{words.sourcePane}: </span>
            {visible(title) || words.source}
          </h2>
          <p className="source-place">
            {source !== title && <span className="path">{visible(source)}</span>}
            {passage?.page != null && <span>{pageOf(passage.page, source, loaded, words)}</span>}
            {passage?.heading && passage.heading !== title && <span lang={languageOf(passage.heading)}>{passage.heading}</span>}
            {passage?.score != null && <span className="score">{words.score(passage.score.toFixed(2))}</span>}
          </p>
        </div>
        <CopyButton bare testId="copy-link" icon={<LinkIcon />} label={words.copyLink} text={() => location.href} />
        <button type="button" className="icon-button" data-testid="close-source" aria-label={words.closeSource} title={words.closeSource} onClick={onClose}>
          <CloseIcon />
        </button>
      </div>
      {target.kind === "passage" && target.passages.length > 1 && <Steps target={target} onTarget={onTarget} />}
      {citation && !citation.supported && (
        <p className="pane-note pane-warning">
          {words.unsupported}. {words.unsupportedHint}
        </p>
      )}
      {loaded && loaded.chars !== 0 && <Outline document={loaded} busy={text.busy} onGo={text.goTo} />}
      <SourceBody text={text} passage={passage} />
    </div>
  );
}

/** "p. 3 of 5", where it is known of how many. */
function pageOf(page: number, source: string, document: DocumentDetail | null, words: Dictionary): string {
  const label = pageLabel(source, page, words);
  const total = document?.pages ?? null;
  return total === null ? label : words.pageOf(label, total);
}

/** Where one can go in the document: its sections and pages, its beginning and its end. */
function Outline({ document, busy, onGo }: { document: DocumentDetail; busy: boolean; onGo: (offset: number) => void }) {
  const words = useWords();
  const sections = useMemo(() => sectionPlaces(document), [document]);
  const pages = useMemo(() => pagePlaces(document, words), [document, words]);
  const end = Math.max(0, (document.chars ?? 0) - 1);
  return (
    <div className="pane-outline">
      <select data-testid="outline" aria-label={words.goTo} disabled={busy} value="" onChange={(event) => onGo(Number(event.target.value))}>
        <option value="" disabled>
          {words.goTo}
        </option>
        <option value={0}>{words.startOfDocument}</option>
        {sections.length > 0 && <Places label={words.sections} places={sections} />}
        {pages.length > 0 && <Places label={words.pageGroup} places={pages} />}
        <option value={end}>{words.endOfDocument}</option>
      </select>
    </div>
  );
}

function Places({ label, places }: { label: string; places: readonly Place[] }) {
  return (
    <optgroup label={label}>
      {places.map((place, index) => (
        <option key={index} value={place.offset}>
          {visible(place.label)}
        </option>
      ))}
    </optgroup>
  );
}

const NAMELESS = { title: "", source: "" };

function passageOf(target: Target): Passage | null {
  if (target.kind === "passage") return target.passages[target.index] ?? null;
  if (target.kind === "document" || target.span === null) return null;
  const { start, end } = target.span;
  // Without a quote: what stands there today is marked.
  return { ...NAMELESS, document_id: target.documentId, chunk_id: "", page: null, heading: null, char_start: start, char_end: end, quote: "", score: null, spans: [] };
}

function isCitation(passage: Passage): passage is Citation {
  return "marker" in passage;
}

function Steps({ target, onTarget }: { target: Extract<Target, { kind: "passage" }>; onTarget: (target: Target) => void }) {
  const words = useWords();
  const { passages, index } = target;
  return (
    <div className="pane-steps">
      <button
        type="button"
        className="icon-button icon-button-small"
        aria-label={words.previousSource}
        disabled={index === 0}
        onClick={() => onTarget({ ...target, index: index - 1 })}
      >
        <LeftIcon />
      </button>
      <span>{words.sourceOf(index + 1, passages.length)}</span>
      <button
        type="button"
        className="icon-button icon-button-small"
        aria-label={words.nextSource}
        disabled={index >= passages.length - 1}
        onClick={() => onTarget({ ...target, index: index + 1 })}
      >
        <RightIcon />
      </button>
    </div>
  );
}

function SourceBody({ text, passage }: { text: SourceTextControls; passage: Passage | null }) {
  const words = useWords();
  const { state, busy, loadBefore, loadAfter, jump, reload } = text;

  if (state.status === "loading") return <p className="pane-note">{words.sourceLoading}</p>;
  if (state.status === "failed") {
    if (state.problem.status === 404 && passage && passage.quote !== "") return <Remembered passage={passage} note={words.sourceGone} />;
    return (
      <div className="pane-body">
        <ProblemNotice problem={state.problem} onRetry={reload} />
      </div>
    );
  }
  const { document, window } = state;
  if (window.total_chars === 0) {
    return (
      <>
        <DocumentNotes document={document} />
        {document.duplicate_of === null && <NoText document={document} />}
      </>
    );
  }
  const place = passage ? locate(window, passage) : null;
  return (
    <>
      <DocumentNotes document={document} />
      {passage && !place && passage.quote !== "" && <Remembered passage={passage} note={words.sourceChanged} />}
      {place?.moved && <p className="pane-note pane-warning">{words.sourceMoved}</p>}
      <SourceText
        // A new passage in the same document is scrolled to anew.
        key={`${passage?.char_start}-${passage?.char_end}-${jump?.count}`}
        document={document}
        window={window}
        jump={jump?.offset ?? null}
        spans={place?.spans ?? []}
        language={document.language ?? languageOf(window.text)}
        busy={busy}
        onBefore={loadBefore}
        onAfter={loadAfter}
      />
    </>
  );
}

/** A document without a text: why it failed and what to do, where it did. */
function NoText({ document: { reason, reason_detail: detail } }: { document: DocumentDetail }) {
  const words = useWords();
  if (reason === null) return <p className="pane-note">{words.sourceEmpty}</p>;
  return (
    <div className="pane-note" data-testid="failed-note">
      <p>{words.sourceFailed}</p>
      <p>{words.reasonText(reason)}</p>
      {detail !== null && (
        <details>
          <summary>{words.failureDetail}</summary>
          <p lang={languageOf(detail)}>{visible(detail)}</p>
        </details>
      )}
    </div>
  );
}

/** The quote that was kept with the answer, where the document no longer has it. */
function Remembered({ passage: { quote, spans }, note }: { passage: Passage; note: string }) {
  const quotes = spans.length > 1 ? spans.map((span) => span.quote) : [quote];
  return (
    <div className="pane-note pane-warning">
      <p>{note}</p>
      {quotes.map((text, index) => (
        <blockquote key={index} lang={languageOf(text)}>
          {text}
        </blockquote>
      ))}
    </div>
  );
}

interface SourceTextProps {
  document: DocumentDetail;
  jump: number | null;
  window: TextWindow;
  spans: readonly Span[];
  language: string;
  busy: boolean;
  onBefore: () => void;
  onAfter: () => void;
}

function SourceText({ document, window, jump, spans, language, busy, onBefore, onAfter }: SourceTextProps) {
  const words = useWords();
  const interfaceLanguage = useLanguage();
  const body = useRef<HTMLDivElement>(null);

  const put = useRef(0);
  useEffect(() => {
    if (jump === null) scrollToMarks(body.current);
    else scrollToOffset(body.current, jump);
    put.current = body.current?.scrollTop ?? 0;
  }, [jump]);
  const pages = useMemo(() => new Map(document.page_spans.map((page) => [page.char_start, page.number])), [document]);
  const pieces = useMemo(() => {
    const cuts = [...pages.keys(), ...(jump === null ? [] : [jump])].sort((a, b) => a - b);
    return splitAt(window, spans, cuts);
  }, [window, spans, pages, jump]);
  /** More comes by itself where a reader, not the page, has scrolled near an end. */
  const scrolled = (): void => {
    const box = body.current;
    if (!box || busy || Math.abs(box.scrollTop - put.current) <= 2) return;
    if (box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_PX) onAfter();
    else if (box.scrollTop < NEAR_PX / 4) onBefore();
  };
  useHeldScroll(body, window.start);

  return (
    <div className="pane-body" ref={body} tabIndex={0} role="region" aria-label={words.sourcePane} onScroll={scrolled}>
      {window.start > 0 ? (
        <button type="button" className="button load-more" data-testid="load-before" disabled={busy} onClick={onBefore}>
          {words.loadBefore}
        </button>
      ) : (
        <p className="document-edge">{words.startOfDocument}</p>
      )}
      <div className={isCode(document.media_type) ? "source-text source-code" : "source-text"} data-testid="source-text" lang={language}>
        {pieces.map(({ text, cited, start }) => {
          const page = pages.get(start);
          return (
            <Fragment key={start}>
              {page !== undefined && <PageBreak label={pageOf(page, document.source, document, words)} />}
              {start === jump && <span data-offset={start} />}
              {cited ? <mark data-testid="cited-span">{text}</mark> : text}
            </Fragment>
          );
        })}
      </div>
      {window.end < window.total_chars ? (
        <button type="button" className="button load-more" data-testid="load-after" disabled={busy} onClick={onAfter}>
          {words.loadAfter}
        </button>
      ) : (
        <p className="document-edge">{words.endOfDocument}</p>
      )}
      <p className="pane-extent">
        {`${window.start.toLocaleString(interfaceLanguage)}–${window.end.toLocaleString(interfaceLanguage)} / ${window.total_chars.toLocaleString(interfaceLanguage)}`}
      </p>
    </div>
  );
}

/** Near an end: a reader who scrolls has about so much left. */
const NEAR_PX = 400;

/** Drawn by the stylesheet: it is no part of the text, and isn't copied with it. */
function PageBreak({ label }: { label: string }) {
  return <span className="page-break" role="separator" aria-label={label} data-label={label} />;
}

/** Puts an offset at the top of the pane. */
function scrollToOffset(body: HTMLElement | null, offset: number): void {
  const mark = body?.querySelector(`[data-offset="${offset}"]`);
  if (!body || !mark) return;
  body.scrollTop += mark.getBoundingClientRect().top - body.getBoundingClientRect().top - 8;
}

/**
 * Puts the first mark a third down the pane: what leads to a sentence helps more than what follows it. Where the last
 * one would not be seen then, as a row far below its table's header, that one is put in the middle.
 */
function scrollToMarks(body: HTMLElement | null): void {
  if (!body) return;
  const boxes = [...body.querySelectorAll("mark")].map((mark) => mark.getBoundingClientRect());
  const [first, last] = [boxes[0], boxes.at(-1)];
  if (!first || !last) return;
  const seen = body.clientHeight;
  const fits = boxes.length === 1 || last.bottom - first.top <= (seen * 2) / 3;
  const [top, place] = fits ? [first.top, seen / 3] : [last.top, seen / 2];
  body.scrollTop += top - body.getBoundingClientRect().top - place;
}

/** Keeps what is being read in place when text is put before it. */
function useHeldScroll(body: React.RefObject<HTMLElement | null>, start: number): void {
  const last = useRef({ start, height: 0 });
  useLayoutEffect(() => {
    const box = body.current;
    if (!box) return;
    if (start < last.current.start) box.scrollTop += box.scrollHeight - last.current.height;
    last.current = { start, height: box.scrollHeight };
  });
}
