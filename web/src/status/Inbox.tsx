// Answers that readers found bad, for those who run the service: what was asked and said, what is wrong, and the case
// for the evaluation that a rating makes.
import { useQuery } from "@tanstack/react-query";
import { useLanguage, useWords } from "../i18n";
import { addressOf } from "../shell/address";
import { useApi, useSurroundings } from "../shell/context";
import { languageOf } from "../text/script";
import { visible } from "../text/visible";
import { CopyButton } from "../ui/CopyButton";
import { onPlainClick } from "../ui/links";
import type { RatedAnswer } from "../wire/feedback";

export function Inbox() {
  const words = useWords();
  const api = useApi();
  // Where no feedback is kept, or somebody else may read it, there is none.
  const { data } = useQuery({ queryKey: ["inbox"], queryFn: ({ signal }) => api.rated("down", signal).catch(() => []), staleTime: 30_000 });
  if (!data || data.length === 0) return null;
  return (
    <section className="inbox" data-testid="inbox" aria-labelledby="inbox-title">
      <h3 id="inbox-title" className="documents-title">
        {words.inbox}
      </h3>
      <ul className="jobs">
        {data.map((rated) => (
          <Rated key={rated.id} rated={rated} />
        ))}
      </ul>
    </section>
  );
}

function Rated({ rated: { at, actor, reason, comment, question, answer, citations, evaluationCase } }: { rated: RatedAnswer }) {
  const words = useWords();
  const language = useLanguage();
  const { go } = useSurroundings();
  const when = at === null ? "" : new Date(at).toLocaleString(language, { dateStyle: "medium", timeStyle: "short" });
  return (
    <li className="job" data-testid="rated">
      <p className="job-head">
        <strong lang={languageOf(question)}>{visible(question)}</strong>
        <span className="job-when">{[visible(actor), when].filter(Boolean).join(" · ")}</span>
      </p>
      <p>
        {reason !== null && <span className="badge badge-warning">{words.feedbackReason(reason)}</span>} <span lang={languageOf(comment)}>{visible(comment)}</span>
      </p>
      <details>
        <summary>{words.whatWasAnswered}</summary>
        <p className="rated-answer" lang={languageOf(answer)}>
          {visible(answer)}
        </p>
        <ul>
          {citations.map((citation, index) => {
            const address = addressOf.passage(citation);
            return (
              <li key={index}>
                <a href={address} onClick={(event) => onPlainClick(event, () => go(address))}>
                  <bdi className="path">{visible(citation.source)}</bdi>
                </a>
              </li>
            );
          })}
        </ul>
      </details>
      <p className="job-acts">
        {evaluationCase === null ? <span className="job-detail">{words.noCase}</span> : <CopyButton testId="copy-case" label={words.copyCase} text={() => JSON.stringify(evaluationCase)} />}
      </p>
    </li>
  );
}
