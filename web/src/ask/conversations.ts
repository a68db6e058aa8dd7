// What a conversation is and the pure steps that change one. No storage, no network, no React.
import { sliceCodePoints, truncate } from "../text/codepoints";
import { decodeScope, sameCollections, scopeOf, type Scope } from "./scope";
import {
  decodeEvidence,
  decodeKind,
  decodeNearMiss,
  decodeProblem,
  decodeReach,
  decodeReason,
  fields,
  list,
  numberOrNull,
  decodeTimings,
  text,
  textOrNull,
  type AbstentionReason,
  type AnswerKind,
  type Citation,
  type Claim,
  type HistoryMessage,
  type NearMiss,
  type Problem,
  type Reach,
  type Reply,
  type Timings,
} from "../wire/decode";

export type TurnStatus = "streaming" | "done" | "stopped" | "failed";

/** One question and what came back for it. */
export interface Turn {
  id: string;
  question: string;
  /** What it asked, and when, in milliseconds since the epoch; 0 where an earlier build kept no time. */
  scope: Scope;
  askedAt: number;
  /** Asked without what was said before: that is dropped for what comes after it, too. */
  alone: boolean;
  status: TurnStatus;
  answer: string;
  /** The model reasons and has not begun to answer. */
  isReasoning: boolean;
  citations: Citation[];
  /** Empty until the whole answer is there. */
  claims: Claim[];
  kind: AnswerKind;
  abstained: boolean;
  /** Of an abstention, as are the nearest passages. */
  reason: AbstentionReason | null;
  nearest: NearMiss[];
  degraded: boolean;
  degradedReason: string | null;
  standaloneQuestion: string | null;
  searchedFor: string | null;
  generator: string;
  totalMs: number | null;
  /** Milliseconds by stage. */
  timings: Timings;
  /** How far the passages reached; null where nobody asked. */
  reach: Reach | null;
  /** The service's own id of the answer; empty until it is there. */
  requestId: string;
  /** What the reader thinks of the answer, once they have said so. */
  rating: Rating | null;
  problem: Problem | null;
}

export type Rating = "up" | "down";

export interface Conversation {
  id: string;
  /** Null until someone renames it: then its first question stands for it. */
  name: string | null;
  /** Whose it is on a service that knows who reads; else null. */
  owner: string | null;
  /** What the next question asks. */
  scope: Scope;
  /** Milliseconds since the epoch. */
  updatedAt: number;
  turns: Turn[];
}

export const MAX_QUESTION_CODE_POINTS = 8_000;
export const MAX_TURNS = 100;
const MAX_NAME_CODE_POINTS = 80;
/** Messages, questions and answers counted alike: what the service calls turns. */
const MAX_HISTORY_MESSAGES = 10;

export function newConversation(id: string, scope: Scope, now: number, owner: string | null = null): Conversation {
  return { id, name: null, owner, scope, updatedAt: now, turns: [] };
}

export function newTurn(id: string, question: string, about: Partial<Pick<Turn, "alone" | "scope" | "askedAt">> = {}): Turn {
  return {
    id,
    question,
    scope: scopeOf(),
    askedAt: 0,
    alone: false,
    ...about,
    status: "streaming",
    answer: "",
    isReasoning: false,
    citations: [],
    claims: [],
    kind: "passage",
    abstained: false,
    reason: null,
    nearest: [],
    degraded: false,
    degradedReason: null,
    standaloneQuestion: null,
    searchedFor: null,
    generator: "",
    totalMs: null,
    timings: {},
    reach: null,
    requestId: "",
    rating: null,
    problem: null,
  };
}

/** The turn with the whole reply in place of what had streamed in. */
export function completed(turn: Turn, reply: Reply): Turn {
  return {
    ...turn,
    status: "done",
    answer: reply.answer,
    isReasoning: false,
    citations: reply.citations,
    claims: reply.claims,
    kind: reply.kind,
    abstained: reply.abstained,
    reason: reply.reason,
    nearest: reply.nearest,
    degraded: reply.degraded,
    degradedReason: reply.degraded_reason,
    standaloneQuestion: reply.standalone_question,
    searchedFor: reply.searched_for,
    generator: reply.generator,
    totalMs: reply.total_ms,
    timings: reply.timings,
    reach: reply.reach,
    requestId: reply.request_id,
    problem: null,
  };
}

/**
 * Whether the answer is text letter by letter: quotes of documents and the service's own words. Only a model writes
 * Markdown.
 */
export function isVerbatim(turn: Turn): boolean {
  return turn.generator === "extractive" || turn.kind === "meta" || turn.kind === "chat";
}

/** What was really searched for, where that is not the question as it stands; else null. */
export function searchedInstead(turn: Turn): string | null {
  const searched = turn.searchedFor ?? turn.standaloneQuestion;
  return searched === null || searched.trim() === turn.question.trim() ? null : searched;
}

/** What to list a conversation as; empty when it has neither name nor question. */
export function titleOf(conversation: Conversation): string {
  const title = conversation.name ?? conversation.turns[0]?.question ?? "";
  return truncate(title.replace(/\s+/g, " ").trim(), MAX_NAME_CODE_POINTS);
}

/** The conversation under a name; a blank one gives it back to its first question. */
export function renamed(conversation: Conversation, name: string): Conversation {
  const clean = truncate(name.replace(/\s+/g, " ").trim(), MAX_NAME_CODE_POINTS);
  return { ...conversation, name: clean === "" ? null : clean };
}

/** With one more turn, the oldest ones dropped beyond the limit. */
export function withTurn(conversation: Conversation, turn: Turn, now: number): Conversation {
  return { ...conversation, updatedAt: now, turns: [...conversation.turns, turn].slice(-MAX_TURNS) };
}

/** Whether the turn at `index` asks other collections than the one before it. */
export function changesCollection(turns: readonly Turn[], index: number): boolean {
  const [before, turn] = [turns[index - 1], turns[index]];
  return before !== undefined && turn !== undefined && !sameCollections(before.scope, turn.scope);
}

/** Whether a question was put behind earlier ones, so that it may have been meant alone. */
export function leansOnHistory(turn: Turn): boolean {
  const standalone = turn.standaloneQuestion;
  return !turn.alone && standalone !== null && standalone.trim() !== turn.question.trim();
}

/**
 * The messages that come before the turn `turnId`, oldest first: answered turns only, from the last one that was asked
 * alone or of other documents, the last ten messages.
 */
export function historyBefore(conversation: Conversation, turnId: string): HistoryMessage[] {
  const until = conversation.turns.findIndex((turn) => turn.id === turnId);
  if (conversation.turns[until]?.alone) return [];
  const earlier = until < 0 ? conversation.turns : conversation.turns.slice(0, until);
  const scope = conversation.turns[until]?.scope ?? conversation.scope;
  const elsewhere = earlier.findLastIndex((turn) => !sameCollections(turn.scope, scope));
  const before = earlier.slice(Math.max(elsewhere + 1, earlier.findLastIndex((turn) => turn.alone)));
  const messages = before
    .filter((turn) => (turn.status === "done" || turn.status === "stopped") && turn.answer.trim() !== "")
    .flatMap((turn): HistoryMessage[] => [
      { role: "user", content: turn.question },
      { role: "assistant", content: sliceCodePoints(turn.answer, 0, MAX_QUESTION_CODE_POINTS) },
    ]);
  return messages.slice(-MAX_HISTORY_MESSAGES);
}

/**
 * One conversation as two tabs have it, with the turns of both: `mine` goes before `theirs` in all else. Of a turn that
 * both have, the one that was asked again later counts, then the one that streams here, then the one that got further.
 */
export function merged(mine: Conversation, theirs: Conversation): Conversation {
  const turns = new Map(theirs.turns.map((turn) => [turn.id, turn]));
  for (const turn of mine.turns) {
    const other = turns.get(turn.id);
    turns.set(turn.id, other === undefined || goesBefore(turn, other) ? turn : other);
  }
  // Turns without a time are older than all others, and stand in the order of the conversation.
  const order = [...mine.turns, ...theirs.turns].map(({ id }) => id);
  const inOrder = [...turns.values()].sort((a, b) => a.askedAt - b.askedAt || order.indexOf(a.id) - order.indexOf(b.id));
  return { ...mine, updatedAt: Math.max(mine.updatedAt, theirs.updatedAt), turns: inOrder.slice(-MAX_TURNS) };
}

const FURTHER: Record<TurnStatus, number> = { stopped: 0, failed: 1, done: 2, streaming: 3 };

function goesBefore(turn: Turn, other: Turn): boolean {
  if (turn.askedAt !== other.askedAt) return turn.askedAt > other.askedAt;
  if (turn.status !== other.status) return FURTHER[turn.status] > FURTHER[other.status];
  return turn.answer.length >= other.answer.length;
}

/** Newest first; ties by id, so that the order never wavers. */
export function byRecency(a: Conversation, b: Conversation): number {
  return b.updatedAt - a.updatedAt || (a.id < b.id ? -1 : 1);
}

/** Reads a stored conversation; null when it isn't one. Turns that can't be read are left out. */
export function decodeConversation(value: unknown): Conversation | null {
  const from = fields(value);
  const id = textOrNull(from?.id);
  if (!from || id === null) return null;
  const scope = decodeScope(from.scope, from.collection);
  return {
    id,
    name: textOrNull(from.name),
    owner: textOrNull(from.owner),
    scope,
    updatedAt: numberOrNull(from.updatedAt) ?? 0,
    turns: list(from.turns, (turn) => decodeTurn(turn, scope.collections[0])).slice(-MAX_TURNS),
  };
}

/** `collection` is where turns were asked that earlier builds kept. */
function decodeTurn(value: unknown, collection: string | undefined): Turn | null {
  const from = fields(value);
  const id = textOrNull(from?.id);
  if (!from || id === null || typeof from.question !== "string") return null;
  return {
    ...newTurn(id, from.question, {
      alone: from.alone === true,
      scope: decodeScope(from.scope, from.collection ?? collection),
      askedAt: numberOrNull(from.askedAt) ?? 0,
    }),
    status: decodeStatus(from.status),
    answer: text(from.answer),
    isReasoning: false,
    ...decodeEvidence(from.citations, from.claims),
    kind: decodeKind(from.kind),
    abstained: from.abstained === true,
    reason: decodeReason(from.reason),
    nearest: list(from.nearest, decodeNearMiss),
    degraded: from.degraded === true,
    degradedReason: textOrNull(from.degradedReason),
    standaloneQuestion: textOrNull(from.standaloneQuestion),
    searchedFor: textOrNull(from.searchedFor),
    generator: text(from.generator),
    totalMs: numberOrNull(from.totalMs),
    timings: decodeTimings(from.timings),
    reach: decodeReach(fields(from.reach)?.value, fields(from.reach)?.needed),
    requestId: text(from.requestId),
    rating: from.rating === "up" || from.rating === "down" ? from.rating : null,
    problem: from.problem ? decodeProblem(from.problem, 0) : null,
  };
}

/** A turn that was streaming when the page went away has stopped. */
function decodeStatus(value: unknown): TurnStatus {
  return value === "done" || value === "failed" ? value : "stopped";
}
