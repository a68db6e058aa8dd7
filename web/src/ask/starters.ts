// What one can begin with in a collection: questions that stand in its newest documents as headings, and those documents.
import { useEffect, useState } from "react";
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
const LISTED = 100;
const LOOKED_THROUGH = 6;
const SHOWN = 3;

/** Questions in the reader's language first, no two of one document before each has given one. */
export async function findStarters(api: Api, collection: string, language: Language, signal: AbortSignal): Promise<Starters> {
  const { documents } = await api.documents(collection, LISTED, null, signal);
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
export function useStarters(api: Api, collection: string, language: Language, wanted: boolean): Starters {
  const [starters, setStarters] = useState(NONE);
  useEffect(() => {
    setStarters(NONE);
    if (!wanted) return;
    const abort = new AbortController();
    findStarters(api, collection, language, abort.signal).then(
      (found) => {
        if (!abort.signal.aborted) setStarters(found);
      },
      () => undefined, // the list of collections and the question itself say what is wrong
    );
    return () => abort.abort();
  }, [api, collection, language, wanted]);
  return starters;
}
