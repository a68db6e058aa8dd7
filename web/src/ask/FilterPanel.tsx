// Which documents of a collection may answer: folder, types, languages, date, or some picked by hand.
import { useState } from "react";
import { useWords } from "../i18n";
import { useCollections, useFacets, useNamed } from "../library/collections";
import { FolderField } from "../ui/FolderField";
import { typeName } from "../text/types";
import { visible } from "../text/visible";
import { Boxes } from "../ui/Boxes";
import { Floating } from "../ui/Floating";
import { ALL_COLLECTIONS, inCollections, NO_FILTERS, onlyCollection, type Filters, type Picked, type Scope } from "./scope";

interface Props {
  anchor: HTMLElement | null;
  scope: Scope;
  onScope: (scope: Scope) => void;
  onClose: () => void;
}

const SHOWN_MATCHES = 8;

export function FilterPanel({ anchor, scope, onScope, onClose }: Props) {
  const words = useWords();
  const { filters } = scope;
  // Where several are asked there is nothing to choose folders and documents from.
  const collection = onlyCollection(scope);
  const onFilters = (next: Filters): void => onScope({ ...scope, filters: next });
  const { collections } = useCollections();
  const facets = useFacets(collection, filters.folder);
  return (
    <Floating anchor={anchor} placement="top-start" gapPx={8} className="filter-panel" testId="filter-panel" label={words.filtersTitle} takesFocus onClose={onClose}>
      <h2 className="popup-title">{words.filtersTitle}</h2>
      {collections !== null && collections.length > 1 && (
        <Boxes
          label={words.collections}
          counts={collections.map(({ name, documents }) => ({ value: name, count: documents }))}
          chosen={scope.collections.includes(ALL_COLLECTIONS) ? collections.map(({ name }) => name) : scope.collections}
          name={visible}
          onChosen={(chosen) => chosen.length > 0 && onScope(inCollections(scope, chosen))}
        />
      )}
      <FolderField folder={filters.folder} below={facets?.folders ?? []} onFolder={(folder) => onFilters({ ...filters, folder })} />
      <Boxes label={words.columnType} counts={facets?.types} chosen={filters.types} name={typeName} onChosen={(types) => onFilters({ ...filters, types })} />
      <Boxes label={words.columnLanguage} counts={facets?.languages} chosen={filters.languages} name={words.languageName} onChosen={(languages) => onFilters({ ...filters, languages })} />
      <label className="field">
        <span>{words.updatedSince}</span>
        <input type="date" data-testid="filter-since" value={filters.since} onChange={(event) => onFilters({ ...filters, since: event.target.value })} />
      </label>
      {collection !== null && <PickDocuments collection={collection} picked={filters.documents} onPicked={(documents) => onFilters({ ...filters, documents })} />}
      <div className="popup-foot">
        <button type="button" className="button" onClick={() => onFilters(NO_FILTERS)}>
          {words.clearFilters}
        </button>
        <button type="button" className="button button-primary" onClick={onClose}>
          {words.done}
        </button>
      </div>
    </Floating>
  );
}

interface PickProps {
  collection: string;
  picked: readonly Picked[];
  onPicked: (picked: Picked[]) => void;
}

function PickDocuments({ collection, picked, onPicked }: PickProps) {
  const words = useWords();
  const [sought, setSought] = useState("");
  const matches = useNamed(collection, sought, SHOWN_MATCHES).filter(({ source }) => !picked.some((one) => one.source === source));
  return (
    <fieldset className="boxes pick">
      <legend>{words.pickDocuments}</legend>
      {picked.map((one) => (
        <label key={one.source}>
          <input type="checkbox" checked onChange={() => onPicked(picked.filter(({ source }) => source !== one.source))} />
          <bdi>{visible(one.source)}</bdi>
        </label>
      ))}
      <input type="search" data-testid="pick-document" aria-label={words.seekDocuments} placeholder={words.seekDocuments} value={sought} onChange={(event) => setSought(event.target.value)} />
      {matches.map(({ source, title }) => (
        <label key={source}>
          <input type="checkbox" checked={false} onChange={() => onPicked([...picked, { source, title }])} />
          <bdi>{visible(source)}</bdi>
        </label>
      ))}
    </fieldset>
  );
}
