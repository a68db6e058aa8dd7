// One question and its answer in whatever state it is: searching, streaming, done, stopped, abstained or failed.
import { memo, useCallback, useEffect, useState } from "react";
import type { Turn } from "../conversations";
import { useWords } from "../i18n";
import { failureText } from "../problems";
import { languageOf } from "../script";
import type { Citation } from "../wire";
import { AnswerText } from "./AnswerText";
import { CheckIcon, CopyIcon, RetryIcon, SearchIcon } from "./Icons";
import { ProblemNotice } from "./ProblemNotice";
import { SourceList } from "./SourceList";

interface Props {
  turn: Turn;
  /** False while another question of the conversation is being answered. */
  canRetry: boolean;
  onRetry: (turnId: string) => void;
  onOpen: (citations: readonly Citation[], citation: Citation) => void;
}

export const TurnView = memo(function TurnView({ turn, canRetry, onRetry, onOpen }: Props) {
  const words = useWords();
  const { citations } = turn;
  const open = useCallback((citation: Citation) => onOpen(citations, citation), [citations, onOpen]);
  const retry = useCallback(() => onRetry(turn.id), [onRetry, turn.id]);
  const streaming = turn.status === "streaming";
  const hasSources = citations.length > 0 && !turn.abstained && turn.answer !== "";

  return (
    <article className="turn" data-status={turn.status} aria-busy={streaming}>
      <h2 className="question" lang={languageOf(turn.question)}>
        <span className="visually-hidden">{words.you}: </span>
        {turn.question}
      </h2>
      {turn.standaloneQuestion !== null && turn.standaloneQuestion.trim() !== turn.question.trim() && (
        <p className="standalone" data-testid="standalone-question">
          <SearchIcon />
          <span lang={languageOf(turn.standaloneQuestion)}>{words.searchedFor(turn.standaloneQuestion)}</span>
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
          {words.searching}
        </p>
      )}
      {turn.abstained ? (
        <Abstained answer={turn.answer} />
      ) : (
        turn.answer !== "" && (
          <div className={streaming ? "answer answer-streaming" : "answer"}>
            <AnswerText text={turn.answer} citations={citations} onOpen={open} />
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
      {hasSources && <SourceList citations={citations} onOpen={open} />}
      {turn.status === "failed" && turn.problem && <ProblemNotice problem={turn.problem} onRetry={retry} />}
      {turn.status === "done" && !turn.abstained && <AnswerFoot turn={turn} />}
    </article>
  );
});

function Abstained({ answer }: { answer: string }) {
  const words = useWords();
  return (
    <section className="notice notice-abstained" data-testid="abstained" aria-label={words.abstainedTitle}>
      <p className="notice-title">
        <SearchIcon />
        {words.abstainedTitle}
      </p>
      {answer !== "" && <p lang={languageOf(answer)}>{answer}</p>}
      <p className="notice-advice">{words.abstainedAdvice}</p>
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
      {turn.generator !== "" && (
        <span>{turn.generator === "extractive" ? words.extractive : words.writtenBy(turn.generator)}</span>
      )}
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
