// Passages as one types: what is found by words and by meaning, without an answer.
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState, type KeyboardEvent } from "react";
import { askedIn, DEFAULT_COLLECTION, onlyCollection, type Filters, type Scope } from "../ask/scope";
import { ScopeBar } from "../ask/ScopeBar";
import { useWords } from "../i18n";
import { useFacets } from "../library/collections";
import { pageLabel } from "../reader/outline";
import { addressOf } from "../shell/address";
import { useSurroundings } from "../shell/context";
import { useMediaQuery } from "../shell/media";
import { fileNameOf, folderOf, headingBelow, titleBeside } from "../text/names";
import { languageOf } from "../text/script";
import { typeName } from "../text/types";
import { visible } from "../text/visible";
import { Boxes } from "../ui/Boxes";
import { FolderField } from "../ui/FolderField";
import { ChatIcon, SearchIcon } from "../ui/Icons";
import { onPlainClick } from "../ui/links";
import { ProblemNotice } from "../ui/ProblemNotice";
import { problemOf } from "../wire/api";
import type { Passage } from "../wire/decode";
import type { Hit } from "../wire/search";
import { readable } from "../text/readable";
import { excerpt, highlighted, soughtWords } from "./highlight";
import "../styles/search.css";

const SHOWN = 20;
const TYPING_MS = 220;
const EXCERPT = 320;

interface Props {
  q: string;
  collections: readonly string[];
  filters: Filters;
  onOpen: (passages: readonly Passage[], passage: Passage) => void;
  /** Asks in a new conversation. */
  onAsk: (scope: Scope, question: string) => void;
}

export function SearchScreen({ q, collections, filters, onOpen, onAsk }: Props) {
  const words = useWords();
  const { go } = useSurroundings();
  const scope: Scope = { collections: collections.length > 0 ? collections : [DEFAULT_COLLECTION], filters };
  const field = useRef<HTMLInputElement>(null);
  const [typed, setTyped] = useState(q);
  const [chosen, setChosen] = useState(0);
  useEffect(() => field.current?.focus(), []);
  useEffect(() => setTyped(q), [q]); // Back, or a link
  const settle = (sought: string, at: Scope = scope): void => go(addressOf.search(sought, at.collections, at.filters), {}, "replace");
  useDebounced(typed, () => typed !== q && settle(typed));

  const { hits, passages, status, problem, retry } = useHits(q, scope);
  const sought = useMemo(() => soughtWords(q), [q]);
  useEffect(() => setChosen(0), [hits]);
  const openAt = (index: number): void => {
    const passage = passages[index];
    if (passage) onOpen(passages, passage);
  };
  const askWithThese = (): void => {
    const sources = [...new Map(hits.map(({ source, title }) => [source, { source, title }])).values()];
    onAsk({ ...scope, filters: { ...filters, documents: sources } }, typed);
  };
  const pressed = (event: KeyboardEvent): void => {
    if (event.nativeEvent.isComposing) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined) setChosen(Math.max(0, Math.min(hits.length - 1, chosen + step)));
    else if (event.key !== "Enter") return;
    else if (event.ctrlKey || event.metaKey) askWithThese();
    else if (typed === q) openAt(chosen);
    else settle(typed);
    event.preventDefault();
  };

  return (
    <section className="search" data-testid="search" aria-labelledby="search-title">
      <h2 id="search-title" className="visually-hidden">
        {words.screenSearch}
      </h2>
      <div className="search-head">
        <div className="search-field">
          <SearchIcon />
          <input
            ref={field}
            type="search"
            data-slash
            data-testid="search-input"
            aria-label={words.searchPlaceholder}
            placeholder={words.searchPlaceholder}
            autoComplete="off"
            enterKeyHint="search"
            value={typed}
            onChange={(event) => setTyped(event.target.value)}
            onKeyDown={pressed}
          />
        </div>
        <ScopeBar scope={scope} onScope={(next) => settle(typed, next)} />
      </div>
      <div className="search-body">
        <Sidebar scope={scope} onFilters={(next) => settle(typed, { ...scope, filters: next })} />
        <div className="search-results">
          <p className="search-status" role="status">
            {status === "ready" && q !== "" && words.found(hits.length)}
            {status === "loading" && words.searching}
          </p>
          {status === "ready" && hits.length > 0 && hits.every(isWeak) && (
            <p className="search-weak" data-testid="all-weak">
              {words.allWeak}
            </p>
          )}
          {problem && <ProblemNotice problem={problem} onRetry={retry} />}
          {hits.length > 0 && (
            <p className="search-acts">
              <button type="button" className="button" data-testid="ask-with-these" title={words.askWithTheseHint} onClick={askWithThese}>
                <ChatIcon />
                {words.askWithThese}
              </button>
            </p>
          )}
          <ol className="hits" data-testid="hits">
            {hits.map((hit, index) => (
              <li key={hit.chunk_id}>
                <HitCard hit={hit} isFromSeveral={onlyCollection(scope) === null} words={sought} index={index} isChosen={index === chosen} onOpen={() => openAt(index)} />
              </li>
            ))}
          </ol>
          {q === "" && <p className="search-hint">{words.searchHint}</p>}
        </div>
      </div>
    </section>
  );
}

function useHits(q: string, scope: Scope) {
  const { api } = useSurroundings();
  const asked = askedIn(scope);
  const wanted = q.trim() !== "";
  const { data, error, isFetching, refetch } = useQuery({
    queryKey: ["search", q, asked],
    queryFn: ({ signal }) => api.search({ question: q, ...asked, top_k: SHOWN }, signal),
    enabled: wanted,
    placeholderData: keepPreviousData,
  });
  const hits = useMemo(() => (wanted && !error ? (data?.hits ?? []) : []), [wanted, error, data]);
  const passages = useMemo(() => hits.map(passageOf), [hits]);
  return {
    hits,
    passages,
    status: isFetching ? ("loading" as const) : ("ready" as const),
    problem: error && wanted ? problemOf(error) : null,
    retry: () => void refetch(),
  };
}

function passageOf({ text, dense: _dense, lexical: _lexical, standard: _standard, ...hit }: Hit): Passage {
  return { ...hit, quote: text, spans: [] };
}

/** Calls `act` once `value` has rested. */
function useDebounced(value: string, act: () => void): void {
  const latest = useRef(act);
  useEffect(() => {
    latest.current = act;
  });
  useEffect(() => {
    const timer = setTimeout(() => latest.current(), TYPING_MS);
    return () => clearTimeout(timer);
  }, [value]);
}

function Sidebar({ scope, onFilters }: { scope: Scope; onFilters: (filters: Filters) => void }) {
  const words = useWords();
  const roomy = useMediaQuery("(min-width: 900px)");
  const { filters } = scope;
  const facets = useFacets(onlyCollection(scope), filters.folder, roomy);
  if (!roomy || !facets) return null;
  return (
    <aside className="facets" aria-label={words.filtersTitle}>
      <FolderField folder={filters.folder} below={facets.folders} onFolder={(folder) => onFilters({ ...filters, folder })} />
      <Boxes label={words.columnType} counts={facets.types} chosen={filters.types} name={typeName} onChosen={(types) => onFilters({ ...filters, types })} />
      <Boxes label={words.columnLanguage} counts={facets.languages} chosen={filters.languages} name={words.languageName} onChosen={(languages) => onFilters({ ...filters, languages })} />
      <label className="field">
        <span>{words.updatedSince}</span>
        <input type="date" value={filters.since} onChange={(event) => onFilters({ ...filters, since: event.target.value })} />
      </label>
    </aside>
  );
}

interface HitProps {
  hit: Hit;
  isFromSeveral: boolean;
  words: readonly string[];
  index: number;
  isChosen: boolean;
  onOpen: () => void;
}

function HitCard({ hit, isFromSeveral, words: sought, index, isChosen, onOpen }: HitProps) {
  const words = useWords();
  const card = useRef<HTMLAnchorElement>(null);
  useEffect(() => {
    if (isChosen && index > 0) card.current?.scrollIntoView?.({ block: "nearest" });
  }, [isChosen, index]);
  const { source, page } = hit;
  const heading = headingBelow(hit);
  const title = titleBeside(hit);
  const folder = folderOf(source);
  const shown = excerpt(readable(hit.text), sought, EXCERPT);
  return (
    <a ref={card} href={addressOf.passage(hit)} className={isChosen ? "hit hit-chosen" : "hit"} data-testid="hit" onClick={(event) => onPlainClick(event, onOpen)}>
      <span className="source-title path">{fileNameOf(hit)}</span>
      <span className="source-place">
        {title !== null && <bdi lang={languageOf(title)}>{title}</bdi>}
        {isFromSeveral && <span>{visible(hit.collection)}</span>}
        {folder !== "" && <span className="path">{folder}/</span>}
        {page !== null && <span>{pageLabel(source, page, words)}</span>}
        {heading !== null && <bdi lang={languageOf(heading)}>{heading}</bdi>}
        <span className={isWeak(hit) ? "badge badge-weak" : "badge"}>{closeness(hit, words)}</span>
      </span>
      <span className="hit-text" lang={languageOf(shown)}>
        {highlighted(shown, sought).map(({ text, matched }, index) => (matched ? <mark key={index}>{text}</mark> : text))}
      </span>
    </a>
  );
}

/** Standard deviations below which nearness in meaning says little: an answer out of it alone needs more. */
const NEAR_STANDARD = 4;

/** No word of the question stands in it, and it is hardly nearer in meaning than any text: there is always a nearest. */
function isWeak({ lexical, standard }: Hit): boolean {
  return (lexical ?? 0) === 0 && standard !== null && standard < NEAR_STANDARD;
}

/** By which of the two searches a hit is near. */
function closeness(hit: Hit, words: ReturnType<typeof useWords>): string {
  const { dense, lexical } = hit;
  if (isWeak(hit)) return words.nearHardly;
  if ((lexical ?? 0) > 0) return (dense ?? 0) >= 0.5 ? words.nearByBoth : words.nearByWords;
  return words.nearByMeaning;
}
