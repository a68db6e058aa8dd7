// Files on their way in: dropped on the page, or chosen. Without this the browser would leave the page for a dropped one.
import { useEffect, useSyncExternalStore } from "react";
import type { Job } from "../wire/jobs";

/** `path` is the file's name, below its folder's where a folder was given. */
export interface NewFile {
  file: File;
  path: string;
}

export interface Arrivals {
  /** What was given and not sent yet. */
  waiting: readonly NewFile[] | null;
  /** What was sent since the page was opened, newest first. */
  jobs: readonly Job[];
}

let state: Arrivals = { waiting: null, jobs: [] };
const listeners = new Set<() => void>();

function set(next: Partial<Arrivals>): void {
  state = { ...state, ...next };
  for (const listener of listeners) listener();
}

export const arrivals = {
  getState: (): Arrivals => state,
  subscribe(listener: () => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
  offer(files: readonly NewFile[]): void {
    if (files.length > 0) set({ waiting: [...(state.waiting ?? []), ...files] });
  },
  without(file: NewFile): void {
    const left = state.waiting?.filter((one) => one !== file) ?? [];
    set({ waiting: left.length > 0 ? left : null });
  },
  wave(): void {
    set({ waiting: null });
  },
  sent(job: Job): void {
    set({ waiting: null, jobs: [job, ...state.jobs] });
  },
  forget(job: Job): void {
    set({ jobs: state.jobs.filter(({ id }) => id !== job.id) });
  },
};

export function useArrivals(): Arrivals {
  return useSyncExternalStore(arrivals.subscribe, arrivals.getState);
}

/** Takes what is dropped anywhere on the page. */
export function useDrops(): void {
  useEffect(() => {
    const holdsFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes("Files") ?? false;
    const over = (event: DragEvent): void => {
      if (!holdsFiles(event) || !event.dataTransfer) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = "copy";
    };
    const drop = (event: DragEvent): void => {
      if (!holdsFiles(event) || !event.dataTransfer) return;
      event.preventDefault();
      void filesOf(event.dataTransfer).then(arrivals.offer);
    };
    document.addEventListener("dragover", over);
    document.addEventListener("drop", drop);
    return () => {
      document.removeEventListener("dragover", over);
      document.removeEventListener("drop", drop);
    };
  }, []);
}

/** All files of a drop, those within folders too, in the order of their paths. */
async function filesOf({ items, files }: DataTransfer): Promise<NewFile[]> {
  // Entries must be taken before the first wait: then the drop is over for the browser.
  const entries = Array.from(items ?? [], (item) => item.webkitGetAsEntry?.() ?? null).filter((entry) => entry !== null);
  if (entries.length === 0) return chosenFiles(files);
  const found = (await Promise.all(entries.map(filesBelow))).flat();
  return found.sort((a, b) => a.path.localeCompare(b.path));
}

async function filesBelow(entry: FileSystemEntry): Promise<NewFile[]> {
  if (entry.isFile) {
    const file = await new Promise<File | null>((resolve) => (entry as FileSystemFileEntry).file(resolve, () => resolve(null)));
    return file && !isHidden(file.name) ? [{ file, path: entry.fullPath.replace(/^\//, "") }] : [];
  }
  if (isHidden(entry.name)) return [];
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const found: NewFile[] = [];
  for (;;) {
    // It gives a hundred at a time, and none at the end.
    const some = await new Promise<FileSystemEntry[]>((resolve) => reader.readEntries(resolve, () => resolve([])));
    if (some.length === 0) return found;
    for (const one of await Promise.all(some.map(filesBelow))) found.push(...one);
  }
}

function isHidden(name: string): boolean {
  return name.startsWith(".");
}

/** The files of a file field, with their folder where one was chosen. */
export function chosenFiles(files: Iterable<File> | ArrayLike<File> | null): NewFile[] {
  return Array.from(files ?? [], (file) => ({ file, path: file.webkitRelativePath || file.name })).filter(({ file }) => !isHidden(file.name));
}
