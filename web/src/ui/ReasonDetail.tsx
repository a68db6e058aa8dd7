// What the service says of one file beside its reason: in the reader's language where the page has words for it, else
// folded, in the service's own.
import { useLanguage, useWords } from "../i18n";
import { detailIn } from "../i18n/limits";
import { languageOf } from "../text/script";
import { visible } from "../text/visible";

export function ReasonDetail({ detail }: { detail: string | null }) {
  const words = useWords();
  const language = useLanguage();
  if (detail === null || detail === "") return null;
  const told = detailIn(language, detail);
  if (told !== "") return <span className="job-detail"> {visible(told)}</span>;
  return (
    <details className="job-detail">
      <summary>{words.failureDetail}</summary>
      <span lang={languageOf(detail)}>{visible(detail)}</span>
    </details>
  );
}
