// The pages of a document as pictures, which the service draws, with the cited words in rectangles and all words to be
// selected over them.
import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { useWords } from "../i18n";
import { useApi } from "../shell/context";
import type { Api } from "../wire/api";
import type { DocumentDetail } from "../wire/decode";
import type { Box, PagePicture } from "../wire/pages";
import { pageLabel } from "./outline";
import { PageSelection } from "./SelectionBar";
import type { LitSpan, Span } from "./sourcetext";
import { TextLayer } from "./TextLayer";

/** Kinds of files whose pages can be drawn. */
const DRAWN = /^application\/pdf$|^image\//;

/** Null while it isn't known, and where the service has none. */
export function usePictures(document: DocumentDetail | null): readonly PagePicture[] | null {
  const api = useApi();
  const { data } = useQuery({
    queryKey: ["pages", document?.id],
    queryFn: ({ signal }) => api.pages(document?.id ?? "", signal).catch(() => []),
    enabled: document !== null && DRAWN.test(document.media_type),
    staleTime: Number.POSITIVE_INFINITY,
  });
  return data !== undefined && data.length > 0 ? data : null;
}

interface Props {
  document: DocumentDetail;
  pictures: readonly PagePicture[];
  spans: readonly LitSpan[];
  /** An offset that is gone to. */
  jump: number | null;
  onAsk: (quote: string) => void;
}

export function Pages({ document, pictures, spans, jump, onAsk }: Props) {
  const words = useWords();
  const box = useRef<HTMLDivElement>(null);
  const boxes = useBoxes(document.id, spans);
  const place = jump ?? spans[0]?.start ?? 0;
  const there = pictures.findLast(({ char_start: start }) => start <= place)?.number ?? 1;
  // Who goes somewhere leaves the cited words.
  const wanted = jump === null ? (boxes[0]?.page ?? there) : there;
  useEffect(() => {
    const view = box.current;
    const page = `[data-page="${wanted}"]`;
    const mark = view?.querySelector<HTMLElement>(`${page} .page-box.found`) ?? view?.querySelector<HTMLElement>(`${page} .page-box`) ?? view?.querySelector<HTMLElement>(page);
    if (!view || !mark) return;
    const isBox = mark.classList.contains("page-box");
    view.scrollTop += mark.getBoundingClientRect().top - view.getBoundingClientRect().top - (isBox ? view.clientHeight / 3 : 8);
  }, [wanted, boxes]);
  const show = (number: number): void => {
    const view = box.current;
    const page = view?.querySelector(`[data-page="${number}"]`);
    if (view && page) view.scrollTop += page.getBoundingClientRect().top - view.getBoundingClientRect().top - 8;
  };
  return (
    <>
      <div className="pages-view">
        {pictures.length > 1 && <Thumbnails pictures={pictures} source={document.source} marked={new Set(boxes.map(({ page }) => page))} onPage={show} />}
        <div className="pane-body pages" ref={box} tabIndex={0} role="region" aria-label={words.pageView}>
          {pictures.map((page) => (
            <PageView key={page.number} document={document.id} page={page} label={pageLabel(document.source, page.number, words)} boxes={boxes.filter((one) => one.page === page.number)} />
          ))}
        </div>
      </div>
      <PageSelection body={box} document={document} onAsk={onAsk} />
    </>
  );
}

/** Pixels a point of a small picture. */
const THUMBNAIL_SCALE = 0.15;

interface ThumbnailProps {
  pictures: readonly PagePicture[];
  source: string;
  /** Pages that hold something that is lit. */
  marked: ReadonlySet<number>;
  onPage: (number: number) => void;
}

/** The pages, small, where the pane is wide enough for them. */
function Thumbnails({ pictures, source, marked, onPage }: ThumbnailProps) {
  const words = useWords();
  const api = useApi();
  return (
    <nav className="thumbnails" aria-label={words.thumbnails}>
      {pictures.map(({ number, width, height, image }) => (
        <button key={number} type="button" className={marked.has(number) ? "thumbnail thumbnail-marked" : "thumbnail"} data-testid="thumbnail" aria-label={pageLabel(source, number, words)} onClick={() => onPage(number)}>
          <img src={`${api.addressOf(image)}?scale=${THUMBNAIL_SCALE}`} alt="" loading="lazy" decoding="async" fetchPriority="low" width={Math.round(width)} height={Math.round(height)} />
          <span aria-hidden="true">{number}</span>
        </button>
      ))}
    </nav>
  );
}

interface PageViewProps {
  document: string;
  page: PagePicture;
  label: string;
  boxes: readonly LitBox[];
}

function PageView({ document, page, label, boxes }: PageViewProps) {
  const { number, width, height, image } = page;
  const [isSeen, setSeen] = useState(false); // the picture goes first: pages are drawn one by one
  const api = useApi();
  const share = (value: number, of: number): string => `${(value / of) * 100}%`;
  return (
    <figure className="page-view" data-page={number} data-testid="page-view">
      <div className="page-sheet" style={{ aspectRatio: `${width} / ${height}` }}>
        <img src={api.addressOf(image)} alt={label} loading="lazy" decoding="async" fetchPriority="high" width={Math.round(width)} height={Math.round(height)} onLoad={() => setSeen(true)} />
        {boxes.map((box, index) => (
          <span
            key={index}
            className={box.kind === "found" ? "page-box found" : "page-box"}
            data-testid="page-box"
            style={{ left: share(box.x, width), top: share(box.y, height), width: share(box.width, width), height: share(box.height, height) }}
          />
        ))}
        {isSeen && <TextLayer document={document} page={page} />}
      </div>
      <figcaption>{label}</figcaption>
    </figure>
  );
}

type LitBox = Box & Pick<LitSpan, "kind">;

const NONE: readonly LitBox[] = [];

function useBoxes(id: string, spans: readonly LitSpan[]): readonly LitBox[] {
  const api = useApi();
  const { data } = useQuery({
    queryKey: ["boxes", id, spans],
    queryFn: async ({ signal }) => (await Promise.all(spans.map(({ start, end, kind }) => boxesOf(api, id, { start, end }, kind, signal)))).flat(),
    enabled: spans.length > 0,
    staleTime: Number.POSITIVE_INFINITY,
  });
  return data ?? NONE;
}

async function boxesOf(api: Api, id: string, { start, end }: Span, kind: LitSpan["kind"], signal: AbortSignal): Promise<LitBox[]> {
  const boxes = await api.boxes(id, start, end, signal).catch(() => []);
  return boxes.map((box) => ({ ...box, kind }));
}
