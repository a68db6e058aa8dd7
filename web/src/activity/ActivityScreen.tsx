// Work in the background, newest first: how far it is, and each file with its reason in words.
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useLanguage, useWords } from "../i18n";
import { useRenewal } from "../library/collections";
import { useApi, useMayWrite } from "../shell/context";
import { visible } from "../text/visible";
import { saveText } from "../ui/download";
import { CheckIcon, CloseIcon, RetryIcon, WarningIcon } from "../ui/Icons";
import { ProblemNotice } from "../ui/ProblemNotice";
import { ReasonDetail } from "../ui/ReasonDetail";
import { problemOf } from "../wire/api";
import type { Problem } from "../wire/decode";
import { failedFiles, isOver, type Job, type JobFile } from "../wire/jobs";
import { useJob, useJobs } from "./jobs";
import "../styles/activity.css";

export function ActivityScreen({ job: unfolded }: { job: string | null }) {
  const words = useWords();
  const { data, error, isPending, refetch } = useJobs();
  const renew = useRenewal();
  return (
    <section className="activity" data-testid="activity" aria-labelledby="activity-title">
      <h2 id="activity-title" className="documents-title">
        {words.screenActivity}
      </h2>
      {isPending && <p className="documents-note">{words.loading}</p>}
      {error && <ProblemNotice problem={problemOf(error)} onRetry={() => void refetch()} />}
      {!isPending && !error && (data?.jobs.length ?? 0) === 0 && <p className="documents-note">{words.noJobs}</p>}
      <ol className="jobs">
        {data?.jobs.map((job) => (
          <li key={job.id}>
            <JobCard job={job} isOpen={job.id === unfolded} onOver={renew} />
          </li>
        ))}
      </ol>
    </section>
  );
}

interface CardProps {
  job: Job;
  isOpen: boolean;
  onOver: () => void;
}

export function JobCard({ job: given, isOpen, onOver }: CardProps) {
  const words = useWords();
  const language = useLanguage();
  const api = useApi();
  const client = useQueryClient();
  const mayWrite = useMayWrite();
  const job = useJob(given, onOver);
  const [refused, setRefused] = useState<Problem | null>(null);
  const failed = failedFiles(job);
  const act = async (call: Promise<void>): Promise<void> => {
    setRefused(null);
    try {
      await call;
      await client.invalidateQueries({ queryKey: ["jobs"] });
    } catch (error) {
      setRefused(problemOf(error));
    }
  };
  return (
    <article className="job" data-testid="job" data-state={job.state}>
      <p className="job-head">
        <JobSign job={job} />
        <strong>{words.jobKind(job.kind)}</strong>
        <span className="path">{visible(job.collection)}</span>
        <span className="job-when">{timeOf(job.created_at, language)}</span>
      </p>
      <JobProgress job={job} />
      <div className="job-acts">
        {mayWrite && !isOver(job) && (
          <button type="button" className="link-button" data-testid="cancel-job" onClick={() => void act(api.cancelJob(job.id))}>
            {words.cancel}
          </button>
        )}
        {mayWrite && (job.state === "failed" || job.state === "cancelled" || failed.length > 0) && isOver(job) && (
          <button type="button" className="link-button" data-testid="retry-job" onClick={() => void act(api.retryJob(job.id))}>
            <RetryIcon />
            {failed.length > 0 ? words.retryFailed(failed.length) : words.retry}
          </button>
        )}
        {job.files.length > 0 && (
          <button type="button" className="link-button" onClick={() => saveText(`${job.id}.tsv`, listOf(job))}>
            {words.saveList}
          </button>
        )}
      </div>
      {refused && <ProblemNotice problem={refused} />}
      <JobFiles job={job} isOpen={isOpen || failed.length > 0} />
    </article>
  );
}

export function JobProgress({ job }: { job: Job }) {
  const words = useWords();
  const running = !isOver(job);
  return (
    <div className="job-progress">
      {running && <progress aria-label={words.jobStage(job.stage)} max={Math.max(1, job.total)} value={job.total > 0 ? job.done : undefined} />}
      <p role="status">
        {running ? words.jobStage(job.stage) : words.jobState(job.state)}
        {job.total > 0 && ` · ${words.doneOf(job.done, job.total)}`}
        {running && job.eta_s !== null && job.eta_s > 0 && ` · ${words.timeLeft(Math.ceil(job.eta_s))}`}
      </p>
    </div>
  );
}

function JobSign({ job: { state } }: { job: Job }) {
  const words = useWords();
  if (state === "running" || state === "queued") return <span className="live-dot" role="img" aria-label={words.working} />;
  if (state === "succeeded") return <CheckIcon />;
  return state === "failed" ? <WarningIcon /> : <CloseIcon />;
}

/** Those that failed come first: there is something to do about them; then those left out, which nobody may expect. */
export function JobFiles({ job, isOpen }: { job: Job; isOpen: boolean }) {
  const words = useWords();
  if (job.files.length === 0) return null;
  const failed = new Set(failedFiles(job));
  const rank = (file: JobFile): number => (failed.has(file) ? 0 : file.state === "skipped" ? 1 : 2);
  const files = [...job.files].sort((a, b) => rank(a) - rank(b));
  return (
    <details className="job-files" open={isOpen}>
      <summary>{words.fileCount(job.files.length)}</summary>
      <ul>
        {files.map((file) => (
          <li key={file.source} data-testid="job-file" data-state={file.state}>
            <FileLine file={file} />
          </li>
        ))}
      </ul>
    </details>
  );
}

function FileLine({ file: { source, state, code, detail } }: { file: JobFile }) {
  const words = useWords();
  return (
    <>
      <span className="path">{visible(source)}</span>
      <span className={code === null ? "badge" : "badge badge-warning"}>{words.fileState(state)}</span>
      {code !== null && (
        <span className="document-reason" title={code}>
          {words.reasonText(code)}
          <ReasonDetail detail={detail} />
        </span>
      )}
    </>
  );
}

function listOf(job: Job): string {
  return job.files.map(({ source, state, code, detail }) => [source, state, code ?? "", detail ?? ""].map((cell) => cell.replace(/[\t\r\n]+/g, " ")).join("\t")).join("\n");
}

function timeOf(time: string | null, language: string): string {
  const at = time === null ? NaN : Date.parse(time);
  return Number.isNaN(at) ? "" : new Date(at).toLocaleString(language, { dateStyle: "medium", timeStyle: "short" });
}
