// Files on their way in: what will happen, then how far each of them is.
import { useEffect, useId, useRef, useState } from "react";
import { JobFiles, JobProgress } from "../activity/ActivityScreen";
import { useJob } from "../activity/jobs";
import { useWords, type Dictionary } from "../i18n";
import { addressOf } from "../shell/address";
import { useSurroundings, useMayWrite } from "../shell/context";
import { visible } from "../text/visible";
import { CloseIcon } from "../ui/Icons";
import { onPlainClick } from "../ui/links";
import { ProblemNotice } from "../ui/ProblemNotice";
import { ReasonDetail } from "../ui/ReasonDetail";
import { problemOf } from "../wire/api";
import type { Problem } from "../wire/decode";
import { failedFiles, isOver, OUTCOMES, type Job, type PlannedFile } from "../wire/jobs";
import { useCollections, useRenewal } from "./collections";
import { arrivals, useArrivals, type NewFile } from "./drop";
import { IngestCommand } from "./EmptyCollection";
import { usePlan } from "./planning";
import { groupsIn, ReadersField } from "./ReadersField";
import "../styles/uploads.css";

interface Props {
  /** Where they go unless another place is named. */
  collection: string;
  folder: string;
}

export function Uploads({ collection, folder }: Props) {
  const { waiting, jobs } = useArrivals();
  return (
    <div className="uploads">
      {waiting && <Plan key={`${collection}/${folder}`} files={waiting} collection={collection} folder={folder} />}
      {jobs.map((job) => (
        <Upload key={job.id} job={job} />
      ))}
    </div>
  );
}

const SHOWN_FILES = 6;

function Plan({ files, collection, folder }: Props & { files: readonly NewFile[] }) {
  const words = useWords();
  const { api, session } = useSurroundings();
  const mayWrite = useMayWrite();
  const { collections } = useCollections();
  const [target, setTarget] = useState(collection);
  const [below, setBelow] = useState(folder);
  const [groups, setGroups] = useState("");
  const [sending, setSending] = useState(false);
  const [refused, setRefused] = useState<Problem | null>(null);
  const close = useRef<HTMLButtonElement>(null);
  const id = useId();
  useEffect(() => close.current?.focus(), []);
  const bytes = files.reduce((sum, { file }) => sum + file.size, 0);
  const cantTake = refused !== null && (refused.status === 404 || refused.status === 405) && refused.code !== "collection_not_found";

  const readers = groupsIn(groups);
  const plan = usePlan(target, below.trim(), readers, files);
  const left = files.filter((file) => !isLeftOut(plan?.get(file)));
  const listed = [...files].sort((a, b) => urgency(plan?.get(a)) - urgency(plan?.get(b)));

  const send = async (): Promise<void> => {
    setSending(true);
    setRefused(null);
    try {
      arrivals.sent(await api.upload(target, left, below.trim(), readers));
    } catch (error) {
      setRefused(problemOf(error));
      setSending(false);
    }
  };
  return (
    <section className="upload notice" data-testid="dropped-files" role="dialog" aria-labelledby={`${id}-title`}>
      <div className="notice-line">
        <h2 className="notice-title" id={`${id}-title`}>
          {words.addTitle(files.length)}
        </h2>
        <button ref={close} type="button" className="icon-button" aria-label={words.close} title={words.close} onClick={arrivals.wave}>
          <CloseIcon />
        </button>
      </div>
      <ul className="upload-files">
        {listed.slice(0, SHOWN_FILES).map((one) => (
          <li key={one.path} data-testid="planned-file" data-outcome={plan?.get(one)?.outcome}>
            <span className="path">{visible(one.path)}</span>
            <Outcome planned={plan?.get(one)} />
            <span className="count">{sizeText(one.file.size, words)}</span>
            <button type="button" className="icon-button icon-button-small" aria-label={words.leaveOut(visible(one.path))} onClick={() => arrivals.without(one)}>
              <CloseIcon />
            </button>
          </li>
        ))}
        {files.length > SHOWN_FILES && <li className="count">{words.andMore(files.length - SHOWN_FILES)}</li>}
      </ul>
      {!mayWrite ? (
        <p>{words.mayNotAdd}</p>
      ) : cantTake ? (
        <>
          <p>{words.cantTakeFiles}</p>
          <IngestCommand collection={target} />
        </>
      ) : (
        <>
          <div className="upload-place">
            <label className="field">
              <span>{words.collection}</span>
              <select value={target} onChange={(event) => setTarget(event.target.value)}>
                {!collections?.some(({ name }) => name === target) && <option value={target}>{target}</option>}
                {collections?.map(({ name }) => (
                  <option key={name} value={name}>
                    {name}
                  </option>
                ))}
              </select>
            </label>
            <label className="field">
              <span>{words.folder}</span>
              <input type="text" value={below} placeholder={words.noFolder} autoComplete="off" onChange={(event) => setBelow(event.target.value)} />
            </label>
            {session?.auth !== "off" && <ReadersField value={groups} onValue={setGroups} />}
          </div>
          {refused && <ProblemNotice problem={refused} />}
          <div className="popup-foot">
            <span className="count" role="status">
              {plan ? planText([...plan.values()], words) : sizeText(bytes, words)}
            </span>
            <button type="button" className="button button-primary" data-testid="send-files" disabled={sending || left.length === 0} onClick={() => void send()}>
              {sending ? words.sendingFiles : words.takeIn}
            </button>
          </div>
        </>
      )}
    </section>
  );
}

/** What the service has already, or does not take, need not be sent. */
function isLeftOut(planned: PlannedFile | undefined): boolean {
  return planned?.outcome === "refused" || planned?.outcome === "unchanged";
}

/** What may surprise comes first. */
const URGENCY: Record<PlannedFile["outcome"], number> = { refused: 0, duplicate: 1, changed: 2, unchanged: 3, new: 4 };

function urgency(planned: PlannedFile | undefined): number {
  return planned ? URGENCY[planned.outcome] : 4;
}

function Outcome({ planned }: { planned: PlannedFile | undefined }) {
  const words = useWords();
  if (!planned) return null;
  const { outcome, code, detail, duplicate_of: other } = planned;
  return (
    <>
      <span className={outcome === "refused" ? "badge badge-warning" : "badge"}>{words.outcomeName(outcome)}</span>
      {code !== null && <span className="upload-reason">{words.reasonText(code)}</span>}
      <ReasonDetail detail={detail} />
      {other !== null && <span className="upload-reason">{words.sameBytes(visible(other))}</span>}
    </>
  );
}

/** "3 new · 1 refused". */
function planText(planned: readonly PlannedFile[], words: Dictionary): string {
  return OUTCOMES.map((outcome) => [outcome, planned.filter((one) => one.outcome === outcome).length] as const)
    .filter(([, count]) => count > 0)
    .map(([outcome, count]) => words.outcomeCount(outcome, count))
    .join(" · ");
}

function Upload({ job: given }: { job: Job }) {
  const words = useWords();
  const { go, api } = useSurroundings();
  const renew = useRenewal();
  const [refused, setRefused] = useState<Problem | null>(null);
  const job = useJob(given, (over) => {
    renew();
    tell(over, words);
  });
  const failed = failedFiles(job).length;
  const address = addressOf.activity(job.id);
  return (
    <section className="upload notice" data-testid="upload" data-state={job.state} aria-label={words.addTitle(job.files.length)}>
      <div className="notice-line">
        <p className="notice-title">{isOver(job) ? summary(job, words) : words.takingIn(job.files.length)}</p>
        <button type="button" className="icon-button" aria-label={words.close} title={words.close} onClick={() => arrivals.forget(given)}>
          <CloseIcon />
        </button>
      </div>
      <JobProgress job={job} />
      <JobFiles job={job} isOpen={failed > 0 || job.files.length <= SHOWN_FILES} />
      {refused && <ProblemNotice problem={refused} />}
      <div className="job-acts">
        {isOver(job) && failed > 0 && (
          <button
            type="button"
            className="link-button"
            onClick={() => {
              api.retryJob(job.id).then(
                () => go(address),
                (error: unknown) => setRefused(problemOf(error)),
              );
            }}
          >
            {words.retryFailed(failed)}
          </button>
        )}
        <NotifyMe isOver={isOver(job)} />
        <a href={addressOf.documents(job.collection)} className="link-button" data-testid="to-library" onClick={(event) => onPlainClick(event, () => go(addressOf.documents(job.collection)))}>
          {words.showInLibrary}
        </a>
        <a href={address} className="link-button" onClick={(event) => onPlainClick(event, () => go(address))}>
          {words.screenActivity}
        </a>
      </div>
    </section>
  );
}

/** Asks for leave to tell by the system, where nobody has said yes or no. */
function NotifyMe({ isOver: over }: { isOver: boolean }) {
  const words = useWords();
  const [asked, setAsked] = useState(!("Notification" in window) || Notification.permission !== "default");
  if (over || asked) return null;
  return (
    <button type="button" className="link-button" onClick={() => void Notification.requestPermission().finally(() => setAsked(true))}>
      {words.notifyMe}
    </button>
  );
}

function summary(job: Job, words: Dictionary): string {
  const failed = failedFiles(job).length;
  if (job.state === "cancelled") return words.jobState(job.state);
  const count = (wanted: string): number => job.files.filter(({ state }) => state === wanted).length;
  return words.tookIn(count("succeeded"), count("skipped"), failed);
}

/** Says that it is done to who looks elsewhere: in the tab's title, and by the system if they allowed it. */
function tell(job: Job, words: Dictionary): void {
  const text = summary(job, words);
  if (document.visibilityState === "visible") return;
  if ("Notification" in window && Notification.permission === "granted") new Notification("pgask", { body: text });
  const title = document.title;
  document.title = `✓ ${text}`;
  document.addEventListener("visibilitychange", () => (document.title = title), { once: true });
}

function sizeText(bytes: number, words: Dictionary): string {
  if (bytes < 1_000) return words.bytes(String(bytes));
  const [value, unit] = bytes < 1_000_000 ? [bytes / 1_000, "kB"] : bytes < 1_000_000_000 ? [bytes / 1_000_000, "MB"] : [bytes / 1_000_000_000, "GB"];
  return `${value.toFixed(value < 10 ? 1 : 0)} ${unit}`;
}
