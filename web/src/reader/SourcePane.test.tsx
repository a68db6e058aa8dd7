// @vitest-environment jsdom
// F-1021: a document is drawn as what it is, and looked through.
import { fireEvent, screen, waitFor } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { ask, open, send } from "../testing/page";
import { citationOf, claimsOf, documentOf, jsonResponse, problemResponse, replyOf, type Script } from "../testing/service";

async function shown(text: string, quote: string, rest: Record<string, unknown>, script: Script = {}) {
  const citation = citationOf(text, quote, { source: String(rest.source ?? "docs/tuning.md") });
  const page = open({ documents: [documentOf(text, rest)], texts: { "doc-1": text }, ...script });
  await ask(page.user, "q");
  const answer = `${quote} [1]`;
  await send(page.answers[0], ["done", replyOf({ answer, citations: [citation], claims: claimsOf(answer, [[quote, "[1]", 0]]) })]);
  await page.user.click(screen.getByTestId("citation-marker"));
  await screen.findByTestId("source-text");
  return page;
}

describe("the reader", () => {
  it("draws code with its lines numbered, and says which are cited", async () => {
    const code = "import os\n\ndef lists(rows):\n    return rows ** 0.5\n";
    await shown(code, "return rows ** 0.5", { source: "src/lists.py", media_type: "text/x-python" });
    expect(screen.getByTestId("lines").textContent).toBe("line 4");
    const numbers = [...document.querySelectorAll(".line-number")].map((cell) => cell.getAttribute("data-number"));
    expect(numbers).toEqual(["1", "2", "3", "4", "5"]);
    await waitFor(() => expect(document.querySelector(".hljs-keyword")?.textContent).toBe("import"));
    const cited = screen.getAllByTestId("cited-span").map((mark) => mark.textContent).join("");
    expect(cited).toBe("return rows ** 0.5");
    expect(screen.getByTestId("source-text").textContent.trim()).toBe(code.trim());
  });

  it("draws a sheet as a grid with the cited row lit, and the text that is searched beside it", async () => {
    const sheet = "| SKU | Price |\n| --- | --- |\n| A-1 | 10 |\n| B-2 | 20 |\n";
    const { user } = await shown(sheet, "| B-2 | 20 |", { source: "prices.csv", media_type: "text/csv" });
    await waitFor(() => expect(document.querySelector("tr.cited-row")?.textContent).toBe("B-220"));
    expect(document.querySelectorAll(".stretch thead th")).toHaveLength(2);
    await user.click(screen.getByTestId("view-text"));
    expect(screen.getByTestId("source-text").textContent).toBe(sheet);
    expect(screen.getByTestId("cited-span").textContent).toBe("| B-2 | 20 |");
  });

  it("draws slides as cards with their notes, in their order", async () => {
    const deck = "# Goals\n\n- More\n\n> Speaker notes: Say why.\n\n# 计划\n\n| Year | Sum |\n| --- | --- |\n| 2026 | 5 |\n";
    const second = deck.indexOf("# 计划");
    const spans = [{ number: 1, char_start: 0, char_end: second - 2 }, { number: 2, char_start: second, char_end: deck.length }];
    await shown(deck, "| 2026 | 5 |", { source: "deck.pptx", media_type: "application/vnd.openxmlformats-officedocument.presentationml.presentation", page_spans: spans, pages: 2 });
    const slides = await screen.findAllByTestId("slide");
    await waitFor(() => expect(slides[1]?.querySelector("tr.cited-row")).toBeTruthy());
    expect(slides.map((slide) => slide.querySelector("h3")?.textContent)).toEqual(["Goals", "计划"]);
    expect(slides[0]?.querySelector("blockquote")?.textContent).toContain("Say why.");
    expect(slides[1]?.querySelector("[role=separator]")?.getAttribute("data-label")).toBe("slide 2 of 2");
  });

  it("shows a PDF's pages as pictures with the cited words in rectangles, where the service draws them", async () => {
    const pages = [1, 2].map((number) => ({ number, width: 600, height: 800, char_start: (number - 1) * 10, char_end: number * 10, image: `/documents/doc-1/pages/${number}.png` }));
    const onRead = (path: string) => {
      if (path.endsWith("/pages")) return jsonResponse({ pages });
      if (path.endsWith("/boxes")) return jsonResponse({ boxes: [{ page: 2, x: 60, y: 80, width: 300, height: 20 }, { page: null }] });
      return undefined;
    };
    await shown("First one.Second one.", "Second one.", { source: "a.pdf", media_type: "application/pdf" }, { onRead });
    await screen.findAllByTestId("page-view");
    const box = await screen.findByTestId("page-box");
    expect([box.style.left, box.style.top, box.style.width]).toEqual(["10%", "10%", "50%"]);
    expect(box.closest("[data-page]")?.getAttribute("data-page")).toBe("2");
    expect(screen.getByRole("img", { name: "p. 2" }).getAttribute("src")).toBe("http://service.test/documents/doc-1/pages/2.png");
  });

  it("turns with its text", async () => {
    await shown("# מוזיאון\n\nהמוזיאון נפתח בשעה תשע.\n", "המוזיאון נפתח בשעה תשע.", {});
    expect([screen.getByTestId("source-text").dir, screen.getByTestId("answer").dir]).toEqual(["auto", "auto"]);
  });

  it("never turns code", async () => {
    await shown("# מוזיאון\nimport os\n", "import os", { source: "a.py", media_type: "text/x-python" });
    expect(screen.getByTestId("source-text").dir).toBe("ltr");
  });

  it("asks the document about words that are selected, and says where it lies", async () => {
    const text = "Before.\n\nUse rows / 1000 lists.\n\nAfter.";
    const { user } = await shown(text, "Before.", { media_type: "text/plain", collection: "default", source: "docs/eu/tuning.txt" });
    expect([...document.querySelectorAll(".whereabouts a")].map((link) => link.getAttribute("href"))).toEqual(["#/library/default", "#/library/default/docs", "#/library/default/docs/eu"]);
    const words = [...screen.getByTestId("source-text").childNodes].find((node) => node.textContent?.includes("rows"));
    getSelection()?.selectAllChildren(words as Node);
    document.getSelection()?.setBaseAndExtent(words as Node, 2, words as Node, 24);
    expect(getSelection()?.toString()).toBe("Use rows / 1000 lists.");
    document.dispatchEvent(new Event("selectionchange"));
    await user.click(await screen.findByTestId("ask-selection"));
    await waitFor(() => expect(location.hash).toBe("#/ask"));
    expect((screen.getByTestId("question-input") as HTMLTextAreaElement).value).toBe("About “Use rows / 1000 lists.”: ");
    expect(screen.getByTestId("filter-chip").textContent).toContain("tuning");
  });

  it("hands a quote with its place to another program of a phone", async () => {
    const shared: (string | undefined)[] = [];
    const share = async ({ text }: ShareData): Promise<void> => void shared.push(text);
    const wide = window.matchMedia;
    Object.defineProperty(navigator, "share", { value: share, configurable: true });
    window.matchMedia = (query) => (query === "(pointer: coarse)" ? ({ ...wide(query), matches: true, addEventListener: () => undefined, removeEventListener: () => undefined }) : wide(query));
    try {
      const { user } = await shown("Use rows / 1000 lists.", "Use rows", { media_type: "text/plain" });
      getSelection()?.selectAllChildren(screen.getByTestId("source-text"));
      document.dispatchEvent(new Event("selectionchange"));
      await user.click(await screen.findByTestId("share"));
      expect(shared[0]).toMatch(/^“Use rows \/ 1000 lists.”\n.*\n.*#\/d\/doc-1\?at=0-22$/);
    } finally {
      window.matchMedia = wide;
      Reflect.deleteProperty(navigator, "share");
    }
  });

  it("puts a newer file in a document's place, under its name", async () => {
    const sent: [string, unknown, string[]][] = [];
    const job = { id: "job-1", kind: "upload", collection: "default", state: "succeeded", stage: "", done: 1, total: 1, files: [], created_at: null, finished_at: null, eta_s: null };
    const onUpload = (form: FormData, url: URL) => {
      sent.push([url.search, form.get("folder"), form.getAll("files").map((file) => (file as File).name)]);
      return jsonResponse({ job }, 202);
    };
    const { user } = await shown("Old.", "Old.", { source: "docs/tuning.md", collection: "default", has_original: true }, { onUpload });
    expect(screen.getByTestId("open-original").getAttribute("href")).toBe("http://service.test/documents/doc-1/original");
    await user.upload(screen.getByTestId("replace-input"), new File(["New."], "tuning (2).md"));
    await waitFor(() => expect(sent).toEqual([["?collection=default", "docs", ["tuning.md"]]]));
    expect(await screen.findByTestId("upload")).toBeTruthy();
  });

  it("finds words in the whole of a long document", async () => {
    const text = `Start.${" word".repeat(30_000)} The needle 😀 is here.${" word".repeat(200)}`;
    const { user } = await shown(text, "Start.", { media_type: "text/plain" });
    await user.type(screen.getByTestId("find"), "NEEDLE");
    await screen.findByText("1 of 1");
    await user.keyboard("{Enter}");
    await waitFor(() => expect(screen.getByTestId("found-span").textContent).toBe("needle"));
    expect(text).toContain(screen.getByTestId("source-text").textContent);
  });

  it("goes to the first place once it is found, where Enter was pressed before", async () => {
    const text = `Start.${" word".repeat(30_000)} The needle is here.`;
    await shown(text, "Start.", { media_type: "text/plain" });
    fireEvent.change(screen.getByTestId("find"), { target: { value: "needle" } });
    fireEvent.keyDown(screen.getByTestId("find"), { key: "Enter" });
    await waitFor(() => expect(screen.getByTestId("found-span").textContent).toBe("needle"));
  });

  it("F-1007: shows what was kept of a citation while the service is away", async () => {
    let away = false;
    const text = "Use rows / 1000 lists.";
    const page = await shown(text, text, {}, { onRead: () => (away ? problemResponse(503, "store_unavailable") : undefined) });
    await page.user.keyboard("{Escape}");
    away = true;
    await page.user.click(screen.getByTestId("citation-marker"));
    expect((await screen.findByTestId("error")).textContent).toContain("store_unavailable");
    expect(screen.getByTestId("source-pane").querySelector("blockquote")?.textContent).toBe(text);
  });
});
