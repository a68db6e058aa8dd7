// A scope in words: a chip for each of its filters, and one line of all of it.
import type { Dictionary } from "../i18n";
import { typeName } from "../text/types";
import { visible } from "../text/visible";
import { ALL_COLLECTIONS, NO_FILTERS, type Filters, type Scope } from "./scope";

export interface Chip {
  key: keyof Filters;
  label: string;
  /** What is left without it. */
  without: Filters;
}

export function chipsOf(filters: Filters, words: Dictionary): Chip[] {
  const { folder, types, languages, since, documents } = filters;
  const chip = (key: keyof Filters, label: string): Chip => ({ key, label, without: { ...filters, [key]: NO_FILTERS[key] } });
  return [
    ...(folder === "" ? [] : [chip("folder", visible(folder))]),
    ...(types.length === 0 ? [] : [chip("types", types.map(typeName).join(", "))]),
    ...(languages.length === 0 ? [] : [chip("languages", languages.map(words.languageName).join(", "))]),
    ...(since === "" ? [] : [chip("since", words.since(since))]),
    ...(documents.length === 0 ? [] : [chip("documents", documents.length === 1 ? visible(documents[0]?.source ?? "") : words.documentCount(documents.length))]),
  ];
}

/** The names of the collections. */
export function collectionsText({ collections }: Scope, words: Dictionary): string {
  return collections.map((name) => (name === ALL_COLLECTIONS ? words.allCollections : visible(name))).join(", ");
}

export function scopeText(scope: Scope, words: Dictionary): string {
  return [words.inCollection(collectionsText(scope, words)), ...chipsOf(scope.filters, words).map(({ label }) => label)].join(" · ");
}
