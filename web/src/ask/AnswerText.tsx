// An answer with its marks as buttons. A model's is Markdown: no HTML, no images, no links that lead away. One that is
// quoted, or is the service's own words, is text letter by letter.
import { memo, useEffect, useMemo, useState } from "react";
import { useWords } from "../i18n";
import { piecesOf, type Doubt, type Places } from "./places";
import { languageOf } from "../text/script";
import { verbatimBlocks } from "./verbatim";
import type { Citation } from "../wire/decode";
import { MarkButton } from "./MarkButton";

interface Props {
  text: string;
  places: Places;
  verbatim: boolean;
  onOpen: (citation: Citation) => void;
}

export const AnswerText = memo(function AnswerText({ text, places, verbatim, onOpen }: Props) {
  return (
    <div className={verbatim ? "prose prose-verbatim" : "prose"} data-testid="answer" lang={languageOf(text)} dir="auto">
      {verbatim ? <Verbatim text={text} places={places} onOpen={onOpen} /> : <Written text={text} places={places} onOpen={onOpen} />}
    </div>
  );
});

export type PartProps = Omit<Props, "verbatim">;

function Verbatim({ text, places, onOpen }: PartProps) {
  const blocks = useMemo(() => verbatimBlocks(text, places), [text, places]);
  return blocks.map(({ kind, start, end }) => {
    const pieces = piecesOf(text, places, start, end).map((piece, index) => {
      if ("mark" in piece) return <MarkButton key={index} mark={piece.mark} onOpen={onOpen} />;
      if (piece.doubt === null) return piece.text;
      return (
        <Doubted key={index} doubt={piece.doubt}>
          {piece.text}
        </Doubted>
      );
    });
    return kind === "prose" ? (
      <p key={start}>{pieces}</p>
    ) : (
      <pre key={start} tabIndex={0}>
        <code>{pieces}</code>
      </pre>
    );
  });
}

/** What Markdown takes weighs as much as the page itself: it is fetched when a model answers. */
let Blocks: typeof import("./MarkdownBlocks").MarkdownBlocks | null = null;

export async function loadMarkdown(): Promise<void> {
  Blocks = (await import("./MarkdownBlocks")).MarkdownBlocks;
}

function Written(props: PartProps) {
  const [, setLoaded] = useState(Blocks !== null);
  useEffect(() => {
    if (Blocks === null) {
      loadMarkdown().then(
        () => setLoaded(true),
        () => undefined, // the service is gone: the answer stays text
      );
    }
  }, []);
  return Blocks === null ? <Verbatim {...props} /> : <Blocks {...props} />;
}

function Doubted({ doubt, children }: { doubt: Doubt; children: string }) {
  const words = useWords();
  return (
    <>
      <span className={`claim claim-${doubt}`} title={doubt === "sourceless" ? words.noSource : words.unsupportedHint}>
        {children}
      </span>
      {doubt === "sourceless" && <span className="visually-hidden claim-note"> ({words.noSource})</span>}
    </>
  );
}
