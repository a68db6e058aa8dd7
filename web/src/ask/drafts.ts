// What is written and not yet sent, by conversation. It is kept in the tab, over a reload too.
import { useCallback, useEffect, useState } from "react";
import { fields, text } from "../wire/decode";

const KEY = "pgask.v1.drafts";

function load(): Record<string, string> {
  try {
    const kept = fields(JSON.parse(sessionStorage.getItem(KEY) ?? "{}")) ?? {};
    return Object.fromEntries(Object.entries(kept).map(([id, draft]) => [id, text(draft)]));
  } catch {
    return {}; // off, or nonsense
  }
}

function save(drafts: Readonly<Record<string, string>>): void {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(drafts));
  } catch {
    // It still stands in its box.
  }
}

export function useDrafts(id: string): { draft: string; setDraft: (draft: string, of?: string) => void; forget: () => void } {
  const [drafts, setDrafts] = useState(load);
  useEffect(() => save(drafts), [drafts]);
  const setDraft = useCallback(
    (draft: string, of = id) => setDrafts(({ [of]: _, ...others }) => (draft === "" ? others : { ...others, [of]: draft })),
    [id],
  );
  const forget = useCallback(() => setDrafts({}), []);
  return { draft: drafts[id] ?? "", setDraft, forget };
}
