// One conversation: its turns, what the next question asks, and the question box.
import { useMemo, useSyncExternalStore, type RefObject } from "react";
import { useWords } from "../i18n";
import { useCollections } from "../library/collections";
import { addressOf } from "../shell/address";
import { useSurroundings } from "../shell/context";
import { DownIcon, SlidersIcon } from "../ui/Icons";
import { later } from "../ui/later";
import type { DocumentSummary, Passage } from "../wire/decode";
import { Announcer } from "./Announcer";
import type { Asker } from "./asking";
import { cards } from "./card";
import { Composer } from "./Composer";
import { changesCollection, type Conversation } from "./conversations";
import { useFollow } from "./follow";
import { FollowUps } from "./FollowUps";
import { onlyCollection, sameCollections } from "./scope";
import { ScopeBar } from "./ScopeBar";
import type { Settings } from "./settings";
import type { Store } from "./store";
import { FromHere, TurnView, type TurnActs } from "./TurnView";
import { Welcome } from "./Welcome";

export const MarkCard = later(async () => (await import("./MarkCard")).MarkCard);

interface Props {
  conversation: Conversation;
  store: Store;
  asker: Asker;
  draft: string;
  inputRef: RefObject<HTMLTextAreaElement | null>;
  settings: Settings;
  onDraft: (draft: string) => void;
  /** Puts the focus into the question box, where that brings no keyboard up. */
  onFocus: () => void;
  onOpen: (passages: readonly Passage[], passage: Passage) => void;
  onOpenDocument: (document: DocumentSummary) => void;
  onSettings: () => void;
}

export function AskScreen({ conversation, store, asker, draft, inputRef, settings, onDraft, onFocus, onOpen, onOpenDocument, onSettings }: Props) {
  const words = useWords();
  const { collections } = useCollections();
  const { id, turns, scope } = conversation;
  const streaming = turns.some((turn) => turn.status === "streaming");
  const { box, atEnd, onScroll, showQuestion, showEnd } = useFollow(conversation);
  const collection = collections?.find(({ name }) => name === onlyCollection(scope));
  const ask = (question: string): void => {
    onDraft("");
    asker.ask(id, question);
    showQuestion();
  };
  const acts = useTurnActs(id, asker, store);
  const last = turns.at(-1);
  const asked = useMemo(() => turns.map(({ question }) => question), [turns]);
  return (
    <div className="chat" ref={box} onScroll={onScroll}>
      <div className="turns">
        {turns.length === 0 ? (
          <Welcome collection={collection} isNothingThere={collections?.length === 0} onAsk={ask} onOpenDocument={onOpenDocument} />
        ) : (
          turns.map((turn, at) => (
            <TurnView
              key={turn.id}
              turn={turn}
              canRetry={!streaming}
              isFirst={at === 0}
              turnsElsewhere={changesCollection(turns, at)}
              showWhy={settings.showWhy}
              acts={acts}
              onOpen={onOpen}
            />
          ))
        )}
        {last?.status === "done" && !last.abstained && <FollowUps turn={last} asked={asked} onAsk={ask} />}
        {last && !sameCollections(last.scope, scope) && <FromHere scope={scope} />}
      </div>
      <div className="chat-foot">
        {!atEnd && turns.length > 0 && (
          <button type="button" className="to-latest" aria-label={words.toLatest} title={words.toLatest} onClick={showEnd}>
            <DownIcon />
          </button>
        )}
        <div className="scope-row">
          <ScopeBar scope={scope} onScope={store.setScope} />
          <button type="button" className="icon-button icon-button-small" data-testid="settings" aria-label={words.settings} title={words.settings} onClick={onSettings}>
            <SlidersIcon />
          </button>
        </div>
        <Composer
          draft={draft}
          streaming={streaming}
          inputRef={inputRef}
          onDraft={onDraft}
          onSend={ask}
          onStop={() => {
            asker.stop(id);
            onFocus();
          }}
          last={last?.question}
        />
      </div>
      <CurrentCard />
      <Announcer turn={turns.findLast((turn) => turn.status === "streaming") ?? last} />
    </div>
  );
}

function CurrentCard() {
  const card = useSyncExternalStore(cards.subscribe, cards.getState);
  return card && <MarkCard card={card} />;
}

/** What can be done with a turn: the same object while the conversation is, so that nothing draws an answer anew. */
function useTurnActs(id: string, asker: Asker, store: Store): TurnActs {
  const { go } = useSurroundings();
  return useMemo(
    () => ({
      onRetry: (turn) => asker.retry(id, turn.id),
      onReword: (turn, question) => asker.reword(id, turn.id, question),
      onAskAlone: (turn) => asker.askAlone(id, turn.id),
      onSearch: ({ question, scope }) => go(addressOf.search(question, scope.collections, scope.filters)),
      onWiden: (turn, scope) => asker.widen(id, turn.id, scope),
      onRated: (turn, rating) => store.updateTurn(id, turn.id, (one) => ({ ...one, rating })),
    }),
    [asker, store, go, id],
  );
}
