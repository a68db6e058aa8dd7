// Tells a screen reader of the answer as it streams in: each finished sentence once, then how it ended.
// The visible answer is no live region, or it would be read again with every token.
import { useEffect, useState } from "react";
import { spoken, spokenUntil } from "../announce";
import type { Turn } from "../conversations";
import { useWords, type Dictionary } from "../i18n";
import { languageOf } from "../script";

/** How long the words stay after the end, so that they can be read, before they only clutter the page. */
const CLEAR_AFTER_MS = 8_000;

export function Announcer({ turn }: { turn: Turn | undefined }) {
  const words = useWords();
  const [live, setLive] = useState<string | null>(null);
  // Only what streams while the page is open is announced, not what a conversation held already.
  if (turn?.status === "streaming" && live !== turn.id) setLive(turn.id);
  const announced = turn !== undefined && live === turn.id ? turn : undefined;
  const ended = announced !== undefined && announced.status !== "streaming";

  useEffect(() => {
    if (!ended) return;
    const timer = setTimeout(() => setLive(null), CLEAR_AFTER_MS);
    return () => clearTimeout(timer);
  }, [ended]);

  return (
    <div className="visually-hidden" aria-live="polite" aria-relevant="additions" data-testid="announcer">
      {announced && !announced.abstained && sentences(announced.answer, ended).map((sentence, index) => (
        <p key={index} lang={languageOf(sentence)}>
          {sentence}
        </p>
      ))}
      {ended && <p key="end">{ending(announced, words)}</p>}
      {announced && !ended && announced.answer === "" && <p key="start">{words.searching}</p>}
    </div>
  );
}

function sentences(answer: string, ended: boolean): string[] {
  const found: string[] = [];
  let rest = ended ? `${answer}\n` : answer;
  rest = rest.slice(0, spokenUntil(rest));
  for (const line of rest.split(/(?<=[.!?]["')\]]*)\s+|(?<=[。！？；]["'」』”’）》]*)|\n+/)) {
    const sentence = spoken(line);
    if (sentence !== "") found.push(sentence);
  }
  return found;
}

function ending(turn: Turn, words: Dictionary): string {
  if (turn.status === "failed") return words.announceFailed;
  if (turn.status === "stopped") return words.announceStopped;
  if (turn.abstained) return `${words.announceAbstained} ${turn.answer}`;
  return words.announceDone(turn.citations.length);
}
