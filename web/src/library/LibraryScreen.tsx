// What is stored: collections and folders as a tree, the documents of one of them as a table.
import { useEffect, useId, useMemo, useRef, useState, type ReactNode } from "react";
import { DEFAULT_COLLECTION, scopeOf, type Scope } from "../ask/scope";
import { CollectionPicker } from "../ask/ScopeBar";
import { useLanguage, useWords } from "../i18n";
import { addressOf, type Shelf } from "../shell/address";
import { useMayWrite, useSurroundings } from "../shell/context";
import { useMediaQuery } from "../shell/media";
import { fileNameOf, folderOf, titleBeside } from "../text/names";
import { languageOf } from "../text/script";
import { typeName } from "../text/types";
import { visible } from "../text/visible";
import { BookIcon, ChatIcon, FolderIcon, PencilIcon, PlusIcon, RetryIcon, TrashIcon } from "../ui/Icons";
import { later } from "../ui/later";
import { onPlainClick } from "../ui/links";
import { ProblemNotice } from "../ui/ProblemNotice";
import { toaster } from "../ui/toasts";
import { problemOf } from "../wire/api";
import type { Counts, DocumentSummary, Problem } from "../wire/decode";
import { AddFiles } from "./AddFiles";
import { foldersTo, useCollections, useFacets, type Facets } from "./collections";
import { deletions, UNDO_MS } from "./deleting";
import { EmptyCollection } from "./EmptyCollection";
import { useReingesting } from "./reingesting";
import { ORDERS, orderOf, useShelf } from "./shelf";

export const ReadersDialog = later(async () => (await import("./ReadersDialog")).ReadersDialog);
export const CollectionDialog = later(async () => (await import("./CollectionDialog")).CollectionDialog);

interface Props extends Shelf {
  collection: string;
  /** The document that stands open beside the list. */
  openId: string | null;
  onOpen: (document: DocumentSummary) => void;
  onAsk: (scope: Scope) => void;
  /** After a document was deleted for good. */
  onDeleted: (document: DocumentSummary) => void;
}

export function LibraryScreen({ collection, openId, onOpen, onAsk, onDeleted, folder, q, status, type, language, sort }: Props) {
  const words = useWords();
  const { go, session } = useSurroundings();
  const mayWrite = useMayWrite();
  const roomy = useMediaQuery("(min-width: 900px)");
  const shelf = useMemo((): Shelf => ({ folder, q, status, type, language, sort }), [folder, q, status, type, language, sort]);
  const shelved = useShelf(collection, shelf);
  const { documents } = shelved;
  const { collections } = useCollections();
  // The service's own is made with the first file
  const isUnmade = collection === DEFAULT_COLLECTION && collections?.some(({ name }) => name === collection) === false;
  const facets = useFacets(collection, folder);
  const [picked, setPicked] = useState<ReadonlySet<string>>(new Set());
  const [refused, setRefused] = useState<Problem | null>(null);
  const [sharing, setSharing] = useState<readonly DocumentSummary[] | null>(null);
  const [dialog, setDialog] = useState<"new" | "rename" | "delete" | null>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  useEffect(() => setPicked(new Set()), [collection, folder]);
  const change = (next: Partial<Shelf>): void => go(addressOf.documents(collection, { ...shelf, ...next }), {}, "replace");
  const takeInAgain = useReingesting();
  const remove = useDeleting(setRefused, onDeleted);
  const chosen = documents.filter(({ id }) => picked.has(id));
  const scopeOfThese = (some: readonly DocumentSummary[]): Scope => ({
    collections: [collection],
    filters: { ...scopeOf(collection).filters, documents: some.map(({ source, title }) => ({ source, title })) },
  });

  return (
    <section className="documents" data-testid="documents" aria-labelledby="documents-title">
      {roomy && <Tree collection={collection} folder={folder} onNew={mayWrite ? () => setDialog("new") : undefined} />}
      <div className="documents-main">
        <div className="documents-head">
          <h2 id="documents-title" ref={heading} tabIndex={-1} className="documents-title">
            {words.documentsOf(collection)}
          </h2>
          <span className="documents-acts">
            {mayWrite && (
              <>
                {!isUnmade && (
                  <>
                    <button type="button" className="icon-button" data-testid="rename-collection" aria-label={words.renameCollection} title={words.renameCollection} onClick={() => setDialog("rename")}>
                      <PencilIcon />
                    </button>
                    <button type="button" className="icon-button" data-testid="delete-collection" aria-label={words.deleteCollection} title={words.deleteCollection} onClick={() => setDialog("delete")}>
                      <TrashIcon />
                    </button>
                  </>
                )}
                <AddFiles />
              </>
            )}
          </span>
        </div>
        {!roomy && (
          <div className="scope-bar">
            <CollectionPicker scope={scopeOf(collection)} onScope={(scope) => go(addressOf.documents(scope.collections[0] ?? collection))} />
            {mayWrite && (
              <button type="button" className="chip chip-add" data-testid="new-collection" onClick={() => setDialog("new")}>
                <PlusIcon />
                {words.newCollection}
              </button>
            )}
          </div>
        )}
        <Description collection={collection} />
        {folder !== "" && <Crumbs collection={collection} folder={folder} />}
        <Choice shelf={shelf} facets={facets} count={shelved.total} onShelf={change} />
        {refused && <ProblemNotice problem={refused} />}
        {chosen.length > 0 && (
          <div className="bulk" data-testid="bulk" role="group" aria-label={words.picked(chosen.length)}>
            <strong>{words.picked(chosen.length)}</strong>
            <button type="button" className="button" data-testid="ask-picked" onClick={() => onAsk(scopeOfThese(chosen))}>
              <ChatIcon />
              {words.askThese}
            </button>
            {mayWrite && session?.auth !== "off" && (
              <button type="button" className="button" data-testid="readers-picked" onClick={() => setSharing(chosen)}>
                {words.whoMayRead}
              </button>
            )}
            {mayWrite && (
              <button type="button" className="button" data-testid="again-picked" onClick={() => void takeInAgain(chosen.map(({ id }) => id))}>
                <RetryIcon />
                {words.ingestAgain}
              </button>
            )}
            {mayWrite && (
              <button type="button" className="button button-danger" data-testid="delete-picked" onClick={() => remove(chosen)}>
                <TrashIcon />
                {words.delete}
              </button>
            )}
            <button type="button" className="link-button" onClick={() => setPicked(new Set())}>
              {words.pickNone}
            </button>
          </div>
        )}
        {documents.length > 0 && (
          <DocumentTable
            documents={documents}
            openId={openId}
            picked={picked}
            onPicked={setPicked}
            onOpen={onOpen}
            onAsk={(document) => onAsk(scopeOfThese([document]))}
            onDelete={mayWrite ? (document) => remove([document]) : undefined}
          />
        )}
        {isUnmade && <EmptyCollection name={collection} />}
        {!isUnmade && shelved.status === "loading" && <p className="documents-note">{words.documentsLoading}</p>}
        {!isUnmade && shelved.status === "failed" && <ProblemNotice problem={problemOf(shelved.error)} onRetry={shelved.retry} />}
        {shelved.status === "ready" && documents.length === 0 && (isEmptyShelf(shelf) ? <EmptyCollection name={collection} /> : <p className="documents-note">{words.nothingLeft}</p>)}
        {shelved.status === "ready" && shelved.more && (
          <button type="button" className="button load-more" onClick={shelved.more}>
            {words.moreDocuments}
          </button>
        )}
      </div>
      {sharing && <ReadersDialog documents={sharing} onClose={() => setSharing(null)} />}
      {dialog && (
        <CollectionDialog
          kind={dialog}
          name={dialog === "new" ? "" : collection}
          onClose={() => setDialog(null)}
          onDone={(name) => {
            setDialog(null);
            go(addressOf.documents(name), {}, dialog === "new" ? "push" : "replace");
          }}
        />
      )}
    </section>
  );
}

/** What is said of a collection, where anything is. */
function Description({ collection }: { collection: string }) {
  const { collections } = useCollections();
  const description = collections?.find(({ name }) => name === collection)?.description ?? "";
  if (description === "") return null;
  return (
    <p className="documents-note" data-testid="described" lang={languageOf(description)}>
      {visible(description)}
    </p>
  );
}

function isEmptyShelf(shelf: Shelf): boolean {
  return Object.values({ ...shelf, sort: "" }).every((value) => value.trim() === "");
}

/** Hides documents at once, and deletes them for good unless they are taken back in time. */
function useDeleting(onRefused: (problem: Problem | null) => void, onDeleted: (document: DocumentSummary) => void) {
  const words = useWords();
  const { api } = useSurroundings();
  const latest = useRef({ onRefused, onDeleted });
  useEffect(() => {
    latest.current = { onRefused, onDeleted };
  });
  return (documents: readonly DocumentSummary[]): void => {
    latest.current.onRefused(null);
    deletions.begin(documents);
    const first = documents[0];
    const text = documents.length === 1 && first ? words.deleted(fileNameOf(first)) : words.deletedMany(documents.length);
    toaster.show({
      text,
      ms: UNDO_MS,
      act: { label: words.undo, run: () => deletions.takeBack(documents) },
      onGone: () => {
        void deletions.finish(api, documents).then((failed) => {
          deletions.takeBack(failed.map(({ document }) => document));
          const problem = failed[0]?.problem;
          if (problem) latest.current.onRefused(problem);
          for (const document of documents) if (!failed.some((one) => one.document.id === document.id)) latest.current.onDeleted(document);
        });
      },
    });
  };
}

interface TreeProps {
  collection: string;
  folder: string;
  onNew: (() => void) | undefined;
}

function Tree({ collection, folder, onNew }: TreeProps) {
  const words = useWords();
  const { collections } = useCollections();
  const listed = collections?.some(({ name }) => name === collection) ? collections : [{ name: collection, documents: 0 }, ...(collections ?? [])];
  return (
    <nav className="tree" aria-label={words.collections}>
      <ul>
        {listed.map(({ name, documents }) => (
          <li key={name}>
            <TreeLink address={addressOf.documents(name)} isCurrent={name === collection && folder === ""} sign={<BookIcon />} label={visible(name)} count={documents} />
            {name === collection && <Branch collection={name} at="" folder={folder} />}
          </li>
        ))}
      </ul>
      {onNew && (
        <button type="button" className="link-button" data-testid="new-collection" onClick={onNew}>
          <PlusIcon />
          {words.newCollection}
        </button>
      )}
    </nav>
  );
}

/** The folders right below `at`; below the one that leads to the present folder, those in it. */
function Branch({ collection, at, folder }: { collection: string; at: string; folder: string }) {
  const facets = useFacets(collection, at);
  if (!facets || facets.folders.length === 0) return null;
  return (
    <ul className="tree-branch">
      {facets.folders.map(({ value, count }) => (
        <li key={value}>
          <TreeLink
            address={addressOf.documents(collection, { folder: value })}
            isCurrent={value === folder}
            sign={<FolderIcon />}
            label={visible(value.split("/").at(-2) ?? value)}
            count={count}
          />
          {folder.startsWith(value) && <Branch collection={collection} at={value} folder={folder} />}
        </li>
      ))}
    </ul>
  );
}

function TreeLink({ address, isCurrent, sign, label, count }: { address: string; isCurrent: boolean; sign: ReactNode; label: string; count: number }) {
  const { go } = useSurroundings();
  return (
    <a href={address} className="tree-link" aria-current={isCurrent ? "page" : undefined} onClick={(event) => onPlainClick(event, () => go(address))}>
      {sign}
      <bdi>{label}</bdi>
      <span className="count">{count}</span>
    </a>
  );
}

function Crumbs({ collection, folder }: { collection: string; folder: string }) {
  const words = useWords();
  const { go } = useSurroundings();
  const crumbs = [
    { label: collection, address: addressOf.documents(collection) },
    ...foldersTo(folder).map((one) => ({ label: one.split("/").at(-2) ?? one, address: addressOf.documents(collection, { folder: one }) })),
  ];
  return (
    <nav className="crumbs" aria-label={words.folder}>
      {crumbs.map(({ label, address }, index) => (
        <span key={address}>
          {index > 0 && " › "}
          <a href={address} aria-current={index === crumbs.length - 1 ? "page" : undefined} onClick={(event) => onPlainClick(event, () => go(address))}>
            {visible(label)}
          </a>
        </span>
      ))}
    </nav>
  );
}

interface ChoiceProps {
  shelf: Shelf;
  facets: Facets | null;
  /** How many are left; null while not all have been looked through. */
  count: number | null;
  onShelf: (shelf: Partial<Shelf>) => void;
}

function Choice({ shelf, facets, count, onShelf }: ChoiceProps) {
  const words = useWords();
  const id = useId();
  const isNarrowed = !isEmptyShelf({ ...shelf, folder: "" });
  return (
    <div className="document-choice" role="search">
      <input
        type="search"
        data-slash
        data-testid="document-search"
        aria-label={words.seekDocuments}
        placeholder={words.seekDocuments}
        autoComplete="off"
        value={shelf.q}
        onChange={(event) => onShelf({ q: event.target.value })}
      />
      <Select testId="choose-type" label={words.columnType} counts={facets?.types} value={shelf.type} name={typeName} onValue={(type) => onShelf({ type })} />
      <Select testId="choose-language" label={words.columnLanguage} counts={facets?.languages} value={shelf.language} name={words.languageName} onValue={(language) => onShelf({ language })} />
      <Select testId="choose-status" label={words.columnStatus} counts={facets?.statuses} value={shelf.status} name={words.statusName} onValue={(status) => onShelf({ status })} />
      <label htmlFor={id}>{words.sortBy}</label>
      <select id={id} data-testid="document-order" value={orderOf(shelf.sort)} onChange={(event) => onShelf({ sort: event.target.value === "source" ? "" : event.target.value })}>
        {ORDERS.map((one) => (
          <option key={one} value={one}>
            {words.orderName(one)}
          </option>
        ))}
      </select>
      <span role="status">{isNarrowed && count !== null && words.documentCount(count)}</span>
    </div>
  );
}

interface SelectProps {
  testId: string;
  label: string;
  counts: Counts[string] | undefined;
  value: string;
  name: (value: string) => string;
  onValue: (value: string) => void;
}

/** Nothing to choose where all have the same. */
function Select({ testId, label, counts = [], value, name, onValue }: SelectProps) {
  if (counts.length < 2 && value === "") return null;
  return (
    <select data-testid={testId} aria-label={label} value={value} onChange={(event) => onValue(event.target.value)}>
      <option value="">{label}</option>
      {value !== "" && !counts.some((one) => one.value === value) && <option value={value}>{name(value)}</option>}
      {counts.map((one) => (
        <option key={one.value} value={one.value}>{`${name(one.value)} (${one.count})`}</option>
      ))}
    </select>
  );
}

interface TableProps extends Pick<Props, "openId" | "onOpen"> {
  documents: readonly DocumentSummary[];
  picked: ReadonlySet<string>;
  onPicked: (picked: ReadonlySet<string>) => void;
  onAsk: (document: DocumentSummary) => void;
  onDelete: ((document: DocumentSummary) => void) | undefined;
}

function DocumentTable({ documents, openId, picked, onPicked, onOpen, onAsk, onDelete }: TableProps) {
  const words = useWords();
  const language = useLanguage();
  const table = useRef<HTMLTableElement>(null);
  // "Load more" goes away at the end: the focus goes on to what came.
  const shownBefore = useRef(documents.length);
  useEffect(() => {
    const first = table.current?.querySelectorAll<HTMLElement>(".document-open")[shownBefore.current];
    if (documents.length > shownBefore.current && document.activeElement === document.body) first?.focus();
    shownBefore.current = documents.length;
  }, [documents.length]);
  // Beside an open source the table becomes cards: the document that was opened stays in sight.
  useEffect(() => {
    if (openId !== null) table.current?.querySelector("[aria-current]")?.scrollIntoView?.({ block: "nearest" });
  }, [openId]);
  const shown = (n: number | null): string => (n === null ? "–" : n.toLocaleString(language));
  const all = documents.every(({ id }) => picked.has(id));
  const pick = (id: string, isPicked: boolean): void => {
    const next = new Set(picked);
    if (isPicked) next.add(id);
    else next.delete(id);
    onPicked(next);
  };
  return (
    <table className="document-table" ref={table}>
      <thead>
        <tr>
          <th scope="col" className="pick-column">
            <input type="checkbox" data-testid="pick-all" aria-label={words.pickAll} checked={all} onChange={() => onPicked(all ? new Set() : new Set(documents.map(({ id }) => id)))} />
          </th>
          <th scope="col">{words.columnName}</th>
          <th scope="col">{words.columnType}</th>
          <th scope="col">{words.columnLanguage}</th>
          <th scope="col" className="numeric">
            {words.columnPages}
          </th>
          <th scope="col" className="numeric">
            {words.columnSize}
          </th>
          <th scope="col">{words.columnUpdated}</th>
          <th scope="col">{words.columnStatus}</th>
          <th scope="col">
            <span className="visually-hidden">{words.columnActs}</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {documents.map((document) => {
          const title = titleBeside(document);
          const folder = folderOf(document.source);
          return (
            <tr key={document.id} className={document.id === openId ? "document-current" : undefined}>
              <td className="pick-column">
                <input type="checkbox" data-testid="pick" aria-label={words.pick(fileNameOf(document))} checked={picked.has(document.id)} onChange={(event) => pick(document.id, event.target.checked)} />
              </td>
              <th scope="row">
                <a
                  href={addressOf.document(document.id)}
                  className="document-open"
                  data-testid="document"
                  aria-current={document.id === openId || undefined}
                  onClick={(event) => onPlainClick(event, () => onOpen(document))}
                >
                  {fileNameOf(document)}
                </a>
                {title !== null && (
                  <span className="document-title" lang={languageOf(title)}>
                    {title}
                  </span>
                )}
                {folder !== "" && <span className="path">{folder}/</span>}
                {document.readers.length > 0 && (
                  <span className="badge" data-testid="readers-of">
                    {words.readBy(document.readers.map(visible).join(", "))}
                  </span>
                )}
              </th>
              <td data-label={words.columnType}>{typeName(document.media_type)}</td>
              <td data-label={words.columnLanguage} data-testid="document-languages">
                {languagesOf(document).map(words.languageName).join(" · ") || "–"}
              </td>
              <td data-label={words.columnPages} className="numeric">
                {shown(document.pages)}
              </td>
              <td data-label={words.columnSize} className="numeric">
                {shown(document.chars)}
              </td>
              <td data-label={words.columnUpdated}>{dayOf(document.updated_at, language)}</td>
              <td data-label={words.columnStatus}>
                <span className={document.reason === null ? "badge" : "badge badge-warning"}>{words.statusName(document.status)}</span>
                {document.reason !== null && <Reason code={document.reason} />}
              </td>
              <td className="document-acts">
                <button type="button" className="icon-button icon-button-small" data-testid="ask-document" aria-label={words.askDocument(fileNameOf(document))} title={words.askThisDocument} onClick={() => onAsk(document)}>
                  <ChatIcon />
                </button>
                {onDelete && (
                  <button
                    type="button"
                    className="icon-button icon-button-small"
                    data-testid="delete-document"
                    aria-label={words.deleteConversation(fileNameOf(document))}
                    title={words.delete}
                    onClick={() => onDelete(document)}
                  >
                    <TrashIcon />
                  </button>
                )}
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

/** All that it has text in; of an older service the one that most of it is in. */
function languagesOf({ language, languages }: DocumentSummary): readonly string[] {
  return languages.length > 0 ? languages : language === null ? [] : [language];
}

function dayOf(time: string | null, language: string): string {
  const at = time === null ? NaN : Date.parse(time);
  return Number.isNaN(at) ? "–" : new Date(at).toLocaleDateString(language, { dateStyle: "medium" });
}

/** In words; the code stays at hand for a report. */
function Reason({ code }: { code: string }) {
  const words = useWords();
  return (
    <span className="document-reason" title={code}>
      {words.reasonText(code)}
    </span>
  );
}
