// The page: what is shown where, which keys act on all of it, and where the focus goes.
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState, useSyncExternalStore } from "react";
import type { Access, AccessStore } from "./wire/access";
import { addressOf, parseAddress, useNavigation } from "./shell/address";
import type { Api } from "./wire/api";
import type { Asker } from "./ask/asking";
import { useCollections } from "./library/collections";
import { Account } from "./shell/Account";
import { Chat } from "./ask/Chat";
import { ConversationList } from "./ask/ConversationList";
import { DocumentList } from "./library/DocumentList";
import { DroppedFiles } from "./library/DroppedFiles";
import { Header } from "./shell/Header";
import { Login } from "./shell/Login";
import { documentOf, SourcePane } from "./reader/SourcePane";
import { titleOf } from "./ask/conversations";
import { useDrafts } from "./ask/drafts";
import { useDroppedFiles } from "./library/drop";
import { dictionaries, LanguageContext, preferredLanguage, type Language } from "./i18n";
import { shortcutOf } from "./ask/keyboard";
import { useConversationOf, usePane } from "./shell/located";
import { useMediaQuery } from "./shell/media";
import { arePreferences, loadPreferences, savePreferences } from "./ask/storage";
import type { Store } from "./ask/store";
import { applyTheme, nextTheme, systemIsDark, type Theme } from "./shell/theme";
import { visible } from "./text/visible";
import type { DocumentSummary, Passage } from "./wire/decode";

interface Props {
  api: Api;
  access: AccessStore;
  store: Store;
  asker: Asker;
  storage: Storage | null;
}

export function App({ api, access, store, asker, storage }: Props) {
  const { conversations, active, kept } = useSyncExternalStore(store.subscribe, store.getState);
  const { language, theme, switchLanguage, switchTheme } = usePreferences(storage);
  const { collections, failed, reload } = useCollections(api);
  const who = useAccess(access);
  const session = who.status === "in" ? who.session : undefined;
  const owner = session && (session.auth === "off" ? null : session.name);
  useLayoutEffect(() => {
    if (owner !== undefined) store.setOwner(owner);
  }, [owner, store]);
  const [menuOpen, setMenuOpen] = useState(false);
  const { draft, setDraft, forget } = useDrafts(active.id);
  const navigation = useNavigation();
  const { go } = navigation;
  // What lies under or beside a source.
  const ground = navigation.address.view === "source" ? (navigation.entry.under ?? "") : navigation.hash;
  const place = useMemo(() => parseAddress(ground), [ground]);
  const view = place.view === "documents" ? "documents" : "chat";
  const collection = place.view === "documents" ? place.collection : active.collection;
  useConversationOf(navigation, place, store, active, conversations, who.status !== "unknown");
  const pane = usePane(navigation, ground);
  const input = useRef<HTMLTextAreaElement>(null);
  const wide = useMediaQuery("(min-width: 900px)");
  const besides = useMediaQuery("(min-width: 1200px)");
  const menuModal = menuOpen && !wide;
  const paneModal = pane.target !== null && !besides;

  const focusQuestion = useCallback(() => {
    // On a touch screen the focus would bring the keyboard up over the page.
    if (typeof matchMedia !== "function" || !matchMedia("(pointer: coarse)").matches) {
      // The box is always in sight: scrolling to it would hide the beginning of what is above.
      requestAnimationFrame(() => input.current?.focus({ preventScroll: true }));
    }
  }, []);
  useEffect(focusQuestion, [focusQuestion, active.id, view]);

  const closeMenu = useCallback(() => setMenuOpen(false), []);
  useShortcuts({
    ask: () => {
      if (view !== "chat") go(addressOf.conversation(active.id));
      requestAnimationFrame(() => input.current?.focus());
    },
    start: () => {
      go(addressOf.conversation(null));
      focusQuestion();
    },
  });
  useEscape(() => {
    if (pane.target && (paneModal || pane.hasFocus())) pane.close();
    else if (menuModal) closeMenu();
    else if (active.turns.some((turn) => turn.status === "streaming")) asker.stop(active.id);
    else if (pane.target) pane.close();
  });

  const dropped = useDroppedFiles();
  const words = dictionaries[language];
  const [sourceTitle, setSourceTitle] = useState<string | null>(null);
  useTitle(
    who.status === "out"
      ? words.logIn
      : pane.target && sourceTitle !== null
        ? visible(sourceTitle)
        : view === "documents"
          ? words.documentsOf(collection)
          : titleOf(active) || words.tagline,
  );

  const { open: openPane } = pane;
  const openPassage = useCallback(
    (passages: readonly Passage[], passage: Passage) =>
      openPane({ kind: "passage", passages, index: Math.max(0, passages.indexOf(passage)) }),
    [openPane],
  );
  const openDocument = useCallback((document: DocumentSummary) => openPane({ kind: "document", document }), [openPane]);
  const retry = useCallback((turnId: string) => asker.retry(active.id, turnId), [asker, active.id]);
  const askAlone = useCallback((turnId: string) => asker.askAlone(active.id, turnId), [asker, active.id]);

  if (who.status === "out") {
    return (
      <LanguageContext value={language}>
        <Login
          {...who}
          theme={theme}
          onLogIn={async (key) => {
            await access.logIn(key);
            reload();
            focusQuestion();
          }}
          onCheck={access.check}
          onLanguage={switchLanguage}
          onTheme={switchTheme}
        />
      </LanguageContext>
    );
  }

  const logOut = async (): Promise<void> => {
    await access.logOut();
    for (const { id } of conversations) asker.stop(id);
    forget();
    go("", {}, "replace");
    setMenuOpen(false);
  };
  const show = (id: string | null): void => {
    go(addressOf.conversation(id));
    setMenuOpen(false);
  };

  return (
    <LanguageContext value={language}>
      <div className="app" data-view={view}>
        {view === "chat" && !menuModal && !paneModal && (
          <button type="button" className="button skip-link" onClick={() => input.current?.focus()}>
            {words.skipToQuestion}
          </button>
        )}
        <div className="app-top" inert={menuModal || paneModal}>
          <Header
            collections={collections}
            collectionsFailed={failed}
            collection={collection}
            view={view}
            theme={theme}
            session={wide ? session : undefined}
            onMenu={wide ? undefined : () => setMenuOpen(true)}
            onCollection={(name) => {
              store.setCollection(name);
              if (view === "documents") go(addressOf.documents(name));
            }}
            onCollectionsRetry={reload}
            onView={(next) => go(next === "chat" ? addressOf.conversation(active.turns.length > 0 ? active.id : null) : addressOf.documents(collection))}
            onLanguage={switchLanguage}
            onTheme={switchTheme}
            onLogOut={logOut}
          />
        </div>
        {(wide || menuOpen) && (
          <div className="app-side" inert={paneModal}>
            <ConversationList
              conversations={conversations}
              activeId={active.id}
              kept={kept}
              account={!wide && session && <Account session={session} onLogOut={logOut} />}
              onStart={() => {
                show(null);
                focusQuestion();
              }}
              onOpen={show}
              onRename={store.rename}
              onDelete={(id) => {
                asker.stop(id);
                store.remove(id);
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
        <main className="app-main" inert={menuModal || paneModal}>
          {view === "chat" ? (
            <Chat
              api={api}
              conversation={active}
              collection={collections?.find(({ name }) => name === active.collection)}
              draft={draft}
              inputRef={input}
              onDraft={setDraft}
              onAsk={(question) => {
                setDraft("");
                asker.ask(active.id, question);
              }}
              onRetry={retry}
              onAskAlone={askAlone}
              onStop={() => {
                asker.stop(active.id);
                focusQuestion();
              }}
              onOpen={openPassage}
              onOpenDocument={openDocument}
            />
          ) : (
            <DocumentList
              key={collection}
              api={api}
              collection={collection}
              openId={pane.target && documentOf(pane.target)}
              mayDelete={session !== undefined && session.role !== "reader"}
              onOpen={openDocument}
              onDeleted={({ id }) => {
                reload(); // of the counts
                if (pane.target && documentOf(pane.target) === id) pane.close();
              }}
            />
          )}
        </main>
        {dropped.names && <DroppedFiles names={dropped.names} collection={collection} onClose={dropped.dismiss} />}
        {pane.target && paneModal && <div className="backdrop" onClick={pane.close} />}
        {pane.target && (
          <div className="app-pane" ref={pane.box}>
            <SourcePane
              key={documentOf(pane.target)}
              api={api}
              target={pane.target}
              modal={paneModal}
              onTarget={openPane}
              onTitle={setSourceTitle}
              onClose={pane.close}
            />
          </div>
        )}
      </div>
    </LanguageContext>
  );
}

/** Who reads; asked again when a page that was left logged out is looked at, for another tab may have logged in. */
function useAccess(access: AccessStore): Access {
  const state = useSyncExternalStore(access.subscribe, access.getState);
  useEffect(() => {
    const seen = (): void => {
      if (document.visibilityState === "visible" && access.getState().status !== "in") void access.check();
    };
    document.addEventListener("visibilitychange", seen);
    return () => document.removeEventListener("visibilitychange", seen);
  }, [access]);
  return state;
}

function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · pgask`;
  }, [title]);
}

function usePreferences(storage: Storage | null) {
  const [preferences, setPreferences] = useState(() => loadPreferences(storage));
  const language: Language = preferences.language ?? preferredLanguage(navigator.languages);
  const { theme } = preferences;
  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);
  useEffect(() => applyTheme(theme), [theme]);
  useEffect(() => {
    const changed = ({ key }: StorageEvent): void => {
      if (arePreferences(key)) setPreferences(loadPreferences(storage));
    };
    addEventListener("storage", changed);
    return () => removeEventListener("storage", changed);
  }, [storage]);

  const change = (next: { language?: Language; theme?: Theme }): void => {
    const changed = { ...preferences, ...next };
    setPreferences(changed);
    savePreferences(storage, changed);
  };
  return {
    language,
    theme,
    switchLanguage: () => change({ language: language === "en" ? "zh" : "en" }),
    switchTheme: () => change({ theme: nextTheme(theme, systemIsDark()) }),
  };
}

/** `/` goes to the question, Ctrl+Shift+O begins a new conversation; not where a text is written. */
function useShortcuts(acts: { ask: () => void; start: () => void }): void {
  const latest = useRef(acts);
  useEffect(() => {
    latest.current = acts;
  });
  useEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || event.isComposing) return;
      const writes = event.target instanceof HTMLElement && event.target.closest("input, textarea, select") !== null;
      const act = shortcutOf(event, writes);
      if (act === null) return;
      event.preventDefault();
      latest.current[act]();
    };
    document.addEventListener("keydown", pressed);
    return () => document.removeEventListener("keydown", pressed);
  }, []);
}

/** Escape, unless something nearer has taken it or an input method uses it. */
function useEscape(act: () => void): void {
  const latest = useRef(act);
  useEffect(() => {
    latest.current = act;
  });
  useEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      if (event.key !== "Escape" || event.defaultPrevented || event.isComposing || event.keyCode === 229) return;
      latest.current();
    };
    document.addEventListener("keydown", pressed);
    return () => document.removeEventListener("keydown", pressed);
  }, []);
}
