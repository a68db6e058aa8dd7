// What went wrong, for the reader first and for a report second, with a way to try again.
import { useWords } from "../i18n";
import { problemText } from "../wire/problems";
import { languageOf } from "../text/script";
import type { Problem } from "../wire/decode";
import { RetryIcon, WarningIcon } from "./Icons";

export function ProblemNotice({ problem, onRetry }: { problem: Problem; onRetry?: () => void }) {
  const words = useWords();
  const { title, detail, advice } = problemText(problem, words);
  return (
    <section className="notice notice-error" data-testid="error" aria-label={title}>
      <p className="notice-title" lang={languageOf(title)}>
        <WarningIcon />
        {title}
      </p>
      {detail !== "" && <p lang={languageOf(detail)}>{detail}</p>}
      {advice !== "" && <p>{advice}</p>}
      <div className="notice-foot">
        {onRetry && (
          <button type="button" className="button" data-testid="retry" onClick={onRetry}>
            <RetryIcon />
            {words.retry}
          </button>
        )}
        <dl className="problem-facts">
          <Fact name={words.errorCode} value={problem.code} />
          {problem.status > 0 && <Fact name={words.errorStatus} value={String(problem.status)} />}
          {problem.request_id !== "" && <Fact name={words.errorRequest} value={problem.request_id} />}
        </dl>
      </div>
    </section>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
