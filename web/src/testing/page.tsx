// The whole page against a service of the test's making, and what tests do with it.
import { act, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { createAccess } from "../wire/access";
import { createApi } from "../wire/api";
import { App } from "../App";
import { createAsker } from "../ask/asking";
import { askSettings } from "../ask/settings";
import { loadPreferences } from "../ask/storage";
import { createStore } from "../ask/store";
import { citationOf, createService, documentOf, type OpenAnswer, type Script } from "./service";

export const TEXT = `${"😀 前文 𠮷。".repeat(600)}Use rows / 1000 lists.${" Later text.".repeat(600)}`;
export const CITATION = citationOf(TEXT, "Use rows / 1000 lists.");

export function open(script: Script = {}) {
  const answers: OpenAnswer[] = [];
  const { fetch, requests } = createService({
    collections: [
      { name: "default", description: "", documents: 12, chunks: 80 },
      { name: "handbook", description: "Rules for all", documents: 1, chunks: 3 },
    ],
    documents: [documentOf(TEXT)],
    texts: { "doc-1": TEXT },
    ...script,
    onAsk: (answer) => {
      answers.push(answer);
      return script.onAsk?.(answer);
    },
  });
  const api = createApi("http://service.test/", fetch);
  const access = createAccess(api);
  void access.check();
  const store = createStore(localStorage);
  const asker = createAsker(api, store, () => askSettings(loadPreferences(localStorage).settings));
  const view = render(<App api={api} access={access} store={store} asker={asker} storage={localStorage} />);
  return { ...view, store, asker, answers, requests, user: userEvent.setup() };
}

export async function ask(user: ReturnType<typeof userEvent.setup>, question: string): Promise<void> {
  await user.type(screen.getByTestId("question-input"), `${question}{Enter}`);
}

/** Ten turns of the event loop: on a busy machine a single wait may be over before the next stream read and frame. */
export const settle = (): Promise<void> =>
  act(async () => {
    for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setTimeout(resolve, 4));
  });

export async function send(answer: OpenAnswer | undefined, ...events: [event: string, data: unknown][]): Promise<void> {
  if (!answer) throw new Error("nothing was asked");
  for (const [event, data] of events) answer.send(event, data);
  await settle();
}
