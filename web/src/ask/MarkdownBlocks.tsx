// A model's answer as Markdown, block by block, with its marks as buttons: no HTML, no images, no links that lead away.
import type { Element } from "hast";
import { memo, useId, useMemo } from "react";
import Markdown, { type Components } from "react-markdown";
import remarkGfm from "remark-gfm";
import { splitBlocks } from "./blocks";
import { useWords, type Dictionary } from "../i18n";
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

type BlockProps = MarkedBlock & { answer: string; onOpen: (citation: Citation) => void };

const Block = memo(
  function Block({ text, marks, answer, onOpen }: BlockProps) {
    const words = useWords();
    const plugins = useMemo(() => {
      const texts = marks.map(({ start, end }) => answer.slice(start, end));
      return [() => rehypeSentinels(texts)];
    }, [marks, answer]);
    const components = useMemo(() => componentsFor(marks, words, onOpen), [marks, words, onOpen]);
    const id = useId(); // footnotes of several answers have the same numbers
    const notes = { clobberPrefix: `${id}-`, footnoteLabel: words.footnotes, footnoteBackLabel: words.backToText };
    return (
      <Markdown remarkPlugins={[remarkGfm]} remarkRehypeOptions={notes} rehypePlugins={plugins} components={components}>
        {text}
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

/**
 * Headings are one level below the question's h2, whatever level a model began with: levels must not be skipped. What
 * could load or lead elsewhere becomes text.
 */
const PLAIN: Components = {
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
