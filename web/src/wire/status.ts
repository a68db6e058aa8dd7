// The state of the service's parts, as GET /status tells it to who runs it: types and decoder.
import { fields, list, numberOrNull, text, textOrNull, type Fields } from "./decode";
import type { ModelServerState, StatusReply } from "./wire";

export type IndexState = NonNullable<StatusReply["indexes"]>[number];
export type ReplicaState = NonNullable<StatusReply["replicas"]>[number];

const REPLICA_STATES: ReplicaState["state"][] = ["ready", "behind", "lost", "no_replica"];

/** Null: the indexes were not looked at yet; there is no second model; no language model is configured; questions are read from the primary; the disk is another machine's. */
export type ServiceState = StatusReply;

export function decodeState(value: unknown): ServiceState | null {
  const from = fields(value);
  const database = fields(from?.database);
  const encoder = fields(from?.encoder);
  if (!from || !database || !encoder) return null;
  const llm = fields(from.llm);
  const disk = fields(from.disk);
  const second = fields(from.second_space);
  return {
    version: text(from.version),
    database: { ...checkOf(database), server: textOrNull(database.server), pgvector: textOrNull(database.pgvector), size_bytes: numberOrNull(database.size_bytes) },
    encoder: {
      ...checkOf(encoder),
      model: text(encoder.model),
      unreadable_documents: numberOrNull(encoder.unreadable_documents) ?? 0,
      documents: numberOrNull(encoder.documents) ?? 0,
    },
    indexes: Array.isArray(from.indexes) ? list(from.indexes, decodeIndex) : null,
    second_space: second && { model: text(second.model), documents: numberOrNull(second.documents) ?? 0, filled: numberOrNull(second.filled) ?? 0 },
    llm: llm && { ...checkOf(llm), model: text(llm.model), waiting: numberOrNull(llm.waiting) ?? 0, servers: list(llm.servers, decodeServer) },
    replicas: Array.isArray(from.replicas) ? list(from.replicas, decodeReplica) : null,
    disk: disk && { free_bytes: numberOrNull(disk.free_bytes) ?? 0, total_bytes: numberOrNull(disk.total_bytes) ?? 0 },
  };
}

function checkOf(from: Fields): { ok: boolean; detail: string } {
  return { ok: from.ok === true, detail: text(from.detail) };
}

function decodeReplica(value: unknown): ReplicaState | null {
  const from = fields(value);
  if (!from) return null;
  return { name: text(from.name), state: REPLICA_STATES.find((one) => one === from.state) ?? "lost", lag_s: numberOrNull(from.lag_s) };
}

function decodeServer(value: unknown): ModelServerState | null {
  const from = fields(value);
  return from && { ...checkOf(from), address: text(from.address), model: text(from.model), waiting: numberOrNull(from.waiting) ?? 0 };
}

function decodeIndex(value: unknown): IndexState | null {
  const from = fields(value);
  if (!from) return null;
  const number = (name: keyof IndexState): number | null => numberOrNull(from[name]);
  return {
    model: text(from.model),
    rows: number("rows") ?? 0,
    method: textOrNull(from.method),
    recall: number("recall"),
    recall_low: number("recall_low"),
    recall_high: number("recall_high"),
    target_recall: number("target_recall"),
    p50_ms: number("p50_ms"),
    p95_ms: number("p95_ms"),
    built_at: textOrNull(from.built_at),
    fault: textOrNull(from.fault),
  };
}
