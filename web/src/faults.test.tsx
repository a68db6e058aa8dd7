// @vitest-environment jsdom
// Faults of the page that readers found: each test failed before its fault was mended.
import userEvent from "@testing-library/user-event";
import { act, fireEvent, screen, waitFor, within } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createStore } from "./ask/store";
import { ask, CITATION, open, send, settle, TEXT } from "./testing/page";
import { claimsOf, documentOf, problemResponse, replyOf, type OpenAnswer } from "./testing/service";

const answered = (answer: OpenAnswer | undefined, text = "Use them [1]."): Promise<void> =>
  send(answer, ["done", replyOf({ answer: text, citations: [CITATION], claims: claimsOf(text, [["Use them", "[1]", 0]]) })]);

const choose = async (user: ReturnType<typeof open>["user"], name: string): Promise<void> => {
  await screen.findByRole("option", { name: new RegExp(name) });
  await user.selectOptions(screen.getByTestId("collection-picker"), name);
};

describe("F-1002: a question's collection is part of its turn", () => {
  it("asks again where it was asked, says where that was, and draws a line where others begin", async () => {
    const { user, answers, store, unmount } = open();
    await ask(user, "one");
    await user.click(await screen.findByTestId("stop"));
    await choose(user, "handbook");
    expect(screen.getByTestId("from-here").textContent).toBe("From here: handbook");
    await user.click(screen.getByRole("button", { name: "Ask again" }));
    expect(answers[1]?.asked.collection).toBe("default");
    await answered(answers[1]);
    await ask(user, "two");
    expect(answers[2]?.asked).toMatchObject({ collection: "handbook", history: [] });
    await answered(answers[2]);
    store.flush();
    unmount();

    open();
    const scopes = screen.getAllByTestId("scope").map((line) => line.textContent ?? "");
    expect(scopes[0]).toMatch(/^In “default” · .*\d/);
    expect(scopes[1]).toMatch(/^In “handbook”/);
    expect(screen.getAllByTestId("from-here")).toHaveLength(1);
  });
});

describe("F-1004: a document that could not be read", () => {
  it("says why, and what to do", async () => {
    const failed = { ...documentOf("", { id: "doc-2", title: "Scan", status: "failed", reason: "no_text_layer" }), reason_detail: "3 pages of pictures." };
    const { user } = open({ documents: [failed], texts: { "doc-2": "" } });
    await user.click(screen.getByTestId("nav-library"));
    await user.click(await screen.findByTestId("document"));
    const note = await screen.findByTestId("failed-note");
    expect(note.textContent).toContain("it is probably scanned");
    expect(note.textContent).toContain("3 pages of pictures.");
    expect(screen.getByTestId("source-pane").textContent).not.toContain("This document has no text");
  });
});

describe("F-1005: an operator's warnings", () => {
  it("are folded for readers, who can have the model try again", async () => {
    const { user, answers } = open({ documents: [{ ...documentOf(TEXT), is_lossy: true, lost_share: 0.5 } as never] });
    await ask(user, "q");
    const degraded = { degraded: true, degraded_reason: "llm_unavailable: refused" };
    await send(answers[0], ["done", replyOf({ answer: "Use them [1].", citations: [CITATION], ...degraded })]);
    expect(within(screen.getByTestId("degraded")).getByRole("group").hasAttribute("open")).toBe(false);
    await user.click(screen.getByTestId("source-card"));
    const notes = await screen.findByTestId("document-notes");
    expect([notes.tagName, notes.hasAttribute("open")]).toEqual(["DETAILS", false]);
    await user.click(screen.getByTestId("try-model"));
    expect(answers[1]?.asked.question).toBe("q");
  });
});

describe("F-1006: the source pane and what it belongs to", () => {
  it("closes with its conversation, and is marked in the list it was opened from", async () => {
    const { user, answers } = open();
    await ask(user, "q");
    await answered(answers[0]);
    await user.click(screen.getByTestId("citation-marker"));
    await screen.findByTestId("cited-span");
    await user.click(screen.getByTestId("nav-library"));
    expect(screen.queryByTestId("source-pane")).toBeNull();
    await user.click(await screen.findByTestId("document"));
    expect(await screen.findByTestId("source-pane")).toBeTruthy();
    expect(screen.getByTestId("document").getAttribute("aria-current")).toBe("true");
    await user.click(await screen.findByRole("link", { name: /handbook/ }));
    expect(screen.queryByTestId("source-pane")).toBeNull();
  });
});

describe("F-1021: a document as what it is", () => {
  async function shown(text: string, rest: Record<string, unknown>) {
    const page = open({ documents: [documentOf(text, rest)], texts: { "doc-1": text } });
    await page.user.click(screen.getByTestId("nav-library"));
    await page.user.click(await screen.findByTestId("document"));
    await screen.findByTestId("source-text");
    return page;
  }

  it("has its pages and its outline, and goes there", async () => {
    const text = `First 😀 page.${"\n\nMore of it.".repeat(900)}\n\nTorque\n\nTighten it.${" End.".repeat(900)}`;
    const at = Array.from(text.slice(0, text.indexOf("Torque"))).length;
    const { user } = await shown(text, {
      pages: 2,
      page_spans: [{ number: 2, char_start: at, char_end: text.length }, { number: 1, char_start: 0, char_end: at }, { number: "x" }],
      sections: [{ char_start: at, char_end: text.length, heading_path: ["Manual", "Torque"] }, { char_start: 3, heading_path: [] }],
    });
    expect(screen.getByTestId("source-text").textContent).not.toContain("Tighten it.");
    expect(within(screen.getByTestId("source-text")).getAllByRole("separator").map((one) => one.getAttribute("aria-label"))).toEqual(["p. 1 of 2"]);
    const outline = screen.getByTestId<HTMLSelectElement>("outline");
    expect([...outline.querySelectorAll("optgroup option")].map((one) => one.textContent)).toEqual(["\u2003Torque", "p. 1", "p. 2"]);
    await user.selectOptions(outline, "p. 2");
    await waitFor(() => expect(screen.getByTestId("source-text").textContent).toContain("Tighten it."));
    expect(screen.getByTestId("source-text").querySelector(`[data-offset="${at}"]`)?.textContent).toMatch(/^Torque/);
    expect(text.replace(/\s/g, "")).toContain(screen.getByTestId("source-text").textContent.replace(/\s/g, ""));
  });

  it("opens at the page that an address names", async () => {
    const text = `One.${" More.".repeat(2_000)}Two.`;
    const page = { pages: 2, page_spans: [{ number: 1, char_start: 0, char_end: 12_004 }, { number: 2, char_start: 12_004, char_end: 12_008 }] };
    history.replaceState(null, "", "#/d/doc-1?page=2");
    open({ documents: [documentOf(text, page as never)], texts: { "doc-1": text } });
    await waitFor(() => expect(document.querySelector("[data-offset]")?.textContent).toBe("Two."));
  });

  it("counts slides, and draws code as code", async () => {
    const { user, unmount } = await shown("Revenue grew.", { source: "deck.pptx", page_spans: [{ number: 1, char_start: 0, char_end: 13 }], pages: 1 });
    expect(within(screen.getByTestId("source-text")).getByRole("separator").getAttribute("aria-label")).toBe("slide 1 of 1");
    await user.click(screen.getByTestId("language-switch"));
    expect(within(screen.getByTestId("source-text")).getByRole("separator").getAttribute("aria-label")).toBe("幻灯片 1，共 1 页");
    unmount();
    localStorage.clear();
    history.replaceState(null, "", "/");
    await shown("def f():\n    pass", { source: "f.py", media_type: "text/x-python" });
    expect(screen.getByTestId("source-text").className).toContain("source-code");
  });
});

describe("F-1022: a long document", () => {
  it("is at its end in two actions, and goes on where one scrolls", async () => {
    const text = `${"0123456789".repeat(9_000)}the very end`;
    const { user, requests } = open({ documents: [documentOf(text)], texts: { "doc-1": text } });
    await user.click(screen.getByTestId("nav-library"));
    await user.click(await screen.findByTestId("document"));
    const body = await screen.findByRole("region", { name: "Source text" });
    const texts = (): string[] => requests.filter((line) => line.includes("/text?"));
    body.scrollTop = 50;
    fireEvent.scroll(body);
    await waitFor(() => expect(texts().at(-1)).toContain("start=2500&end=22500"));
    await user.selectOptions(screen.getByTestId("outline"), "End of the document");
    await waitFor(() => expect(screen.getByTestId("source-text").textContent).toMatch(/the very end$/));
    expect(texts()).toHaveLength(3);
  });
});

describe("F-1041: a dropped file", () => {
  it("doesn't make the browser leave the page, which says what it can do", async () => {
    const { user } = open({ onUpload: () => problemResponse(405, "method_not_allowed") });
    const drop = new Event("drop", { bubbles: true, cancelable: true });
    const file = new File(["<p>"], "park\u202eing.html");
    Object.assign(drop, { dataTransfer: { types: ["Files"], files: [file] } });
    act(() => void document.body.dispatchEvent(drop));
    expect(drop.defaultPrevented).toBe(true);
    const notice = await screen.findByTestId("dropped-files");
    expect(notice.textContent).toContain("park[U+202E]ing.html");
    await user.click(screen.getByTestId("send-files"));
    await waitFor(() => expect(notice.textContent).toContain("ingest ./docs"));
    const text = new Event("drop", { bubbles: true, cancelable: true });
    Object.assign(text, { dataTransfer: { types: ["text/plain"], files: [] } });
    document.body.dispatchEvent(text);
    expect(text.defaultPrevented).toBe(false);
  });
});

describe("F-1042: a page that is left in mid-answer", () => {
  async function left() {
    const { user, answers, asker, unmount, store } = open();
    await ask(user, "q");
    await send(answers[0], ["token", { text: "Half" }]);
    asker.leave();
    answers[0]?.breakOff();
    await settle();
    store.flush();
    asker.leave(); // the browser says it twice
    unmount();
  }

  it("goes on with the question after a reload, and shows no fault", async () => {
    await left();
    const { answers } = open();
    await waitFor(() => expect(answers).toHaveLength(1));
    expect(answers[0]?.asked.question).toBe("q");
    await send(answers[0], ["done", replyOf({ answer: "Whole." })]);
    expect(screen.getByTestId("answer").textContent).toBe("Whole.");
    expect(screen.getAllByRole("heading", { level: 2 })).toHaveLength(1);
    expect(screen.queryByTestId("error")).toBeNull();
  });

  it("takes up the stream that the service still has", async () => {
    await left();
    const events = `event: token\ndata: {"text": "Half"}\n\nevent: done\ndata: ${JSON.stringify(replyOf({ answer: "Half and half." }))}\n\n`;
    const { answers } = open({ onStream: () => new Response(events, { headers: { "content-type": "text/event-stream" } }) });
    expect((await screen.findByText("Half and half.", { selector: "[data-testid=answer] *" })).textContent).toBe("Half and half.");
    expect(answers).toHaveLength(0);
  });

  it("keeps a stopped answer where the tab is opened later, and where the reader had stopped it", async () => {
    await left();
    const kept = JSON.parse(sessionStorage.getItem("pgask.v1.left") ?? "") as object;
    sessionStorage.setItem("pgask.v1.left", JSON.stringify({ ...kept, at: Date.now() - 11 * 60_000 }));
    const later = open();
    await settle();
    expect(later.answers).toHaveLength(0);
    expect(screen.getByTestId("stopped")).toBeTruthy();
    await later.user.click(within(screen.getByTestId("stopped")).getByRole("button"));
    later.asker.leave(); // and stays, as after a question whether to leave
    await later.user.click(screen.getByTestId("stop"));
    later.store.flush();
    later.unmount();
    const again = open();
    await settle();
    expect(again.answers).toHaveLength(0);
    expect(screen.getByTestId("stopped")).toBeTruthy();
  });
});

describe("F-1043: addresses", () => {
  it("name the conversation, the documents and the place; Back leads through them, and titles change", async () => {
    const { user, answers } = open();
    await ask(user, "How many lists?");
    await answered(answers[0]);
    expect(location.hash).toMatch(/^#\/ask\/[0-9a-f]{24}$/);
    const conversation = location.hash;
    expect(document.title).toBe("How many lists? · pgask");
    await user.click(screen.getByTestId("citation-marker"));
    await screen.findByTestId("cited-span");
    expect(location.hash).toBe(`#/d/doc-1?at=${CITATION.char_start}-${CITATION.char_end}`);
    expect(document.title).toBe("Tuning · pgask");
    act(() => history.back());
    await waitFor(() => expect(screen.queryByTestId("source-pane")).toBeNull());
    expect(location.hash).toBe(conversation);

    await user.click(screen.getByTestId("nav-library"));
    expect(location.hash).toBe("#/library/default");
    expect(document.title).toBe("Documents in “default” · pgask");
    expect((await screen.findByTestId("document")).getAttribute("href")).toBe("#/d/doc-1");
    act(() => history.back());
    await waitFor(() => expect(screen.getByTestId("answer")).toBeTruthy());
  });

  it("open a place of a document for whoever follows a link, and close to the conversation", async () => {
    history.replaceState(null, "", `#/d/doc-1?at=${CITATION.char_start}-${CITATION.char_end}`);
    const { user } = open();
    expect((await screen.findByTestId("cited-span")).textContent).toBe(CITATION.quote);
    expect(screen.getByRole("heading", { level: 2, name: /tuning\.md/ })).toBeTruthy();
    await user.click(screen.getByTestId("copy-link"));
    expect(await navigator.clipboard.readText()).toContain(`#/d/doc-1?at=${CITATION.char_start}-`);
    await user.click(screen.getByTestId("close-source"));
    expect(screen.queryByTestId("source-pane")).toBeNull();
    expect(screen.getByTestId("question-input")).toBeTruthy();
  });

  it("lead to conversations and documents in a reload, and survive nonsense", async () => {
    const { user, answers, store, unmount } = open();
    await ask(user, "first");
    await answered(answers[0]);
    const first = location.hash;
    await user.click(screen.getByTestId("new-conversation"));
    expect(location.hash).toBe("#/ask");
    await ask(user, "second");
    await answered(answers[1]);
    store.flush();
    unmount();
    history.replaceState(null, "", first);
    const again = open();
    expect(screen.getByRole("heading", { level: 2, name: /first/ })).toBeTruthy();
    again.unmount();
    for (const hash of ["#/d/%", "#/ask/nobody", "#/d/doc-1?at=9-3", "#x/y"]) {
      history.replaceState(null, "", hash);
      const page = open();
      expect(screen.getByTestId("question-input")).toBeTruthy();
      page.unmount();
    }
  });
});

describe("F-1045: copying", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("takes the sources along, with their quotes, pages and addresses", async () => {
    const { user, answers } = open();
    await ask(user, "q");
    await send(answers[0], ["done", replyOf({ answer: "Use them [1].", citations: [{ ...CITATION, page: 3 }] })]);
    await user.click(screen.getByTestId("copy-with-sources"));
    const copied = await navigator.clipboard.readText();
    expect(copied).toMatch(/^q\n\nUse them \[1\]\.\n\nSources\n\n\[1\] Tuning · docs\/tuning\.md · p\. 3: “Use rows \/ 1000 lists\.”\nhttp.*#\/d\/doc-1\?at=\d+-\d+&page=3$/);
  });

  it("works where there is no clipboard", async () => {
    const { user, answers } = open();
    await ask(user, "q");
    await answered(answers[0]);
    const copied: string[] = [];
    const had = navigator.clipboard;
    Object.defineProperty(navigator, "clipboard", { value: undefined, configurable: true });
    document.execCommand = () => {
      copied.push((document.activeElement as HTMLTextAreaElement).value);
      return true;
    };
    await user.click(screen.getByRole("button", { name: "Copy answer" }));
    expect(copied).toEqual(["Use them [1]."]);
    expect(await screen.findByRole("button", { name: "Copied" })).toBeTruthy();
    Object.defineProperty(navigator, "clipboard", { value: had, configurable: true });
  });
});

describe("F-1046: two tabs", () => {
  it("with one conversation keep the questions of both", async () => {
    const { user, answers, store } = open();
    await ask(user, "zero");
    await answered(answers[0]);
    store.flush();
    const there = createStore(localStorage);
    const { id } = there.getState().active;
    there.update(id, (one) => ({ ...one, turns: [...one.turns, { ...one.turns[0]!, id: "there", question: "there", askedAt: Date.now() }] }));
    await ask(user, "here");
    await answered(answers[1]);
    there.flush();
    store.flush(); // before the browser has told this tab
    const kept = createStore(localStorage).getState().active.turns.map(({ question }) => question);
    expect(kept.sort()).toEqual(["here", "there", "zero"]);
    const key = `pgask.v1.conversation.${id}`;
    act(() => store.adopt(key, localStorage.getItem(key)));
    expect(screen.getAllByTestId("answer")).toHaveLength(3);
  });

  it("follow each other's language and colours", () => {
    open();
    localStorage.setItem("pgask.v1.preferences", JSON.stringify({ language: "zh", theme: "dark" }));
    act(() => void window.dispatchEvent(new StorageEvent("storage", { key: "pgask.v1.preferences" })));
    expect([document.documentElement.lang, document.documentElement.dataset.theme]).toEqual(["zh", "dark"]);
  });
});

describe("F-1047: what is written", () => {
  it("is there after a reload, by conversation", async () => {
    const { user, unmount } = open();
    await user.type(screen.getByTestId("question-input"), "half a question");
    unmount();
    const again = open();
    // A new conversation without turns isn't kept: its draft was written in another one.
    expect(screen.getByTestId<HTMLTextAreaElement>("question-input").value).toBe("");
    await ask(again.user, "q");
    await answered(again.answers[0]);
    await again.user.type(screen.getByTestId("question-input"), "a follow-up");
    again.store.flush();
    again.unmount();
    open();
    expect(screen.getByTestId<HTMLTextAreaElement>("question-input").value).toBe("a follow-up");
  });
});

describe("F-1047: conversations", () => {
  it("can be saved as a file, and say before the oldest gives way", async () => {
    const made: Blob[] = [];
    Object.assign(URL, { createObjectURL: (blob: Blob) => `blob:${made.push(blob)}`, revokeObjectURL: () => undefined });
    const clicked = vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(function (this: HTMLAnchorElement) {
      this.dataset.clicked = this.download;
    });
    for (let n = 0; n < 49; n += 1) {
      const turn = { id: "t", question: `q${n}`, status: "done", answer: "a" };
      localStorage.setItem(`pgask.v1.conversation.c${n}`, JSON.stringify({ id: `c${n}`, collection: "default", updatedAt: n, turns: [turn] }));
    }
    history.replaceState(null, "", "#/ask");
    const { user, answers } = open();
    expect(screen.queryByTestId("nearly-full")).toBeNull();
    await ask(user, "Which lists?");
    await answered(answers[0]);
    expect(screen.getByTestId("nearly-full").textContent).toContain("keeps 50 conversations");
    await user.click(screen.getByTestId("export"));
    expect(clicked.mock.contexts.map((link) => (link as HTMLAnchorElement).download)).toEqual(["Which lists.md"]);
    const text = await made[0]?.text();
    expect(text).toMatch(/^# Which lists\?\n\n## In “default” · .*\n\nWhich lists\?\n\nUse them \[1\]\.\n\nSources\n\n\[1\] Tuning/);
    clicked.mockRestore();
  });
});

describe("F-1048: many documents", () => {
  const many = ["b.md", "a/报告.pdf", "c.md"].map((source, n) =>
    documentOf("x", { id: `d${n}`, source, title: source === "b.md" ? "Zebra" : source, updated_at: `2026-0${n + 1}-01T00:00:00Z`, status: n === 1 ? "failed" : "ready", reason: n === 1 ? "no_text_layer" : null }),
  );
  const listed = (): (string | null)[] => screen.queryAllByTestId("document").map((one) => one.textContent);

  it("are found by name and sorted", async () => {
    const { user } = open({ documents: many });
    await user.click(screen.getByTestId("nav-library"));
    await screen.findAllByTestId("document");
    await user.type(screen.getByTestId("document-search"), "ZEBRA ．md");
    await waitFor(() => expect(listed()).toEqual(["b.md"]));
    expect(screen.getByText("1 document")).toBeTruthy();
    expect(location.hash).toContain("q=ZEBRA");
    await user.clear(screen.getByTestId("document-search"));
    await user.selectOptions(screen.getByTestId("document-order"), "newest");
    await waitFor(() => expect(listed()).toEqual(["c.md", "报告.pdf", "b.md"]));
    await user.selectOptions(screen.getByTestId("choose-status"), "failed");
    await waitFor(() => expect(listed()).toEqual(["报告.pdf"]));
  });

  it("F-1047: are deleted at once, can be taken back for ten seconds, and a refusal is told", async () => {
    vi.useFakeTimers({ shouldAdvanceTime: true });
    let refuse = true;
    const { requests } = open({
      documents: many,
      onDelete: () => (refuse ? problemResponse(403, "forbidden") : new Response(null, { status: 204 })),
    });
    const user = userEvent.setup({ advanceTimers: vi.advanceTimersByTime });
    const deleteFirst = async (): Promise<void> => user.click(screen.getAllByTestId("delete-document")[0]!);
    const later = (ms: number): Promise<void> => act(async () => void (await vi.advanceTimersByTimeAsync(ms)));
    const deletions = (): string[] => requests.filter((line) => line.startsWith("DELETE"));
    await user.click(screen.getByTestId("nav-library"));
    await screen.findAllByTestId("document");
    await deleteFirst();
    expect(listed()).toEqual(["b.md", "c.md"]);
    await later(9_000);
    await user.click(screen.getByTestId("toast-act"));
    expect(listed()).toContain("报告.pdf");
    await later(20_000);
    expect(deletions()).toEqual([]);

    await deleteFirst();
    await later(11_000);
    expect((await screen.findByTestId("error")).textContent).toContain("Title of forbidden");
    expect(listed()).toContain("报告.pdf");
    refuse = false;
    await deleteFirst();
    expect(screen.queryByTestId("error")).toBeNull();
    await later(11_000);
    await waitFor(() => expect(requests.lastIndexOf("GET /collections")).toBeGreaterThan(requests.lastIndexOf("DELETE /documents/d1")));
    expect(deletions()).toEqual(["DELETE /documents/d1", "DELETE /documents/d1"]);
    expect(listed()).not.toContain("报告.pdf");
    vi.useRealTimers();
  });

  it("can't be deleted by a reader", async () => {
    const reader = { auth: "proxy", name: "Ada", role: "reader", tenant: "default", groups: [], token: null };
    const { user } = open({ documents: many, onSession: () => new Response(JSON.stringify(reader)) });
    await user.click(screen.getByTestId("nav-library"));
    await screen.findAllByTestId("document");
    expect(screen.queryByTestId("delete-document")).toBeNull();
  });
});

describe("F-1049: what one can begin with", () => {
  it("are questions that stand in the collection, in the reader's language first", async () => {
    const sections = (...headings: string[]) => ({ sections: headings.map((heading, n) => ({ char_start: n, char_end: n + 1, heading_path: ["FAQ", heading] })) });
    const documents = [
      { ...documentOf("a", { id: "a", updated_at: "2026-01-01T00:00:00Z" }), ...sections("How do I park?", "Parking", "When is it open?") },
      { ...documentOf("b", { id: "b", language: "zh", updated_at: "2026-05-01T00:00:00Z" }), ...sections("在哪里停车？") },
      documentOf("c", { id: "c", status: "failed" }),
    ];
    const { user, answers } = open({ documents, texts: { a: "a", b: "b", c: "c" } });
    const examples = async (): Promise<(string | null)[]> => (await screen.findAllByTestId("example")).map((one) => one.textContent);
    expect(await examples()).toEqual(["How do I park?", "When is it open?", "在哪里停车？"]);
    await user.click(screen.getByTestId("language-switch"));
    await waitFor(async () => expect(await examples()).toEqual(["在哪里停车？", "How do I park?", "When is it open?"]));
    await user.click(screen.getAllByTestId("example")[1]!);
    expect(answers[0]?.asked.question).toBe("How do I park?");
  });

  it("are the newest documents where none asks anything", async () => {
    const { user } = open();
    await user.click(await screen.findByTestId("newest-document"));
    expect(await screen.findByTestId("source-text")).toBeTruthy();
    expect(screen.queryByTestId("example")).toBeNull();
  });
});

describe("F-1050: an answer that is not what was wanted", () => {
  it("can be asked for again, and its question edited", async () => {
    const { user, answers } = open();
    await ask(user, "q");
    await answered(answers[0]);
    await user.click(screen.getByTestId("again"));
    expect(answers[1]?.asked).toMatchObject({ question: "q", history: [] });
    await answered(answers[1], "Use them, again [1].");
    expect(screen.getAllByTestId("answer")).toHaveLength(1);

    await user.click(screen.getByTestId("edit"));
    await user.keyboard("{Escape}");
    expect(screen.queryByTestId("edit-question")).toBeNull();
    await user.click(screen.getByTestId("edit"));
    const box = screen.getByTestId<HTMLTextAreaElement>("edit-question");
    expect([box.value, document.activeElement === box]).toEqual(["q", true]);
    await user.type(box, "uicker?{Enter}");
    expect(answers[2]?.asked).toMatchObject({ question: "quicker?", history: [] });
    await answered(answers[2], "Use them, quicker [1].");
    expect(screen.getAllByTestId("answer")).toHaveLength(1);
    expect(screen.getByRole("heading", { level: 2, name: /quicker\?/ })).toBeTruthy();
  });
});

describe("F-1063: the keyboard", () => {
  it("keeps the focus after a conversation is deleted, and knows /, Ctrl+Shift+O and ↑", async () => {
    const { user, answers } = open();
    await ask(user, "one");
    await answered(answers[0]);
    const input = screen.getByTestId<HTMLTextAreaElement>("question-input");
    await user.click(input);
    await user.keyboard("{ArrowUp}");
    expect(input.value).toBe("one");
    await user.keyboard("/");
    expect(input.value).toBe("one/");
    await user.clear(input);
    await user.click(screen.getByTestId("new-conversation"));
    await ask(user, "two");
    await answered(answers[1]);
    await user.click(screen.getByRole("button", { name: "Delete “one”" }));
    await user.click(screen.getByTestId("confirm-delete"));
    await waitFor(() => expect(document.activeElement).toBe(screen.getByTestId("new-conversation")));
    await user.keyboard("/");
    await waitFor(() => expect(document.activeElement).toBe(screen.getByTestId("question-input")));
    fireEvent.keyDown(document.body, { key: "O", ctrlKey: true, shiftKey: true });
    expect(location.hash).toBe("#/ask");
    expect(screen.queryByTestId("answer")).toBeNull();
    (document.querySelector(".skip-link") as HTMLElement).click();
    expect(document.activeElement).toBe(screen.getByTestId("question-input"));
  });
});

describe("readers who share a browser", () => {
  it("see their own conversations and those that are nobody's", async () => {
    const session = { auth: "keys", name: "Ada", role: "reader", tenant: "default", groups: [], token: "t" };
    const refused = { onSession: () => problemResponse(503, "x") };
    const nobody = open(refused);
    await ask(nobody.user, "nobody's");
    await answered(nobody.answers[0]);
    nobody.store.flush();
    nobody.unmount();

    const known = (name: string) => open({ onSession: () => new Response(JSON.stringify({ ...session, name })) });
    const listed = (): (string | null)[] => within(screen.getByTestId("conversations")).getAllByRole("link").map((link) => link.textContent);
    const ada = known("Ada");
    await screen.findByTestId("account");
    await ada.user.click(screen.getByTestId("new-conversation"));
    await ask(ada.user, "Ada's");
    await answered(ada.answers[0]);
    expect(listed()).toEqual(["Ada's", "nobody's"]);
    ada.store.flush();
    const address = location.hash;
    ada.unmount();

    const bo = known("Bo");
    await screen.findByTestId("account");
    expect(listed()).toEqual(["nobody's"]);
    expect(screen.queryByText("Ada's")).toBeNull();
    bo.unmount();
    history.replaceState(null, "", address);
    known("Ada");
    await screen.findByTestId("account");
    expect(listed()).toEqual(["Ada's", "nobody's"]);
    expect(screen.getByRole("heading", { level: 2, name: /Ada's/ })).toBeTruthy();
  });
});
