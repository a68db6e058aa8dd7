// Work in the background: what a job is, and its decoder, which never throws.
import { fields, list, numberOrNull, text, textOrNull } from "./decode";

export const JOB_STATES = ["queued", "running", "succeeded", "failed", "cancelled"] as const;
export type JobState = (typeof JOB_STATES)[number];

export interface JobFile {
  source: string;
  state: string;
  /** Why it was not taken in; null where it was, or isn't yet. */
  code: string | null;
  detail: string | null;
  document_id: string | null;
}

export interface Job {
  id: string;
  kind: string;
  collection: string;
  state: JobState;
  stage: string;
  done: number;
  total: number;
  files: JobFile[];
  created_at: string | null;
  finished_at: string | null;
  eta_s: number | null;
}

export const OUTCOMES = ["new", "changed", "unchanged", "duplicate", "refused"] as const;

/** What becomes of a file that is to come. `code` says why it is refused, `detail` with the figures of a limit. */
export interface PlannedFile {
  outcome: (typeof OUTCOMES)[number];
  code: string | null;
  duplicate_of: string | null;
  detail: string | null;
}

export interface JobPage {
  jobs: Job[];
  next_cursor: string | null;
}

export function decodeJob(value: unknown): Job | null {
  const from = fields(value);
  const id = textOrNull(from?.id);
  if (!from || id === null) return null;
  return {
    id,
    kind: text(from.kind),
    collection: text(from.collection),
    state: JOB_STATES.find((state) => state === from.state) ?? "queued",
    stage: text(from.stage),
    done: numberOrNull(from.done) ?? 0,
    total: numberOrNull(from.total) ?? 0,
    files: list(from.files, decodeFile),
    created_at: textOrNull(from.created_at),
    finished_at: textOrNull(from.finished_at),
    eta_s: numberOrNull(from.eta_s),
  };
}

function decodeFile(value: unknown): JobFile | null {
  const from = fields(value);
  const source = textOrNull(from?.source);
  if (!from || source === null) return null;
  return { source, state: text(from.state), code: textOrNull(from.code), detail: textOrNull(from.detail), document_id: textOrNull(from.document_id) };
}

export function decodePlanned(value: unknown): PlannedFile | null {
  const from = fields(value);
  const outcome = OUTCOMES.find((one) => one === from?.outcome);
  return outcome === undefined ? null : { outcome, code: textOrNull(from?.code), duplicate_of: textOrNull(from?.duplicate_of), detail: textOrNull(from?.detail) };
}

export function isOver({ state }: Job): boolean {
  return state === "succeeded" || state === "failed" || state === "cancelled";
}

/** The files that were not taken in. */
export function failedFiles({ files }: Job): JobFile[] {
  return files.filter(({ state, code }) => state === "failed" || (code !== null && state !== "skipped"));
}
