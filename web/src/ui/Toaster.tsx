// Where notices are drawn. Their time stands still while the pointer or the focus is on them.
import { useEffect, useState, useSyncExternalStore } from "react";
import { useWords } from "../i18n";
import { CloseIcon } from "./Icons";
import { toaster, type Toast } from "./toasts";

export function Toaster() {
  const toasts = useSyncExternalStore(toaster.subscribe, toaster.getState);
  useEffect(() => {
    // Who leaves takes nothing back any more.
    const left = (): void => {
      for (const { id } of toaster.getState()) toaster.close(id, false);
    };
    addEventListener("pagehide", left);
    return () => removeEventListener("pagehide", left);
  }, []);
  return (
    <div className="toasts" role="status">
      {toasts.map((toast) => (
        <OneToast key={toast.id} toast={toast} />
      ))}
    </div>
  );
}

function OneToast({ toast: { id, text, act, ms } }: { toast: Toast }) {
  const words = useWords();
  const [held, setHeld] = useState(false);
  useEffect(() => {
    if (held) return;
    const timer = setTimeout(() => toaster.close(id, false), ms);
    return () => clearTimeout(timer);
  }, [held, id, ms]);
  return (
    <div className="toast" data-testid="toast" onPointerEnter={() => setHeld(true)} onPointerLeave={() => setHeld(false)} onFocus={() => setHeld(true)} onBlur={() => setHeld(false)}>
      <p>{text}</p>
      {act && (
        <button type="button" className="button" data-testid="toast-act" onClick={() => toaster.close(id, true)}>
          {act.label}
        </button>
      )}
      <button type="button" className="icon-button icon-button-small" aria-label={words.close} onClick={() => toaster.close(id, false)}>
        <CloseIcon />
      </button>
    </div>
  );
}
