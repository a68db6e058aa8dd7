// The jobs of the service: the list, and each running one followed as it goes.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { useApi, useMayWrite } from "../shell/context";
import { isAbort, ProblemError, type Api } from "../wire/api";
import { isOver, type Job, type JobPage } from "../wire/jobs";

const JOBS = ["jobs"] as const;
const LOOK_AGAIN_MS = 5_000;
const FOLLOW_AGAIN_MS = 1_000;

/** The newest jobs; asked for again while one of them runs. Null where the service knows of none. */
export function useJobs() {
  const api = useApi();
  return useQuery({
    queryKey: JOBS,
    queryFn: ({ signal }) => knownJobs(api, signal),
    refetchInterval: ({ state }) => (state.data?.jobs.some((job) => !isOver(job)) ? LOOK_AGAIN_MS : false),
  });
}

/** Null where the service is an older one, which has no jobs. */
async function knownJobs(api: Api, signal: AbortSignal): Promise<JobPage | null> {
  try {
    return await api.jobs({}, signal);
  } catch (error) {
    if (error instanceof ProblemError && error.problem.status === 404) return null;
    throw error;
  }
}

/** Whether work goes on in the background, as far as is known: nothing is asked for it. */
export function useRunningJobs(): boolean {
  const api = useApi();
  const mayWrite = useMayWrite();
  const { data } = useQuery({ queryKey: JOBS, queryFn: ({ signal }) => knownJobs(api, signal), enabled: false });
  return mayWrite && (data?.jobs.some((job) => !isOver(job)) ?? false);
}

/** A job as it goes, from `job` on. */
export function useJob(job: Job, onOver?: (job: Job) => void): Job {
  const api = useApi();
  const client = useQueryClient();
  const [now, setNow] = useState(job);
  const { id } = job;
  const over = isOver(job);
  const told = useRef(onOver);
  useEffect(() => {
    told.current = onOver;
  });
  useEffect(() => {
    setNow((before) => (before.id === job.id && isOver(before) && !isOver(job) ? before : job));
  }, [job]);
  useEffect(() => {
    if (over) return;
    const abort = new AbortController();
    void follow(api, id, abort.signal, (next) => {
      setNow(next);
      if (!isOver(next)) return;
      void client.invalidateQueries({ queryKey: JOBS });
      told.current?.(next);
    });
    return () => abort.abort();
  }, [api, client, id, over]);
  return now;
}

/** Tells of each change until the job is over; where the events break off they are asked for again. */
async function follow(api: Api, id: string, signal: AbortSignal, onJob: (job: Job) => void): Promise<void> {
  let last: Job | null = null;
  const tell = (job: Job): void => {
    if (last && isOver(last)) return;
    last = job;
    onJob(job);
  };
  while (!signal.aborted && !(last && isOver(last))) {
    try {
      await api.watchJob(id, tell, signal);
      if (!(last && isOver(last))) tell(await api.job(id, signal));
    } catch (error) {
      if (isAbort(error)) return;
      if (error instanceof ProblemError && error.problem.status === 404) return;
    }
    if (!(last && isOver(last))) await new Promise((resolve) => setTimeout(resolve, FOLLOW_AGAIN_MS));
  }
}
