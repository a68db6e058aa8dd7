// The source beside the answer: a stretch of the document's text as it's stored, the cited spans marked in it.
// The text is set as text, whatever it contains.
import { useEffect, useLayoutEffect, useRef } from "react";
import type { Api } from "../api";
import { useLanguage, useWords } from "../i18n";
import { languageOf } from "../script";
import { locate, splitAt, useSourceText, type Span } from "../sourcetext";
import { visible } from "../visible";
import type { Citation, DocumentSummary, Passage, TextWindow } from "../decode";
import { DocumentNotes } from "./DocumentNotes";
import { CloseIcon, LeftIcon, RightIcon } from "./Icons";
import { ProblemNotice } from "./ProblemNotice";

/** What the pane shows: one of an answer's citations or of a refusal's nearest passages, or a whole document. */
export type Target =
  | { kind: "passage"; passages: readonly Passage[]; index: number }
  | { kind: "document"; document: DocumentSummary };

interface Props {
  api: Api;
  target: Target;
  /** The pane covers the page, which waits behind it. */
  modal: boolean;
  onTarget: (target: Target) => void;
  onClose: () => void;
}

export function SourcePane({ api, target, modal, onTarget, onClose }: Props) {
  const words = useWords();
  const heading = useRef<HTMLHeadingElement>(null);
  const passage = target.kind === "passage" ? (target.passages[target.index] ?? null) : null;
  const citation = passage && isCitation(passage) ? passage : null;
  const documentId = target.kind === "document" ? target.document.id : (passage?.document_id ?? "");
  const title = target.kind === "document" ? target.document.title : (passage?.title ?? "");
  const source = target.kind === "document" ? target.document.source : (passage?.source ?? "");
  useEffect(() => heading.current?.focus({ preventScroll: true }), [target]);

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
            {visible(title)}
          </h2>
          <p className="source-place">
            {source !== title && <span className="path">{visible(source)}</span>}
            {passage?.page != null && <span>{words.page(passage.page)}</span>}
            {passage?.heading && passage.heading !== title && <span lang={languageOf(passage.heading)}>{passage.heading}</span>}
            {passage?.score != null && <span className="score">{words.score(passage.score.toFixed(2))}</span>}
          </p>
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
      <SourceBody key={documentId} api={api} documentId={documentId} passage={passage} />
    </div>
  );
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

function SourceBody({ api, documentId, passage }: { api: Api; documentId: string; passage: Passage | null }) {
  const words = useWords();
  const { state, busy, loadBefore, loadAfter, reload } = useSourceText(api, documentId, passage);

  if (state.status === "loading") return <p className="pane-note">{words.sourceLoading}</p>;
  if (state.status === "failed") {
    if (state.problem.status === 404 && passage) return <Remembered passage={passage} note={words.sourceGone} />;
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
        {document.duplicate_of === null && <p className="pane-note">{words.sourceEmpty}</p>}
      </>
    );
  }
  const place = passage ? locate(window, passage) : null;
  return (
    <>
      <DocumentNotes document={document} />
      {passage && !place && <Remembered passage={passage} note={words.sourceChanged} />}
      {place?.moved && <p className="pane-note pane-warning">{words.sourceMoved}</p>}
      <SourceText
        // A new passage in the same document is scrolled to anew.
        key={`${passage?.char_start}-${passage?.char_end}`}
        window={window}
        spans={place?.spans ?? []}
        language={document.language ?? languageOf(window.text)}
        busy={busy}
        onBefore={loadBefore}
        onAfter={loadAfter}
      />
    </>
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
  window: TextWindow;
  spans: readonly Span[];
  language: string;
  busy: boolean;
  onBefore: () => void;
  onAfter: () => void;
}

function SourceText({ window, spans, language, busy, onBefore, onAfter }: SourceTextProps) {
  const words = useWords();
  const interfaceLanguage = useLanguage();
  const body = useRef<HTMLDivElement>(null);

  useEffect(() => scrollToMarks(body.current), []);
  useHeldScroll(body, window.start);

  return (
    <div className="pane-body" ref={body} tabIndex={0} role="region" aria-label={words.sourcePane}>
      {window.start > 0 ? (
        <button type="button" className="button load-more" data-testid="load-before" disabled={busy} onClick={onBefore}>
          {words.loadBefore}
        </button>
      ) : (
        <p className="document-edge">{words.startOfDocument}</p>
      )}
      <div className="source-text" data-testid="source-text" lang={language}>
        {splitAt(window, spans).map(({ text, cited }, index) =>
          cited ? (
            <mark key={index} data-testid="cited-span">
              {text}
            </mark>
          ) : (
            text
          ),
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
  );
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
