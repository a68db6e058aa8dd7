// Tells a screen reader of the answer as it streams in: each finished sentence once, then how it ended.
// The visible answer is no live region, or it would be read again with every token.
import { useEffect, useState } from "react";
import { spoken, spokenUntil } from "./announce";
import { isVerbatim, type Turn } from "./conversations";
import { useWords, type Dictionary } from "../i18n";
import { placesOf, withoutMarks } from "./places";
import { languageOf } from "../text/script";
import { citedDocuments } from "./sources";

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
      {announced && sentences(announced, ended).map((sentence, index) => (
        <p key={index} lang={languageOf(sentence)}>
          {sentence}
        </p>
      ))}
      {ended && <p key="end">{ending(announced, words)}</p>}
      {announced && !ended && announced.answer === "" && <p key="start">{words.searching}</p>}
    </div>
  );
}

function sentences(turn: Turn, ended: boolean): string[] {
  const found: string[] = [];
  const answer = withoutMarks(turn.answer, placesOf(turn.answer, turn.claims, turn.citations));
  const verbatim = isVerbatim(turn);
  let rest = ended ? `${answer}\n` : answer;
  rest = rest.slice(0, spokenUntil(rest));
  for (const line of rest.split(/(?<=[.!?]["')\]]*)\s+|(?<=[。！？；]["'」』”’）》]*)|\n+/)) {
    const sentence = spoken(line, verbatim);
    if (sentence !== "") found.push(sentence);
  }
  return found;
}

function ending(turn: Turn, words: Dictionary): string {
  if (turn.status === "failed") return words.announceFailed;
  if (turn.status === "stopped") return words.announceStopped;
  if (turn.abstained) return words.abstainedTitle(turn.reason ?? "no_evidence");
  return words.announceDone(citedDocuments(turn.citations).length);
}
