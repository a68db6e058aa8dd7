// How the service is: a light and a sentence for each of its parts. What operators should know stands here, not over answers.
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useLanguage, useWords, type Dictionary } from "../i18n";
import { useApi } from "../shell/context";
import { visible } from "../text/visible";
import { ProblemNotice } from "../ui/ProblemNotice";
import { problemOf } from "../wire/api";
import type { Check } from "../wire/decode";
import type { IndexState, ServiceState } from "../wire/status";
import { Inbox } from "./Inbox";
import "../styles/activity.css";

const LOOK_AGAIN_MS = 15_000;
/** Less room than this share of the disk is scarce. */
const SCARCE = 0.1;

type Light = "good" | "warning" | "bad" | "off";

export function StatusScreen() {
  const words = useWords();
  const api = useApi();
  const state = useQuery({ queryKey: ["status"], queryFn: ({ signal }) => api.state(signal), refetchInterval: LOOK_AGAIN_MS });
  const readiness = useQuery({ queryKey: ["readiness"], queryFn: ({ signal }) => api.readiness(signal), refetchInterval: LOOK_AGAIN_MS, enabled: state.isError || state.data === null });
  const checks = readiness.data?.checks;
  return (
    <section className="status" data-testid="status" aria-labelledby="status-title" tabIndex={0}>
      <h2 id="status-title" className="documents-title">
        {words.screenStatus}
      </h2>
      {(state.isPending || (readiness.isLoading && !state.data)) && <p className="documents-note">{words.loading}</p>}
      {readiness.error && <ProblemNotice problem={problemOf(readiness.error)} onRetry={() => void readiness.refetch()} />}
      <ul className="lights">
        {state.data ? <Parts state={state.data} /> : checks?.map((check) => <CheckLine key={check.name} check={check} />)}
      </ul>
      {!state.data && checks && <p className="documents-note">{words.statusForAdmins}</p>}
      {state.data && <Inbox />}
      {state.data && <p className="documents-note">pgask {state.data.version}</p>}
    </section>
  );
}

function Parts({ state: { database, encoder, indexes, second_space: second, llm, replicas, disk } }: { state: ServiceState }) {
  const words = useWords();
  const language = useLanguage();
  const free = disk && disk.total_bytes > 0 ? disk.free_bytes / disk.total_bytes : null;
  return (
    <>
      <Line light={database.ok ? "good" : "bad"} name={words.partDatabase}>
        {database.ok ? words.databaseGood(database.server ?? "", database.pgvector ?? "", database.size_bytes === null ? "" : bytes(database.size_bytes, language)) : database.detail}
      </Line>
      {indexes === null ? (
        <Line light="off" name={words.partIndex}>
          {words.indexUnknown}
        </Line>
      ) : (
        indexes.map((index) => (
          <Line key={index.model} light={lightOf(index)} name={words.partIndex}>
            {indexText(index, words, language)}
          </Line>
        ))
      )}
      <Line light={!encoder.ok ? "bad" : encoder.unreadable_documents > 0 ? "warning" : "good"} name={words.partEncoder}>
        {encoder.ok ? words.encoderGood(visible(encoder.model)) : encoder.detail}
        {encoder.unreadable_documents > 0 && <span data-testid="unreadable-documents"> {words.encoderUnreadable(encoder.unreadable_documents, encoder.documents)}</span>}
      </Line>
      {second && (
        <Line light="off" name={words.partSecond}>
          {words.secondText(visible(second.model), second.filled, second.documents)}
        </Line>
      )}
      <Line light={llm === null ? "off" : !llm.ok ? "bad" : llm.servers.some(({ ok }) => !ok) ? "warning" : "good"} name={words.partLlm}>
        {llm === null ? words.llmNone : llm.ok ? words.llmGood(visible(llm.model), llm.waiting) : words.llmBad(llm.detail)}
        {llm?.ok && llm.servers.some(({ ok }) => !ok) && <span> {llm.detail}</span>}
      </Line>
      {replicas?.map((one) => (
        <Line key={one.name} light={one.state === "ready" ? "good" : "warning"} name={words.partReplica}>
          {words.replicaText(visible(one.name), one.state, one.lag_s)}
        </Line>
      ))}
      {disk && (
        <Line light={free !== null && free < SCARCE ? "warning" : "good"} name={words.partDisk}>
          {words.diskText(bytes(disk.free_bytes, language), bytes(disk.total_bytes, language))}
        </Line>
      )}
    </>
  );
}

function CheckLine({ check: { name, ok, detail } }: { check: Check }) {
  const words = useWords();
  return (
    <Line light={ok ? "good" : "bad"} name={words.partName(name)}>
      {detail}
    </Line>
  );
}

function Line({ light, name, children }: { light: Light; name: string; children: ReactNode }) {
  const words = useWords();
  return (
    <li className="light-line" data-testid="light" data-light={light}>
      <span className={`light light-${light}`} role="img" aria-label={words.lightName(light)} />
      <strong>{name}</strong>
      <p>{children}</p>
    </li>
  );
}

function lightOf({ fault, recall, recall_high: high, target_recall: target }: IndexState): Light {
  if (fault !== null) return "bad";
  if (recall !== null && target !== null && (high ?? recall) < target) return "warning";
  return "good";
}

function indexText(index: IndexState, words: Dictionary, language: string): string {
  const rows = index.rows.toLocaleString(language);
  if (index.fault !== null) return words.indexFault(index.fault, rows);
  if (index.method === null) return words.indexNone(rows);
  const measured =
    index.recall === null
      ? words.indexUnmeasured
      : words.indexMeasured(
          index.recall.toFixed(3),
          index.recall_low !== null && index.recall_high !== null ? `${index.recall_low.toFixed(3)}–${index.recall_high.toFixed(3)}` : "",
          (index.target_recall ?? 0).toFixed(2),
          index.p50_ms?.toFixed(1) ?? "–",
          index.p95_ms?.toFixed(1) ?? "–",
        );
  return `${words.indexThere(index.method, rows, index.built_at === null ? "–" : new Date(index.built_at).toLocaleString(language, { dateStyle: "medium", timeStyle: "short" }))} ${measured}`;
}

function bytes(value: number, language: string): string {
  const [amount, unit] = value >= 1e9 ? [value / 1e9, "GB"] : value >= 1e6 ? [value / 1e6, "MB"] : [value / 1e3, "kB"];
  return `${amount.toLocaleString(language, { maximumFractionDigits: amount < 10 ? 1 : 0 })} ${unit}`;
}
