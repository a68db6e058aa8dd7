// @vitest-environment jsdom
// The screens beside the conversation, against a service that answers as the REST contract says.
import { act, fireEvent, screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { ask, CITATION, open, send, settle, TEXT } from "../testing/page";
import { citationOf, claimsOf, documentOf, jsonResponse, problemResponse, replyOf } from "../testing/service";

const HIT = { ...CITATION, text: CITATION.quote, rank: 1, scores: { dense: 0.7, lexical: 3, rerank: null } };
const ANSWER = "Use rows / 1000 lists. [1]";
const answered = () => replyOf({ answer: ANSWER, citations: [CITATION], claims: claimsOf(ANSWER, [["Use rows / 1000 lists.", "[1]", 0]]) });
const JOB = {
  id: "job-1",
  kind: "upload",
  collection: "default",
  state: "running",
  stage: "unpack",
  done: 1,
  total: 2,
  files: [
    { source: "a.md", state: "succeeded", code: null, detail: null, document_id: "d" },
    { source: "b.pdf", state: "running", code: null, detail: null, document_id: null },
  ],
  created_at: "2026-11-29T10:00:00Z",
  started_at: "2026-11-29T10:00:01Z",
  finished_at: null,
  eta_s: 30,
  attempts: 1,
};
const DONE = { ...JOB, state: "succeeded", done: 2, files: [JOB.files[0], { ...JOB.files[1], state: "failed", code: "encrypted", detail: "AES" }], eta_s: null };

describe("what is asked", () => {
  it("is narrowed by chips, kept with the turn, and asked for again as it was", async () => {
    const { user, answers, store, unmount } = open({ documents: [documentOf(TEXT), documentOf("x", { id: "z", source: "zh/手册.pdf", media_type: "application/pdf", language: "zh" })] });
    await user.click(screen.getByTestId("add-filter"));
    const panel = await screen.findByTestId("filter-panel");
    await user.selectOptions(await within(panel).findByTestId("filter-folder"), await within(panel).findByRole("option", { name: /zh\// }));
    await user.click(within(panel).getByRole("checkbox", { name: /PDF/ }));
    await user.click(within(panel).getByRole("button", { name: "Done" }));
    expect(screen.getAllByTestId("filter-chip").map((chip) => chip.textContent)).toEqual(["zh/", "PDF"]);
    await ask(user, "q");
    const filter = { all: [{ field: "source", op: "prefix", value: "zh/" }, { field: "media_type", op: "in", values: ["application/pdf"] }] };
    expect(answers[0]?.asked).toMatchObject({ collection: "default", filter });
    await send(answers[0], ["done", replyOf({ answer: "No.", abstained: true, reason: "no_document_matches_filter" })]);
    expect(screen.getByTestId("scope").textContent).toMatch(/^In “default” · zh\/ · PDF · /);

    await user.click(screen.getByTestId("without-filter"));
    expect(answers[1]?.asked).not.toHaveProperty("filter");
    await send(answers[1], ["done", answered()]);
    expect(screen.getByTestId("scope").textContent).not.toContain("PDF");
    await user.click(screen.getByRole("button", { name: "Remove the filter “PDF”" }));
    store.flush();
    unmount();
    open();
    expect(screen.getAllByTestId("filter-chip").map((chip) => chip.textContent)).toEqual(["zh/"]);
  });

  it("is several collections, or all of them", async () => {
    const { user, answers } = open();
    await screen.findByRole("option", { name: /handbook/ });
    await user.click(screen.getByTestId("add-filter"));
    const panel = await screen.findByTestId("filter-panel");
    await user.click(within(panel).getByRole("checkbox", { name: /handbook/ }));
    await user.click(within(panel).getByRole("button", { name: "Done" }));
    await ask(user, "q");
    expect(answers[0]?.asked).toMatchObject({ collections: ["default", "handbook"] });
    expect(answers[0]?.asked).not.toHaveProperty("collection");
    const other = { ...CITATION, marker: 2, document_id: "doc-2", collection: "handbook" };
    await send(answers[0], ["done", replyOf({ answer: ANSWER, citations: [CITATION, other], claims: [] })]);
    expect(screen.getByTestId("scope").textContent).toContain("In “default, handbook”");
    expect(screen.getAllByTestId("source-card").map((card) => card.textContent)).toEqual([expect.stringContaining("default"), expect.stringContaining("handbook")]);

    await user.selectOptions(screen.getByTestId("collection-picker"), "handbook");
    await ask(user, "again");
    await send(answers[1], ["done", replyOf({ answer: "No.", abstained: true })]);
    await user.click(screen.getByTestId("everywhere"));
    expect(answers[2]?.asked).toMatchObject({ question: "again", collections: ["*"] });
    expect(screen.getAllByTestId("from-here").map((line) => line.textContent)).toContain("From here: all collections");
  });

  it("goes with the settings of the reader", async () => {
    const { user, answers } = open();
    await user.click(screen.getByTestId("settings"));
    await user.type(await screen.findByTestId("setting-topK"), "12");
    await user.type(screen.getByTestId("setting-temperature"), "0.5");
    await user.click(screen.getByRole("button", { name: "Done" }));
    await ask(user, "q");
    expect(answers[0]?.asked).toMatchObject({ top_k: 12, generation: { temperature: 0.5 } });
  });
});

describe("a mark's card", () => {
  it("shows the quote within its paragraph to who hovers, and opens it", async () => {
    const { user, answers } = open();
    await ask(user, "q");
    await send(answers[0], ["done", answered()]);
    fireEvent.pointerEnter(screen.getByTestId("citation-marker"), { pointerType: "mouse" });
    const card = await screen.findByTestId("mark-card");
    expect(card.querySelector("mark")?.textContent).toBe(CITATION.quote);
    expect(card.textContent).toContain("tuning.md");
    await waitFor(() => expect(card.textContent).toContain(`${CITATION.quote} Later text.`));
    await user.click(within(card).getByRole("button", { name: "Open" }));
    expect((await screen.findByTestId("cited-span")).textContent).toBe(CITATION.quote);
    await waitFor(() => expect(screen.queryByTestId("mark-card")).toBeNull());
  });
});

describe("what a reader thinks of an answer", () => {
  it("is sent with its reason, and is not asked for where the service keeps none", async () => {
    const said: unknown[] = [];
    const { user, answers, unmount } = open({ onChange: (method, path, body) => (said.push([method, path, body]), jsonResponse({}, 201)) });
    await ask(user, "q");
    await send(answers[0], ["done", answered()]);
    await user.click(screen.getByTestId("thumb-down"));
    await user.click(screen.getByRole("radio", { name: "Wrong source" }));
    await user.click(screen.getByTestId("send-feedback"));
    await waitFor(() => expect(screen.getByTestId("thumb-down").getAttribute("aria-pressed")).toBe("true"));
    expect(said).toEqual([["POST", "/feedback", { request_id: "req-1", rating: "down", reason: "wrong_source" }]]);
    unmount();

    const older = open();
    await user.click(await screen.findByTestId("thumb-up"));
    await waitFor(() => expect(screen.queryByTestId("thumb-up")).toBeNull());
    older.unmount();
  });
});

describe("why these", () => {
  it("shows terms, ranks and times to who wants them", async () => {
    const candidate = { chunk_id: "c1", document_id: "doc-1", source: "docs/tuning.md", dense_rank: 1, dense: 0.71, lexical_rank: null, lexical: 0, window_lexical: 0, readability: 1, score: 0.8, fused_rank: 1, rerank: null, rank: 1, dropped: null, near_identical_to: null };
    const explain = { terms: [{ term: "list", idf: 2.5 }], unknown_share: 0, dense_weight: 0.5, window_share: 0.5, search: "exact", probes: null, rows: 80, candidates_per_search: 50, reranked: 0, candidates: [candidate, { ...candidate, chunk_id: "c2", rank: null, dropped: "top_k", fused_rank: 2 }], stages_ms: { embed: 5, search: 9 } };
    const { user, answers } = open({ onSearch: () => jsonResponse({ hits: [], explain, timings_ms: {} }) });
    await user.click(screen.getByTestId("settings"));
    await user.click(await screen.findByTestId("setting-why"));
    await user.click(screen.getByRole("button", { name: "Done" }));
    await ask(user, "q");
    expect(answers[0]?.asked).toMatchObject({ explain: true });
    await send(answers[0], ["done", { ...answered(), explain: { answerability: 0.42, abstain_threshold: 0.5 } }]);
    await user.click(screen.getByTestId("why"));
    const shown = await screen.findByTestId("why-these");
    for (const text of ["0.42 of the 0.50", "list", "1. (0.71)", "hit 1", "too far down", "80 chunks"]) expect(shown.textContent).toContain(text);
  });
});

describe("search", () => {
  it("finds as one types, marks the words, opens, and asks these documents only", async () => {
    const asked: Record<string, unknown>[] = [];
    const signals: AbortSignal[] = [];
    const { user, answers } = open({
      onSearch: async (body, signal) => {
        asked.push(body);
        signals.push(signal);
        if (body.question === "ro") await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
        return jsonResponse({ hits: [HIT], timings_ms: { total: 3 } });
      },
    });
    await user.click(screen.getByTestId("nav-search"));
    const box = await screen.findByTestId("search-input");
    expect(document.activeElement).toBe(box);
    await user.type(box, "ro");
    await waitFor(() => expect(asked).toHaveLength(1));
    await user.type(box, "ws lists");
    const hit = await screen.findByTestId("hit");
    expect(signals[0]?.aborted).toBe(true); // what is no longer wanted is not waited for
    expect(asked.at(-1)).toMatchObject({ question: "rows lists", collection: "default", top_k: 20 });
    expect([...hit.querySelectorAll("mark")].map((mark) => mark.textContent)).toEqual(["rows", "lists"]);
    expect(hit.getAttribute("href")).toContain(`#/d/doc-1?at=${CITATION.char_start}-`);
    expect(location.hash).toBe("#/search?q=rows+lists&in=default");
    await user.keyboard("{Enter}");
    expect((await screen.findByTestId("cited-span")).textContent).toBe(CITATION.quote);
    await user.keyboard("{Escape}");
    await waitFor(() => expect(screen.queryByTestId("source-pane")).toBeNull());
    await user.click(screen.getByTestId("ask-with-these"));
    await settle();
    expect(answers[0]?.asked).toMatchObject({ question: "rows lists", filter: { all: [{ field: "source", op: "in", values: ["docs/tuning.md"] }] } });
    expect(screen.getByRole("heading", { level: 2, name: /rows lists/ })).toBeTruthy();
  });

  it("says of hits that they are weak, and of all where all are", async () => {
    const weak = { ...HIT, chunk_id: "c-weak", scores: { dense: 0.2, lexical: 0, rerank: null, standard: 2.1 } };
    const near = { ...HIT, scores: { dense: 0.6, lexical: 0, rerank: null, standard: 5.2 } };
    let hits = [near, weak];
    const { user } = open({ onSearch: () => jsonResponse({ hits, timings_ms: {} }) });
    await user.click(screen.getByTestId("nav-search"));
    await user.type(await screen.findByTestId("search-input"), "zebras");
    const shown = await screen.findAllByTestId("hit");
    expect(shown.map((hit) => hit.querySelector(".badge")?.textContent)).toEqual(["similar by meaning", "hardly similar"]);
    expect(screen.queryByTestId("all-weak")).toBeNull();
    hits = [weak];
    await user.type(screen.getByTestId("search-input"), " roam");
    expect((await screen.findByTestId("all-weak")).textContent).toContain("the nearest there are");
  });

  it("is a way on from a refusal", async () => {
    const { user, answers } = open({ onSearch: () => problemResponse(500, "internal_error") });
    await ask(user, "Where is it?");
    await send(answers[0], ["done", replyOf({ answer: "No.", abstained: true })]);
    await user.click(screen.getByTestId("search-instead"));
    expect(location.hash).toBe("#/search?q=Where+is+it%3F&in=default");
    expect((await screen.findByTestId("error")).textContent).toContain("Title of internal_error");
  });
});

describe("who may read", () => {
  const session = { auth: "keys", name: "Ada", role: "writer", tenant: "default", groups: ["hr", "board"], token: "t", conversations_of: null };

  it("goes with files, is shown, and changed for several at once", async () => {
    const sent: unknown[] = [];
    const changed: unknown[] = [];
    const { user } = open({
      documents: [documentOf(TEXT, { readers: ["hr"] })],
      onSession: () => jsonResponse(session),
      onUpload: (form) => {
        sent.push(form.getAll("readers"));
        return jsonResponse({ job: JOB }, 202);
      },
      onChange: (method, path, body) => {
        if (method !== "PATCH") return problemResponse(404, "not_found");
        changed.push([path, body]);
        return changed.length === 1 ? problemResponse(403, "forbidden") : jsonResponse({});
      },
    });
    await screen.findByTestId("account");
    await user.click(screen.getByTestId("nav-library"));
    expect((await screen.findByTestId("readers-of")).textContent).toBe("Read by hr");
    await user.upload(screen.getByTestId("file-input"), new File(["a"], "a.md"));
    await user.type(await screen.findByTestId("readers"), "hr， board, hr");
    await user.click(screen.getByTestId("send-files"));
    await waitFor(() => expect(sent).toEqual([["hr", "board"]]));

    await user.click(screen.getByTestId("pick"));
    await user.click(screen.getByTestId("readers-picked"));
    const field = within(await screen.findByTestId("readers-dialog")).getByTestId<HTMLInputElement>("readers");
    expect(field.value).toBe("hr");
    await user.clear(field);
    await user.click(screen.getByTestId("readers-done"));
    expect((await screen.findByTestId("error")).textContent).toContain("Title of forbidden");
    await user.click(screen.getByTestId("readers-done"));
    await waitFor(() => expect(screen.queryByTestId("readers-dialog")).toBeNull());
    expect(changed).toEqual([["/documents/doc-1", { readers: [] }], ["/documents/doc-1", { readers: [] }]]);
  });
});

describe("files that are added", () => {
  it("say what will become of them, and go without those that are there or are not taken", async () => {
    const asked: Record<string, unknown>[] = [];
    const sent: string[][] = [];
    const { user } = open({
      onChange: (_, path, body) => {
        if (path !== "/documents/plan") return problemResponse(404, "not_found");
        asked.push(body);
        const outcomes: Record<string, object> = {
          "a.md": { outcome: "changed", code: null, duplicate_of: null, detail: null },
          "b.md": { outcome: "unchanged", code: null, duplicate_of: null, detail: null },
          "c.md": { outcome: "duplicate", code: null, duplicate_of: "docs/a.md", detail: null },
          "d.exe": { outcome: "refused", code: "program", duplicate_of: null, detail: null },
        };
        return jsonResponse({ files: (body.files as { name: string }[]).map(({ name }) => ({ source: name, ...outcomes[name] })) });
      },
      onUpload: (form) => {
        sent.push(form.getAll("files").map((file) => (file as File).name));
        return jsonResponse({ job: JOB }, 202);
      },
    });
    await user.click(screen.getByTestId("nav-library"));
    await user.upload(await screen.findByTestId("file-input"), ["a.md", "b.md", "c.md", "d.exe"].map((name) => new File(["x"], name)));
    await waitFor(() => expect(screen.getAllByTestId("planned-file").map((line) => line.getAttribute("data-outcome"))).toEqual(["refused", "duplicate", "changed", "unchanged"]));
    const sheet = screen.getByTestId("dropped-files").textContent;
    for (const text of ["A program or a part of one is no document.", "Holds the same as “docs/a.md”.", "1 changed · 1 there already · 1 the same as another · 1 not taken"]) expect(sheet).toContain(text);
    expect(asked[0]).toMatchObject({ folder: "", files: [{ name: "a.md", size_bytes: 1 }, {}, {}, {}] });
    await user.click(screen.getByTestId("send-files"));
    await waitFor(() => expect(sent).toEqual([["a.md", "c.md"]]));
  });

  it("say where they go, how far each is, and why one failed; the library is looked at anew", async () => {
    const sent: [string, string[]][] = [];
    let stream!: ReadableStreamDefaultController<Uint8Array>;
    const tell = (job: unknown) => act(async () => stream.enqueue(new TextEncoder().encode(`event: job\ndata: ${JSON.stringify(job)}\n\n`)));
    const { user, requests } = open({
      onUpload: (form, url) => {
        sent.push([`${url.search} ${String(form.get("folder"))}`, form.getAll("files").map((file) => (file as File).name)]);
        return jsonResponse({ job: JOB }, 202);
      },
      onJobs: (_, path) => (path.endsWith("/events") ? new Response(new ReadableStream({ start: (control) => void (stream = control) })) : jsonResponse({ jobs: [DONE], next_cursor: null })),
    });
    await user.click(screen.getByTestId("nav-library"));
    await user.upload(await screen.findByTestId("file-input"), [new File(["a"], "a.md"), new File(["b"], "b.pdf"), new File(["c"], ".hidden")]);
    const plan = await screen.findByTestId("dropped-files");
    expect(plan.textContent).toContain("Add 2 files");
    await user.type(within(plan).getByRole("textbox"), "manuals");
    await user.click(within(plan).getByTestId("send-files"));
    const upload = await screen.findByTestId("upload");
    expect(sent).toEqual([["?collection=default manuals", ["a.md", "b.pdf"]]]);
    expect(upload.textContent).toContain("Unpacking · 1 of 2 · 30 s left");
    const before = requests.filter((line) => line.startsWith("GET /documents?")).length;
    await tell({ ...JOB, stage: "ingest" });
    await waitFor(() => expect(upload.textContent).toContain("Taking in ·"));
    await tell(DONE);
    await waitFor(() => expect(upload.textContent).toContain("1 file is in, 1 failed."));
    expect(upload.textContent).toContain("password");
    await waitFor(() => expect(requests.filter((line) => line.startsWith("GET /documents?")).length).toBeGreaterThan(before));
    await user.click(screen.getByTestId("nav-activity"));
    expect((await screen.findByTestId("job")).getAttribute("data-state")).toBe("succeeded");
    expect(screen.getByTestId("retry-job").textContent).toContain("Retry 1 failed file");
  });
});

describe("the library", () => {
  const documents = ["en/a.md", "en/b.md", "zh/c.md"].map((source, n) => documentOf("x", { id: `d${n}`, source, title: `Title ${n}`, status: n === 2 ? "failed" : "ready" }));

  it("has a tree, facets and addresses, and asks what was selected", async () => {
    const { user, answers } = open({ documents });
    await user.click(screen.getByTestId("nav-library"));
    await screen.findAllByTestId("document");
    const tree = screen.getByRole("navigation", { name: "Collections" });
    await user.click(await within(tree).findByRole("link", { name: /en/ }));
    expect(location.hash).toBe("#/library/default/en");
    expect(screen.getAllByTestId("document").map((one) => one.textContent)).toEqual(["a.md", "b.md"]);
    await user.click(screen.getAllByTestId("pick")[1]!);
    await user.click(screen.getByTestId("ask-picked"));
    expect(screen.getByTestId("filter-chip").textContent).toBe("en/b.md");
    await ask(user, "q");
    expect(answers[0]?.asked).toMatchObject({ filter: { all: [{ field: "source", op: "in", values: ["en/b.md"] }] } });
  });

  it("describes a collection where it is made, and again", async () => {
    const changes: unknown[] = [];
    const { user } = open({ documents, onChange: (method, path, body) => (changes.push([method, path, body]), jsonResponse({}, 201)) });
    await user.click(screen.getByTestId("nav-library"));
    await user.click(await screen.findByTestId("new-collection"));
    await user.type(await screen.findByTestId("collection-name"), "manuals");
    await user.type(screen.getByTestId("collection-description"), "Pumps, 泵");
    await user.click(screen.getByTestId("collection-done"));
    await waitFor(() => expect(location.hash).toBe("#/library/manuals"));
    await user.click(screen.getByRole("link", { name: /handbook/ }));
    expect((await screen.findByTestId("described")).textContent).toBe("Rules for all");
    await user.click(screen.getByTestId("rename-collection"));
    await user.type(await screen.findByTestId("collection-description"), " of us");
    await user.click(screen.getByTestId("collection-done"));
    await waitFor(() => expect(changes).toHaveLength(2));
    expect(changes).toEqual([
      ["POST", "/collections", { name: "manuals", description: "Pumps, 泵" }],
      ["PATCH", "/collections/handbook", { description: "Rules for all of us" }],
    ]);
    const option = screen.queryByRole("option", { name: /handbook/ });
    if (option) expect(option.textContent).toBe("handbook · 1 document · Rules for all");
  });

  it("takes picked documents in again, and says which have no file", async () => {
    const job = { id: "job-1", kind: "reingest", collection: "default", state: "succeeded", stage: "", done: 1, total: 1, files: [], created_at: null, finished_at: null, eta_s: null };
    const asked: unknown[] = [];
    const onChange = (_: string, path: string, body: Record<string, unknown>) => (asked.push([path, body]), jsonResponse({ jobs: [job], without_original: ["doc-2"] }, 202));
    const { user } = open({ documents, onChange });
    await user.click(screen.getByTestId("nav-library"));
    await user.click((await screen.findAllByTestId("pick"))[0]!);
    await user.click(screen.getAllByTestId("pick")[1]!);
    await user.click(screen.getByTestId("again-picked"));
    expect(await screen.findByTestId("upload")).toBeTruthy();
    expect((await screen.findByTestId("toast")).textContent).toContain("1 document has no file kept here");
    expect(asked).toEqual([["/documents/reingest", { documents: documents.map(({ id }) => id).slice(0, 2) }]]);
  });

  it("makes, renames and deletes collections, and says why it could not", async () => {
    const changes: unknown[] = [];
    const { user } = open({
      documents,
      onChange: (method, path, body) => (changes.push([method, path, body]), changes.length === 1 ? problemResponse(409, "collection_exists") : jsonResponse({}, 201)),
      onDelete: (path) => (changes.push(["DELETE", path]), new Response(null, { status: 204 })),
    });
    await user.click(screen.getByTestId("nav-library"));
    await user.click(await screen.findByTestId("new-collection"));
    await user.type(await screen.findByTestId("collection-name"), "manuals");
    await user.click(screen.getByTestId("collection-done"));
    expect((await screen.findByTestId("error")).textContent).toContain("collection_exists");
    await user.click(screen.getByTestId("collection-done"));
    await waitFor(() => expect(location.hash).toBe("#/library/manuals"));
    await user.click(screen.getByTestId("rename-collection"));
    await user.type(await screen.findByTestId("collection-name"), "2");
    await user.click(screen.getByTestId("collection-done"));
    await waitFor(() => expect(location.hash).toBe("#/library/manuals2"));
    await user.click(screen.getByTestId("delete-collection"));
    await user.click(await screen.findByTestId("collection-done"));
    await waitFor(() => expect(location.hash).toBe("#/library/default"));
    expect(changes.slice(1)).toEqual([
      ["POST", "/collections", { name: "manuals" }],
      ["PATCH", "/collections/manuals", { name: "manuals2" }],
      ["DELETE", "/collections/manuals2"],
    ]);
  });
});

describe("status", () => {
  const state = {
    version: "1.2",
    database: { ok: true, detail: "reachable", server: "17.6", pgvector: "0.8.1", size_bytes: 5e7 },
    encoder: { ok: true, detail: "", model: "MiniLM", documents: 30, unreadable_documents: 15 },
    indexes: [{ model: "MiniLM", rows: 120_000, method: "ivfflat", recall: 0.9, recall_low: 0.88, recall_high: 0.92, target_recall: 0.95, p50_ms: 4, p95_ms: 9, built_at: null, fault: null }],
    second_space: { model: "e5", documents: 30, filled: 12 },
    llm: { ok: false, detail: "refused", model: "llama", waiting: 0, servers: [] },
    replicas: [
      { name: "replica-1:5432", state: "ready", lag_s: 0.2 },
      { name: "replica-2:5432", state: "behind", lag_s: 9 },
    ],
    disk: { free_bytes: 5e10, total_bytes: 1e11 },
  };
  const lights = (): (string | null)[] => screen.getAllByTestId("light").map((one) => one.getAttribute("data-light"));

  it("has a light and a sentence for each part", async () => {
    const { user } = open({ onRead: (path) => (path === "/status" ? jsonResponse(state) : undefined) });
    await user.click(screen.getByTestId("nav-status"));
    await screen.findAllByTestId("light");
    expect(lights()).toEqual(["good", "warning", "warning", "off", "bad", "good", "warning", "good"]);
    const text = screen.getByTestId("status").textContent;
    expect(text).toContain("replica-2:5432 is too far behind");
    expect(text).toContain("e5 has 12 of 30 documents");
    for (const words of ["PostgreSQL 17.6", "Measured recall 0.900 (0.880–0.920) against the target 0.95", "can’t read 15 of 30 documents", "refused", "50 GB of 100 GB"]) expect(text).toContain(words);
  });

  it("shows owners what readers found bad, and the case that it makes", async () => {
    const evaluationCase = { id: "feedback-7", question: "How often?", answerable: false, answers: [] };
    const rated = { at: "2026-11-29T21:04:05Z", actor: "Ada", request_id: "r", rating: "down", question: "How often?", answer: "Every six months.", abstained: false, scope: {}, citations: [citationOf("Every six months.", "Every six")], state: {} };
    const feedback = [
      { ...rated, id: 7, reason: "should_have_refused", comment: "旧版", case: evaluationCase },
      { ...rated, id: 6, reason: "wrong_source", comment: "", case: null },
    ];
    const { user, requests } = open({ onRead: (path) => (path === "/status" ? jsonResponse(state) : path === "/feedback" ? jsonResponse({ feedback, next_before: null }) : undefined) });
    await user.click(screen.getByTestId("nav-status"));
    const shown = await screen.findAllByTestId("rated");
    expect(requests).toContain("GET /feedback?rating=down&limit=20");
    expect(shown[0]?.textContent).toContain("It should have refused 旧版");
    expect(within(shown[0] as HTMLElement).getByRole("link", { hidden: true }).getAttribute("href")).toContain("#/d/doc-1?at=0-9");
    expect(shown[1]?.textContent).toContain("no test case");
    await user.click(within(shown[0] as HTMLElement).getByTestId("copy-case"));
    expect(JSON.parse(await navigator.clipboard.readText())).toEqual(evaluationCase);
  });

  it("warns where one of several servers of the model is away", async () => {
    const server = (ok: boolean) => ({ ok, detail: "", address: "http://a", model: "llama", waiting: 0 });
    const llm = { ok: true, detail: "1 of 2 servers are away: http://b: refused", model: "llama", waiting: 0, servers: [server(true), server(false)] };
    const { user } = open({ onRead: (path) => (path === "/status" ? jsonResponse({ ...state, llm }) : undefined) });
    await user.click(screen.getByTestId("nav-status"));
    await screen.findAllByTestId("light");
    expect(lights().at(4)).toBe("warning");
    expect(screen.getByTestId("status").textContent).toContain("llama is reachable. 1 of 2 servers are away");
  });

  it("tells readers what everybody may know", async () => {
    const checks = { database: { ok: true, detail: "reachable" }, migrations: { ok: false, detail: "behind" } };
    const notReady = { code: "not_ready", title: "t", detail: "d", status: 503, request_id: "r", checks };
    const { user } = open({ onRead: (path) => (path === "/status" ? problemResponse(403, "forbidden") : path === "/readyz" ? jsonResponse(notReady, 503) : undefined) });
    await user.click(screen.getByTestId("nav-status"));
    await screen.findAllByTestId("light");
    expect(lights()).toEqual(["good", "bad"]);
    expect(screen.getByTestId("status").textContent).toContain("More is told to administrators");
  });
});

describe("keys", () => {
  it("open the palette, which goes to anything by name", async () => {
    const { user, answers } = open({ documents: [documentOf(TEXT)] });
    await ask(user, "First question");
    await send(answers[0], ["done", answered()]);
    await user.keyboard("{Control>}k{/Control}");
    const box = await screen.findByTestId("palette-input");
    await waitFor(() => expect(document.activeElement).toBe(box));
    await user.type(box, "tuning");
    await waitFor(() => expect(screen.getAllByTestId("palette-entry")[0]?.textContent).toContain("tuning.md"));
    await user.keyboard("{Enter}");
    expect(await screen.findByTestId("source-text")).toBeTruthy();
    await user.keyboard("{Escape}{Control>}k{/Control}");
    await user.type(await screen.findByTestId("palette-input"), "handb{Enter}");
    expect(location.hash).toBe("#/library/handbook");
  });

  it("are listed by ?, and / goes to the box of each screen", async () => {
    const { user } = open();
    await user.click(screen.getByTestId("nav-status"));
    await user.keyboard("?");
    expect((await screen.findByTestId("key-list")).textContent).toContain("Ctrl");
    await user.keyboard("{Escape}");
    await user.click(screen.getByTestId("nav-library"));
    await screen.findByTestId("document-search");
    await user.keyboard("/");
    expect(document.activeElement).toBe(screen.getByTestId("document-search"));
  });
});
