// One question and its answer in whatever state it is: searching, streaming, done, stopped, abstained or failed.
import { memo, useCallback, useEffect, useMemo, useState } from "react";
import { isVerbatim, leansOnHistory, searchedInstead, type Turn } from "../conversations";
import { useWords, type Dictionary } from "../i18n";
import { failureText } from "../problems";
import { placesOf } from "../places";
import { languageOf } from "../script";
import type { Citation, Passage } from "../decode";
import { AnswerText } from "./AnswerText";
import { CheckIcon, CopyIcon, RetryIcon, SearchIcon } from "./Icons";
import { NearestList } from "./NearestList";
import { ProblemNotice } from "./ProblemNotice";
import { SourceList } from "./SourceList";

interface Props {
  turn: Turn;
  /** False while another question of the conversation is being answered. */
  canRetry: boolean;
  /** Nothing was said before it. */
  isFirst: boolean;
  onRetry: (turnId: string) => void;
  onAskAlone: (turnId: string) => void;
  onOpen: (passages: readonly Passage[], passage: Passage) => void;
}

export const TurnView = memo(function TurnView({ turn, canRetry, isFirst, onRetry, onAskAlone, onOpen }: Props) {
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
      <h2 className="question" lang={languageOf(turn.question)}>
        <span className="visually-hidden">{words.you}: </span>
        {turn.question}
      </h2>
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
      {turn.degraded && <DegradedNotice reason={turn.degradedReason} />}
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
      {turn.status === "done" && !turn.abstained && <AnswerFoot turn={turn} />}
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

function DegradedNotice({ reason }: { reason: string | null }) {
  const words = useWords();
  const why = reason === null ? null : failureText(reason, words);
  return (
    <section className="notice notice-degraded" data-testid="degraded" aria-label={words.degradedTitle}>
      <p className="notice-title">{words.degradedTitle}</p>
      <p>{words.degradedText}</p>
      {why && <p className="notice-reason">{why.sentence}</p>}
      {why && (
        <details className="notice-reason">
          <summary>{words.failureDetail}</summary>
          <p lang={languageOf(why.detail)}>{why.detail}</p>
        </details>
      )}
    </section>
  );
}

function AnswerFoot({ turn }: { turn: Turn }) {
  const words = useWords();
  const origin = originOf(turn, words);
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 2_000);
    return () => clearTimeout(timer);
  }, [copied]);
  // There is no clipboard where the page isn't served over HTTPS or from localhost.
  const clipboard = navigator.clipboard as Clipboard | undefined;
  return (
    <footer className="answer-foot">
      {origin !== null && <span>{origin}</span>}
      {turn.totalMs !== null && <span>{words.seconds((turn.totalMs / 1000).toFixed(1))}</span>}
      {clipboard && (
        <button
          type="button"
          className="link-button"
          onClick={() => clipboard.writeText(turn.answer).then(() => setCopied(true), () => undefined)}
        >
          {copied ? <CheckIcon /> : <CopyIcon />}
          {copied ? words.copied : words.copy}
        </button>
      )}
    </footer>
  );
}

/** Where the words come from; null where they are the service's own, or nobody knows. */
function originOf({ generator, kind }: Turn, words: Dictionary): string | null {
  if (generator === "" || kind === "meta" || kind === "chat") return null;
  return generator === "extractive" ? words.extractive : words.writtenBy(generator);
}
