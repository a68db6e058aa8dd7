// Documents are made anew of the files that are kept of them, and followed as uploads are.
import { useWords } from "../i18n";
import { useApi } from "../shell/context";
import { toaster } from "../ui/toasts";
import { problemOf } from "../wire/api";
import { arrivals } from "./drop";

/** What the service takes at once. */
const AT_ONCE = 100;

export function useReingesting(): (ids: readonly string[]) => Promise<void> {
  const words = useWords();
  const api = useApi();
  return async (ids) => {
    const tell = (text: string): void => toaster.show({ text, ms: 8_000 });
    try {
      let without = 0;
      for (let at = 0; at < ids.length; at += AT_ONCE) {
        const { jobs, withoutOriginal } = await api.reingest(ids.slice(at, at + AT_ONCE));
        for (const job of jobs) arrivals.sent(job);
        without += withoutOriginal;
      }
      if (without > 0) tell(words.withoutOriginal(without));
    } catch (error) {
      const { status, title, detail } = problemOf(error);
      tell(status === 404 ? words.withoutOriginal(ids.length) : `${title} ${detail}`.trim() || words.notSent);
    }
  };
}
