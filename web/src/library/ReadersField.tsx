// Which groups may read: their names, between commas. None: all who read the collection.
import { useId } from "react";
import { useWords } from "../i18n";
import { useSurroundings } from "../shell/context";

/** The names in a text, each once. */
export function groupsIn(text: string): string[] {
  return [...new Set(text.split(/[,，、]/).map((name) => name.trim()).filter(Boolean))];
}

export function ReadersField({ value, onValue }: { value: string; onValue: (value: string) => void }) {
  const words = useWords();
  const { session } = useSurroundings();
  const id = useId();
  return (
    <label className="field">
      <span>{words.readers}</span>
      <input type="text" data-testid="readers" list={id} value={value} placeholder={words.readersAll} autoComplete="off" onChange={(event) => onValue(event.target.value)} />
      <datalist id={id}>
        {session?.groups.map((group) => (
          <option key={group} value={group} />
        ))}
      </datalist>
    </label>
  );
}
