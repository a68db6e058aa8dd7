// What is asked: the collection, and a chip for each filter. It stands above the question and the search.
import { useState } from "react";
import { useWords } from "../i18n";
import { useCollections } from "../library/collections";
import { useMediaQuery } from "../shell/media";
import { truncate } from "../text/codepoints";
import { visible } from "../text/visible";
import { ChevronIcon, CloseIcon, FilterIcon } from "../ui/Icons";
import { later } from "../ui/later";
import { chipsOf } from "./chips";
import { ALL_COLLECTIONS, inCollections, type Scope } from "./scope";

export const FilterPanel = later(async () => (await import("./FilterPanel")).FilterPanel);

/** Code points of a description, beside a name. */
const MOST_SHOWN = 60;

/** No name of a collection. */
const SEVERAL = "\u0000several";

interface Props {
  scope: Scope;
  onScope: (scope: Scope) => void;
}

export function ScopeBar({ scope, onScope }: Props) {
  const words = useWords();
  const [open, setOpen] = useState(false);
  const [anchor, setAnchor] = useState<HTMLButtonElement | null>(null);
  return (
    <div className="scope-bar" role="group" aria-label={words.scopeLabel}>
      <CollectionPicker scope={scope} several onScope={onScope} />
      {chipsOf(scope.filters, words).map(({ key, label, without }) => (
        <span key={key} className="chip" data-testid="filter-chip">
          <bdi>{label}</bdi>
          <button type="button" aria-label={words.removeFilter(label)} title={words.removeFilter(label)} onClick={() => onScope({ ...scope, filters: without })}>
            <CloseIcon />
          </button>
        </span>
      ))}
      <button ref={setAnchor} type="button" className="chip chip-add" data-testid="add-filter" aria-expanded={open} aria-haspopup="dialog" onClick={() => setOpen(!open)}>
        <FilterIcon />
        {words.addFilter}
      </button>
      {open && <FilterPanel anchor={anchor} scope={scope} onScope={onScope} onClose={() => setOpen(false)} />}
    </div>
  );
}

/** `several`: all of them can be chosen, too. */
export function CollectionPicker({ scope, several = false, onScope }: Props & { several?: boolean }) {
  const words = useWords();
  const { collections, failed, reload } = useCollections();
  const roomy = useMediaQuery("(min-width: 600px)");
  const chosen = scope.collections.length > 1 ? SEVERAL : (scope.collections[0] ?? "");
  const known = collections ?? [];
  // The conversation's collection may have been removed, or the list may not be here yet.
  const listed = chosen === SEVERAL || chosen === ALL_COLLECTIONS || known.some(({ name }) => name === chosen);
  return (
    <span className="collection">
      <select
        className="collection-picker"
        data-testid="collection-picker"
        aria-label={words.collection}
        title={failed ? words.collectionsFailed : words.collection}
        value={chosen}
        onFocus={() => failed && reload()}
        onChange={(event) => event.target.value !== SEVERAL && onScope(inCollections(scope, [event.target.value]))}
      >
        {!listed && <option value={chosen}>{chosen}</option>}
        {known.map(({ name, documents, description }) => (
          <option key={name} value={name} title={description || undefined}>
            {roomy ? [name, words.documentCount(documents), ...(description === "" ? [] : [truncate(visible(description), MOST_SHOWN)])].join(" · ") : name}
          </option>
        ))}
        {several && (known.length > 1 || chosen === ALL_COLLECTIONS) && <option value={ALL_COLLECTIONS}>{words.allCollections}</option>}
        {chosen === SEVERAL && <option value={SEVERAL}>{words.someCollections(scope.collections.length)}</option>}
      </select>
      <ChevronIcon />
    </span>
  );
}
