// What readers thought of answers, as GET /feedback tells it to admins: the type and its decoder, which never throws.
import { decodeCitation, fields, list, numberOrNull, text, textOrNull, type Citation } from "./decode";

export interface RatedAnswer {
  id: number;
  at: string | null;
  actor: string;
  reason: string | null;
  comment: string;
  question: string;
  answer: string;
  citations: Citation[];
  /** A line of `rag-eval`'s questions; null where the rating does not say what would be right. */
  evaluationCase: object | null;
}

export function decodeRated(value: unknown): RatedAnswer | null {
  const from = fields(value);
  const id = numberOrNull(from?.id);
  if (!from || id === null) return null;
  return {
    id,
    at: textOrNull(from.at),
    actor: text(from.actor),
    reason: textOrNull(from.reason),
    comment: text(from.comment),
    question: text(from.question),
    answer: text(from.answer),
    citations: list(from.citations, decodeCitation),
    evaluationCase: fields(from.case),
  };
}
