// @vitest-environment jsdom
// The page as a reader uses it, against a service that answers as the REST contract says.
import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { ask, CITATION, open, send, settle, TEXT } from "./testing/page";
import { citationOf, claimsOf, documentOf, problemResponse, replyOf, type Script } from "./testing/service";

describe("asking", () => {
  it("paints tokens as they come, then the reply with its sources", async () => {
    const { user, answers } = open();
    await ask(user, "How many lists?");
    expect(screen.getByRole("heading", { level: 2, name: /How many lists/ })).toBeTruthy();
    await send(answers[0], ["sources", { citations: [CITATION] }], ["token", { text: "Use rows" }]);
    expect(screen.getByTestId("answer").textContent).toBe("Use rows");
    await send(answers[0], ["token", { text: " / 1000 [1]" }]);
    expect(screen.getByTestId("answer").textContent).toBe("Use rows / 1000 [1]");
    expect(screen.queryByTestId("citation-marker")).toBeNull();
    const answer = "Use rows / 1000 lists. [1]";
    const claims = claimsOf(answer, [["Use rows / 1000 lists.", "[1]", 0]]);
    await send(answers[0], ["done", replyOf({ answer, citations: [CITATION], claims })]);
    expect(screen.getAllByTestId("citation-marker")).toHaveLength(1);
    expect(screen.getByTestId("sources").textContent).toContain("tuning.md");
    expect(screen.queryByTestId("stop")).toBeNull();
  });

  it("tells a screen reader each sentence once, and the end", async () => {
    const { user, answers } = open();
    await ask(user, "q");
    await send(answers[0], ["token", { text: "First one. Second **is" }]);
    const announcer = screen.getByTestId("announcer");
    expect([...announcer.querySelectorAll("p")].map((p) => p.textContent)).toEqual(["First one."]);
    const first = announcer.querySelector("p");
    const answer = "First one. Second **is** [1]";
    const claims = claimsOf(answer, [["Second **is**", "[1]", 0]]);
    await send(answers[0], ["done", replyOf({ answer, citations: [CITATION], claims, generator: "m" })]);
    expect([...announcer.querySelectorAll("p")].map((p) => p.textContent)).toEqual(["First one.", "Second is", "Answer complete. 1 source."]);
    expect(announcer.querySelector("p")).toBe(first);
    expect(screen.getByTestId("answer").closest("[aria-live]")).toBeNull();
  });

  it("stops with Escape and with the button, and keeps the part", async () => {
    const { user, answers } = open();
    await ask(user, "one");
    await send(answers[0], ["token", { text: "Partial" }]);
    fireEvent.keyDown(document.body, { key: "Escape", keyCode: 229 }); // the input method's own
    expect(screen.queryByTestId("stopped")).toBeNull();
    await user.keyboard("{Escape}");
    expect(screen.getByTestId("stopped").textContent).toContain("incomplete");
    expect(screen.getByTestId("answer").textContent).toBe("Partial");
    expect(answers[0]?.signal.aborted).toBe(true);
    await ask(user, "two");
    await settle();
    await user.click(screen.getByTestId("stop"));
    expect(answers[1]?.signal.aborted).toBe(true);
    expect(answers[1]?.asked.history).toEqual([
      { role: "user", content: "one" },
      { role: "assistant", content: "Partial" },
    ]);
  });

  it("shows an abstention as a state of its own", async () => {
    const { user, answers } = open();
    await ask(user, "q");
    await send(answers[0], ["done", replyOf({ answer: "The documents do not say.", abstained: true })]);
    expect(screen.getByTestId("abstained").textContent).toContain("The documents do not say.");
    expect(screen.getByTestId("abstained").textContent).toContain("Not in the documents");
    expect(screen.queryByTestId("error")).toBeNull();
    expect(screen.queryByTestId("sources")).toBeNull();
    expect(screen.queryByTestId("nearest")).toBeNull();
  });

  it("F-811: goes on from a refusal to the nearest passages, in their documents, and after a reload too", async () => {
    const { user, answers, store, unmount } = open();
    await ask(user, "How many probes?");
    const { marker: _, supported: __, quote, ...hit } = CITATION;
    const nearest = [{ ...hit, text: quote, rank: 1, why: { code: "weak", sentence: "It speaks of lists, not of probes." } }];
    await send(answers[0], ["done", replyOf({ answer: "The documents do not say.", abstained: true, reason: "no_evidence", nearest } as never)]);
    store.flush();
    unmount();

    open();
    const near = screen.getByTestId("nearest-passage");
    for (const shown of ["Tuning", "tuning.md", "docs/", "Lists", quote, "It speaks of lists, not of probes."]) {
      expect(near.textContent).toContain(shown);
    }
    await user.click(near);
    expect((await screen.findByTestId("cited-span")).textContent).toBe(quote);
    expect(screen.getByTestId("source-pane").querySelector(".source-marker")).toBeNull();
  });

  it("F-812: says in words of its own that a filter or an empty collection left nothing to search", async () => {
    const { user, answers } = open();
    const words = {
      no_document_matches_filter: ["No document matches the filter", "没有文档符合筛选条件"],
      empty_collection: ["This collection is empty", "这个集合是空的"],
    } as const;
    for (const [index, reason] of (["no_document_matches_filter", "empty_collection"] as const).entries()) {
      await ask(user, "q");
      await send(answers[index], ["done", replyOf({ answer: "Nothing.", abstained: true, reason })]);
      const notice = (): string => screen.getAllByTestId("abstained")[index]?.textContent ?? "";
      expect(notice()).toContain(words[reason][0]);
      expect(notice()).not.toContain("Not in the documents");
      await user.click(screen.getByTestId("language-switch"));
      expect(notice()).toContain(words[reason][1]);
      await user.click(screen.getByTestId("language-switch"));
    }
  });

  it("says why a model didn't answer, and what was searched for", async () => {
    const { user, answers } = open();
    await ask(user, "And probes?");
    await send(answers[0], [
      "done",
      replyOf({
        answer: "A.",
        degraded: true,
        degraded_reason: "llm_timeout: The language model gave no first token in 15 s.",
        standalone_question: "How many probes?",
      }),
    ]);
    const notice = screen.getByTestId("degraded");
    expect(notice.textContent).toContain("The language model takes too long.");
    expect(within(notice).getByRole("group").textContent).toContain("no first token in 15 s");
    await user.click(screen.getByRole("button", { name: "切换到中文" }));
    expect(screen.getByTestId("degraded").textContent).toContain("语言模型响应过慢。");
    expect(screen.getByTestId("degraded").textContent).not.toContain("llm_timeout");
    expect(screen.getByTestId("standalone-question").textContent).toContain("How many probes?");
  });

  it("doesn't repeat the question when it was searched for as it stood", async () => {
    const { user, answers } = open();
    await ask(user, "Lists?");
    await send(answers[0], ["done", replyOf({ answer: "A.", standalone_question: "Lists?" })]);
    expect(screen.queryByTestId("standalone-question")).toBeNull();
  });

  it("says in one line what was searched for, the mended words before the joined ones", async () => {
    const { user, answers } = open();
    await ask(user, "And prboes?");
    await send(answers[0], ["done", replyOf({ answer: "A.", standalone_question: "Lists? And prboes?", searched_for: "Lists? And probes?" })]);
    expect(screen.getAllByTestId("standalone-question").map((line) => line.textContent)).toEqual(["Searched for: Lists? And probes?"]);
  });

  it("F-746: asks a follow-up alone, and what comes next without what was said before", async () => {
    const { user, answers } = open();
    await ask(user, "Lists?");
    await send(answers[0], ["done", replyOf({ answer: "A.", standalone_question: "Lists?" })]);
    await ask(user, "And probes?");
    await send(answers[1], ["done", replyOf({ answer: "B.", standalone_question: "Lists? And probes?" })]);
    await user.click(screen.getByRole("button", { name: "Ask this alone" }));
    expect(answers[2]?.asked).toMatchObject({ question: "And probes?", history: [] });
    await send(answers[2], ["done", replyOf({ answer: "C.", standalone_question: "probes" })]);
    expect(screen.queryByRole("button", { name: "Ask this alone" })).toBeNull();
    await ask(user, "Why?");
    expect(answers[3]?.asked.history.map(({ content }) => content)).toEqual(["And probes?", "C."]);
  });

  it("F-1001: shows a quoted answer as text and copies it as it is", async () => {
    const { user, answers } = open();
    await ask(user, "q");
    const answer = "Run C:\\new\\*_a, `x` or __init__ [1] in ~old~\n- lists [1]";
    const claims = claimsOf(answer, [["lists", "[1]", 0]]);
    await send(answers[0], ["done", replyOf({ answer, citations: [CITATION], claims })]);
    expect(screen.getByTestId("answer").textContent).toBe(answer.replace(/\[1\]$/, "1"));
    expect(screen.getAllByTestId("citation-marker")).toHaveLength(1);
    await user.click(screen.getByRole("button", { name: "Copy answer" }));
    expect(await navigator.clipboard.readText()).toBe(answer);
  });

  it("says who wrote an answer, but not of the service's own words", async () => {
    const { user, answers } = open();
    await ask(user, "Hello");
    await send(answers[0], ["done", replyOf({ answer: "Hello! Ask *me*.", kind: "chat" })]);
    expect(screen.getByTestId("answer").textContent).toBe("Hello! Ask *me*.");
    expect(screen.queryByText("Quoted from the documents")).toBeNull();
  });

  it("F-602: explains under the answer what is underlined for want of a source", async () => {
    const { user, answers } = open();
    await ask(user, "q");
    const answer = "Lists are clusters [1]. Everyone says so.";
    const claims = claimsOf(answer, [["Lists are clusters", "[1]", 0], ["Everyone says so.", null, 0]]);
    await send(answers[0], ["done", replyOf({ answer, citations: [CITATION], claims, generator: "m" })]);
    expect(document.querySelector(".claim-sourceless")?.textContent).toBe("Everyone says so.");
    expect(screen.getByTestId("claim-legend").textContent).toContain("no source was named");
  });

  it("shows an error with its facts, and asks again in its place", async () => {
    let refuse = true;
    const { user, answers } = open({ onAsk: () => (refuse ? problemResponse(429, "rate_limited", { "retry-after": "2" }) : undefined) });
    await ask(user, "q");
    const error = await screen.findByTestId("error");
    for (const fact of ["Title of rate_limited", "Detail of rate_limited", "Retry in 2 seconds", "429", "req-7"]) {
      expect(error.textContent).toContain(fact);
    }
    refuse = false;
    await user.click(screen.getByTestId("retry"));
    await send(answers[1], ["done", replyOf({ answer: "Now." })]);
    expect(screen.queryByTestId("error")).toBeNull();
    expect(screen.getAllByTestId("answer")).toHaveLength(1);
  });

  it("shows a stream that broke off, with what had come", async () => {
    const { user, answers } = open();
    await ask(user, "q");
    await send(answers[0], ["token", { text: "Half an" }]);
    answers[0]?.end();
    await settle();
    expect(screen.getByTestId("error").textContent).toContain("broke off");
    expect(screen.getByTestId("answer").textContent).toBe("Half an");
  });
});

describe("the source pane", () => {
  async function answered(citation = CITATION, script: Script = {}) {
    const page = open(script);
    await ask(page.user, "q");
    const claims = claimsOf("Use them [1].", [["Use them", "[1]", 0, citation.supported]]);
    await send(page.answers[0], ["done", replyOf({ answer: "Use them [1].", citations: [citation], claims })]);
    return page;
  }

  it("opens at the cited span, counted in code points, and loads more on both sides", async () => {
    const { user } = await answered();
    await user.click(screen.getByTestId("citation-marker"));
    const mark = await screen.findByTestId("cited-span");
    expect(mark.tagName).toBe("MARK");
    expect(mark.textContent).toBe("Use rows / 1000 lists.");
    const length = (): number => Array.from(screen.getByTestId("source-text").textContent).length;
    const at = length();
    await user.click(screen.getByTestId("load-before"));
    await waitFor(() => expect(length()).toBeGreaterThan(at));
    await user.click(screen.getByTestId("load-after"));
    await waitFor(() => expect(screen.queryByTestId("load-after")?.matches(":disabled") ?? false).toBe(false));
    while (screen.queryByTestId("load-before") ?? screen.queryByTestId("load-after")) {
      await user.click(screen.queryByTestId("load-before") ?? screen.getByTestId("load-after"));
      await settle();
    }
    expect(screen.getByTestId("source-text").textContent).toBe(TEXT);
    expect(screen.getByTestId("cited-span").textContent).toBe("Use rows / 1000 lists.");
  });

  it("takes the focus, and gives it back with Escape", async () => {
    const { user } = await answered();
    const marker = screen.getByTestId("citation-marker");
    marker.focus();
    await user.keyboard("{Enter}");
    await screen.findByTestId("cited-span");
    expect(screen.getByTestId("source-pane").contains(document.activeElement)).toBe(true);
    await user.keyboard("{Escape}");
    expect(screen.queryByTestId("source-pane")).toBeNull();
    await waitFor(() => expect(document.activeElement).toBe(marker));
  });

  it("shows the document's text as text", async () => {
    const html = '<img src=x onerror="alert(1)"> <b>bold</b> tail';
    const { user } = await answered(citationOf(html, "<b>bold</b>"), { documents: [documentOf(html)], texts: { "doc-1": html } });
    await user.click(screen.getByTestId("citation-marker"));
    const cited = async (): Promise<string> => (await screen.findAllByTestId("cited-span")).map((mark) => mark.textContent).join("");
    expect(await cited()).toBe("<b>bold</b>");
    expect(screen.getByTestId("source-text").querySelector("img, b")).toBeNull();
    await user.click(screen.getByTestId("view-text"));
    expect(await cited()).toBe("<b>bold</b>");
    expect(screen.getByTestId("source-text").textContent).toBe(html);
    expect(screen.getByTestId("source-text").querySelector("img, b")).toBeNull();
  });

  it("shows the quote that was kept when the document is gone or has changed", async () => {
    const { user } = await answered(CITATION, { documents: [], texts: {} });
    await user.click(screen.getByTestId("citation-marker"));
    await waitFor(() => expect(screen.getByTestId("source-pane").textContent).toContain("no longer here"));
    expect(screen.getByTestId("source-pane").querySelector("blockquote")?.textContent).toBe(CITATION.quote);
  });

  it("marks a citation that isn't confirmed", async () => {
    const { user } = await answered({ ...CITATION, supported: false });
    expect(screen.getByTestId("sources").textContent).toContain("Not confirmed");
    await user.click(screen.getByTestId("source-card"));
    expect(screen.getByTestId("source-pane").textContent).toContain("does not clearly support");
  });
});

describe("conversations", () => {
  it("are kept, listed, renamed and deleted", async () => {
    const { user, answers, unmount, store } = open();
    await ask(user, "First question");
    await send(answers[0], ["done", replyOf({ answer: "A." })]);
    await user.click(screen.getByTestId("new-conversation"));
    expect(screen.queryByTestId("answer")).toBeNull();
    await ask(user, "Second question");
    await send(answers[1], ["done", replyOf({ answer: "B." })]);
    expect(answers[1]?.asked.history).toEqual([]);

    const list = within(screen.getByTestId("conversations"));
    await user.click(list.getByRole("button", { name: "Rename “First question”" }));
    await user.clear(screen.getByTestId("conversation-name"));
    await user.type(screen.getByTestId("conversation-name"), "Renamed{Enter}");
    await user.click(list.getByRole("button", { name: "Delete “Second question”" }));
    await user.click(screen.getByTestId("confirm-delete"));
    store.flush();
    unmount();

    open();
    expect(within(screen.getByTestId("conversations")).getAllByRole("listitem")).toHaveLength(1);
    expect(screen.getByRole("link", { name: "Renamed" })).toBeTruthy();
    expect(screen.getByTestId("answer").textContent).toBe("A.");
  });

  it("of earlier builds, without claims, are text with their sources below", () => {
    const turn = { id: "t", question: "q", status: "done", answer: "Old **text** [1]", generator: "m", citations: [CITATION] };
    localStorage.setItem("pgask.v1.conversation.c", JSON.stringify({ id: "c", collection: "default", updatedAt: 1, turns: [turn] }));
    open();
    expect(screen.getByTestId("answer").textContent).toBe("Old text [1]");
    expect(screen.queryByTestId("citation-marker")).toBeNull();
    expect(screen.getAllByTestId("source-card")).toHaveLength(1);
  });

  it("keep the places of their claims", async () => {
    const { user, answers, store, unmount } = open();
    await ask(user, "q");
    const claims = claimsOf("😀 A [1] [1]", [["A", "[1]", 0, false]]);
    await send(answers[0], ["done", replyOf({ answer: "😀 A [1] [1]", citations: [CITATION], claims })]);
    store.flush();
    unmount();
    open();
    expect(screen.getByTestId("answer").textContent).toBe("😀 A 1 [1]");
    expect(screen.getByTestId("citation-marker").className).toContain("marker-unsupported");
  });

  it("survive storage that holds nonsense", () => {
    localStorage.setItem("pgask.v1.conversation.x", "{{{");
    localStorage.setItem("pgask.v1.preferences", "[]");
    open();
    expect(screen.getByTestId("question-input")).toBeTruthy();
  });

  it("keep their collection", async () => {
    const { user, answers } = open();
    await screen.findByRole("option", { name: /handbook/ });
    await user.selectOptions(screen.getByTestId("collection-picker"), "handbook");
    await ask(user, "q");
    await send(answers[0], ["done", replyOf({ answer: "A." })]);
    expect(answers[0]?.asked.collection).toBe("handbook");
    expect(screen.getByTestId<HTMLSelectElement>("collection-picker").value).toBe("handbook");
  });

  it("stop a deleted conversation's answer", async () => {
    const { user, answers } = open();
    await ask(user, "q");
    await user.click(screen.getByTestId("delete"));
    await user.click(screen.getByTestId("confirm-delete"));
    expect(answers[0]?.signal.aborted).toBe(true);
    expect(screen.queryByTestId("conversations")).toBeNull();
  });
});

describe("documents", () => {
  it("are listed with their state, and open in the source pane", async () => {
    const failed = documentOf("", { id: "doc-2", title: "Scan", source: "scan.pdf", status: "failed", reason: "no_text", pages: 3, chunks: 0 });
    const { user, requests } = open({ documents: [documentOf(TEXT), failed] });
    await user.click(screen.getByTestId("nav-library"));
    const row = await screen.findByRole("row", { name: /Scan/ });
    expect(row.textContent).toContain("no_text");
    expect(requests).toContain("GET /documents?collection=default&limit=100&sort=source&facets=true");
    await user.click(screen.getByRole("link", { name: "tuning.md" }));
    await waitFor(() => expect(screen.getByTestId("source-text").textContent.startsWith("😀 前文")).toBe(true));
    expect(screen.queryByTestId("cited-span")).toBeNull();
  });

  it("that were left out as duplicates say so where their text would be", async () => {
    const copy = { ...documentOf("", { id: "doc-2", title: "Copy", source: "copy.md", status: "duplicate", reason: "duplicate" }), duplicate_of: "docs/tuning.md" };
    const { user } = open({ documents: [copy], texts: { "doc-2": "" } });
    await user.click(screen.getByTestId("nav-library"));
    await user.click(await screen.findByRole("link", { name: "copy.md" }));
    await waitFor(() => expect(screen.getByTestId("duplicate-note").textContent).toContain("“docs/tuning.md” holds the same text"));
    expect(screen.getByTestId("documents").textContent).toContain("Another document has the same text");
    expect(screen.queryByTestId("source-text")).toBeNull();
  });

  it("say how to add some where there are none", async () => {
    const { user } = open({ collections: [{ name: "default", documents: 0, chunks: 0 }], documents: [] });
    await waitFor(() => expect(screen.getByText(/ingest .\/docs/)).toBeTruthy());
    expect(screen.queryAllByTestId("example")).toEqual([]);
    await user.click(screen.getByTestId("nav-library"));
    await waitFor(() => expect(screen.getByTestId("documents").textContent).toContain("ingest ./docs"));
  });
});

describe("collections", () => {
  it("are asked and listed that are there, where none is called as the service's own", async () => {
    const { user, answers } = open({ collections: [{ name: "pumps", documents: 3, chunks: 9 }] });
    await waitFor(() => expect(screen.getByTestId<HTMLSelectElement>("collection-picker").value).toBe("pumps"));
    await user.type(screen.getByTestId("question-input"), "How many litres?{Enter}");
    await waitFor(() => expect(answers[0]?.asked).toMatchObject({ collection: "pumps" }));
    await user.click(screen.getByTestId("nav-library"));
    await waitFor(() => expect(screen.getByRole("heading", { name: "Documents in “pumps”" })).toBeTruthy());
  });

  it("need not be there for the first file to go in", async () => {
    const { user } = open({ collections: [] });
    await waitFor(() => expect(screen.getByText(/ingest .\/docs/)).toBeTruthy());
    await user.click(screen.getByTestId("nav-library"));
    await waitFor(() => expect(screen.getByTestId("documents").textContent).toContain("ingest ./docs"));
    expect(screen.queryByTestId("error")).toBeNull();
    expect(screen.queryByTestId("delete-collection")).toBeNull();
    expect(screen.getAllByTestId("add-files").length).toBeGreaterThan(0);
  });
});

describe("preferences", () => {
  it("switch the language of the page, and keep it", async () => {
    const { user, unmount } = open();
    expect(document.documentElement.lang).toBe("en");
    await user.click(screen.getByTestId("language-switch"));
    expect(document.documentElement.lang).toBe("zh");
    expect(screen.getByRole("heading", { name: "想了解什么？" })).toBeTruthy();
    unmount();
    open();
    expect(document.documentElement.lang).toBe("zh");
    await waitFor(() => expect(screen.getByText(/12 篇文档/)).toBeTruthy());
  });

  it("switch the colours, and keep them", async () => {
    const { user } = open();
    expect(document.documentElement.dataset.theme).toBeUndefined();
    await user.click(screen.getByTestId("theme-switch"));
    expect(document.documentElement.dataset.theme).toBe("dark");
    expect(localStorage.getItem("pgask.v1.preferences")).toContain('"dark"');
    await user.click(screen.getByTestId("theme-switch"));
    await user.click(screen.getByTestId("theme-switch"));
    expect(document.documentElement.dataset.theme).toBeUndefined();
  });
});
