// Everything by name: commands, conversations, collections, documents.
import { useEffect, useId, useMemo, useRef, useState, type KeyboardEvent } from "react";
import { titleOf, type Conversation } from "../ask/conversations";
import { DEFAULT_COLLECTION, onlyCollection } from "../ask/scope";
import { useWords, type Dictionary } from "../i18n";
import { useCollections, useNamed } from "../library/collections";
import { fileNameOf, folderOf } from "../text/names";
import { visible } from "../text/visible";
import { Modal } from "../ui/Modal";
import type { DocumentSummary } from "../wire/decode";
import { addressOf } from "./address";
import { useSurroundings } from "./context";
import type { PreferenceControls } from "./preferences";

interface Props {
  conversations: readonly Conversation[];
  preferences: PreferenceControls;
  onStart: () => void;
  onOpenDocument: (document: DocumentSummary) => void;
  onSettings: () => void;
  onKeys: () => void;
  onClose: () => void;
}

interface Entry {
  key: string;
  group: string;
  label: string;
  note?: string;
  run: () => void;
}

const SHOWN_A_GROUP = 6;

export function Palette(props: Props) {
  const words = useWords();
  const { onClose } = props;
  const [sought, setSought] = useState("");
  const [at, setAt] = useState(0);
  const field = useRef<HTMLInputElement>(null);
  const id = useId();
  const entries = useEntries(props, sought, words);
  useEffect(() => {
    document.getElementById(`${id}-${at}`)?.scrollIntoView?.({ block: "nearest" });
  }, [id, at]);
  const run = (entry: Entry | undefined): void => {
    if (!entry) return;
    onClose();
    entry.run();
  };
  const pressed = (event: KeyboardEvent): void => {
    if (event.nativeEvent.isComposing) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined) setAt((at + step + entries.length) % Math.max(1, entries.length));
    else if (event.key === "Enter") run(entries[at]);
    else return;
    event.preventDefault();
  };
  return (
    <Modal className="palette" testId="palette" label={words.palette} initialFocus={field} onClose={onClose}>
      <input
        ref={field}
        type="text"
        role="combobox"
        data-testid="palette-input"
        aria-label={words.palette}
        aria-expanded
        aria-controls={`${id}-list`}
        aria-activedescendant={entries.length > 0 ? `${id}-${at}` : undefined}
        placeholder={words.palettePlaceholder}
        autoComplete="off"
        value={sought}
        onChange={(event) => {
          setSought(event.target.value);
          setAt(0);
        }}
        onKeyDown={pressed}
      />
      <ul id={`${id}-list`} role="listbox" aria-label={words.palette} className="palette-list">
        {entries.map((entry, index) => (
          <li key={entry.key} id={`${id}-${index}`} role="option" aria-selected={index === at} data-testid="palette-entry" onPointerMove={() => setAt(index)} onClick={() => run(entry)}>
            <span className="palette-group">{entry.group}</span>
            <bdi>{entry.label}</bdi>
            {entry.note && <span className="path">{entry.note}</span>}
          </li>
        ))}
      </ul>
      {entries.length === 0 && <p className="documents-note">{words.nothingLeft}</p>}
    </Modal>
  );
}

function useEntries({ conversations, preferences, onStart, onOpenDocument, onSettings, onKeys }: Props, sought: string, words: Dictionary): Entry[] {
  const { go } = useSurroundings();
  const { collections } = useCollections();
  const scope = conversations[0]?.scope;
  const collection = (scope && onlyCollection(scope)) ?? DEFAULT_COLLECTION;
  const named = useNamed(collection, sought, SHOWN_A_GROUP);
  return useMemo(() => {
    const command = (label: string, run: () => void): Entry => ({ key: `command ${label}`, group: words.command, label, run });
    const commands = [
      command(words.newConversation, onStart),
      command(words.screenSearch, () => go(addressOf.search(""))),
      command(words.screenLibrary, () => go(addressOf.documents(collection))),
      command(words.screenActivity, () => go(addressOf.activity())),
      command(words.screenStatus, () => go(addressOf.status())),
      command(words.settings, onSettings),
      command(words.keyList, onKeys),
      command(words.switchLanguage, preferences.switchLanguage),
      command(words.switchTheme, preferences.switchTheme),
    ];
    const talks = conversations.map(
      (one): Entry => ({ key: `conversation ${one.id}`, group: words.conversation, label: titleOf(one), run: () => go(addressOf.conversation(one.id)) }),
    );
    const shelves = (collections ?? []).map(
      ({ name }): Entry => ({ key: `collection ${name}`, group: words.collection, label: visible(name), run: () => go(addressOf.documents(name)) }),
    );
    const wanted = sought.trim().toLowerCase();
    const fits = ({ label }: Entry): boolean => wanted.split(/\s+/).every((word) => label.toLowerCase().includes(word));
    const documents = named.map(
      (one): Entry => ({ key: `document ${one.id}`, group: words.document, label: fileNameOf(one), note: folderOf(one.source), run: () => onOpenDocument(one) }),
    );
    const search: Entry[] = wanted === "" ? [] : [command(words.searchFor(sought.trim()), () => go(addressOf.search(sought.trim(), [collection])))];
    return [...commands.filter(fits), ...[talks, shelves].flatMap((group) => group.filter(fits).slice(0, SHOWN_A_GROUP)), ...documents, ...search];
  }, [sought, words, conversations, collections, named, collection, go, onStart, onOpenDocument, onSettings, onKeys, preferences.switchLanguage, preferences.switchTheme]);
}
