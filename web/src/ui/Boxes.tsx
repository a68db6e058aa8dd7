// Check boxes, each with how many it would leave.
import type { ReactNode } from "react";
import type { Counts } from "../wire/decode";

interface BoxesProps {
  label: string;
  counts: Counts[string] | undefined;
  chosen: readonly string[];
  name: (value: string) => string;
  onChosen: (chosen: string[]) => void;
}

export function Boxes({ label, counts = [], chosen, name, onChosen }: BoxesProps): ReactNode {
  const values = [...counts, ...chosen.filter((one) => !counts.some(({ value }) => value === one)).map((value) => ({ value, count: 0 }))];
  if (values.length === 0) return null;
  return (
    <fieldset className="boxes">
      <legend>{label}</legend>
      {values.map(({ value, count }) => (
        <label key={value}>
          <input
            type="checkbox"
            checked={chosen.includes(value)}
            onChange={(event) => onChosen(event.target.checked ? [...chosen, value] : chosen.filter((one) => one !== value))}
          />
          {name(value)} <span className="count">{count}</span>
        </label>
      ))}
    </fieldset>
  );
}
