// What one can begin with in a collection: questions that stand in its newest documents as headings, and those documents.
import { useQuery } from "@tanstack/react-query";
import { useApi } from "../shell/context";
import type { Api } from "../wire/api";
import type { DocumentSummary } from "../wire/decode";
import type { Language } from "../i18n";
import { questionsOf } from "../reader/outline";
import { languageOf } from "../text/script";

export interface Starters {
  questions: readonly string[];
  documents: readonly DocumentSummary[];
}

const NONE: Starters = { questions: [], documents: [] };
/** The newest are looked for among so many, and the headings of so many are looked through. */
const LISTED = 20;
const LOOKED_THROUGH = 6;
const SHOWN = 3;

/** Questions in the reader's language first, no two of one document before each has given one. */
export async function findStarters(api: Api, collection: string, language: Language, signal: AbortSignal): Promise<Starters> {
  const { documents } = await api.documents(collection, LISTED, null, signal, { status: "ready", sort: "-updated_at" });
  const ready = documents
    .filter(({ status }) => status === "ready")
    .sort((a, b) => (b.updated_at ?? "").localeCompare(a.updated_at ?? "") || a.source.localeCompare(b.source));
  const spoken = (text: string): boolean => languageOf(text) === language;
  const newest = ready.toSorted((a, b) => Number(b.language === language) - Number(a.language === language));
  const details = await Promise.allSettled(newest.slice(0, LOOKED_THROUGH).map(({ id }) => api.document(id, signal)));
  const found = details.map((one) => (one.status === "fulfilled" ? questionsOf(one.value) : []));
  const byTurns = Array.from({ length: SHOWN }, (_, turn) => found.flatMap((questions) => questions[turn] ?? [])).flat();
  const questions = [...new Set([...byTurns.filter(spoken), ...byTurns])].slice(0, SHOWN);
  return { questions, documents: ready.slice(0, SHOWN) };
}

/** Empty until they are here, and where they can't be had. */
export function useStarters(collection: string, language: Language, wanted: boolean): Starters {
  const api = useApi();
  const { data } = useQuery({
    queryKey: ["starters", collection, language],
    queryFn: ({ signal }) => findStarters(api, collection, language, signal),
    enabled: wanted,
    staleTime: 300_000,
  });
  return data ?? NONE;
}
