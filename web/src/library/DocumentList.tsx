// The documents of a collection: found by name, sorted, opened beside the list, deleted.
import { useCallback, useEffect, useId, useMemo, useRef, useState } from "react";
import { addressOf } from "../shell/address";
import { isAbort, problemOf, type Api } from "../wire/api";
import { chosen, ORDERS, type Order } from "./documents";
import { useLanguage, useWords } from "../i18n";
import { onPlainClick } from "../ui/links";
import { languageOf } from "../text/script";
import { visible } from "../text/visible";
import type { DocumentSummary, Problem } from "../wire/decode";
import { EmptyCollection } from "./EmptyCollection";
import { TrashIcon } from "../ui/Icons";
import { ProblemNotice } from "../ui/ProblemNotice";

const PAGE = 100;

interface Loaded {
  documents: DocumentSummary[];
  cursor: string | null;
  status: "loading" | "ready" | "failed";
  problem: Problem | null;
}

const NOTHING: Loaded = { documents: [], cursor: null, status: "loading", problem: null };

interface Props {
  api: Api;
  collection: string;
  /** The document that stands open beside the list. */
  openId: string | null;
  /** Whether who reads may delete. */
  mayDelete: boolean;
  onOpen: (document: DocumentSummary) => void;
  /** After a document was deleted: the collection has one less. */
  onDeleted: (document: DocumentSummary) => void;
}

export function DocumentList({ api, collection, openId, mayDelete, onOpen, onDeleted }: Props) {
  const words = useWords();
  const { loaded, load, remove } = useDocuments(api, collection);
  const [sought, setSought] = useState("");
  const [order, setOrder] = useState<Order>("source");
  const [refused, setRefused] = useState<Problem | null>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  const { documents, cursor, status } = loaded;
  const shown = useMemo(() => chosen(documents, sought, order), [documents, sought, order]);
  // What is sought, or comes first in another order, may be on a page that isn't here yet.
  const needsAll = (sought.trim() !== "" || order !== "source") && cursor !== null;
  useEffect(() => {
    if (needsAll && status === "ready") load(cursor);
  }, [needsAll, status, cursor, load]);

  const deleteOne = async (document: DocumentSummary): Promise<void> => {
    setRefused(null);
    try {
      await api.deleteDocument(document.id);
    } catch (error) {
      setRefused(problemOf(error));
      return;
    }
    remove(document.id);
    onDeleted(document);
    heading.current?.focus();
  };

  return (
    <section className="documents" data-testid="documents" aria-labelledby="documents-title">
      <h2 id="documents-title" ref={heading} tabIndex={-1} className="documents-title">
        {words.documentsOf(collection)}
      </h2>
      {documents.length > 0 && (
        <Choice sought={sought} order={order} count={needsAll ? null : shown.length} onSeek={setSought} onOrder={setOrder} />
      )}
      {refused && <ProblemNotice problem={refused} />}
      {shown.length > 0 && (
        <DocumentTable documents={shown} openId={openId} onOpen={onOpen} onDelete={mayDelete ? deleteOne : undefined} />
      )}
      {status === "loading" && <p className="documents-note">{words.documentsLoading}</p>}
      {status === "failed" && loaded.problem && (
        <ProblemNotice problem={loaded.problem} onRetry={() => load(documents.length > 0 ? cursor : null)} />
      )}
      {status === "ready" && documents.length === 0 && <EmptyCollection name={collection} />}
      {status === "ready" && cursor !== null && !needsAll && (
        <button type="button" className="button load-more" onClick={() => load(cursor)}>
          {words.moreDocuments}
        </button>
      )}
    </section>
  );
}

interface ChoiceProps {
  sought: string;
  order: Order;
  /** How many are left; null while not all have been looked through. */
  count: number | null;
  onSeek: (sought: string) => void;
  onOrder: (order: Order) => void;
}

function Choice({ sought, order, count, onSeek, onOrder }: ChoiceProps) {
  const words = useWords();
  const id = useId();
  return (
    <div className="document-choice" role="search">
      <input
        type="search"
        data-testid="document-search"
        aria-label={words.seekDocuments}
        placeholder={words.seekDocuments}
        autoComplete="off"
        value={sought}
        onChange={(event) => onSeek(event.target.value)}
      />
      <label htmlFor={id}>{words.sortBy}</label>
      <select id={id} data-testid="document-order" value={order} onChange={(event) => onOrder(event.target.value as Order)}>
        {ORDERS.map((one) => (
          <option key={one} value={one}>
            {words.orderName(one)}
          </option>
        ))}
      </select>
      <span role="status">{sought.trim() !== "" && count !== null && words.documentCount(count)}</span>
    </div>
  );
}

function useDocuments(api: Api, collection: string) {
  const [loaded, setLoaded] = useState<Loaded>(NOTHING);
  const abort = useRef<AbortController | null>(null);
  const load = useCallback(
    (cursor: string | null) => {
      abort.current?.abort();
      const controller = new AbortController();
      abort.current = controller;
      setLoaded((now) => (cursor === null ? NOTHING : { ...now, status: "loading" }));
      api
        .documents(collection, PAGE, cursor, controller.signal)
        .then((page) =>
          setLoaded((now) => ({
            documents: [...now.documents, ...page.documents],
            cursor: page.next_cursor,
            status: "ready",
            problem: null,
          })),
        )
        .catch((error: unknown) => {
          if (!isAbort(error)) setLoaded((now) => ({ ...now, status: "failed", problem: problemOf(error) }));
        });
    },
    [api, collection],
  );
  useEffect(() => {
    load(null);
    return () => abort.current?.abort();
  }, [load]);
  const remove = useCallback(
    (id: string) => setLoaded((now) => ({ ...now, documents: now.documents.filter((document) => document.id !== id) })),
    [],
  );
  return { loaded, load, remove };
}

interface TableProps extends Pick<Props, "openId" | "onOpen"> {
  documents: readonly DocumentSummary[];
  onDelete: ((document: DocumentSummary) => Promise<void>) | undefined;
}

function DocumentTable({ documents, openId, onOpen, onDelete }: TableProps) {
  const words = useWords();
  const language = useLanguage();
  const [deleting, setDeleting] = useState<string | null>(null);
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
  return (
    <table className="document-table" ref={table}>
      <thead>
        <tr>
          <th scope="col">{words.columnTitle}</th>
          <th scope="col">{words.columnLanguage}</th>
          <th scope="col" className="numeric">
            {words.columnPages}
          </th>
          <th scope="col" className="numeric">
            {words.columnChunks}
          </th>
          <th scope="col">{words.columnUpdated}</th>
          <th scope="col">{words.columnStatus}</th>
        </tr>
      </thead>
      <tbody>
        {documents.map((document) => (
          <tr key={document.id} className={document.id === openId ? "document-current" : undefined}>
            <th scope="row">
              <a
                href={addressOf.document(document.id)}
                className="document-open"
                data-testid="document"
                lang={languageOf(document.title)}
                aria-current={document.id === openId || undefined}
                onClick={(event) => onPlainClick(event, () => onOpen(document))}
              >
                {visible(document.title)}
              </a>
              {document.source !== document.title && <span className="path">{visible(document.source)}</span>}
            </th>
            <td data-label={words.columnLanguage}>{document.language === null ? "–" : words.languageName(document.language)}</td>
            <td data-label={words.columnPages} className="numeric">
              {shown(document.pages)}
            </td>
            <td data-label={words.columnChunks} className="numeric">
              {shown(document.chunks)}
            </td>
            <td data-label={words.columnUpdated}>{dayOf(document.updated_at, language)}</td>
            <td data-label={words.columnStatus}>
              <span className={document.reason === null ? "badge" : "badge badge-warning"}>{words.statusName(document.status)}</span>
              {document.reason !== null && <Reason code={document.reason} />}
              {onDelete && deleting !== document.id && (
                <button
                  type="button"
                  className="icon-button icon-button-small document-delete"
                  data-testid="delete-document"
                  aria-label={words.deleteConversation(visible(document.title))}
                  title={words.delete}
                  onClick={() => setDeleting(document.id)}
                >
                  <TrashIcon />
                </button>
              )}
              {onDelete && deleting === document.id && (
                <Confirm
                  onDelete={() => {
                    setDeleting(null);
                    void onDelete(document);
                  }}
                  onKeep={() => setDeleting(null)}
                />
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function dayOf(time: string | null, language: string): string {
  const at = time === null ? NaN : Date.parse(time);
  return Number.isNaN(at) ? "–" : new Date(at).toLocaleDateString(language, { dateStyle: "medium" });
}

function Confirm({ onDelete, onKeep }: { onDelete: () => void; onKeep: () => void }) {
  const words = useWords();
  return (
    <div
      className="document-confirm"
      role="group"
      aria-label={words.confirmDeleteDocument}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.preventDefault(); // the page's own Escape is not meant
        onKeep();
      }}
    >
      <p>{words.confirmDeleteDocument}</p>
      <button type="button" className="button button-danger" data-testid="confirm-delete-document" onClick={onDelete}>
        {words.delete}
      </button>
      <button type="button" className="button" autoFocus onClick={onKeep}>
        {words.keep}
      </button>
    </div>
  );
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
