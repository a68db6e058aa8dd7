// One question and its answer in whatever state it is: searching, streaming, done, stopped, abstained or failed.
import { memo, useCallback, useMemo, useState } from "react";
import { isVerbatim, leansOnHistory, searchedInstead, type Rating, type Turn } from "./conversations";
import { useLanguage, useWords, type Dictionary } from "../i18n";
import { useCollections } from "../library/collections";
import { failureText } from "../wire/problems";
import { placesOf } from "./places";
import { languageOf } from "../text/script";
import type { Citation, Passage } from "../wire/decode";
import { asMarkdown, sourceLine, withSources } from "./quoting";
import { collectionsText, scopeText } from "./chips";
import { Feedback } from "./Feedback";
import { sendsQuestion } from "./keyboard";
import { ALL_COLLECTIONS, hasFilters, inCollections, NO_FILTERS, type Scope } from "./scope";
import { AnswerText } from "./AnswerText";
import { CopyButton } from "../ui/CopyButton";
import { PencilIcon, RetryIcon, SearchIcon } from "../ui/Icons";
import { NearestList } from "./NearestList";
import { later } from "../ui/later";
import { ProblemNotice } from "../ui/ProblemNotice";
import { SourceList } from "./SourceList";

export const WhyThese = later(async () => (await import("./WhyThese")).WhyThese);

/** What can be done with a turn. */
export interface TurnActs {
  onRetry: (turn: Turn) => void;
  /** Asks other words in the turn's place. */
  onReword: (turn: Turn, question: string) => void;
  onAskAlone: (turn: Turn) => void;
  /** Looks for passages instead of an answer. */
  onSearch: (turn: Turn) => void;
  onWiden: (turn: Turn, scope: Scope) => void;
  onRated: (turn: Turn, rating: Rating | null) => void;
}

interface Props {
  turn: Turn;
  /** False while another question of the conversation is being answered. */
  canRetry: boolean;
  /** Nothing was said before it. */
  isFirst: boolean;
  /** It asks other collections than the one before it. */
  turnsElsewhere: boolean;
  /** Offers how the search went. */
  showWhy: boolean;
  acts: TurnActs;
  onOpen: (passages: readonly Passage[], passage: Passage) => void;
}

export const TurnView = memo(function TurnView({ turn, canRetry, isFirst, turnsElsewhere, showWhy, acts, onOpen }: Props) {
  const words = useWords();
  const { answer, citations, claims, nearest } = turn;
  const open = useCallback((citation: Citation) => onOpen(citations, citation), [citations, onOpen]);
  const openNear = useCallback((passage: Passage) => onOpen(nearest, passage), [nearest, onOpen]);
  const places = useMemo(() => placesOf(answer, claims, citations), [answer, claims, citations]);
  const searched = searchedInstead(turn);
  const streaming = turn.status === "streaming";
  const hasSources = citations.length > 0 && !turn.abstained && turn.answer !== "";
  const retry = (): void => acts.onRetry(turn);

  return (
    <article className="turn" data-status={turn.status} aria-busy={streaming}>
      {turnsElsewhere && <FromHere scope={turn.scope} />}
      <Question turn={turn} canRetry={canRetry} onReword={acts.onReword} />
      {searched !== null && (
        <p className="standalone" data-testid="standalone-question">
          <SearchIcon />
          <span lang={languageOf(searched)}>{words.searchedFor(searched)}</span>
          {!isFirst && leansOnHistory(turn) && (
            <button type="button" className="link-button" disabled={!canRetry} onClick={() => acts.onAskAlone(turn)}>
              {words.askAlone}
            </button>
          )}
        </p>
      )}
      {turn.degraded && <DegradedNotice reason={turn.degradedReason} canRetry={canRetry} onRetry={retry} />}
      {streaming && turn.answer === "" && (
        <p className="waiting">
          <span className="dots" aria-hidden="true">
            <i />
            <i />
            <i />
          </span>
          {turn.isReasoning ? words.reasoning : words.searching}
        </p>
      )}
      {turn.abstained ? (
        <Abstained turn={turn} canRetry={canRetry} acts={acts} onOpen={openNear} />
      ) : (
        turn.answer !== "" && (
          <div className={streaming ? "answer answer-streaming" : "answer"}>
            <AnswerText text={answer} places={places} verbatim={isVerbatim(turn)} onOpen={open} />
            {places.doubts.some(({ doubt }) => doubt === "sourceless") && (
              <p className="claim-legend" data-testid="claim-legend">
                {words.sourcelessLegend}
              </p>
            )}
          </div>
        )
      )}
      {turn.status === "stopped" && (
        <p className="stopped" data-testid="stopped">
          <span>{turn.answer === "" ? words.stoppedEmpty : words.stopped}</span>
          <button type="button" className="link-button" disabled={!canRetry} onClick={retry}>
            <RetryIcon />
            {words.askAgain}
          </button>
        </p>
      )}
      {hasSources && <SourceList citations={citations} pending={streaming} onOpen={open} />}
      {turn.status === "failed" && turn.problem && <ProblemNotice problem={turn.problem} onRetry={retry} />}
      {turn.status === "done" && <AnswerFoot turn={turn} canRetry={canRetry} showWhy={showWhy} acts={acts} onRetry={retry} />}
      {hasSources && !streaming && <PrintedSources citations={citations} />}
    </article>
  );
});

/** What was asked, what of, and when; its words can be changed and asked anew in their place. */
function Question({ turn, canRetry, onReword }: { turn: Turn; canRetry: boolean; onReword: TurnActs["onReword"] }) {
  const words = useWords();
  const language = useLanguage();
  const [draft, setDraft] = useState<string | null>(null);
  const { question, scope, askedAt } = turn;
  const when = askedAt === 0 ? "" : new Date(askedAt).toLocaleString(language, { dateStyle: "medium", timeStyle: "short" });
  const ask = (): void => {
    if (draft === null || draft.trim() === "" || !canRetry) return;
    setDraft(null);
    onReword(turn, draft);
  };
  return (
    <>
      <h2 className="question" lang={languageOf(question)} hidden={draft !== null}>
        <span className="visually-hidden">{words.you}: </span>
        {question}
      </h2>
      {draft !== null && (
        <form
          className="question-edit"
          onSubmit={(event) => {
            event.preventDefault();
            ask();
          }}
        >
          <textarea
            autoFocus
            data-testid="edit-question"
            aria-label={words.editQuestion}
            rows={Math.min(8, draft.split("\n").length + 1)}
            value={draft}
            onChange={(event) => setDraft(event.target.value)}
            onKeyDown={(event) => {
              const { key, keyCode, shiftKey, altKey, nativeEvent } = event;
              if (sendsQuestion({ key, keyCode, shiftKey, altKey, isComposing: nativeEvent.isComposing }, false)) {
                event.preventDefault();
                ask();
              } else if (key === "Escape" && !nativeEvent.isComposing) {
                event.preventDefault(); // the page's own Escape is not meant
                setDraft(null);
              }
            }}
          />
          <div className="question-edit-acts">
            <button type="submit" className="button button-primary" disabled={!canRetry || draft.trim() === ""}>
              {words.askThis}
            </button>
            <button type="button" className="button" onClick={() => setDraft(null)}>
              {words.cancel}
            </button>
          </div>
        </form>
      )}
      <div className="turn-scope">
        <span data-testid="scope">{[scopeText(scope, words), when].filter(Boolean).join(" · ")}</span>
        {draft === null && (
          <button type="button" className="icon-button icon-button-small" data-testid="edit" aria-label={words.editQuestion} title={words.editQuestion} disabled={!canRetry} onClick={() => setDraft(question)}>
            <PencilIcon />
          </button>
        )}
      </div>
    </>
  );
}

interface AbstainedProps {
  turn: Turn;
  canRetry: boolean;
  acts: TurnActs;
  onOpen: (passage: Passage) => void;
}

function Abstained({ turn, canRetry, acts, onOpen }: AbstainedProps) {
  const words = useWords();
  const { answer, reason, nearest, reach, scope } = turn;
  const { collections } = useCollections();
  const title = words.abstainedTitle(reason ?? "no_evidence");
  return (
    <section className="notice notice-abstained" data-testid="abstained" data-reason={reason ?? undefined} aria-label={title}>
      <p className="notice-title">
        <SearchIcon />
        {title}
      </p>
      {answer !== "" && <p lang={languageOf(answer)}>{answer}</p>}
      {nearest.length > 0 && <NearestList nearest={nearest} onOpen={onOpen} />}
      {reach && <p className="notice-advice">{words.reach(reach.value.toFixed(2), reach.needed.toFixed(2))}</p>}
      <p className="notice-advice">{words.abstainedAdvice(reason ?? "no_evidence")}</p>
      <p className="notice-acts">
        <button type="button" className="button" data-testid="search-instead" onClick={() => acts.onSearch(turn)}>
          <SearchIcon />
          {words.searchInstead}
        </button>
        {hasFilters(scope.filters) && (
          <button type="button" className="button" data-testid="without-filter" disabled={!canRetry} onClick={() => acts.onWiden(turn, { ...scope, filters: NO_FILTERS })}>
            {words.withoutFilter}
          </button>
        )}
        {(collections?.length ?? 0) > 1 && !scope.collections.includes(ALL_COLLECTIONS) && (
          <button type="button" className="button" data-testid="everywhere" disabled={!canRetry} onClick={() => acts.onWiden(turn, inCollections(scope, [ALL_COLLECTIONS]))}>
            {words.everywhere}
          </button>
        )}
      </p>
    </section>
  );
}

/** Other documents are asked from here on, and nothing that was said before goes along. */
export function FromHere({ scope }: { scope: Scope }) {
  const words = useWords();
  return (
    <p className="from-here" data-testid="from-here">
      {words.fromHere(collectionsText(scope, words))}
    </p>
  );
}

function DegradedNotice({ reason, canRetry, onRetry }: { reason: string | null; canRetry: boolean; onRetry: () => void }) {
  const words = useWords();
  const why = reason === null ? null : failureText(reason, words);
  return (
    <section className="notice notice-degraded" data-testid="degraded" aria-label={words.degradedTitle}>
      <div className="notice-line">
        <p className="notice-title">{words.degradedTitle}</p>
        <button type="button" className="link-button" data-testid="try-model" disabled={!canRetry} onClick={onRetry}>
          <RetryIcon />
          {words.tryModelAgain}
        </button>
      </div>
      <details className="notice-reason">
        <summary>{words.degradedText}</summary>
        {why && <p>{why.sentence}</p>}
        {why && (
          <p lang={languageOf(why.detail)}>
            {words.failureDetail}: {why.detail}
          </p>
        )}
      </details>
    </section>
  );
}

interface FootProps {
  turn: Turn;
  canRetry: boolean;
  showWhy: boolean;
  acts: TurnActs;
  onRetry: () => void;
}

function AnswerFoot({ turn, canRetry, showWhy, acts, onRetry }: FootProps) {
  const words = useWords();
  const origin = originOf(turn, words);
  const [why, setWhy] = useState(false);
  const isCited = !turn.abstained && turn.citations.length > 0;
  return (
    <footer className="answer-foot">
      <div className="foot-line">
        {origin !== null && !turn.abstained && <span>{origin}</span>}
        {turn.totalMs !== null && <span>{words.seconds((turn.totalMs / 1000).toFixed(1))}</span>}
        {!turn.abstained && <CopyButton label={words.copy} text={() => turn.answer} />}
        {isCited && <CopyButton label={words.copyWithSources} testId="copy-with-sources" text={() => withSources(turn, words, location.href)} />}
        {isCited && <CopyButton label={words.copyMarkdown} testId="copy-markdown" text={() => asMarkdown(turn, words, location.href)} />}
        <button type="button" className="link-button" data-testid="again" disabled={!canRetry} onClick={onRetry}>
          <RetryIcon />
          {words.askAgain}
        </button>
        {showWhy && (
          <button type="button" className="link-button" data-testid="why" aria-expanded={why} onClick={() => setWhy(!why)}>
            {words.whyThese}
          </button>
        )}
        <Feedback turn={turn} onRated={acts.onRated} />
      </div>
      {why && <WhyThese turn={turn} />}
    </footer>
  );
}

/** The sources with their quotes, on paper alone: there nothing can be opened. */
function PrintedSources({ citations }: { citations: readonly Citation[] }) {
  const words = useWords();
  return (
    <ol className="print-only" data-testid="printed-sources">
      {citations.map((citation, index) => (
        <li key={index} lang={languageOf(citation.quote)}>
          {sourceLine(citation, words)}
        </li>
      ))}
    </ol>
  );
}

/** Where the words come from; null where they are the service's own, or nobody knows. */
function originOf({ generator, kind }: Turn, words: Dictionary): string | null {
  if (generator === "" || kind === "meta" || kind === "chat") return null;
  return generator === "extractive" ? words.extractive : words.writtenBy(generator);
}
