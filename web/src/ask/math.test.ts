import { describe, expect, it } from "vitest";
import { mayHoldFormulas, withFormulas } from "./math";

describe("F-1023: formulas", () => {
  it.each([
    ["The cost is $O(\\sqrt{n})$.", "The cost is $$O(\\sqrt{n})$$."],
    ["Let $x$ be $f(x)$ and $x_1$.", "Let $$x$$ be $$f(x)$$ and $$x_1$$."],
    ["So \\( a^2 + b^2 \\) holds.", "So $$a^2 + b^2$$ holds."],
    ["\\[ a^2 \\]", "\n$$\na^2\n$$\n"],
    ["$$\nC(n)\n$$", "$$\nC(n)\n$$"],
    ["成本为 $O(n^2)$，很高。", "成本为 $$O(n^2)$$，很高。"],
    ["成本为$O(n^2)$。", "成本为$$O(n^2)$$。"],
  ])("stand between double dollars: %j", (text, wanted) => {
    expect(withFormulas(text)).toBe(wanted);
    expect(mayHoldFormulas(text)).toBe(true);
  });

  it.each([
    "Costs are $5 and $6 a month.",
    "From $5 to $10, see $HOME and $PATH.",
    "`$x^2$` and ```\n$y_1$\n``` stay code",
    "US$5 = C$7",
    "a $ b $ c",
  ])("are none in %j", (text) => {
    expect(withFormulas(text)).toBe(text);
    expect(mayHoldFormulas(text)).toBe(false);
  });
});
