// A button that copies a text and says so for two seconds.
import { useEffect, useState, type ReactNode } from "react";
import { copyText } from "./clipboard";
import { useWords } from "../i18n";
import { CheckIcon, CopyIcon } from "./Icons";

interface Props {
  /** Made when it is asked for. */
  text: () => string;
  label: string;
  /** In place of the sign for copying. */
  icon?: ReactNode;
  /** The label is not drawn: it is the button's name. */
  bare?: boolean;
  testId?: string;
}

export function CopyButton({ text, label, icon = <CopyIcon />, bare = false, testId }: Props) {
  const words = useWords();
  const [state, setState] = useState<"idle" | "copied" | "failed">("idle");
  useEffect(() => {
    if (state === "idle") return;
    const timer = setTimeout(() => setState("idle"), 2_000);
    return () => clearTimeout(timer);
  }, [state]);
  const said = state === "idle" ? label : state === "copied" ? words.copied : words.notCopied;
  return (
    <button
      type="button"
      className={bare ? "icon-button" : "link-button"}
      data-testid={testId}
      aria-label={bare ? said : undefined}
      title={bare ? said : undefined}
      onClick={() => void copyText(text()).then((done) => setState(done ? "copied" : "failed"))}
    >
      {state === "copied" ? <CheckIcon /> : icon}
      {!bare && said}
    </button>
  );
}
