// One conversation: its turns, kept scrolled to what is arriving, and the question box.
import { useCallback, useLayoutEffect, useRef, useState, type RefObject } from "react";
import type { Conversation } from "../conversations";
import { useWords } from "../i18n";
import type { Citation, Collection } from "../wire";
import { Announcer } from "./Announcer";
import { Composer } from "./Composer";
import { DownIcon } from "./Icons";
import { TurnView } from "./TurnView";
import { Welcome } from "./Welcome";

/** Within so many pixels of the end the view follows new text. */
const NEAR_END_PX = 96;

interface Props {
  conversation: Conversation;
  collection: Collection | undefined;
  draft: string;
  inputRef: RefObject<HTMLTextAreaElement | null>;
  onDraft: (draft: string) => void;
  onAsk: (question: string) => void;
  onRetry: (turnId: string) => void;
  onStop: () => void;
  onOpen: (citations: readonly Citation[], citation: Citation) => void;
}

export function Chat({ conversation, collection, draft, inputRef, onDraft, onAsk, onRetry, onStop, onOpen }: Props) {
  const words = useWords();
  const { turns } = conversation;
  const streaming = turns.some((turn) => turn.status === "streaming");
  const { box, atEnd, onScroll, follow } = useFollow(conversation);
  const ask = (question: string): void => {
    onAsk(question);
    follow();
  };
  return (
    <div className="chat">
      <div className="turns-scroll" ref={box} onScroll={onScroll}>
        <div className="turns">
          {turns.length === 0 ? (
            <Welcome collection={collection} onAsk={ask} />
          ) : (
            turns.map((turn) => <TurnView key={turn.id} turn={turn} canRetry={!streaming} onRetry={onRetry} onOpen={onOpen} />)
          )}
        </div>
      </div>
      <div className="chat-foot">
        {!atEnd && turns.length > 0 && (
          <button type="button" className="to-latest" aria-label={words.toLatest} title={words.toLatest} onClick={follow}>
            <DownIcon />
          </button>
        )}
        <Composer draft={draft} streaming={streaming} inputRef={inputRef} onDraft={onDraft} onSend={ask} onStop={onStop} />
      </div>
      <Announcer turn={turns.findLast((turn) => turn.status === "streaming") ?? turns.at(-1)} />
    </div>
  );
}

/** Keeps the end in view as text arrives, unless the reader has scrolled away from it. */
function useFollow(conversation: Conversation) {
  const box = useRef<HTMLDivElement>(null);
  const following = useRef(true);
  const shown = useRef("");
  const [atEnd, setAtEnd] = useState(true);

  const toEnd = useCallback(() => {
    if (box.current) box.current.scrollTop = box.current.scrollHeight;
  }, []);
  const onScroll = useCallback(() => {
    const view = box.current;
    if (!view) return;
    following.current = view.scrollHeight - view.scrollTop - view.clientHeight < NEAR_END_PX;
    setAtEnd(following.current);
  }, []);
  const follow = useCallback(() => {
    following.current = true;
    setAtEnd(true);
    toEnd();
  }, [toEnd]);

  useLayoutEffect(() => {
    if (shown.current !== conversation.id) following.current = true;
    shown.current = conversation.id;
    if (following.current) toEnd();
  }, [conversation, toEnd]);

  return { box, atEnd, onScroll, follow };
}
