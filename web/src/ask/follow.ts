// Where a conversation is scrolled to while an answer arrives.
// A new question rises to the top of the view and stays there, so that its answer is read from its beginning. Only who
// goes to the end is kept at the end, and who scrolls anywhere else is left alone.
import { useCallback, useLayoutEffect, useRef, useState, type RefObject } from "react";
import type { Conversation } from "./conversations";

/** Within so many pixels of the end a reader is at the end. */
const NEAR_END_PX = 64;
/** Above the question that has risen to the top. */
const ABOVE_QUESTION_PX = 20;

export interface Follow {
  box: RefObject<HTMLDivElement | null>;
  atEnd: boolean;
  onScroll: () => void;
  showQuestion: () => void;
  showEnd: () => void;
}

export function useFollow(conversation: Conversation): Follow {
  const box = useRef<HTMLDivElement>(null);
  const mode = useRef<"question" | "end" | "reader">("question");
  const shown = useRef(conversation.id);
  /** Where this code has put the view, to tell the reader's scrolling from its own. */
  const put = useRef(0);
  const [atEnd, setAtEnd] = useState(true);

  const place = useCallback(() => {
    const view = box.current;
    if (!view) return;
    if (mode.current !== "reader") {
      const end = view.scrollHeight - view.clientHeight;
      const question = view.querySelector<HTMLElement>(".turn:last-child");
      // Without a question, what there is begins at its beginning.
      const top = mode.current === "end" ? end : question ? question.offsetTop - view.offsetTop - ABOVE_QUESTION_PX : 0;
      view.scrollTop = Math.min(top, end);
      put.current = view.scrollTop;
    }
    setAtEnd(isNearEnd(view));
  }, []);

  const onScroll = useCallback(() => {
    const view = box.current;
    if (!view) return;
    const near = isNearEnd(view);
    setAtEnd(near);
    if (Math.abs(view.scrollTop - put.current) > 2) mode.current = near ? "end" : "reader";
  }, []);

  useLayoutEffect(() => {
    if (shown.current !== conversation.id) mode.current = "question";
    shown.current = conversation.id;
    place();
  }, [conversation, place]);

  const showQuestion = useCallback(() => {
    mode.current = "question"; // placed once the question is rendered
  }, []);
  const showEnd = useCallback(() => {
    mode.current = "end";
    place();
  }, [place]);
  return { box, atEnd, onScroll, showQuestion, showEnd };
}

function isNearEnd(view: HTMLElement): boolean {
  return view.scrollHeight - view.scrollTop - view.clientHeight < NEAR_END_PX;
}
