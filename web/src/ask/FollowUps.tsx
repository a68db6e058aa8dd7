// What one can ask next: questions that stand as headings near the place that was cited, and were not asked yet.
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { useWords } from "../i18n";
import { questionPlaces } from "../reader/outline";
import { useApi } from "../shell/context";
import { languageOf } from "../text/script";
import type { Turn } from "./conversations";

const SHOWN = 3;

interface Props {
  turn: Turn;
  /** What was asked in the conversation. */
  asked: readonly string[];
  onAsk: (question: string) => void;
}

export function FollowUps({ turn: { citations }, asked, onAsk }: Props) {
  const words = useWords();
  const api = useApi();
  const cited = citations[0];
  const { data } = useQuery({
    queryKey: ["document", cited?.document_id],
    queryFn: ({ signal }) => api.document(cited?.document_id ?? "", signal),
    enabled: cited !== undefined,
    staleTime: 300_000,
  });
  const questions = useMemo(() => {
    const before = new Set(asked.map((one) => one.trim()));
    const at = cited?.char_start ?? 0;
    return (data ? questionPlaces(data) : [])
      .filter(({ label }) => !before.has(label) && label !== cited?.heading?.split(" › ").at(-1))
      .sort((a, b) => Math.abs(a.offset - at) - Math.abs(b.offset - at))
      .slice(0, SHOWN)
      .map(({ label }) => label);
  }, [data, asked, cited]);
  if (questions.length === 0) return null;
  return (
    <ul className="follow-ups" data-testid="follow-ups" aria-label={words.followUps}>
      {questions.map((question) => (
        <li key={question}>
          <button type="button" className="example" lang={languageOf(question)} onClick={() => onAsk(question)}>
            {question}
          </button>
        </li>
      ))}
    </ul>
  );
}
