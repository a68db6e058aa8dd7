// What becomes of files that were dropped on the page: so far it can't take them in, and says who can.
import { useEffect, useRef } from "react";
import { useWords } from "../i18n";
import { visible } from "../text/visible";
import { CloseIcon } from "../ui/Icons";
import { IngestCommand } from "./EmptyCollection";

interface Props {
  names: readonly string[];
  collection: string;
  onClose: () => void;
}

export function DroppedFiles({ names, collection, onClose }: Props) {
  const words = useWords();
  const close = useRef<HTMLButtonElement>(null);
  useEffect(() => close.current?.focus(), [names]);
  return (
    <section className="dropped notice" data-testid="dropped-files" role="alertdialog" aria-labelledby="dropped-title" aria-describedby="dropped-text">
      <div className="notice-line">
        <p className="notice-title" id="dropped-title">
          {words.droppedTitle}
        </p>
        <button ref={close} type="button" className="icon-button" aria-label={words.close} title={words.close} onClick={onClose}>
          <CloseIcon />
        </button>
      </div>
      <p id="dropped-text">{words.droppedText}</p>
      <p className="path">{names.slice(0, 3).map(visible).join(", ")}{names.length > 3 && " …"}</p>
      <IngestCommand collection={collection} />
    </section>
  );
}
