// The words of a page over its picture: not seen, but they can be selected, and found by the browser.
// Each line stands in its box, drawn out to its width; where it stands in the document's text is on it.
import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { useApi } from "../shell/context";
import type { PageLine, PagePicture } from "../wire/pages";

/** Of a line's height; the rest is what stands between lines. */
const LETTERS = 0.8;

/** The stylesheet's font for it, in which it is measured. */
const FONT = "sans-serif";

export function TextLayer({ document, page: { number, width, height } }: { document: string; page: PagePicture }) {
  const api = useApi();
  const layer = useRef<HTMLDivElement>(null);
  const isNear = useNear(layer);
  const { data: lines } = useQuery({
    queryKey: ["lines", document, number],
    queryFn: ({ signal }) => api.lines(document, number, signal).catch(() => []),
    enabled: isNear,
    staleTime: Number.POSITIVE_INFINITY,
  });
  return (
    <div className="page-words" ref={layer} data-testid="page-words">
      {lines?.map((line, index) => (
        <span
          key={index}
          className="page-line"
          data-testid="page-line"
          data-start={line.char_start ?? undefined}
          style={{
            left: `${(line.x / width) * 100}%`,
            top: `${(line.y / height) * 100}%`,
            height: `${(line.height / height) * 100}%`,
            fontSize: `${((line.height * LETTERS) / width) * 100}cqw`,
            lineHeight: `${(line.height / width) * 100}cqw`,
            transform: `scaleX(${stretchOf(line)})`,
          }}
        >
          {shownOf(line.text)}
        </span>
      ))}
    </div>
  );
}

/** Offsets stay what they are: one blank for another. */
function shownOf(text: string): string {
  return text.replace(/\s/g, " ");
}

/** How much wider a line is drawn on the page than in the font of the layer. */
function stretchOf({ text, width, height }: PageLine): number {
  const measured = (widthOf(shownOf(text)) / 100) * height * LETTERS;
  return measured > 0 ? width / measured : 1;
}

let drawing: CanvasRenderingContext2D | null | undefined;

/** The width of a text of 100 pixels; 0 where nothing can be drawn. */
function widthOf(text: string): number {
  drawing ??= document.createElement("canvas").getContext("2d");
  if (!drawing) return 0;
  drawing.font = `100px ${FONT}`;
  return drawing.measureText(text).width;
}

/** Whether an element is, or was once, in view or near to it. */
function useNear(element: React.RefObject<HTMLElement | null>): boolean {
  const [isNear, set] = useState(false);
  useEffect(() => {
    const target = element.current;
    if (!target || isNear) return;
    const watcher = new IntersectionObserver((seen) => {
      if (seen.some((one) => one.isIntersecting)) set(true);
    }, { rootMargin: "50%" });
    watcher.observe(target);
    return () => watcher.disconnect();
  }, [element, isNear]);
  return isNear;
}
