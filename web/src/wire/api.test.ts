import { describe, expect, it } from "vitest";
import { createApi, ProblemError } from "./api";
import { createService, jsonResponse, problemResponse, replyOf, type OpenAnswer, type Script } from "../testing/service";
import type { Citation, Problem } from "./decode";

const BASE = "http://service.test/";
const QUESTION = { question: "q", collection: "default", history: [] };

async function ask(onAsk: Script["onAsk"], signal = new AbortController().signal) {
  const tokens: string[] = [];
  const sources: Citation[][] = [];
  const api = createApi(BASE, createService(onAsk ? { onAsk } : {}).fetch);
  const reply = await api.ask(QUESTION, { onToken: (token) => tokens.push(token), onSources: (found) => sources.push(found), onStage: () => undefined }, signal);
  return { reply, tokens, sources };
}

async function problem(onAsk: Script["onAsk"]): Promise<Problem> {
  const error: unknown = await ask(onAsk).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ProblemError)) throw new Error(`no ProblemError but ${String(error)}`);
  return error.problem;
}

describe("ask", () => {
  it("hands over sources and tokens, then resolves with the whole reply", async () => {
    const { reply, tokens, sources } = await ask((answer) => {
      answer.send("sources", { citations: [{ marker: 1, document_id: "d" }, { broken: true }] });
      answer.send("token", { text: "分" });
      answer.write(": ping\n\n");
      answer.send("unknown", "ignored");
      answer.send("token", { text: "块" });
      answer.send("done", replyOf({ answer: "分块 [1]", standalone_question: "s" }));
      return undefined;
    });
    expect(tokens).toEqual(["分", "块"]);
    expect(sources).toHaveLength(1);
    expect(sources[0]?.map(({ marker }) => marker)).toEqual([1]);
    expect(reply).toMatchObject({ answer: "分块 [1]", standalone_question: "s", total_ms: 120, generator: "extractive" });
  });

  it("takes a reply that came in one piece", async () => {
    const { reply } = await ask(() => jsonResponse(replyOf({ answer: "at once" })));
    expect(reply.answer).toBe("at once");
  });

  it.each([413, 422, 429, 503])("turns a refusal with status %i into its problem", async (status) => {
    expect(await problem(() => problemResponse(status, "refused", { "retry-after": "7" }))).toEqual({
      code: "refused",
      title: "Title of refused",
      detail: "Detail of refused",
      status,
      request_id: "req-7",
      retry_after_s: 7,
    });
  });

  it("keeps the status of an error that is no problem document", async () => {
    expect(await problem(() => new Response("<html>Bad gateway</html>", { status: 502 }))).toMatchObject({ code: "http_502", status: 502 });
  });

  it("turns an error event into its problem", async () => {
    const send = (answer: OpenAnswer) => {
      answer.send("error", { code: "generation_failed", title: "T", detail: "D", status: 502, request_id: "r" });
      return undefined;
    };
    expect(await problem(send)).toMatchObject({ code: "generation_failed", status: 502, request_id: "r" });
  });

  it("calls a stream that ends or breaks before its reply interrupted", async () => {
    const half = (finish: "end" | "breakOff") => (answer: OpenAnswer) => {
      answer.send("token", { text: "half" });
      answer[finish]();
      return undefined;
    };
    expect((await problem(half("end"))).code).toBe("interrupted");
    expect((await problem(half("breakOff"))).code).toBe("interrupted");
  });

  it("calls what it can't read a bad response", async () => {
    const written = (text: string) => (answer: OpenAnswer) => {
      answer.write(text);
      return undefined;
    };
    expect((await problem(written("event: done\ndata: {\n\n"))).code).toBe("bad_response");
    expect((await problem(written("event: done\ndata: {}\n\n"))).code).toBe("bad_response");
    expect((await problem(() => new Response("nothing"))).code).toBe("bad_response");
  });

  it("calls a service that can't be reached a network problem", async () => {
    const api = createApi(BASE, () => Promise.reject(new TypeError("Failed to fetch")));
    await expect(api.collections()).rejects.toMatchObject({ problem: { code: "network", status: 0 } });
  });

  it("throws the browser's AbortError when it's cancelled", async () => {
    const abort = new AbortController();
    const asked = ask((answer) => {
      answer.send("token", { text: "first" });
      setTimeout(() => abort.abort(), 0);
      return undefined;
    }, abort.signal);
    await expect(asked).rejects.toMatchObject({ name: "AbortError" });
  });
});

describe("reading", () => {
  it("asks for documents and text with encoded ids, relative to where the page is served", async () => {
    const requests: string[] = [];
    const api = createApi("http://service.test/under/", (input) => {
      requests.push(String(input));
      return Promise.resolve(jsonResponse({ text: "", start: 0, end: 0, total_chars: 0, documents: [], collections: [] }));
    });
    await api.documentText("a/b?c", 5, 9);
    await api.documents("my docs", 10, "n&x");
    await api.collections();
    expect(requests).toEqual([
      "http://service.test/under/documents/a%2Fb%3Fc/text?start=5&end=9",
      "http://service.test/under/documents?collection=my+docs&limit=10&cursor=n%26x",
      "http://service.test/under/collections",
    ]);
  });
});
