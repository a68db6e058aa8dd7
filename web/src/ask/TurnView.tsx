// One question and its answer in whatever state it is: searching, streaming, done, stopped, abstained or failed.
import { memo, useCallback, useMemo } from "react";
import { isVerbatim, leansOnHistory, searchedInstead, type Turn } from "./conversations";
import { useLanguage, useWords, type Dictionary } from "../i18n";
import { failureText } from "../wire/problems";
import { placesOf } from "./places";
import { languageOf } from "../text/script";
import type { Citation, Passage } from "../wire/decode";
import { sourceLine, withSources } from "./quoting";
import { AnswerText } from "./AnswerText";
import { CopyButton } from "../ui/CopyButton";
import { PencilIcon, RetryIcon, SearchIcon } from "../ui/Icons";
import { NearestList } from "./NearestList";
import { ProblemNotice } from "../ui/ProblemNotice";
import { SourceList } from "./SourceList";

interface Props {
  turn: Turn;
  /** False while another question of the conversation is being answered. */
  canRetry: boolean;
  /** Nothing was said before it. */
  isFirst: boolean;
  /** It asks other documents than the one before it. */
  turnsElsewhere: boolean;
  onRetry: (turnId: string) => void;
  /** Takes the question into the box. */
  onEdit: (question: string) => void;
  onAskAlone: (turnId: string) => void;
  onOpen: (passages: readonly Passage[], passage: Passage) => void;
}

export const TurnView = memo(function TurnView({ turn, canRetry, isFirst, turnsElsewhere, onRetry, onEdit, onAskAlone, onOpen }: Props) {
  const words = useWords();
  const { answer, citations, claims, nearest } = turn;
  const open = useCallback((citation: Citation) => onOpen(citations, citation), [citations, onOpen]);
  const openNear = useCallback((passage: Passage) => onOpen(nearest, passage), [nearest, onOpen]);
  const places = useMemo(() => placesOf(answer, claims, citations), [answer, claims, citations]);
  const searched = searchedInstead(turn);
  const retry = useCallback(() => onRetry(turn.id), [onRetry, turn.id]);
  const askAlone = useCallback(() => onAskAlone(turn.id), [onAskAlone, turn.id]);
  const streaming = turn.status === "streaming";
  const hasSources = citations.length > 0 && !turn.abstained && turn.answer !== "";

  return (
    <article className="turn" data-status={turn.status} aria-busy={streaming}>
      {turnsElsewhere && <FromHere collection={turn.collection} />}
      <h2 className="question" lang={languageOf(turn.question)}>
        <span className="visually-hidden">{words.you}: </span>
        {turn.question}
      </h2>
      <ScopeLine turn={turn} onEdit={onEdit} />
      {searched !== null && (
        <p className="standalone" data-testid="standalone-question">
          <SearchIcon />
          <span lang={languageOf(searched)}>{words.searchedFor(searched)}</span>
          {!isFirst && leansOnHistory(turn) && (
            <button type="button" className="link-button" disabled={!canRetry} onClick={askAlone}>
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
        <Abstained turn={turn} onOpen={openNear} />
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
      {turn.status === "done" && <AnswerFoot turn={turn} canRetry={canRetry} onRetry={retry} />}
      {hasSources && !streaming && <PrintedSources citations={citations} />}
    </article>
  );
});

function Abstained({ turn: { answer, reason, nearest }, onOpen }: { turn: Turn; onOpen: (passage: Passage) => void }) {
  const words = useWords();
  const title = words.abstainedTitle(reason ?? "no_evidence");
  return (
    <section className="notice notice-abstained" data-testid="abstained" data-reason={reason ?? undefined} aria-label={title}>
      <p className="notice-title">
        <SearchIcon />
        {title}
      </p>
      {answer !== "" && <p lang={languageOf(answer)}>{answer}</p>}
      {nearest.length > 0 && <NearestList nearest={nearest} onOpen={onOpen} />}
      <p className="notice-advice">{words.abstainedAdvice(reason ?? "no_evidence")}</p>
    </section>
  );
}

/** Where and when it was asked. */
function ScopeLine({ turn: { question, collection, askedAt }, onEdit }: { turn: Turn; onEdit: (question: string) => void }) {
  const words = useWords();
  const language = useLanguage();
  const when = askedAt === 0 ? "" : new Date(askedAt).toLocaleString(language, { dateStyle: "medium", timeStyle: "short" });
  return (
    <div className="turn-scope">
      <span data-testid="scope">{words.scope(collection, when)}</span>
      <button type="button" className="icon-button icon-button-small" data-testid="edit" aria-label={words.editQuestion} title={words.editQuestion} onClick={() => onEdit(question)}>
        <PencilIcon />
      </button>
    </div>
  );
}

/** Other documents are asked from here on, and nothing that was said before goes along. */
export function FromHere({ collection }: { collection: string }) {
  const words = useWords();
  return (
    <p className="from-here" data-testid="from-here">
      {words.fromHere(collection)}
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

function AnswerFoot({ turn, canRetry, onRetry }: { turn: Turn; canRetry: boolean; onRetry: () => void }) {
  const words = useWords();
  const origin = originOf(turn, words);
  return (
    <footer className="answer-foot">
      {origin !== null && !turn.abstained && <span>{origin}</span>}
      {turn.totalMs !== null && <span>{words.seconds((turn.totalMs / 1000).toFixed(1))}</span>}
      {!turn.abstained && <CopyButton label={words.copy} text={() => turn.answer} />}
      {!turn.abstained && turn.citations.length > 0 && (
        <CopyButton label={words.copyWithSources} testId="copy-with-sources" text={() => withSources(turn, words, location.href)} />
      )}
      <button type="button" className="link-button" data-testid="again" disabled={!canRetry} onClick={onRetry}>
        <RetryIcon />
        {words.askAgain}
      </button>
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
