// The source beside the answer: a stretch of the document's text as it's stored, the cited span marked in it.
// The text is set as text, whatever it contains.
import { useEffect, useLayoutEffect, useRef } from "react";
import type { Api } from "../api";
import { useLanguage, useWords } from "../i18n";
import { languageOf } from "../script";
import { locate, splitAt, useSourceText, type Span } from "../sourcetext";
import { visible } from "../visible";
import type { Citation, DocumentSummary, TextWindow } from "../wire";
import { DocumentNotes } from "./DocumentNotes";
import { CloseIcon, LeftIcon, RightIcon } from "./Icons";
import { ProblemNotice } from "./ProblemNotice";

/** What the pane shows: one of an answer's citations, or a whole document. */
export type Target =
  | { kind: "citation"; citations: readonly Citation[]; index: number }
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
  const citation = target.kind === "citation" ? (target.citations[target.index] ?? null) : null;
  const documentId = target.kind === "document" ? target.document.id : (citation?.document_id ?? "");
  const title = target.kind === "document" ? target.document.title : (citation?.title ?? "");
  const source = target.kind === "document" ? target.document.source : (citation?.source ?? "");
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
            {citation?.page != null && <span>{words.page(citation.page)}</span>}
            {citation?.heading && citation.heading !== title && <span lang={languageOf(citation.heading)}>{citation.heading}</span>}
          </p>
        </div>
        <button type="button" className="icon-button" data-testid="close-source" aria-label={words.closeSource} title={words.closeSource} onClick={onClose}>
          <CloseIcon />
        </button>
      </div>
      {target.kind === "citation" && target.citations.length > 1 && <Steps target={target} onTarget={onTarget} />}
      {citation && !citation.supported && (
        <p className="pane-note pane-warning">
          {words.unsupported}. {words.unsupportedHint}
        </p>
      )}
      <SourceBody key={documentId} api={api} documentId={documentId} citation={citation} />
    </div>
  );
}

function Steps({ target, onTarget }: { target: Extract<Target, { kind: "citation" }>; onTarget: (target: Target) => void }) {
  const words = useWords();
  const { citations, index } = target;
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
      <span>{words.sourceOf(index + 1, citations.length)}</span>
      <button
        type="button"
        className="icon-button icon-button-small"
        aria-label={words.nextSource}
        disabled={index >= citations.length - 1}
        onClick={() => onTarget({ ...target, index: index + 1 })}
      >
        <RightIcon />
      </button>
    </div>
  );
}

function SourceBody({ api, documentId, citation }: { api: Api; documentId: string; citation: Citation | null }) {
  const words = useWords();
  const { state, busy, loadBefore, loadAfter, reload } = useSourceText(api, documentId, citation);

  if (state.status === "loading") return <p className="pane-note">{words.sourceLoading}</p>;
  if (state.status === "failed") {
    if (state.problem.status === 404 && citation) return <Remembered citation={citation} note={words.sourceGone} />;
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
  const place = citation ? locate(window, citation) : null;
  return (
    <>
      <DocumentNotes document={document} />
      {citation && !place && <Remembered citation={citation} note={words.sourceChanged} />}
      {place?.moved && <p className="pane-note pane-warning">{words.sourceMoved}</p>}
      <Passage
        // A new citation in the same document is scrolled to anew.
        key={`${citation?.char_start}-${citation?.char_end}`}
        window={window}
        span={place?.span ?? null}
        language={document.language ?? languageOf(window.text)}
        busy={busy}
        onBefore={loadBefore}
        onAfter={loadAfter}
      />
    </>
  );
}

/** The quote that was kept with the answer, where the document no longer has it. */
function Remembered({ citation, note }: { citation: Citation; note: string }) {
  return (
    <div className="pane-note pane-warning">
      <p>{note}</p>
      <blockquote lang={languageOf(citation.quote)}>{citation.quote}</blockquote>
    </div>
  );
}

interface PassageProps {
  window: TextWindow;
  span: Span | null;
  language: string;
  busy: boolean;
  onBefore: () => void;
  onAfter: () => void;
}

function Passage({ window, span, language, busy, onBefore, onAfter }: PassageProps) {
  const words = useWords();
  const interfaceLanguage = useLanguage();
  const body = useRef<HTMLDivElement>(null);
  const mark = useRef<HTMLElement>(null);
  const [before, cited, after] = splitAt(window, span);

  useEffect(() => scrollToMark(body.current, mark.current), []);
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
        {before}
        {cited !== "" && (
          <mark ref={mark} data-testid="cited-span">
            {cited}
          </mark>
        )}
        {after}
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

/** Puts the mark a third down the pane: what leads to a sentence helps more than what follows it. */
function scrollToMark(body: HTMLElement | null, mark: HTMLElement | null): void {
  if (!body || !mark) return;
  const top = mark.getBoundingClientRect().top - body.getBoundingClientRect().top;
  body.scrollTop += top - body.clientHeight / 3;
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
