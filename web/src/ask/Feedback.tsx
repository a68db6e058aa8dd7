// What a reader thinks of an answer: a thumb, and for one that is down a reason. Where the service keeps none, there is none.
import { useState, useSyncExternalStore } from "react";
import { useWords } from "../i18n";
import { useApi } from "../shell/context";
import { ThumbDownIcon, ThumbUpIcon } from "../ui/Icons";
import { problemOf } from "../wire/api";
import type { Rating, Turn } from "./conversations";

export const REASONS = ["wrong_source", "not_supported", "incomplete", "should_have_refused", "should_have_answered"] as const;

/** Whether the service has refused to know of feedback since the page was opened. */
let isUnknown = false;
const listeners = new Set<() => void>();

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function Feedback({ turn, onRated }: { turn: Turn; onRated: (turn: Turn, rating: Rating | null) => void }) {
  const words = useWords();
  const api = useApi();
  const hidden = useSyncExternalStore(subscribe, () => isUnknown);
  const [asking, setAsking] = useState(false);
  const [failed, setFailed] = useState("");
  if (hidden || turn.requestId === "") return null;

  const send = async (rating: Rating, reason: string | null, comment: string): Promise<void> => {
    const before = turn.rating;
    onRated(turn, rating);
    setFailed("");
    try {
      await api.rate(turn.requestId, rating, reason, comment);
    } catch (error) {
      onRated(turn, before);
      const { status, detail } = problemOf(error);
      if (status !== 404 && status !== 405) return setFailed(detail || words.notSent);
      isUnknown = true;
      for (const listener of listeners) listener();
    }
  };
  return (
    <>
      <span className="thumbs" role="group" aria-label={words.rateAnswer}>
        <button type="button" className="icon-button icon-button-small" data-testid="thumb-up" aria-pressed={turn.rating === "up"} aria-label={words.goodAnswer} title={words.goodAnswer} onClick={() => void send("up", null, "")}>
          <ThumbUpIcon />
        </button>
        <button type="button" className="icon-button icon-button-small" data-testid="thumb-down" aria-pressed={turn.rating === "down"} aria-expanded={asking} aria-label={words.badAnswer} title={words.badAnswer} onClick={() => setAsking(!asking)}>
          <ThumbDownIcon />
        </button>
      </span>
      {failed !== "" && <span role="alert">{failed}</span>}
      {asking && (
        <ReasonForm
          onSend={(reason, comment) => {
            setAsking(false);
            void send("down", reason, comment);
          }}
        />
      )}
    </>
  );
}

function ReasonForm({ onSend }: { onSend: (reason: string | null, comment: string) => void }) {
  const words = useWords();
  const [reason, setReason] = useState<string | null>(null);
  const [comment, setComment] = useState("");
  return (
    <form
      className="reason-form"
      data-testid="reason-form"
      onSubmit={(event) => {
        event.preventDefault();
        onSend(reason, comment.trim());
      }}
    >
      <fieldset className="boxes">
        <legend>{words.whatIsWrong}</legend>
        {REASONS.map((one) => (
          <label key={one}>
            <input type="radio" name="reason" checked={reason === one} onChange={() => setReason(one)} />
            {words.feedbackReason(one)}
          </label>
        ))}
      </fieldset>
      <input type="text" aria-label={words.comment} placeholder={words.comment} maxLength={2_000} value={comment} onChange={(event) => setComment(event.target.value)} />
      <button type="submit" className="button button-primary" data-testid="send-feedback">
        {words.send}
      </button>
    </form>
  );
}
