// The frame: which screen is shown and what lies beside it, which keys act on all of it, and where the focus goes.
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState, useSyncExternalStore } from "react";
import { AskScreen } from "../ask/AskScreen";
import type { Asker } from "../ask/asking";
import { ConversationList } from "../ask/ConversationList";
import { titleOf } from "../ask/conversations";
import { useDrafts } from "../ask/drafts";
import { onlyCollection, scopeOf } from "../ask/scope";
import type { Store } from "../ask/store";
import type { Keeping } from "../ask/useKeeper";
import { useRunningJobs } from "../activity/jobs";
import { useWords } from "../i18n";
import { useRenewal } from "../library/collections";
import { useArrivals, useDrops } from "../library/drop";
import { documentOf } from "../reader/target";
import { truncate } from "../text/codepoints";
import { visible } from "../text/visible";
import { later } from "../ui/later";
import { MenuIcon } from "../ui/Icons";
import { toaster } from "../ui/toasts";
import type { DocumentDetail, DocumentSummary, Passage } from "../wire/decode";
import { Account } from "./Account";
import { addressOf, parseAddress, type Address, type Navigation } from "./address";
import { useSurroundings } from "./context";
import { useConversationOf, useHome, usePane } from "./located";
import { useMediaQuery } from "./media";
import { PaneEdge } from "./PaneEdge";
import type { PreferenceControls } from "./preferences";
import { Rail, type Screen } from "./Rail";
import { useEscape, useShortcuts } from "./shortcuts";
import { LanguageSwitch, ThemeSwitch } from "./Switches";
import { useTitle } from "./title";

export const SourcePane = later(async () => (await import("../reader/SourcePane")).SourcePane);
export const SearchScreen = later(async () => (await import("../search/SearchScreen")).SearchScreen);
export const LibraryScreen = later(async () => (await import("../library/LibraryScreen")).LibraryScreen);
export const ActivityScreen = later(async () => (await import("../activity/ActivityScreen")).ActivityScreen);
export const StatusScreen = later(async () => (await import("../status/StatusScreen")).StatusScreen);
export const Palette = later(async () => (await import("./Palette")).Palette);
export const KeyList = later(async () => (await import("./KeyList")).KeyList);
export const SettingsDrawer = later(async () => (await import("./SettingsDrawer")).SettingsDrawer);
export const Uploads = later(async () => (await import("../library/Uploads")).Uploads);
export const Toaster = later(async () => (await import("../ui/Toaster")).Toaster);

interface Props {
  navigation: Navigation;
  preferences: PreferenceControls;
  store: Store;
  asker: Asker;
  keeping: Keeping;
  /** The service has said who reads. */
  isKnown: boolean;
  onLogOut: () => Promise<void>;
}

/** Code points of selected words that a question begins with. */
const MOST_ASKED_ABOUT = 300;

const SCREENS: Record<Exclude<Address["view"], "source">, Screen> = {
  start: "ask",
  chat: "ask",
  search: "search",
  documents: "library",
  activity: "activity",
  status: "status",
};

export function Page({ navigation, preferences, store, asker, keeping, isKnown, onLogOut }: Props) {
  const words = useWords();
  const { session } = useSurroundings();
  const owner = session && (session.auth === "off" ? null : session.name);
  useLayoutEffect(() => {
    if (owner !== undefined) store.setOwner(owner);
  }, [owner, store]); // before the address is looked at
  const { conversations, active, kept } = useSyncExternalStore(store.subscribe, store.getState);
  const { draft, setDraft, forget } = useDrafts(active.id);
  const { go } = navigation;
  // What lies under or beside a source.
  const ground = navigation.address.view === "source" ? (navigation.entry.under ?? "") : navigation.hash;
  const place = useMemo(() => parseAddress(ground), [ground]);
  const screen = place.view === "source" ? "ask" : SCREENS[place.view];
  const ownCollection = onlyCollection(active.scope) ?? scopeOf().collections[0] ?? "";
  const collection = place.view === "documents" ? place.collection : ownCollection;
  useConversationOf(navigation, place, store, active, conversations, isKnown);
  useHome(store, active);
  const pane = usePane(navigation, ground);
  const renew = useRenewal();
  const running = useRunningJobs();
  useDrops();
  const { waiting, jobs } = useArrivals();
  const hasToasts = useSyncExternalStore(toaster.subscribe, () => toaster.getState().length > 0);

  const input = useRef<HTMLTextAreaElement>(null);
  const wide = useMediaQuery("(min-width: 900px)");
  const besides = useMediaQuery("(min-width: 1200px)");
  const [menuOpen, setMenuOpen] = useState(false);
  const [opened, setOpened] = useState<"palette" | "keys" | "settings" | null>(null);
  const close = useCallback(() => setOpened(null), []);
  const menuModal = menuOpen && !wide && screen === "ask";
  const paneModal = pane.target !== null && !besides;

  const focusQuestion = useCallback(() => {
    // On a touch screen the focus would bring the keyboard up over the page.
    if (typeof matchMedia !== "function" || !matchMedia("(pointer: coarse)").matches) {
      // The box is always in sight: scrolling to it would hide the beginning of what is above.
      requestAnimationFrame(() => input.current?.focus({ preventScroll: true }));
    }
  }, []);
  useEffect(() => {
    if (screen === "ask") focusQuestion();
  }, [focusQuestion, active.id, screen]);

  const closeMenu = useCallback(() => setMenuOpen(false), []);
  const start = (): void => {
    go(addressOf.conversation(null));
    setMenuOpen(false);
    focusQuestion();
  };
  useShortcuts({
    ask: () => {
      const field = screen === "ask" ? input.current : document.querySelector<HTMLElement>(".screen [data-slash]");
      if (field) field.focus();
      else {
        go(addressOf.conversation(active.id));
        requestAnimationFrame(() => input.current?.focus());
      }
    },
    start,
    palette: () => setOpened((now) => (now === "palette" ? null : "palette")),
    keys: () => setOpened("keys"),
  });
  useEscape(() => {
    if (pane.target && (paneModal || pane.hasFocus())) pane.close();
    else if (menuModal) closeMenu();
    else if (active.turns.some((turn) => turn.status === "streaming")) asker.stop(active.id);
    else if (pane.target) pane.close();
  });

  const [sourceTitle, setSourceTitle] = useState<string | null>(null);
  const titles: Record<Screen, string> = {
    ask: titleOf(active) || words.tagline,
    search: place.view === "search" && place.q !== "" ? place.q : words.screenSearch,
    library: words.documentsOf(collection),
    activity: words.screenActivity,
    status: words.screenStatus,
  };
  useTitle(pane.target && sourceTitle !== null ? visible(sourceTitle) : titles[screen]);

  const { open: openPane } = pane;
  const openPassage = useCallback(
    (passages: readonly Passage[], passage: Passage) => openPane({ kind: "passage", passages, index: Math.max(0, passages.indexOf(passage)) }),
    [openPane],
  );
  const openDocument = useCallback((document: DocumentSummary) => openPane({ kind: "document", document }), [openPane]);
  /** A new conversation, put to what a search or a document has shown. */
  const askHere = useCallback(
    (scope: Parameters<Store["setScope"]>[0], question = "") => {
      store.start();
      store.setScope(scope);
      const { id } = store.getState().active;
      if (question.trim() === "") {
        go(addressOf.conversation(null));
        focusQuestion();
        return;
      }
      asker.ask(id, question);
      go(addressOf.conversation(id));
    },
    [store, go, asker, focusQuestion],
  );
  /** A new conversation on one document, beginning with some of its words. */
  const askAbout = ({ collection: of, source, title }: DocumentDetail, quote: string): void => {
    askHere({ ...scopeOf(of), filters: { ...scopeOf(of).filters, documents: [{ source, title }] } });
    if (quote !== "") setDraft(words.askAbout(truncate(quote.replace(/\s+/g, " "), MOST_ASKED_ABOUT)), store.getState().active.id);
  };
  const openId = pane.target && documentOf(pane.target);

  const logOut = async (): Promise<void> => {
    await onLogOut();
    for (const { id } of conversations) asker.stop(id);
    forget();
    go("", {}, "replace");
    setMenuOpen(false);
  };
  const addresses: Record<Screen, string> = {
    ask: addressOf.conversation(active.turns.length > 0 ? active.id : null),
    search: addressOf.search("", active.scope.collections, active.scope.filters),
    library: addressOf.documents(ownCollection),
    activity: addressOf.activity(),
    status: addressOf.status(),
  };
  const switches = (
    <>
      <LanguageSwitch onLanguage={preferences.switchLanguage} />
      <ThemeSwitch theme={preferences.theme} onTheme={preferences.switchTheme} />
    </>
  );
  const account = session && <Account session={session} onLogOut={logOut} />;

  return (
    <div className="app" data-view={screen}>
      {screen === "ask" && !menuModal && !paneModal && (
        <button type="button" className="button skip-link" onClick={() => input.current?.focus()}>
          {words.skipToQuestion}
        </button>
      )}
      <header className="app-top" inert={menuModal || paneModal}>
        {!wide && screen === "ask" && (
          <button type="button" className="icon-button" data-testid="menu" aria-label={words.openMenu} title={words.openMenu} onClick={() => setMenuOpen(true)}>
            <MenuIcon />
          </button>
        )}
        <h1 className="brand">
          pgask <span className="visually-hidden">{words.tagline}</span>
        </h1>
        {!wide && <div className="header-tools">{switches}</div>}
      </header>
      <div className="app-rail" inert={menuModal || paneModal}>
        <Rail
          screen={screen}
          addresses={addresses}
          busy={running}
          foot={
            wide && (
              <>
                {switches}
                {account}
              </>
            )
          }
        />
      </div>
      {screen === "ask" && (wide || menuOpen) && (
        <div className="app-side" inert={paneModal}>
          <ConversationList
            conversations={conversations}
            activeId={active.id}
            kept={kept}
            isServiceKept={keeping.kept}
            isRefused={keeping.refused.has(active.id)}
            account={!wide && account}
            onStart={start}
            onOpen={(id) => {
              go(addressOf.conversation(id));
              setMenuOpen(false);
            }}
            onRename={store.rename}
            onDelete={(id) => {
              asker.stop(id);
              store.remove(id);
              keeping.forget(id);
              // The row that had the focus is gone.
              requestAnimationFrame(() => {
                if (document.activeElement === document.body) document.querySelector<HTMLElement>(".new-conversation")?.focus();
              });
            }}
            onClose={wide ? undefined : closeMenu}
          />
        </div>
      )}
      {menuModal && <div className="backdrop" onClick={closeMenu} />}
      <main className="app-main screen" inert={menuModal || paneModal}>
        {screen === "ask" && (
          <AskScreen
            conversation={active}
            store={store}
            asker={asker}
            draft={draft}
            inputRef={input}
            settings={preferences.settings}
            onDraft={setDraft}
            onFocus={focusQuestion}
            onOpen={openPassage}
            onOpenDocument={openDocument}
            onSettings={() => setOpened("settings")}
          />
        )}
        {place.view === "search" && <SearchScreen {...place} onOpen={openPassage} onAsk={askHere} />}
        {place.view === "documents" && (
          <LibraryScreen
            {...place}
            openId={openId}
            onOpen={openDocument}
            onAsk={askHere}
            onDeleted={({ id }) => {
              renew();
              if (openId === id) pane.close();
            }}
          />
        )}
        {place.view === "activity" && <ActivityScreen job={place.job} />}
        {place.view === "status" && <StatusScreen />}
      </main>
      {(waiting || jobs.length > 0) && <Uploads collection={collection} folder={place.view === "documents" ? place.folder : ""} />}
      {hasToasts && <Toaster />}
      {pane.target && paneModal && <div className="backdrop" onClick={pane.close} />}
      {pane.target && (
        <div className="app-pane" ref={pane.box}>
          <SourcePane key={documentOf(pane.target)} target={pane.target} modal={paneModal} edge={besides && <PaneEdge />} onTarget={openPane} onTitle={setSourceTitle} onAsk={askAbout} onClose={pane.close} />
        </div>
      )}
      {opened === "palette" && <Palette conversations={conversations} onStart={start} onOpenDocument={openDocument} onSettings={() => setOpened("settings")} onKeys={() => setOpened("keys")} preferences={preferences} onClose={close} />}
      {opened === "keys" && <KeyList onClose={close} />}
      {opened === "settings" && <SettingsDrawer settings={preferences.settings} onSettings={preferences.setSettings} onClose={close} />}
    </div>
  );
}
