// Files that are dropped on the page: without this the browser would leave the page for them.
import { useEffect, useState } from "react";

/** The names of the files that were dropped last; null before, and once they were waved away. */
export function useDroppedFiles(): { names: readonly string[] | null; dismiss: () => void } {
  const [names, setNames] = useState<readonly string[] | null>(null);
  useEffect(() => {
    const holdsFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes("Files") ?? false;
    const over = (event: DragEvent): void => {
      if (!holdsFiles(event) || !event.dataTransfer) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = "copy";
    };
    const drop = (event: DragEvent): void => {
      if (!holdsFiles(event)) return;
      event.preventDefault();
      setNames(Array.from(event.dataTransfer?.files ?? [], ({ name }) => name));
    };
    document.addEventListener("dragover", over);
    document.addEventListener("drop", drop);
    return () => {
      document.removeEventListener("dragover", over);
      document.removeEventListener("drop", drop);
    };
  }, []);
  return { names, dismiss: () => setNames(null) };
}
