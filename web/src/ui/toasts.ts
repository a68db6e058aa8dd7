// Short notices at the page's edge, each with at most one thing to do about it.

export interface Toast {
  id: number;
  text: string;
  act: { label: string; run: () => void } | null;
  /** Called once it has gone without having been acted on. */
  onGone: () => void;
  ms: number;
}

let toasts: readonly Toast[] = [];
let last = 0;
const listeners = new Set<() => void>();

function set(next: readonly Toast[]): void {
  toasts = next;
  for (const listener of listeners) listener();
}

export const toaster = {
  getState: (): readonly Toast[] => toasts,
  subscribe(listener: () => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
  show({ text, act = null, onGone = () => undefined, ms = 6_000 }: Pick<Toast, "text"> & Partial<Omit<Toast, "id" | "text">>): void {
    last += 1;
    set([...toasts, { id: last, text, act, onGone, ms }]);
  },
  /** It has been acted on, or its time is over. */
  close(id: number, isActedOn: boolean): void {
    const toast = toasts.find((one) => one.id === id);
    if (!toast) return;
    set(toasts.filter((one) => one.id !== id));
    if (isActedOn) toast.act?.run();
    else toast.onGone();
  },
};
