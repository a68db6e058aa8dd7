// A dialog over the page: the browser's own, which keeps the focus within it, gives it back and makes the rest inert.
import { useId, useLayoutEffect, useRef, type KeyboardEvent, type MouseEvent, type ReactNode, type RefObject, type SyntheticEvent } from "react";

interface Props {
  className: string;
  testId: string;
  /** Drawn as its heading. */
  title?: string;
  /** Its name where it has no heading. */
  label?: string;
  /** What has the focus at first; else the first that can have it. */
  initialFocus?: RefObject<HTMLElement | null> | undefined;
  onClose: () => void;
  children: ReactNode;
}

export function Modal({ className, testId, title, label, initialFocus, onClose, children }: Props) {
  const box = useRef<HTMLDialogElement>(null);
  const id = useId();
  useLayoutEffect(() => {
    const dialog = box.current;
    dialog?.showModal();
    initialFocus?.current?.focus();
    return () => dialog?.close(); // while it still stands on the page: the focus goes back
  }, [initialFocus]);
  const closed = (event: SyntheticEvent): void => {
    event.preventDefault(); // it goes when its owner takes it away
    onClose();
  };
  const pressed = (event: KeyboardEvent): void => {
    if (event.key === "Escape" && !event.nativeEvent.isComposing && !event.defaultPrevented) closed(event);
  };
  const clicked = (event: MouseEvent): void => {
    if (event.target !== box.current || !isOutside(event, box.current)) return;
    event.preventDefault(); // the press takes the focus nowhere: it goes back
    onClose();
  };
  return (
    <dialog ref={box} className={`popup ${className}`} data-testid={testId} aria-label={label} aria-labelledby={title === undefined ? undefined : id} onCancel={closed} onKeyDown={pressed} onMouseDown={clicked}>
      {title !== undefined && (
        <h2 className="popup-title" id={id}>
          {title}
        </h2>
      )}
      {children}
    </dialog>
  );
}

/** A press on what lies behind a dialog is one on the dialog, beside its box. */
function isOutside({ clientX: x, clientY: y }: MouseEvent, box: HTMLElement): boolean {
  const { left, right, top, bottom } = box.getBoundingClientRect();
  return x < left || x > right || y < top || y > bottom;
}
