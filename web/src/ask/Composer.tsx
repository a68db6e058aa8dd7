// The question box: grows with the text, counts near the limit, and leaves an input method's Enter alone.
import { useLayoutEffect, useRef, type KeyboardEvent, type RefObject } from "react";
import { codePointLength } from "../text/codepoints";
import { MAX_QUESTION_CODE_POINTS } from "./conversations";
import { useLanguage, useWords } from "../i18n";
import { sendsQuestion } from "./keyboard";
import { SendIcon, StopIcon } from "../ui/Icons";

/** From here on the counter shows. */
const COUNT_FROM = MAX_QUESTION_CODE_POINTS * 0.9;

interface Props {
  draft: string;
  streaming: boolean;
  inputRef: RefObject<HTMLTextAreaElement | null>;
  onDraft: (draft: string) => void;
  onSend: (question: string) => void;
  onStop: () => void;
  /** What was asked last, for ↑ in an empty box. */
  last?: string | undefined;
}

export function Composer({ draft, streaming, inputRef, onDraft, onSend, onStop, last }: Props) {
  const words = useWords();
  const composing = useRef(false);
  const length = codePointLength(draft.trim());
  const sendable = length > 0 && length <= MAX_QUESTION_CODE_POINTS;

  useLayoutEffect(() => {
    const box = inputRef.current;
    if (!box) return;
    // Through the CSSOM, which the page's Content-Security-Policy allows; the stylesheet caps the height.
    box.style.height = "auto";
    box.style.height = `${box.scrollHeight}px`;
  }, [draft, inputRef]);

  const send = (): void => {
    if (sendable && !streaming) onSend(draft);
  };

  const pressed = (event: KeyboardEvent<HTMLTextAreaElement>): void => {
    if (event.key === "ArrowUp" && draft === "" && last !== undefined && !event.nativeEvent.isComposing) {
      event.preventDefault();
      onDraft(last);
      return;
    }
    if (!sendsQuestion({ ...modifiers(event), isComposing: event.nativeEvent.isComposing }, composing.current)) return;
    event.preventDefault();
    send();
  };

  return (
    <form
      className="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <div className="composer-box">
        <textarea
          ref={inputRef}
          className="composer-input"
          data-testid="question-input"
          aria-label={words.questionLabel}
          aria-describedby="composer-note"
          placeholder={words.questionPlaceholder}
          rows={1}
          enterKeyHint="send"
          autoComplete="off"
          value={draft}
          onChange={(event) => onDraft(event.target.value)}
          onKeyDown={pressed}
          onCompositionStart={() => {
            composing.current = true;
          }}
          onCompositionEnd={() => {
            // Safari reports the Enter that ended the composition after its end, in the same task.
            setTimeout(() => {
              composing.current = false;
            }, 0);
          }}
        />
        {streaming ? (
          <button type="button" className="send-button stop-button" data-testid="stop" aria-label={words.stop} title={words.stop} onClick={onStop}>
            <StopIcon />
          </button>
        ) : (
          <button type="submit" className="send-button" data-testid="send" aria-label={words.send} title={words.send} disabled={!sendable}>
            <SendIcon />
          </button>
        )}
      </div>
      <ComposerNote length={length} />
    </form>
  );
}

function ComposerNote({ length }: { length: number }) {
  const words = useWords();
  const language = useLanguage();
  const shown = (n: number): string => n.toLocaleString(language);
  if (length < COUNT_FROM) {
    return (
      <p className="composer-note composer-hint" id="composer-note">
        {words.sendHint}
      </p>
    );
  }
  const over = length - MAX_QUESTION_CODE_POINTS;
  return (
    <p className={over > 0 ? "composer-note composer-over" : "composer-note"} id="composer-note" data-testid="counter">
      {over > 0 ? words.tooLong(over) : words.counter(shown(length), shown(MAX_QUESTION_CODE_POINTS))}
    </p>
  );
}

function modifiers(event: KeyboardEvent) {
  const { key, keyCode, shiftKey, altKey } = event;
  return { key, keyCode, shiftKey, altKey };
}
