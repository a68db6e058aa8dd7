// One conversation: its turns and the question box.
import { useCallback, type RefObject } from "react";
import type { Api } from "../wire/api";
import { changesCollection, type Conversation } from "./conversations";
import { useFollow } from "./follow";
import { useWords } from "../i18n";
import type { Collection, DocumentSummary, Passage } from "../wire/decode";
import { Announcer } from "./Announcer";
import { Composer } from "./Composer";
import { DownIcon } from "../ui/Icons";
import { FromHere, TurnView } from "./TurnView";
import { Welcome } from "./Welcome";

interface Props {
  conversation: Conversation;
  api: Api;
  collection: Collection | undefined;
  draft: string;
  inputRef: RefObject<HTMLTextAreaElement | null>;
  onDraft: (draft: string) => void;
  onAsk: (question: string) => void;
  onRetry: (turnId: string) => void;
  onAskAlone: (turnId: string) => void;
  onStop: () => void;
  onOpen: (passages: readonly Passage[], passage: Passage) => void;
  onOpenDocument: (document: DocumentSummary) => void;
}

export function Chat(props: Props) {
  const { api, conversation, collection, draft, inputRef, onDraft, onAsk, onRetry, onAskAlone, onStop, onOpen, onOpenDocument } = props;
  const words = useWords();
  const { turns } = conversation;
  const streaming = turns.some((turn) => turn.status === "streaming");
  const { box, atEnd, onScroll, showQuestion, showEnd } = useFollow(conversation);
  const ask = (question: string): void => {
    onAsk(question);
    showQuestion();
  };
  const edit = useCallback(
    (question: string) => {
      onDraft(question);
      requestAnimationFrame(() => inputRef.current?.focus());
    },
    [onDraft, inputRef],
  );
  return (
    <div className="chat" ref={box} onScroll={onScroll}>
      <div className="turns">
        {turns.length === 0 ? (
          <Welcome api={api} collection={collection} onAsk={ask} onOpenDocument={onOpenDocument} />
        ) : (
          turns.map((turn, at) => (
            <TurnView
              key={turn.id}
              turn={turn}
              canRetry={!streaming}
              isFirst={at === 0}
              turnsElsewhere={changesCollection(turns, at)}
              onRetry={onRetry}
              onEdit={edit}
              onAskAlone={onAskAlone}
              onOpen={onOpen}
            />
          ))
        )}
        {turns.length > 0 && turns.at(-1)?.collection !== conversation.collection && <FromHere collection={conversation.collection} />}
      </div>
      <div className="chat-foot">
        {!atEnd && turns.length > 0 && (
          <button type="button" className="to-latest" aria-label={words.toLatest} title={words.toLatest} onClick={showEnd}>
            <DownIcon />
          </button>
        )}
        <Composer draft={draft} streaming={streaming} inputRef={inputRef} onDraft={onDraft} onSend={ask} onStop={onStop} last={turns.at(-1)?.question} />
      </div>
      <Announcer turn={turns.findLast((turn) => turn.status === "streaming") ?? turns.at(-1)} />
    </div>
  );
}
