// The part of the service's filters that the page writes (docs/filters.md).

export type FilterTest =
  | { field: string; op: "prefix" | "equal"; value: string }
  | { field: string; op: "in"; values: string[] }
  | { field: string; op: "range"; from?: string; to?: string };

export interface AnyFilter {
  all: FilterTest[];
}

/** What a question or a search is put to. */
export interface Asked {
  collection?: string;
  collections?: string[];
  filter?: AnyFilter;
}
