// An answer as Markdown: no HTML, no images, no links that lead away, and [n] markers as buttons.
import { memo, useMemo } from "react";
import Markdown, { type Components } from "react-markdown";
import remarkGfm from "remark-gfm";
import { splitBlocks } from "../blocks";
import { useWords } from "../i18n";
import { rehypeMarkers } from "../markers";
import { languageOf } from "../script";
import type { Citation } from "../wire";

interface Props {
  text: string;
  citations: readonly Citation[];
  onOpen: (citation: Citation) => void;
}

export const AnswerText = memo(function AnswerText({ text, citations, onOpen }: Props) {
  const words = useWords();
  const byMarker = useMemo(() => new Map(citations.map((citation) => [citation.marker, citation])), [citations]);
  const plugins = useMemo(() => {
    const known = new Set(byMarker.keys());
    return [() => rehypeMarkers(known)];
  }, [byMarker]);
  const components = useMemo<Components>(
    () => ({
      ...PLAIN,
      // The only source of buttons is rehypeMarkers: HTML in the answer stays text.
      button: ({ value }) => {
        const citation = byMarker.get(Number(value));
        if (!citation) return <>[{value}]</>;
        const label = words.openSource(citation.marker, citation.title);
        return (
          <button
            type="button"
            className={citation.supported ? "marker" : "marker marker-unsupported"}
            data-testid="citation-marker"
            data-marker={citation.marker}
            aria-label={citation.supported ? label : `${label} (${words.unsupported})`}
            title={citation.title}
            onClick={() => onOpen(citation)}
          >
            {citation.marker}
          </button>
        );
      },
    }),
    [byMarker, onOpen, words],
  );
  return (
    <div className="prose" data-testid="answer" lang={languageOf(text)}>
      {splitBlocks(text).map((block, index) => (
        <Block key={index} text={block} plugins={plugins} components={components} />
      ))}
    </div>
  );
});

interface BlockProps {
  text: string;
  plugins: (() => ReturnType<typeof rehypeMarkers>)[];
  components: Components;
}

const Block = memo(function Block({ text, plugins, components }: BlockProps) {
  return (
    <Markdown remarkPlugins={[remarkGfm]} rehypePlugins={plugins} components={components}>
      {text}
    </Markdown>
  );
});

/** Headings step down below the question's h2; what could load or lead elsewhere becomes text. */
const PLAIN: Components = {
  h1: "h3",
  h2: "h4",
  h3: "h5",
  h4: "h6",
  h5: "h6",
  img: ({ alt }) => <>{alt}</>,
  a: ({ href, children }) => {
    if (href?.startsWith("#")) return <a href={href}>{children}</a>;
    const shown = typeof children === "string" ? children : "";
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
