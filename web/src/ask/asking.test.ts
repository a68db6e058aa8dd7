// @vitest-environment jsdom
import { describe, expect, it, vi } from "vitest";
import { createApi } from "../wire/api";
import { createAsker, type Schedule } from "./asking";
import { createStore } from "./store";
import { createService, problemResponse, replyOf, type OpenAnswer } from "../testing/service";

const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

/** A page whose frames come when the test says so. */
function page(refuse?: () => Response | undefined, onStream?: (method: string, id: string, after: string | null) => Response) {
  const answers: OpenAnswer[] = [];
  const { fetch } = createService({
    ...(onStream ? { onStream } : {}),
    onAsk: (answer) => {
      answers.push(answer);
      return refuse?.();
    },
  });
  const frames: (() => void)[] = [];
  const schedule: Schedule = (paint) => {
    frames.push(paint);
    return () => frames.splice(frames.indexOf(paint), 1);
  };
  const store = createStore(localStorage);
  const asker = createAsker(createApi("http://service.test/", fetch), store, () => ({}), schedule);
  const { id } = store.getState().active;
  const answer = (): OpenAnswer => {
    const last = answers.at(-1);
    if (!last) throw new Error("nothing was asked");
    return last;
  };
  return { store, asker, id, answers, answer, frames, turn: () => store.find(id)?.turns.at(-1) };
}

describe("asking", () => {
  it("paints the tokens of one frame together, and the whole reply at the end", async () => {
    const { asker, id, answer, frames, turn } = page();
    asker.ask(id, "  What?  ");
    await settle();
    expect(answer().asked).toMatchObject({ question: "What?", collection: "default", history: [], stream: true });
    answer().send("sources", { citations: [{ marker: 1, document_id: "d" }] });
    answer().send("token", { text: "One " });
    answer().send("token", { text: "two" });
    await settle();
    expect(turn()).toMatchObject({ status: "streaming", answer: "" });
    expect(turn()?.citations).toHaveLength(1);
    expect(frames).toHaveLength(1);
    frames[0]?.();
    expect(turn()?.answer).toBe("One two");
    answer().send("done", replyOf({ answer: "One two [1]." }));
    await settle();
    expect(turn()).toMatchObject({ status: "done", answer: "One two [1]." });
  });

  it("shows that a model reasons, and takes back what turns out to be reasoning", async () => {
    const { asker, id, answer, frames, turn } = page();
    asker.ask(id, "What?");
    await settle();
    answer().send("stage", { stage: "reasoning" });
    await settle();
    expect(turn()).toMatchObject({ answer: "", isReasoning: true });
    answer().send("token", { text: "Hm." });
    await settle();
    frames.at(-1)?.();
    answer().send("token", { text: " So" });
    answer().send("stage", { stage: "answer" });
    answer().send("token", { text: "Two." });
    await settle();
    frames.at(-1)?.();
    expect(turn()).toMatchObject({ answer: "Two.", isReasoning: false });
    answer().send("done", replyOf({ answer: "Two." }));
    await settle();
    expect(turn()).toMatchObject({ status: "done", answer: "Two." });
  });

  it("stops at once, keeps what has arrived, and lets the service know", async () => {
    const { asker, id, answer, turn, store } = page();
    asker.ask(id, "What?");
    await settle();
    answer().send("token", { text: "Only half" });
    await settle();
    asker.stop(id);
    expect(turn()).toMatchObject({ status: "stopped", answer: "Only half", problem: null });
    expect(answer().signal.aborted).toBe(true);
    await settle();
    expect(turn()?.status).toBe("stopped");
    expect(createStore(localStorage).getState().active.turns[0]?.answer).toBe("Only half");
    asker.ask(store.getState().active.id, "Next?");
    await settle();
    expect(answer().asked.history.map(({ content }) => content)).toEqual(["What?", "Only half"]);
  });

  it("takes up a stream that broke where it was, and ends one that is stopped", async () => {
    const taken: (string | null)[][] = [];
    const rest = ["token", { text: " and the rest." }, "done", replyOf({ answer: "Half and the rest." })];
    const events = `event: ${rest[0]}\ndata: ${JSON.stringify(rest[1])}\n\nevent: ${rest[2]}\ndata: ${JSON.stringify(rest[3])}\n\n`;
    const { asker, id, answer, turn } = page(undefined, (method, stream, after) => {
      taken.push([method, stream, after]);
      return method === "DELETE" ? new Response(null, { status: 204 }) : new Response(events, { headers: { "content-type": "text/event-stream" } });
    });
    asker.ask(id, "What?");
    await settle();
    const { stream_id: stream } = answer().asked as unknown as { stream_id: string };
    answer().send("sources", { citations: [] });
    answer().send("token", { text: "Half" });
    await settle();
    answer().breakOff();
    await vi.waitFor(() => expect(turn()).toMatchObject({ status: "done", answer: "Half and the rest." }));
    expect(taken).toEqual([["GET", stream, "2"]]);
    asker.ask(id, "Next?");
    await settle();
    asker.stop(id);
    await settle();
    expect(taken.at(-1)).toEqual(["DELETE", (answer().asked as unknown as { stream_id: string }).stream_id, null]);
  });

  it("asks one question at a time in a conversation, and none that is blank", async () => {
    const { asker, id, answers } = page();
    asker.ask(id, " \n ");
    asker.ask(id, "one");
    asker.ask(id, "two");
    await settle();
    expect(answers.map(({ asked }) => asked.question)).toEqual(["one"]);
    asker.stop(id);
  });

  it("keeps a failure with what had arrived, and puts the retry in its place", async () => {
    let refuse = true;
    const { asker, id, answer, answers, turn, store } = page(() => (refuse ? problemResponse(503, "not_ready") : undefined));
    asker.ask(id, "What?");
    await settle();
    expect(turn()).toMatchObject({ status: "failed", problem: { code: "not_ready", status: 503 } });
    refuse = false;
    asker.retry(id, turn()?.id ?? "");
    await settle();
    expect(turn()).toMatchObject({ status: "streaming", problem: null });
    answer().send("token", { text: "half" });
    await settle();
    answer().end();
    await settle();
    expect(turn()).toMatchObject({ status: "failed", answer: "half", problem: { code: "interrupted" } });
    expect(store.find(id)?.turns).toHaveLength(1);
    expect(answers).toHaveLength(2);
  });
});
