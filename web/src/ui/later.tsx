// A part of the page that is fetched when it is first shown: what most readers never open weighs nothing for them.
import { useEffect, useState, type ComponentType, type ReactNode } from "react";
import { useWords } from "../i18n";

export type Later<Props extends object> = ComponentType<Props> & { preload: () => Promise<void> };

/** `meanwhile` stands in its place; nothing where it is absent. Once loaded it is drawn at once, every time. */
export function later<Props extends object>(load: () => Promise<ComponentType<Props>>, meanwhile: ReactNode = null): Later<Props> {
  let Loaded: ComponentType<Props> | null = null;
  const preload = async (): Promise<void> => {
    Loaded ??= await load();
  };
  function Part(props: Props) {
    const words = useWords();
    const [state, setState] = useState<"loading" | "loaded" | "failed">(Loaded ? "loaded" : "loading");
    useEffect(() => {
      if (state !== "loading") return;
      let here = true;
      preload().then(
        () => here && setState("loaded"),
        () => here && setState("failed"),
      );
      return () => {
        here = false;
      };
    }, [state]);
    if (Loaded) return <Loaded {...props} />;
    if (state !== "failed") return meanwhile;
    return (
      <p className="part-failed" role="alert">
        {words.networkTitle}{" "}
        <button type="button" className="link-button" onClick={() => setState("loading")}>
          {words.retry}
        </button>
      </p>
    );
  }
  return Object.assign(Part, { preload });
}
