// Hands words to another program of a phone, where its browser can; elsewhere they are copied.
import { useWords } from "../i18n";
import { useMediaQuery } from "../shell/media";
import { ShareIcon } from "./Icons";

export function ShareButton({ text }: { text: () => string }) {
  const words = useWords();
  const isTouched = useMediaQuery("(pointer: coarse)");
  if (!isTouched || typeof navigator.share !== "function") return null;
  return (
    <button type="button" className="link-button" data-testid="share" onClick={() => void navigator.share({ text: text() }).catch(() => undefined)}>
      <ShareIcon />
      {words.share}
    </button>
  );
}
