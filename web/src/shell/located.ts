// What the address shows: a conversation of the store, and a source in its pane.
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef } from "react";
import { addressOf, type Address, type Entry, type Navigation } from "./address";
import type { Target } from "../reader/target";
import type { Conversation } from "../ask/conversations";
import { DEFAULT_COLLECTION, homeOf, onlyCollection, scopeOf } from "../ask/scope";
import type { Store } from "../ask/store";
import { useCollections } from "../library/collections";

/** The source pane's target, which the address names, and the focus: it goes back to what opened the pane. */
export function usePane({ address, entry, go, leaveSource }: Navigation, ground: string) {
  const target = useMemo((): Target | null => {
    if (address.view !== "source") return null;
    const { passages, index = 0, document } = entry;
    if (passages?.[index]?.document_id === address.document) return { kind: "passage", passages, index };
    if (document?.id === address.document) return { kind: "document", document };
    return { kind: "place", documentId: address.document, span: address.span, page: address.page };
  }, [address, entry]);
  const box = useRef<HTMLDivElement>(null);
  const opener = useRef<Element | null>(null);
  const isOpen = target !== null;
  const hasFocus = useCallback(() => box.current?.contains(document.activeElement) ?? false, []);
  // `open` stays the same function, so that opening a source draws no answer anew.
  const { pushed = false } = entry;
  const latest = useRef({ ground, isOpen, pushed });
  useLayoutEffect(() => {
    latest.current = { ground, isOpen, pushed };
  });
  const open = useCallback(
    (next: Target) => {
      if (!hasFocus()) opener.current = document.activeElement;
      const [hash, about] = entryOf(next);
      const now = latest.current;
      // From one source to the next is no step of its own: Back closes the pane.
      go(hash, { ...about, under: now.ground, pushed: now.pushed }, now.isOpen ? "replace" : "push");
    },
    [hasFocus, go],
  );
  useEffect(() => {
    if (!isOpen) return;
    return () => {
      const back = opener.current;
      opener.current = null;
      // After the page behind a modal pane can take the focus again.
      if (back instanceof HTMLElement) requestAnimationFrame(() => back.isConnected && back.focus());
    };
  }, [isOpen]);
  return useMemo(() => ({ target, box, hasFocus, open, close: leaveSource }), [target, hasFocus, open, leaveSource]);
}

function entryOf(target: Target): [hash: string, about: Entry] {
  if (target.kind === "document") return [addressOf.document(target.document.id), { document: target.document }];
  if (target.kind === "place") return [addressOf.document(target.documentId), {}];
  const passage = target.passages[target.index];
  return [passage ? addressOf.passage(passage) : "", { passages: target.passages, index: target.index }];
}

/**
 * Shows the conversation that the address names, and gives the address to the one that is shown. `place` is what lies
 * under a source; `isKnown`: the service has said who reads.
 */
export function useConversationOf(
  { step, hash, address, entry, go }: Navigation,
  place: Address,
  store: Store,
  active: Conversation,
  all: readonly Conversation[],
  isKnown: boolean,
): void {
  const wanted = place.view === "chat" ? place.conversation : undefined;
  useLayoutEffect(() => {
    if (wanted === null) store.start();
  }, [wanted, step, store]);
  useLayoutEffect(() => {
    if (place.view !== "chat" && place.view !== "start") return;
    const { id, turns } = store.getState().active;
    if (wanted === id) return;
    if (typeof wanted === "string" && store.find(wanted)) store.open(wanted);
    // Before it is known who reads it may be theirs; after, it is another reader's, or kept in another browser.
    else if (turns.length > 0 && (isKnown || typeof wanted !== "string")) {
      const own = addressOf.conversation(id);
      if (address.view === "source") go(hash, { ...entry, under: own }, "replace");
      else go(own, entry, "replace");
    }
  }, [wanted, isKnown, place.view, active, all, store, hash, address.view, entry, go]);
}

/** A conversation that is still empty asks what is there: not everybody has a collection called as the service's own. */
export function useHome(store: Store, { turns, scope }: Conversation): void {
  const { collections } = useCollections();
  const home = collections && homeOf(collections.map(({ name }) => name));
  const isLost = home !== null && turns.length === 0 && onlyCollection(scope) === DEFAULT_COLLECTION && home !== DEFAULT_COLLECTION;
  useEffect(() => {
    if (isLost) store.setScope(scopeOf(home));
  }, [home, isLost, store]);
}
