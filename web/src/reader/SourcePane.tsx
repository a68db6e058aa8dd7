// The source beside the answer: a stretch of the document's text as it's stored, the cited spans marked in it.
// The text is set as text, whatever it contains.
import { Fragment, useEffect, useLayoutEffect, useMemo, useRef, useState, useCallback, type ReactNode } from "react";
import { useQuery } from "@tanstack/react-query";
import { addressOf } from "../shell/address";
import { useApi, useSurroundings } from "../shell/context";
import { useLanguage, useWords, type Dictionary } from "../i18n";
import { detailIn } from "../i18n/limits";
import { drawingOf } from "../text/types";
import { fileNameOf, titleBeside, headingBelow } from "../text/names";
import { later } from "../ui/later";
import { CodeText, linesAt } from "./CodeText";
import { useFind, type Find } from "./finding";
import { OriginalActs } from "./OriginalActs";
import { Pages, usePictures } from "./Pages";
import { pageLabel, pagePlaces, sectionPlaces, type Place } from "./outline";
import { TextSelection } from "./SelectionBar";
import { documentOf, type Target } from "./target";
import { byPage, stretchesOf, type Stretch } from "./stretches";
import { languageOf } from "../text/script";
import { locate, splitAt, useSourceText, type LitSpan, type SourceTextControls, type Span } from "./sourcetext";
import { visible } from "../text/visible";
import type { PagePicture } from "../wire/pages";
import type { Citation, DocumentDetail, Passage, TextWindow } from "../wire/decode";
import { CopyButton } from "../ui/CopyButton";
import { DocumentNotes } from "./DocumentNotes";
import { ChatIcon, CloseIcon, LeftIcon, LinkIcon, RightIcon } from "../ui/Icons";
import { onPlainClick } from "../ui/links";
import { ProblemNotice } from "../ui/ProblemNotice";

export const Typeset = later(async () => (await import("./Typeset")).Typeset);

interface Props {
  target: Target;
  /** The pane covers the page, which waits behind it. */
  modal: boolean;
  /** What the pane's width is changed by, where it lies beside the page. */
  edge?: ReactNode;
  onTarget: (target: Target) => void;
  /** What the document is called, once that is known. */
  onTitle: (title: string | null) => void;
  /** Asks the document about some of its words; without them about all of it. */
  onAsk: (document: DocumentDetail, quote: string) => void;
  onClose: () => void;
}

export function SourcePane({ target, modal, edge, onTarget, onTitle, onAsk, onClose }: Props) {
  const words = useWords();
  const api = useApi();
  const heading = useRef<HTMLHeadingElement>(null);
  const passage = useMemo(() => passageOf(target), [target]);
  const citation = passage && isCitation(passage) ? passage : null;
  const text = useSourceText(api, documentOf(target), passage);
  const loaded = text.state.status === "ready" ? text.state.document : null;
  const { title, source } = (target.kind === "document" ? target.document : target.kind === "passage" ? passage : loaded) ?? NAMELESS;
  const beside = titleBeside({ source, title });
  const below = passage ? headingBelow({ heading: passage.heading, title }) : null;
  const pictures = usePictures(loaded);
  const views = viewsOf(loaded, pictures !== null);
  const [chosen, setChosen] = useState<View | null>(null);
  const view = chosen !== null && views.includes(chosen) ? chosen : (views[0] ?? "text");
  const find = useFind(documentOf(target), loaded?.chars ?? null);
  const found = find.found?.[find.at] ?? null;
  const ticks = useMemo(() => ticksOf(target), [target]);
  const lines = loaded && passage && drawingOf(loaded.media_type) === "code" && text.state.status === "ready" ? linesAt(text.state.window, { start: passage.char_start, end: passage.char_end }) : null;
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
      {edge}
      <div className="pane-head">
        <div className="pane-titles">
          <h2 id="source-pane-title" ref={heading} tabIndex={-1} className="pane-title">
            {citation && <span className="source-marker">{citation.marker}</span>}
            <span className="visually-hidden">{words.sourcePane}: </span>
            <span className="path">{source !== "" || title !== "" ? fileNameOf({ source, title }) : words.source}</span>
          </h2>
          <p className="source-place">
            {beside !== null && <bdi lang={languageOf(beside)}>{beside}</bdi>}
            <Whereabouts source={source} collection={loaded?.collection ?? passage?.collection ?? ""} />
            {loaded !== null && loaded.readers.length > 0 && <bdi>{words.readBy(loaded.readers.map(visible).join(", "))}</bdi>}
            {passage?.page != null && <span>{pageOf(passage.page, source, loaded, words)}</span>}
            {lines && <span data-testid="lines">{words.lines(lines.first, lines.last)}</span>}
            {below !== null && <bdi lang={languageOf(below)}>{below}</bdi>}
          </p>
        </div>
        <div className="pane-acts">
          {loaded && loaded.chars !== 0 && (
            <button type="button" className="icon-button" data-testid="ask-source" aria-label={words.askThisDocument} title={words.askThisDocument} onClick={() => onAsk(loaded, "")}>
              <ChatIcon />
            </button>
          )}
          {loaded?.has_original && <OriginalActs document={loaded} />}
          <CopyButton bare testId="copy-link" icon={<LinkIcon />} label={words.copyLink} text={() => location.href} />
        </div>
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
      {loaded && loaded.chars !== 0 && (
        <div className="pane-tools">
          <Outline document={loaded} busy={text.busy} onGo={text.goTo} />
          <FindBar find={find} onGo={text.goTo} />
          {views.length > 1 && <Views views={views} view={view} onView={setChosen} />}
        </div>
      )}
      <SourceBody text={text} passage={passage} view={view} pictures={pictures} found={found} ticks={ticks} onAsk={onAsk} />
    </div>
  );
}

/** Collection and folder, each leading to its shelf. */
function Whereabouts({ source, collection }: { source: string; collection: string }) {
  const { go } = useSurroundings();
  const folder = source.split("/").slice(0, -1);
  const places = [
    ...(collection === "" ? [] : [{ label: collection, shelf: "" }]),
    ...folder.map((label, depth) => ({ label, shelf: `${folder.slice(0, depth + 1).join("/")}/` })),
  ];
  if (places.length === 0) return null;
  return (
    <span className="whereabouts">
      {places.map(({ label, shelf }, index) => {
        const address = addressOf.documents(collection, { folder: shelf });
        return (
          <Fragment key={shelf}>
            {index > 0 && " › "}
            {collection === "" ? (
              <bdi>{visible(label)}</bdi>
            ) : (
              <a href={address} onClick={(event) => onPlainClick(event, () => go(address))}>
                <bdi>{visible(label)}</bdi>
              </a>
            )}
          </Fragment>
        );
      })}
    </span>
  );
}

/** "p. 3 of 5", where it is known of how many. */
function pageOf(page: number, source: string, document: DocumentDetail | null, words: Dictionary): string {
  const label = pageLabel(source, page, words);
  const total = document?.pages ?? null;
  return total === null ? label : words.pageOf(label, total);
}

/** How a document can be looked at: its pages as pictures, as people wrote it, or the very text that is searched. */
export type View = "pages" | "document" | "text";

function viewsOf(document: DocumentDetail | null, hasPictures: boolean): View[] {
  const isDrawn = document !== null && drawingOf(document.media_type) !== "plain";
  return [...(hasPictures ? (["pages"] as const) : []), ...(isDrawn ? (["document"] as const) : []), "text"];
}

function Views({ views, view, onView }: { views: readonly View[]; view: View; onView: (view: View) => void }) {
  const words = useWords();
  return (
    <div className="views" role="group" aria-label={words.views}>
      {views.map((one) => (
        <button key={one} type="button" className="view-button" data-testid={`view-${one}`} aria-pressed={one === view} onClick={() => onView(one)}>
          {words.viewName(one)}
        </button>
      ))}
    </div>
  );
}

function FindBar({ find: { sought, seek, found, at, go }, onGo }: { find: Find; onGo: (offset: number) => void }) {
  const words = useWords();
  /** What Enter has gone to last, and whether it was pressed before the document was looked through. */
  const shown = useRef("");
  const pressed = useRef(false);
  useEffect(() => {
    if (!found || !pressed.current) return;
    pressed.current = false;
    const first = found[at];
    if (first) onGo(first.start);
  }, [found, at, onGo]);
  const step = (by: number): void => {
    if (!found || found.length === 0) return;
    const next = (at + by + found.length) % found.length;
    go(next);
    onGo(found[next]?.start ?? 0);
  };
  return (
    <div className="find-bar" role="search">
      <input
        type="search"
        data-testid="find"
        aria-label={words.findInDocument}
        placeholder={words.findInDocument}
        autoComplete="off"
        value={sought}
        onChange={(event) => {
          pressed.current = false;
          seek(event.target.value);
        }}
        onKeyDown={(event) => {
          if (event.key !== "Enter" || event.nativeEvent.isComposing) return;
          event.preventDefault();
          pressed.current = found === null;
          step(event.shiftKey ? -1 : shown.current === sought ? 1 : 0);
          shown.current = sought;
        }}
      />
      {found && (
        <span className="find-count" role="status">
          {found.length === 0 ? words.nothingLeft : words.sourceOf(at + 1, found.length)}
        </span>
      )}
      {found && found.length > 0 && (
        <>
          <button type="button" className="icon-button icon-button-small" aria-label={words.previousFound} onClick={() => step(-1)}>
            <LeftIcon />
          </button>
          <button type="button" className="icon-button icon-button-small" data-testid="find-next" aria-label={words.nextFound} onClick={() => step(1)}>
            <RightIcon />
          </button>
        </>
      )}
    </div>
  );
}

/** Where the citations of an answer stand in the document that is open. */
function ticksOf(target: Target): number[] {
  if (target.kind !== "passage") return [];
  const id = documentOf(target);
  return [...new Set(target.passages.filter((one) => one.document_id === id).map((one) => one.char_start))];
}

/** Where one can go in the document: its sections and pages, its beginning and its end. */
function Outline({ document, busy, onGo }: { document: DocumentDetail; busy: boolean; onGo: (offset: number) => void }) {
  const words = useWords();
  const sections = useMemo(() => sectionPlaces(document, words), [document, words]);
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
  return { ...NAMELESS, collection: "", document_id: target.documentId, chunk_id: "", page: null, heading: null, char_start: start, char_end: end, quote: "", score: null, spans: [] };
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

interface BodyProps {
  text: SourceTextControls;
  passage: Passage | null;
  view: View;
  pictures: readonly PagePicture[] | null;
  found: Span | null;
  ticks: readonly number[];
  onAsk: (document: DocumentDetail, quote: string) => void;
}

function SourceBody({ text, passage, view, pictures, found, ticks, onAsk }: BodyProps) {
  const words = useWords();
  const { state, busy, loadBefore, loadAfter, goTo, jump, reload } = text;
  const lost = state.status === "failed" && state.problem.status !== 404;

  const place = useMemo(() => (state.status === "ready" && passage ? locate(state.window, passage) : null), [state, passage]);
  const spans = useMemo((): LitSpan[] => {
    const cited = (place?.spans ?? []).map((span): LitSpan => ({ ...span, kind: "cited" }));
    return found ? [...cited, { ...found, kind: "found" }] : cited;
  }, [place, found]);

  if (state.status === "loading") return <p className="pane-note">{words.sourceLoading}</p>;
  if (state.status === "failed") {
    const kept = passage && passage.quote !== "" ? passage : null;
    if (kept && !lost) return <Remembered passage={kept} note={words.sourceGone} />;
    return (
      <div className="pane-body">
        <ProblemNotice problem={state.problem} onRetry={reload} />
        {kept && <Remembered passage={kept} note={words.sourceAway} />}
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
  return (
    <>
      <DocumentNotes document={document} />
      {passage && !place && passage.quote !== "" && <Remembered passage={passage} note={words.sourceChanged} />}
      {place?.moved && <p className="pane-note pane-warning">{words.sourceMoved}</p>}
      {view === "pages" && pictures ? (
        <Pages document={document} pictures={pictures} spans={spans} jump={jump?.offset ?? null} onAsk={(quote) => onAsk(document, quote)} />
      ) : (
        <div className="pane-scroll">
          {ticks.length > 1 && <Ticks ticks={ticks} total={window.total_chars} onGo={goTo} />}
          <SourceText
            // A new passage in the same document is scrolled to anew.
            key={`${passage?.char_start}-${passage?.char_end}-${jump?.count}-${view}`}
            document={document}
            window={window}
            view={view}
            jump={jump?.offset ?? null}
            spans={spans}
            language={document.language ?? languageOf(window.text)}
            busy={busy}
            onBefore={loadBefore}
            onAfter={loadAfter}
            onAsk={(quote) => onAsk(document, quote)}
          />
        </div>
      )}
    </>
  );
}

/** Where in the document the answer's citations stand, along its edge. */
function Ticks({ ticks, total, onGo }: { ticks: readonly number[]; total: number; onGo: (offset: number) => void }) {
  const words = useWords();
  return (
    <div className="ticks" role="group" aria-label={words.ticks}>
      {ticks.map((offset, index) => (
        <button key={offset} type="button" className="tick" data-testid="tick" style={{ top: `${(offset / Math.max(1, total)) * 100}%` }} aria-label={words.sourceOf(index + 1, ticks.length)} title={words.sourceOf(index + 1, ticks.length)} onClick={() => onGo(offset)} />
      ))}
    </div>
  );
}

/** A document without a text: why it failed and what to do, where it did. */
function NoText({ document: { reason, reason_detail: detail } }: { document: DocumentDetail }) {
  const words = useWords();
  const language = useLanguage();
  if (reason === null) return <p className="pane-note">{words.sourceEmpty}</p>;
  const told = detail === null ? "" : detailIn(language, detail);
  return (
    <div className="pane-note" data-testid="failed-note">
      <p>{words.sourceFailed}</p>
      <p>{words.reasonText(reason)}</p>
      {told !== "" && told !== detail && <p>{visible(told)}</p>}
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
  view: View;
  jump: number | null;
  window: TextWindow;
  spans: readonly LitSpan[];
  language: string;
  busy: boolean;
  onBefore: () => void;
  onAfter: () => void;
  onAsk: (quote: string) => void;
}

function SourceText({ document, view, window, jump, spans, language, busy, onBefore, onAfter, onAsk }: SourceTextProps) {
  const words = useWords();
  const interfaceLanguage = useLanguage();
  const body = useRef<HTMLDivElement>(null);
  const shown = useRef<HTMLDivElement>(null);
  const drawing = view === "document" ? drawingOf(document.media_type) : "plain";
  const isTypeset = drawing === "markdown" || drawing === "table";
  const [drawn, setDrawn] = useState(!isTypeset);
  const whenDrawn = useCallback(() => setDrawn(true), []);

  const put = useRef(0);
  useEffect(() => {
    if (!drawn) return;
    if (jump === null) scrollToMarks(body.current);
    else scrollToOffset(body.current, jump);
    put.current = body.current?.scrollTop ?? 0;
  }, [jump, drawn]);
  /** More comes by itself where a reader, not the page, has scrolled near an end. */
  const scrolled = (): void => {
    const box = body.current;
    if (!box || busy || Math.abs(box.scrollTop - put.current) <= 2) return;
    if (box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_PX) onAfter();
    else if (box.scrollTop < NEAR_PX / 4) onBefore();
  };
  useHeldScroll(body, window.start);

  return (
    <>
      <div className="pane-body" ref={body} tabIndex={0} role="region" aria-label={words.sourcePane} onScroll={scrolled}>
        {window.start > 0 ? (
          <button type="button" className="button load-more" data-testid="load-before" disabled={busy} onClick={onBefore}>
            {words.loadBefore}
          </button>
        ) : (
          <p className="document-edge">{words.startOfDocument}</p>
        )}
        <div className={`source-text source-${drawing}`} ref={shown} data-testid="source-text" data-view={view} lang={language} dir={drawing === "code" ? "ltr" : "auto"}>
          {isTypeset ? (
            <TypesetText document={document} window={window} spans={spans} jump={jump} onDrawn={whenDrawn} />
          ) : drawing === "code" ? (
            <CodeText window={window} spans={spans} mediaType={document.media_type} jump={jump} />
          ) : (
            <PlainText document={document} window={window} spans={spans} jump={jump} />
          )}
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
      <TextSelection body={shown} document={document} window={window} onAsk={onAsk} />
    </>
  );
}

type TextProps = Pick<SourceTextProps, "document" | "window" | "spans" | "jump">;

function usePageStarts(document: DocumentDetail): ReadonlyMap<number, number> {
  return useMemo(() => new Map(document.page_spans.map((page) => [page.char_start, page.number])), [document]);
}

/** The very text that is searched and cited, letter by letter. */
function PlainText({ document, window, spans, jump }: TextProps) {
  const words = useWords();
  const pages = usePageStarts(document);
  const pieces = useMemo(() => {
    const cuts = [...pages.keys(), ...(jump === null ? [] : [jump])].sort((a, b) => a - b);
    return splitAt(window, spans, cuts);
  }, [window, spans, pages, jump]);
  return pieces.map(({ text, kind, start }) => {
    const page = pages.get(start);
    return (
      <Fragment key={start}>
        {page !== undefined && <PageBreak label={pageOf(page, document.source, document, words)} />}
        {start === jump && <span data-offset={start} />}
        {kind === null ? (
          text
        ) : (
          <mark data-testid={kind === "found" ? "found-span" : "cited-span"} className={kind === "found" ? "found" : undefined}>
            {text}
          </mark>
        )}
      </Fragment>
    );
  });
}

/** Code points in which a table's first two lines are looked for. */
const HEADER = 4_000;

/** The first two lines of the table within which a window begins; empty where it begins elsewhere. */
function useTableHeader({ id, sections, media_type: type }: DocumentDetail, { start, text }: TextWindow): string {
  const api = useApi();
  const from = sections.findLast((section) => section.char_start <= start)?.char_start ?? 0;
  const wanted = start > from && drawingOf(type) === "table" && /^[^\n]*\n\|/.test(text);
  const { data } = useQuery({
    queryKey: ["text", id, from, HEADER],
    queryFn: ({ signal }) => api.documentText(id, from, Math.min(start, from + HEADER), signal),
    enabled: wanted,
    staleTime: 60_000,
  });
  return (wanted && data && /^\|.*\n\|[\s:|-]+\n/m.exec(data.text)?.[0]) || "";
}

/** As people wrote it, block by block. */
function TypesetText({ document, window, spans, jump, onDrawn }: TextProps & { onDrawn: () => void }) {
  const words = useWords();
  const pages = usePageStarts(document);
  const header = useTableHeader(document, window);
  const stretches = useMemo(() => stretchesOf(window, spans, pages, header), [window, spans, pages, header]);
  const at = jump === null ? -1 : stretches.findLastIndex(({ start }) => start <= jump);
  const draw = (stretch: Stretch): ReactNode => {
    const index = stretches.indexOf(stretch);
    return (
      <Fragment key={stretch.start}>
        {stretch.page !== null && <PageBreak label={pageOf(stretch.page, document.source, document, words)} />}
        <div className="prose stretch" data-offset={index === at ? (jump ?? undefined) : undefined}>
          <Typeset stretch={stretch} onDrawn={index === 0 ? onDrawn : undefined} />
        </div>
      </Fragment>
    );
  };
  if (!SLIDES.test(document.media_type)) return stretches.map(draw);
  // No program here draws slides as their own does: each is a card with its words, tables and notes in their order.
  return byPage(stretches).map((slide) => (
    <div key={slide[0]?.start} className="slide" data-testid="slide">
      {slide.map(draw)}
    </div>
  ));
}

const SLIDES = /presentation/;

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
