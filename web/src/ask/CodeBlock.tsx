// Code in a model's answer: its language, its colours, and a button that copies it.
import { useEffect, useState } from "react";
import { useWords } from "../i18n";
import { CopyButton } from "../ui/CopyButton";
import type { Coloured } from "../ui/colours";

type Colour = (text: string) => readonly Coloured[];

export function CodeBlock({ language, text }: { language: string; text: string }) {
  const words = useWords();
  const [colour, setColour] = useState<Colour | null>(null);
  useEffect(() => {
    if (language === "") return;
    let here = true;
    import("../ui/colours").then(
      ({ colourOf }) => here && setColour(() => colourOf(language)),
      () => undefined, // without colours it is code, too
    );
    return () => {
      here = false;
    };
  }, [language]);
  return (
    <div className="code-block" data-testid="code-block">
      <div className="code-head">
        <span>{language}</span>
        <CopyButton label={words.copyCode} text={() => text} />
      </div>
      <pre tabIndex={0}>
        <code>{colour ? colour(text).map((piece, index) => (piece.className === "" ? piece.text : <span key={index} className={piece.className}>{piece.text}</span>)) : text}</code>
      </pre>
    </div>
  );
}
