// @vitest-environment jsdom
import { render, screen, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { citationOf } from "../testing/service";
import type { Citation } from "../wire";
import { AnswerText } from "./AnswerText";

const CITATIONS: Citation[] = [citationOf("abc", "b"), citationOf("abc", "c", { marker: 2, supported: false, title: "Other" })];

function show(text: string, opened: Citation[] = []): HTMLElement {
  render(<AnswerText text={text} citations={CITATIONS} onOpen={(citation) => opened.push(citation)} />);
  return screen.getByTestId("answer");
}

describe("AnswerText", () => {
  it("makes buttons of the markers that have a citation, and of no other", () => {
    const opened: Citation[] = [];
    const answer = show("One [1], two [1][2], three [3], `code [1]`, not[2]cut.\n\n- item **bold [2]**", opened);
    const markers = screen.getAllByTestId("citation-marker");
    expect(markers.map((marker) => marker.textContent)).toEqual(["1", "1", "2", "2", "2"]);
    expect(answer.textContent).toContain("three [3], code [1]");
    for (const marker of markers) marker.click();
    expect(opened.map(({ marker }) => marker)).toEqual([1, 1, 2, 2, 2]);
  });

  it("names the source of a marker, and what isn't confirmed", () => {
    show("One [1] two [2]");
    expect(screen.getByRole("button", { name: "Source 1: Tuning" }).className).toBe("marker");
    expect(screen.getByRole("button", { name: "Source 2: Other (Not confirmed)" }).className).toContain("marker-unsupported");
  });

  it("shows HTML as text and makes none of it", () => {
    const answer = show('Hi <script>alert(1)</script> <img src=x onerror=alert(1)> <button value="1">x</button>\n\n<iframe src="https://e.test"></iframe>');
    expect(answer.querySelector("script, img, iframe, button")).toBeNull();
    expect(answer.textContent).toContain("<script>alert(1)</script>");
    expect(answer.textContent).toContain('<iframe src="https://e.test"></iframe>');
  });

  it("loads no image and follows no link out", () => {
    const answer = show(
      [
        "![alt text](https://e.test/x.png)",
        "[safe words](https://e.test/p)",
        "[run](javascript:alert(1)) [data](data:text/html,x) [file](/etc/passwd) [proto](//e.test)",
        "https://auto.test/link and <https://angle.test>",
        "[reference][r]\n\n[r]: https://e.test/r",
      ].join("\n\n"),
    );
    expect(answer.querySelector("a, img, picture, source, svg")).toBeNull();
    expect(answer.textContent).toContain("alt text");
    expect(answer.textContent).toContain("safe words (https://e.test/p)");
    expect(answer.textContent).toContain("https://auto.test/link and https://angle.test");
    expect(answer.textContent).not.toContain("javascript:");
  });

  it("keeps an anchor within the page a link", () => {
    const answer = show("[up](#top)");
    expect(within(answer).getByRole("link", { name: "up" }).getAttribute("href")).toBe("#top");
  });

  it("marks the text's language by its script", () => {
    expect(show("分块大小为 512 个词元 [1]。").lang).toBe("zh");
  });
});
