// A folder to choose: any, one of those around the present one, or one right below it.
import { useId } from "react";
import { useWords } from "../i18n";
import { foldersTo } from "../library/collections";
import { visible } from "../text/visible";
import type { Counts } from "../wire/decode";

interface Props {
  folder: string;
  below: Counts[string];
  onFolder: (folder: string) => void;
}

export function FolderField({ folder, below, onFolder }: Props) {
  const words = useWords();
  const id = useId();
  return (
    <label className="field" htmlFor={id}>
      <span>{words.folder}</span>
      <select id={id} data-testid="filter-folder" value={folder} onChange={(event) => onFolder(event.target.value)}>
        <option value="">{words.anyFolder}</option>
        {foldersTo(folder).map((one) => (
          <option key={one} value={one}>
            {visible(one)}
          </option>
        ))}
        {below.map(({ value, count }) => (
          <option key={value} value={value}>{`${visible(value)} (${count})`}</option>
        ))}
      </select>
    </label>
  );
}
