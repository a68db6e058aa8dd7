// A formula as MathML, which browsers draw by themselves: no fonts, no styles. Fetched where an answer holds one.
import katex from "katex";
import { useLayoutEffect, useRef } from "react";

export function Formula({ tex, display }: { tex: string; display: boolean }) {
  const box = useRef<HTMLSpanElement>(null);
  useLayoutEffect(() => {
    if (!box.current) return;
    // It makes elements, no HTML; `trust` keeps commands out that load or link.
    katex.render(tex, box.current, { output: "mathml", displayMode: display, throwOnError: false, trust: false, strict: "ignore", maxExpand: 200 });
  }, [tex, display]);
  return <span ref={box} className={display ? "formula formula-display" : "formula"} data-testid="formula" />;
}
