// @vitest-environment jsdom
import { render, screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { placesOf } from "./places";
import { survey, threeClaims, VERBATIM, type Case } from "../testing/cases";
import { citationOf, claimsOf } from "../testing/service";
import type { Citation } from "../wire/decode";
import { AnswerText } from "./AnswerText";

const CITATIONS: Citation[] = [citationOf("abc", "b"), citationOf("abc", "c", { marker: 2, supported: false, title: "Other" })];

/** Every "[1]" and "[2]" of the text is a mark, in code and in addresses too. */
function allMarked(answer: string): Case {
  const marks = [...answer.matchAll(/\[([12])\]/g)];
  return {
    answer,
    citations: CITATIONS,
    claims: marks.flatMap((match) => claimsOf(answer, [["", null, 0]]).map((claim) => {
      const at = Array.from(answer.slice(0, match.index)).length;
      const index = Number(match[1]) - 1;
      return { ...claim, mark_start: at, mark_end: at + 3, citations: [index], supported: index === 0 };
    })),
  };
}

function show({ answer, claims, citations }: Case, verbatim = false, opened: Citation[] = []): HTMLElement {
  const places = placesOf(answer, claims, citations);
  const { container } = render(
    <AnswerText text={answer} places={places} verbatim={verbatim} onOpen={(citation) => opened.push(citation)} />,
  );
  return within(container).getByTestId("answer");
}

const plain = (answer: string): Case => ({ answer, claims: [], citations: CITATIONS });
const markers = (): HTMLElement[] => screen.queryAllByTestId("citation-marker");
/** The text with marks as they stand in the answer. */
const shownText = (answer: HTMLElement): string => {
  const copy = answer.cloneNode(true) as HTMLElement;
  for (const button of copy.querySelectorAll("button")) button.textContent = `[${button.textContent}]`;
  return copy.textContent;
};

describe("a model's answer", () => {
  it("has buttons where the service says, through lists, tables, bold text and links, and none in code", () => {
    const opened: Citation[] = [];
    const text =
      "One [1], two [1][2], `code [1]`, not[2]cut.\n\n- **结论。**[2]后文\n- **bold [2]**\n\n| a | b |\n|---|---|\n| x [1] | y |\n\n" +
      "[1]: https://e.test/definition\n\n[link](https://e.test/[2]) end [1](no link)";
    const answer = show(allMarked(text), false, opened);
    expect(markers().map((marker) => marker.textContent)).toEqual(["1", "1", "2", "2", "2", "2", "1", "1", "1"]);
    expect(answer.textContent).toContain("code [1], not2cut");
    expect(answer.textContent).toContain("1: https://e.test/definition");
    expect(answer.textContent).toContain("link (https://e.test/[2]) end 1(no link)");
    expect([...answer.querySelectorAll("strong")].map((strong) => strong.textContent)).toEqual(["结论。", "bold 2"]);
    for (const marker of markers()) marker.click();
    expect(opened).toEqual([0, 0, 1, 1, 1, 1, 0, 0, 0].map((index) => CITATIONS[index]));
  });

  it("makes no header of one without words", () => {
    const answer = show(plain("|  | 2026 |\n|---|---:|\n| Sum | 5 |"));
    expect([...answer.querySelectorAll("thead th")].map((cell) => cell.textContent)).toEqual(["2026"]);
    expect(answer.querySelectorAll("thead td")).toHaveLength(1);
    expect((answer.querySelector("th") as HTMLElement).style.textAlign).toBe("right");
  });

  it("F-1023: keeps footnotes, each answer its own", () => {
    const text = "A footnote.[^1]\n\nMore.\n\n[^1]: The note.";
    const [one, other] = [show(plain(text)), show(plain(text))];
    for (const answer of [one, other]) {
      expect(answer.textContent).toContain("The note.");
      const link = answer.querySelector("sup a")?.getAttribute("href") ?? "";
      expect(answer.querySelector(`[id="${link.slice(1)}"]`)?.textContent).toContain("The note.");
    }
    expect(one.querySelector("li")?.id).not.toBe(other.querySelector("li")?.id);
  });

  it("F-601: leaves any other number in brackets the text it is", () => {
    const answer = show(plain("One [1], two [2] and [3]."));
    expect(markers()).toEqual([]);
    expect(answer.textContent).toBe("One [1], two [2] and [3].");
  });

  it("F-602: opens the own sentence of each claim on one marker, and marks the one that is not confirmed", () => {
    const opened: Citation[] = [];
    const three = threeClaims();
    const answer = show(three, false, opened);
    expect(markers().map(({ className }) => className)).toEqual(["marker", "marker", "marker marker-unsupported"]);
    for (const marker of markers()) marker.click();
    expect(opened).toEqual(three.citations);
    expect(answer.querySelector(".claim-unsupported")?.textContent).toBe("A thousand unicorns voted for purple probes on Tuesday");
    expect([...answer.querySelectorAll(".claim-sourceless")].map((part) => part.textContent)).toEqual(["Everybody ", "likes", " ", "probes"].filter((part) => part.trim() !== ""));
    expect(answer.querySelector(".claim-sourceless")?.getAttribute("title")).toBe("no source");
    expect(answer.querySelector(".claim-note")?.textContent).toBe(" (no source)");
    expect(answer.querySelector("strong")?.textContent).toBe("likes");
  });

  it("marks doubted statements without disturbing what Markdown makes of their lines", () => {
    const text = "# 1. Title\n\n1. First step\n2. `second` step\n\n> quoted __x__ 😀\n\n| a | b |\n|---|---|\n| c &amp; d | **e** |\n\nhttps://auto.test/x";
    const statements = ["# 1. Title", "1. First step", "2. `second` step", "> quoted __x__ 😀", "| c &amp; d | **e** |", "https://auto.test/x"];
    const claims = claimsOf(text, statements.map((statement) => [statement, null, 0]));
    const answer = show({ answer: text, claims, citations: [] });
    expect(answer.querySelectorAll("h3, ol > li, blockquote, th, td")).toHaveLength(8);
    expect(answer.querySelectorAll(".claim-note")).toHaveLength(6);
    for (const note of answer.querySelectorAll(".claim-note")) note.remove();
    const unmarked = answer.innerHTML.replace(/<\/?span[^>]*>/g, "");
    expect(answer.querySelectorAll(".claim-sourceless").length).toBeGreaterThan(6);
    expect(unmarked).toBe(show(plain(text)).innerHTML);
  });

  it("keeps the boxes of tasks and the names of footnotes within doubted statements", () => {
    const text = "- [x] measured\n- [ ] plotted\n\nMeasure first.[^1]\n\n[^1]: It says so.";
    const claims = claimsOf(text, ["- [x] measured", "- [ ] plotted", "Measure first.", "[^1]: It says so."].map((statement) => [statement, null, 0]));
    const answer = show({ answer: text, claims, citations: [] });
    expect([...answer.querySelectorAll<HTMLInputElement>("input[type=checkbox]")].map(({ checked }) => checked)).toEqual([true, false]);
    expect(answer.querySelector("sup a")?.textContent).toBe("1");
    expect(answer.querySelectorAll(".claim-note")).toHaveLength(4);
    expect(answer.textContent).not.toContain("[");
  });

  it("gives an answer's own private-use characters no meaning", () => {
    const answer = show(plain("a\uE0000\uE001 \u00B7\uE0000\uE001\u00B7 b\uE002 c"));
    expect(answer.querySelector("button, span")).toBeNull();
    expect(answer.textContent).not.toMatch(/[\uE000-\uE004]/);
  });

  it("names the source of a marker, and what isn't confirmed", () => {
    show(allMarked("One [1] two [2]"));
    expect(screen.getByRole("button", { name: "Source 1: Tuning" }).className).toBe("marker");
    expect(screen.getByRole("button", { name: "Source 2: Other (Not confirmed)" }).className).toContain("marker-unsupported");
  });

  it("shows HTML as text and makes none of it", () => {
    const answer = show(plain('Hi <script>alert(1)</script> <img src=x onerror=alert(1)> <button value="1">x</button>\n\n<iframe src="https://e.test"></iframe>'));
    expect(answer.querySelector("script, img, iframe, button")).toBeNull();
    expect(answer.textContent).toContain("<script>alert(1)</script>");
    expect(answer.textContent).toContain('<iframe src="https://e.test"></iframe>');
  });

  it("loads no image and follows no link out", () => {
    const answer = show(
      plain(
        [
          "![alt text](https://e.test/x.png)",
          "[safe words](https://e.test/p)",
          "[run](javascript:alert(1)) [data](data:text/html,x) [file](/etc/passwd) [proto](//e.test)",
          "https://auto.test/link and <https://angle.test>",
          "[reference][r]\n\n[r]: https://e.test/r",
        ].join("\n\n"),
      ),
    );
    expect(answer.querySelector("a, img, picture, source, svg")).toBeNull();
    expect(answer.textContent).toContain("alt text");
    expect(answer.textContent).toContain("safe words (https://e.test/p)");
    expect(answer.textContent).toContain("https://auto.test/link and https://angle.test");
    expect(answer.textContent).not.toContain("javascript:");
  });

  it("keeps an anchor within the page a link", () => {
    const answer = show(plain("[up](#top)"));
    expect(within(answer).getByRole("link", { name: "up" }).getAttribute("href")).toBe("#top");
  });

  it("marks the text's language by its script", () => {
    expect(show(allMarked("分块大小为 512 个词元 [1]。")).lang).toBe("zh");
  });
});

describe("a quoted answer", () => {
  it("F-1001: is shown letter by letter, with its lines", () => {
    const text = VERBATIM.map((quote) => `${quote} [2]`).join("\n");
    const claims = claimsOf(text, VERBATIM.map((quote) => [quote, "[2]", 1]));
    const answer = show({ answer: text, claims, citations: CITATIONS }, true);
    expect(markers()).toHaveLength(VERBATIM.length);
    expect(shownText(answer)).toBe(text);
    expect(answer.querySelector("code, del, em, strong, script, a, ol, h3")).toBeNull();
  });

  it("F-601: has as many buttons as the survey has claims, each opening its own sentence", () => {
    const opened: Citation[] = [];
    const case_ = survey();
    const answer = show(case_, true, opened);
    expect(shownText(answer)).toBe(case_.answer);
    expect(markers().map((marker) => marker.textContent)).toEqual(["1", "2"]);
    for (const marker of markers()) marker.click();
    expect(opened.map(({ quote }) => quote)).toEqual(case_.citations.map(({ quote }) => quote));
  });

  it("F-833: shows code in lines of its own", () => {
    const text = "Here:\n```python\nrows = [1]\n\n*x* = 2\n``` [1]";
    const at = text.lastIndexOf("[1]");
    const claims = [{ start: 0, end: 5, mark_start: at, mark_end: at + 3, citations: [0], supported: true }];
    const answer = show({ answer: text, claims, citations: CITATIONS }, true);
    expect(answer.querySelector("pre code")?.textContent).toBe("rows = [1]\n\n*x* = 2");
    expect([...answer.querySelectorAll("p")].map((part) => part.textContent.trim())).toEqual(["Here:", "1"]);
  });
});

describe("F-1023: formulas and code of a model's answer", () => {
  it("are MathML, beside marks and sums of money", async () => {
    const answer = "Yes: $x$ costs $5 and $6, \\( a^2 \\) too [1].\n\n$$\nC(n) = \\frac{n}{L}\n$$\n";
    const shown = show({ ...plain(answer), claims: claimsOf(answer, [["Yes", "[1]", 0]]) });
    expect(await screen.findAllByTestId("formula")).toHaveLength(3);
    expect(shown.querySelectorAll("math")).toHaveLength(3);
    expect(shown.querySelector("math[display=block] mfrac")).not.toBeNull();
    expect(shown.textContent).toContain("costs $5 and $6, ");
    expect(markers()).toHaveLength(1);
    expect(shown.querySelector("[style]")).toBeNull(); // the page's policy allows none in what is parsed
  });

  it("draws nothing that leads away or loads, and shows what can't be read", () => {
    const shown = show(plain("$\\href{https://elsewhere.example}{x}$ $\\includegraphics{https://elsewhere.example/x}$ $\\frac{$"));
    expect(shown.querySelector("a, img, script")).toBeNull();
    expect(shown.textContent).toContain("elsewhere");
  });

  it("have their language, its colours and a button that copies them", async () => {
    const code = "def f(x):\n    return x  # [1]";
    const shown = show(plain(`\`\`\`python\n${code}\n\`\`\`\n\n\`\`\`\nplain\n\`\`\`\n`));
    const [first, second] = screen.getAllByTestId("code-block");
    expect(first?.textContent).toContain("python");
    await waitFor(() => expect(first?.querySelector(".hljs-keyword")?.textContent).toBe("def"));
    expect(first?.querySelector("code")?.textContent).toBe(code);
    expect(second?.querySelector("code")?.textContent).toBe("plain");
    expect(shown.querySelectorAll("pre[tabindex]")).toHaveLength(2);
  });
});
