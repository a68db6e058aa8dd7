// A document as people wrote it: headings, lists, tables. No HTML, no pictures, no links that lead away.
import { memo, useEffect, useMemo } from "react";
import Markdown, { type Components } from "react-markdown";
import remarkGfm from "remark-gfm";
import { PLAIN } from "../ask/MarkdownBlocks";
import { rehypeLit } from "./marking";
import type { Stretch } from "./stretches";

export interface TypesetProps {
  stretch: Stretch;
  /** Called once it stands on the page. */
  onDrawn?: (() => void) | undefined;
}

export const Typeset = memo(
  function Typeset({ stretch: { text, lit }, onDrawn }: TypesetProps) {
    useEffect(() => onDrawn?.(), [onDrawn]);
    const plugins = useMemo(() => [() => rehypeLit(text, lit)], [text, lit]);
    return (
      <Markdown remarkPlugins={[remarkGfm]} rehypePlugins={plugins} components={DRAWN}>
        {text}
      </Markdown>
    );
  },
  (before, now) => before.stretch.text === now.stretch.text && JSON.stringify(before.stretch.lit) === JSON.stringify(now.stretch.lit),
);

const DRAWN: Components = {
  ...PLAIN,
  h1: ({ children }) => <h3 className="level-1">{children}</h3>,
  h2: ({ children }) => <h3 className="level-2">{children}</h3>,
  img: ({ alt }) => (alt ? <span className="picture-text">[{alt}]</span> : null),
  input: ({ checked }) => <input type="checkbox" disabled checked={checked === true} aria-label={checked === true ? "☑" : "☐"} />,
  mark: ({ className, children }) => (
    <mark data-testid={className === "found" ? "found-span" : "cited-span"} className={className}>
      {children}
    </mark>
  ),
};
