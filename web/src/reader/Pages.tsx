// The pages of a document as pictures, which the service draws, with the cited words in rectangles.
import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { useWords } from "../i18n";
import { useApi } from "../shell/context";
import type { DocumentDetail } from "../wire/decode";
import type { Box, PagePicture } from "../wire/pages";
import { pageLabel } from "./outline";
import type { Span } from "./sourcetext";

/** Kinds of files whose pages can be drawn. */
const DRAWN = /^application\/(pdf|vnd\.openxmlformats-officedocument\.presentationml\.presentation)$|^image\//;

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
  spans: readonly Span[];
  /** An offset that is gone to. */
  jump: number | null;
}

export function Pages({ document, pictures, spans, jump }: Props) {
  const words = useWords();
  const box = useRef<HTMLDivElement>(null);
  const boxes = useBoxes(document.id, spans);
  const place = jump ?? spans[0]?.start ?? 0;
  const wanted = boxes[0]?.page ?? pictures.findLast(({ char_start: start }) => start <= place)?.number ?? 1;
  useEffect(() => {
    const view = box.current;
    const mark = view?.querySelector<HTMLElement>(`[data-page="${wanted}"] .page-box`) ?? view?.querySelector<HTMLElement>(`[data-page="${wanted}"]`);
    if (!view || !mark) return;
    const isBox = mark.classList.contains("page-box");
    view.scrollTop += mark.getBoundingClientRect().top - view.getBoundingClientRect().top - (isBox ? view.clientHeight / 3 : 8);
  }, [wanted, boxes]);
  return (
    <div className="pane-body pages" ref={box} tabIndex={0} role="region" aria-label={words.pageView}>
      {pictures.map((page) => (
        <PageView key={page.number} page={page} label={pageLabel(document.source, page.number, words)} boxes={boxes.filter((one) => one.page === page.number)} />
      ))}
    </div>
  );
}

function PageView({ page: { number, width, height, image }, label, boxes }: { page: PagePicture; label: string; boxes: readonly Box[] }) {
  const api = useApi();
  const share = (value: number, of: number): string => `${(value / of) * 100}%`;
  return (
    <figure className="page-view" data-page={number} data-testid="page-view">
      <div className="page-sheet" style={{ aspectRatio: `${width} / ${height}` }}>
        <img src={api.addressOf(image)} alt={label} loading="lazy" decoding="async" width={Math.round(width)} height={Math.round(height)} />
        {boxes.map((box, index) => (
          <span
            key={index}
            className="page-box"
            data-testid="page-box"
            style={{ left: share(box.x, width), top: share(box.y, height), width: share(box.width, width), height: share(box.height, height) }}
          />
        ))}
      </div>
      <figcaption>{label}</figcaption>
    </figure>
  );
}

const NONE: readonly Box[] = [];

function useBoxes(id: string, spans: readonly Span[]): readonly Box[] {
  const api = useApi();
  const { data } = useQuery({
    queryKey: ["boxes", id, spans],
    queryFn: async ({ signal }) => (await Promise.all(spans.map(({ start, end }) => api.boxes(id, start, end, signal).catch(() => [])))).flat(),
    enabled: spans.length > 0,
    staleTime: Number.POSITIVE_INFINITY,
  });
  return data ?? NONE;
}
