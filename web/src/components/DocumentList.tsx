// The documents of a collection, a page at a time, each opening in the source pane.
import { useCallback, useEffect, useRef, useState } from "react";
import { addressOf } from "../address";
import { isAbort, problemOf, type Api } from "../api";
import { useLanguage, useWords } from "../i18n";
import { onPlainClick } from "../links";
import { languageOf } from "../script";
import { visible } from "../visible";
import type { DocumentSummary, Problem } from "../decode";
import { EmptyCollection } from "./EmptyCollection";
import { ProblemNotice } from "./ProblemNotice";

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
  onOpen: (document: DocumentSummary) => void;
}

export function DocumentList({ api, collection, openId, onOpen }: Props) {
  const words = useWords();
  const { loaded, load } = useDocuments(api, collection);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  return (
    <section className="documents" data-testid="documents" aria-labelledby="documents-title">
      <h2 id="documents-title" ref={heading} tabIndex={-1} className="documents-title">
        {words.documentsOf(collection)}
      </h2>
      {loaded.documents.length > 0 && <DocumentTable documents={loaded.documents} openId={openId} onOpen={onOpen} />}
      {loaded.status === "loading" && <p className="documents-note">{words.documentsLoading}</p>}
      {loaded.status === "failed" && loaded.problem && (
        <ProblemNotice problem={loaded.problem} onRetry={() => load(loaded.documents.length > 0 ? loaded.cursor : null)} />
      )}
      {loaded.status === "ready" && loaded.documents.length === 0 && <EmptyCollection name={collection} />}
      {loaded.status === "ready" && loaded.cursor !== null && (
        <button type="button" className="button load-more" onClick={() => load(loaded.cursor)}>
          {words.moreDocuments}
        </button>
      )}
    </section>
  );
}

function useDocuments(api: Api, collection: string): { loaded: Loaded; load: (cursor: string | null) => void } {
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
  return { loaded, load };
}

function DocumentTable({ documents, openId, onOpen }: { documents: readonly DocumentSummary[] } & Pick<Props, "openId" | "onOpen">) {
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
            <td data-label={words.columnStatus}>
              <span className={document.reason === null ? "badge" : "badge badge-warning"}>{words.statusName(document.status)}</span>
              {document.reason !== null && <Reason code={document.reason} />}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
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
