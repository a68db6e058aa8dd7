// Buttons that choose files, or a whole folder, to be taken in.
import { useRef } from "react";
import { useWords } from "../i18n";
import { PlusIcon } from "../ui/Icons";
import { arrivals, chosenFiles } from "./drop";

export function AddFiles() {
  const words = useWords();
  const files = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  const take = (field: HTMLInputElement): void => {
    arrivals.offer(chosenFiles(field.files));
    field.value = ""; // the same file can be chosen again
  };
  return (
    <span className="add-files">
      <button type="button" className="button button-primary" data-testid="add-files" onClick={() => files.current?.click()}>
        <PlusIcon />
        {words.addFiles}
      </button>
      <button type="button" className="button" onClick={() => folder.current?.click()}>
        {words.addFolder}
      </button>
      <input ref={files} type="file" multiple hidden data-testid="file-input" aria-label={words.addFiles} onChange={(event) => take(event.currentTarget)} />
      <input
        ref={(field) => {
          folder.current = field;
          field?.setAttribute("webkitdirectory", "");
        }}
        type="file"
        multiple
        hidden
        aria-label={words.addFolder}
        onChange={(event) => take(event.currentTarget)}
      />
    </span>
  );
}
