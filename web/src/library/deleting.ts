// Documents that are on their way out: hidden at once, deleted once the time to take it back is over.
import type { Api } from "../wire/api";
import { problemOf } from "../wire/api";
import type { DocumentSummary, Problem } from "../wire/decode";

export const UNDO_MS = 10_000;

let going: ReadonlyMap<string, DocumentSummary> = new Map();
const listeners = new Set<() => void>();

function set(next: ReadonlyMap<string, DocumentSummary>): void {
  going = next;
  for (const listener of listeners) listener();
}

export const deletions = {
  getState: (): ReadonlyMap<string, DocumentSummary> => going,
  subscribe(listener: () => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
  begin(documents: readonly DocumentSummary[]): void {
    set(new Map([...going, ...documents.map((one) => [one.id, one] as const)]));
  },
  takeBack(documents: readonly DocumentSummary[]): void {
    const back = new Set(documents.map(({ id }) => id));
    set(new Map([...going].filter(([id]) => !back.has(id))));
  },
  /** Deletes them for good; resolves with those that could not be, and why, which are shown again. */
  async finish(api: Api, documents: readonly DocumentSummary[]): Promise<{ document: DocumentSummary; problem: Problem }[]> {
    const left = documents.filter(({ id }) => going.has(id));
    const failed: { document: DocumentSummary; problem: Problem }[] = [];
    for (const document of left) {
      try {
        await api.deleteDocument(document.id);
      } catch (error) {
        const problem = problemOf(error);
        if (problem.status !== 404) failed.push({ document, problem }); // gone already
      }
    }
    return failed;
  },
};
