// A model's answer as Markdown, block by block, with its marks as buttons: no HTML, no images, no links that lead away.
import type { Element } from "hast";
import { memo, useEffect, useId, useMemo, useState } from "react";
import type { ComponentProps, ReactNode } from "react";
import Markdown, { type Components } from "react-markdown";
import remarkGfm from "remark-gfm";
import { splitBlocks, withNotes } from "./blocks";
import { useWords, type Dictionary } from "../i18n";
import { later } from "../ui/later";
import { CodeBlock } from "./CodeBlock";
import { mayHoldFormulas, withFormulas } from "./math";
import type { Mark } from "./places";
import { markBlocks, rehypeSentinels, type MarkedBlock } from "./sentinels";
import type { Citation } from "../wire/decode";
import type { PartProps } from "./AnswerText";
import { MarkButton } from "./MarkButton";

/** The blocks of Markdown, each rendered anew only when it changes. */
export function MarkdownBlocks({ text, places, onOpen }: PartProps) {
  const blocks = useMemo(() => markBlocks(text, splitBlocks(text), places), [text, places]);
  return blocks.map((block, index) => <Block key={index} {...block} answer={text} onOpen={onOpen} />);
}

export const Formula = later(async () => (await import("./Formula")).Formula);

/** The reader of formulas, once one was needed. */
let remarkMath: typeof import("remark-math").default | null = null;

export async function loadMath(): Promise<void> {
  remarkMath = (await import("remark-math")).default;
}

function useMath(text: string): boolean {
  const wanted = useMemo(() => mayHoldFormulas(text), [text]);
  const [, setLoaded] = useState(remarkMath !== null);
  useEffect(() => {
    if (!wanted || remarkMath !== null) return;
    loadMath().then(
      () => setLoaded(true),
      () => undefined, // the service is gone: the formula stays text
    );
  }, [wanted]);
  return wanted && remarkMath !== null;
}

type Readers = ComponentProps<typeof Markdown>["remarkPlugins"];

type BlockProps = MarkedBlock & { answer: string; onOpen: (citation: Citation) => void };

const Block = memo(
  function Block({ text, marks, answer, onOpen }: BlockProps) {
    const words = useWords();
    const plugins = useMemo(() => {
      const texts = marks.map(({ start, end }) => answer.slice(start, end));
      return [() => rehypeSentinels(texts)];
    }, [marks, answer]);
    const components = useMemo(() => componentsFor(marks, words, onOpen), [marks, words, onOpen]);
    const math = useMath(text);
    const readers = math && remarkMath ? [remarkGfm, [remarkMath, { singleDollarTextMath: false }] as const] : [remarkGfm];
    const id = useId(); // footnotes of several answers have the same numbers
    const notes = { clobberPrefix: `${id}-`, footnoteLabel: words.footnotes, footnoteBackLabel: words.backToText };
    return (
      <Markdown remarkPlugins={readers as Readers} remarkRehypeOptions={notes} rehypePlugins={plugins} components={components}>
        {withNotes(math ? withFormulas(text) : text)}
      </Markdown>
    );
  },
  // While an answer streams its earlier blocks stay as they are, though the answer grows.
  (before, now) =>
    before.text === now.text &&
    before.onOpen === now.onOpen &&
    (before.marks === now.marks || (before.marks.length === 0 && now.marks.length === 0)),
);

function componentsFor(marks: readonly Mark[], words: Dictionary, onOpen: (citation: Citation) => void): Components {
  return {
    ...PLAIN,
    // The only source of buttons and spans is rehypeSentinels: HTML in the answer stays text.
    button: ({ value }) => {
      const mark = marks[Number(value)];
      return mark ? <MarkButton mark={mark} onOpen={onOpen} /> : null;
    },
    pre: ({ node, children }) => <Fenced node={node}>{children}</Fenced>,
    code: ({ className, node, children }) => (isFormula(className) && node ? <Formula tex={textOf(node)} display={false} /> : <code>{children}</code>),
    // The box of a task list.
    input: ({ checked }) => (
      <input type="checkbox" disabled checked={checked === true} aria-label={checked === true ? words.taskDone : words.taskOpen} />
    ),
    span: ({ className, children }) => {
      if (className === "claim-note") return <span className="visually-hidden claim-note"> ({words.noSource})</span>;
      return (
        <span className={className} title={className === "claim claim-sourceless" ? words.noSource : words.unsupportedHint}>
          {children}
        </span>
      );
    },
  };
}

function isFormula(className: string | undefined): boolean {
  return className?.split(" ").includes("language-math") ?? false;
}

/** A block of code, or a formula of its own lines. */
function Fenced({ node, children }: { node: Element | undefined; children?: ReactNode }) {
  const code = node?.children.find((child): child is Element => child.type === "element" && child.tagName === "code");
  if (!code) return <pre tabIndex={0}>{children}</pre>;
  const classes = Array.isArray(code.properties.className) ? code.properties.className.map(String) : [];
  const text = textOf(code).replace(/\n$/, "");
  if (classes.includes("language-math")) return <Formula tex={text} display />;
  const language = classes.find((name) => name.startsWith("language-"))?.slice("language-".length) ?? "";
  return <CodeBlock language={language} text={text} />;
}

/**
 * Headings are one level below the question's h2, whatever level a model began with: levels must not be skipped. What
 * could load or lead elsewhere becomes text.
 */
export const PLAIN: Components = {
  h1: "h3",
  h2: "h3",
  h4: "h3",
  h5: "h3",
  h6: "h3",
  img: ({ alt }) => <>{alt}</>,
  a: ({ href, node, children }) => {
    if (href?.startsWith("#")) return <a href={href}>{children}</a>;
    const shown = node ? textOf(node) : "";
    return (
      <>
        {children}
        {href && shown !== href ? ` (${href})` : null}
      </>
    );
  },
  // What may scroll sideways can be reached and scrolled by keyboard.
  pre: ({ children }) => <pre tabIndex={0}>{children}</pre>,
  // A header without words is none to a screen reader.
  th: ({ node, style, children }) => (node && textOf(node).trim() === "" ? <td style={style}>{children}</td> : <th style={style}>{children}</th>),
  table: ({ children }) => (
    <div className="table-scroll" tabIndex={0}>
      <table>{children}</table>
    </div>
  ),
};

function textOf(element: Element): string {
  return element.children
    .map((child) => (child.type === "text" ? child.value : child.type === "element" ? textOf(child) : ""))
    .join("");
}
