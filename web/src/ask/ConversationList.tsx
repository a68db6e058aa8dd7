// The conversations of this reader: open, start, rename, delete.
import { useEffect, useRef, useState, type KeyboardEvent, type ReactNode } from "react";
import { addressOf } from "../shell/address";
import { byAge } from "./ages";
import { titleOf, type Conversation } from "./conversations";
import { fileName, saveText } from "../ui/download";
import { useWords } from "../i18n";
import { onPlainClick } from "../ui/links";
import { conversationText } from "./quoting";
import { languageOf } from "../text/script";
import { MAX_CONVERSATIONS } from "./storage";
import { CloseIcon, PencilIcon, PlusIcon, TrashIcon } from "../ui/Icons";

interface Props {
  conversations: readonly Conversation[];
  activeId: string;
  kept: boolean;
  /** The service keeps them, too. */
  isServiceKept: boolean;
  /** It did not take the one that is open. */
  isRefused: boolean;
  /** Who is logged in, where the bar has no room for it. */
  account?: ReactNode;
  onStart: () => void;
  onOpen: (id: string) => void;
  onRename: (id: string, name: string) => void;
  onDelete: (id: string) => void;
  /** Present where the list is a drawer over the page. */
  onClose?: (() => void) | undefined;
}

export function ConversationList({ conversations, activeId, kept, isServiceKept, isRefused, account, onStart, onOpen, onRename, onDelete, onClose }: Props) {
  const words = useWords();
  const [sought, setSought] = useState("");
  const shown = found(conversations, sought);
  const groups = byAge(shown, Date.now());
  const active = conversations.find(({ id }) => id === activeId);
  const close = useRef<HTMLButtonElement>(null);
  useEffect(() => close.current?.focus(), []);
  return (
    <nav className="sidebar" aria-label={words.conversations}>
      <div className="sidebar-head">
        <button type="button" className="button new-conversation" data-testid="new-conversation" onClick={onStart}>
          <PlusIcon />
          {words.newConversation}
        </button>
        {onClose && (
          <button ref={close} type="button" className="icon-button" aria-label={words.closeMenu} onClick={onClose}>
            <CloseIcon />
          </button>
        )}
      </div>
      {conversations.length > SEARCHED_FROM && (
        <input
          type="search"
          className="sidebar-search"
          data-testid="conversation-search"
          aria-label={words.seekConversations}
          placeholder={words.seekConversations}
          autoComplete="off"
          value={sought}
          onChange={(event) => setSought(event.target.value)}
        />
      )}
      {conversations.length === 0 ? (
        <p className="sidebar-note">{isServiceKept ? words.noConversationsKept : words.noConversations}</p>
      ) : (
        <div className="conversations" data-testid="conversations">
          {groups.map(({ age, items }) => (
            <section key={age} aria-label={words.age(age)}>
              {groups.length > 1 && <h3 className="conversation-age">{words.age(age)}</h3>}
              <ul>
                {items.map((conversation) => (
                  <Item
                    key={conversation.id}
                    conversation={conversation}
                    active={conversation.id === activeId}
                    onOpen={onOpen}
                    onRename={onRename}
                    onDelete={onDelete}
                  />
                ))}
              </ul>
            </section>
          ))}
        </div>
      )}
      {conversations.length >= MAX_CONVERSATIONS && <p className="sidebar-note sidebar-warning" data-testid="nearly-full">{words.nearlyFull(MAX_CONVERSATIONS)}</p>}
      {active && (
        <button type="button" className="link-button sidebar-export" data-testid="export" onClick={() => saveText(`${fileName(titleOf(active))}.md`, conversationText(active, words, location.href))}>
          {words.exportConversation}
        </button>
      )}
      {isRefused && <p className="sidebar-note sidebar-warning">{words.keptHereOnly}</p>}
      {!kept && !isServiceKept && <p className="sidebar-note sidebar-warning">{words.notKept}</p>}
      {account && <div className="sidebar-account">{account}</div>}
    </nav>
  );
}

/** Fewer are seen at a glance. */
const SEARCHED_FROM = 6;

/** Those in whose name, questions or answers all the words stand. */
function found(conversations: readonly Conversation[], sought: string): readonly Conversation[] {
  const folded = (text: string): string => text.normalize("NFKC").toLowerCase();
  const words = folded(sought).split(/\s+/).filter(Boolean);
  if (words.length === 0) return conversations;
  return conversations.filter(({ name, turns }) => {
    const text = folded([name ?? "", ...turns.flatMap(({ question, answer }) => [question, answer])].join("\n"));
    return words.every((word) => text.includes(word));
  });
}

interface ItemProps {
  conversation: Conversation;
  active: boolean;
  onOpen: (id: string) => void;
  onRename: (id: string, name: string) => void;
  onDelete: (id: string) => void;
}

function Item({ conversation, active, onOpen, onRename, onDelete }: ItemProps) {
  const words = useWords();
  const [mode, setMode] = useState<"shown" | "renaming" | "deleting">("shown");
  const title = titleOf(conversation) || words.emptyConversation;
  const open = useRef<HTMLAnchorElement>(null);
  const back = (): void => {
    setMode("shown");
    requestAnimationFrame(() => open.current?.focus());
  };

  if (mode === "renaming") {
    return (
      <li className="conversation">
        <NameField
          name={title}
          onCancel={back}
          onName={(name) => {
            onRename(conversation.id, name);
            back();
          }}
        />
      </li>
    );
  }
  if (mode === "deleting") {
    return (
      <li className="conversation conversation-deleting" role="group" aria-label={words.confirmDelete} onKeyDown={(event) => onEscape(event, back)}>
        <p>{words.confirmDelete}</p>
        <div className="conversation-confirm">
          <button type="button" className="button button-danger" data-testid="confirm-delete" onClick={() => onDelete(conversation.id)}>
            {words.delete}
          </button>
          <button type="button" className="button" autoFocus onClick={back}>
            {words.keep}
          </button>
        </div>
      </li>
    );
  }
  const streaming = conversation.turns.at(-1)?.status === "streaming";
  return (
    <li className={active ? "conversation conversation-active" : "conversation"}>
      <a
        ref={open}
        href={addressOf.conversation(conversation.id)}
        className="conversation-open"
        aria-current={active ? "page" : undefined}
        lang={languageOf(title)}
        title={title}
        onClick={(event) => onPlainClick(event, () => onOpen(conversation.id))}
      >
        {streaming && <span className="live-dot" role="img" aria-label={words.answering} />}
        <span className="conversation-title">{title}</span>
      </a>
      <span className="conversation-tools">
        <button type="button" className="icon-button icon-button-small" data-testid="rename" aria-label={words.renameConversation(title)} title={words.rename} onClick={() => setMode("renaming")}>
          <PencilIcon />
        </button>
        <button type="button" className="icon-button icon-button-small" data-testid="delete" aria-label={words.deleteConversation(title)} title={words.delete} onClick={() => setMode("deleting")}>
          <TrashIcon />
        </button>
      </span>
    </li>
  );
}

function NameField({ name, onName, onCancel }: { name: string; onName: (name: string) => void; onCancel: () => void }) {
  const words = useWords();
  const [value, setValue] = useState(name);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => input.current?.select(), []);
  return (
    <form
      className="conversation-rename"
      onSubmit={(event) => {
        event.preventDefault();
        onName(value);
      }}
    >
      <input
        ref={input}
        type="text"
        data-testid="conversation-name"
        aria-label={words.conversationName}
        value={value}
        autoComplete="off"
        onChange={(event) => setValue(event.target.value)}
        onKeyDown={(event) => onEscape(event, onCancel)}
        onBlur={onCancel}
      />
    </form>
  );
}

function onEscape(event: KeyboardEvent, act: () => void): void {
  if (event.key !== "Escape" || event.nativeEvent.isComposing) return;
  event.preventDefault(); // the page's own Escape is not meant
  act();
}
