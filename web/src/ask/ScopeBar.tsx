// What is asked: the collection, and a chip for each filter. It stands above the question and the search.
import { useState } from "react";
import { useWords } from "../i18n";
import { useCollections } from "../library/collections";
import { useMediaQuery } from "../shell/media";
import { ChevronIcon, CloseIcon, FilterIcon } from "../ui/Icons";
import { later } from "../ui/later";
import { chipsOf } from "./chips";
import { onlyCollection, type Scope } from "./scope";

export const FilterPanel = later(async () => (await import("./FilterPanel")).FilterPanel);

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
      <CollectionPicker scope={scope} onScope={onScope} />
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
      {open && <FilterPanel anchor={anchor} collection={onlyCollection(scope)} filters={scope.filters} onFilters={(filters) => onScope({ ...scope, filters })} onClose={() => setOpen(false)} />}
    </div>
  );
}

/** `onScope` gets the new collection, without the folder and the documents that were picked in the old one. */
export function CollectionPicker({ scope, onScope }: Props) {
  const words = useWords();
  const { collections, failed, reload } = useCollections();
  const roomy = useMediaQuery("(min-width: 600px)");
  const chosen = scope.collections[0] ?? "";
  const known = collections ?? [];
  // The conversation's collection may have been removed, or the list may not be here yet.
  const listed = known.some(({ name }) => name === chosen);
  return (
    <span className="collection">
      <select
        className="collection-picker"
        data-testid="collection-picker"
        aria-label={words.collection}
        title={failed ? words.collectionsFailed : words.collection}
        value={chosen}
        onFocus={() => failed && reload()}
        onChange={(event) => onScope({ collections: [event.target.value], filters: { ...scope.filters, folder: "", documents: [] } })}
      >
        {!listed && <option value={chosen}>{chosen}</option>}
        {known.map(({ name, documents }) => (
          <option key={name} value={name}>
            {roomy ? `${name} · ${words.documentCount(documents)}` : name}
          </option>
        ))}
      </select>
      <ChevronIcon />
    </span>
  );
}
