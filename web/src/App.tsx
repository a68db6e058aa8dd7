// The page: what is shown where, which keys act on all of it, and where the focus goes.
import { useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } from "react";
import type { Access, AccessStore } from "./access";
import type { Api } from "./api";
import type { Asker } from "./asking";
import { useCollections } from "./collections";
import { Account } from "./components/Account";
import { Chat } from "./components/Chat";
import { ConversationList } from "./components/ConversationList";
import { DocumentList } from "./components/DocumentList";
import { Header } from "./components/Header";
import { Login } from "./components/Login";
import { SourcePane, type Target } from "./components/SourcePane";
import { dictionaries, LanguageContext, preferredLanguage, type Language } from "./i18n";
import { useMediaQuery } from "./media";
import { loadPreferences, savePreferences } from "./storage";
import type { Store } from "./store";
import { applyTheme, nextTheme, systemIsDark, type Theme } from "./theme";
import type { DocumentSummary, Passage } from "./decode";

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
  const [view, setView] = useState<"chat" | "documents">("chat");
  const [menuOpen, setMenuOpen] = useState(false);
  const [drafts, setDrafts] = useState<Readonly<Record<string, string>>>({});
  const pane = usePane();
  const input = useRef<HTMLTextAreaElement>(null);
  const wide = useMediaQuery("(min-width: 900px)");
  const besides = useMediaQuery("(min-width: 1200px)");
  const menuModal = menuOpen && !wide;
  const paneModal = pane.target !== null && !besides;

  const focusQuestion = useCallback(() => {
    // On a touch screen the focus would bring the keyboard up over the page.
    if (typeof matchMedia !== "function" || !matchMedia("(pointer: coarse)").matches) {
      requestAnimationFrame(() => input.current?.focus());
    }
  }, []);
  useEffect(focusQuestion, [focusQuestion, active.id, view]);

  const closeMenu = useCallback(() => setMenuOpen(false), []);
  useEscape(() => {
    if (pane.target && (paneModal || pane.hasFocus())) pane.close();
    else if (menuModal) closeMenu();
    else if (active.turns.some((turn) => turn.status === "streaming")) asker.stop(active.id);
    else if (pane.target) pane.close();
  });

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

  const session = who.status === "in" ? who.session : undefined;
  const logOut = async (): Promise<void> => {
    await access.logOut();
    for (const { id } of conversations) asker.stop(id);
    pane.close();
    setMenuOpen(false);
  };
  const show = (change: () => void): void => {
    change();
    setView("chat");
    setMenuOpen(false);
    pane.close();
  };

  return (
    <LanguageContext value={language}>
      <div className="app" data-view={view}>
        <div className="app-top" inert={menuModal || paneModal}>
          <Header
            collections={collections}
            collectionsFailed={failed}
            collection={active.collection}
            view={view}
            theme={theme}
            session={wide ? session : undefined}
            onMenu={wide ? undefined : () => setMenuOpen(true)}
            onCollection={store.setCollection}
            onCollectionsRetry={reload}
            onView={setView}
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
                show(store.start);
                focusQuestion();
              }}
              onOpen={(id) => show(() => store.open(id))}
              onRename={store.rename}
              onDelete={(id) => {
                asker.stop(id);
                store.remove(id);
              }}
              onClose={wide ? undefined : closeMenu}
            />
          </div>
        )}
        {menuModal && <div className="backdrop" onClick={closeMenu} />}
        <main className="app-main" inert={menuModal || paneModal}>
          {view === "chat" ? (
            <Chat
              conversation={active}
              collection={collections?.find(({ name }) => name === active.collection)}
              draft={drafts[active.id] ?? ""}
              inputRef={input}
              onDraft={(draft) => setDrafts((all) => ({ ...all, [active.id]: draft }))}
              onAsk={(question) => {
                setDrafts((all) => ({ ...all, [active.id]: "" }));
                asker.ask(active.id, question);
              }}
              onRetry={retry}
              onAskAlone={askAlone}
              onStop={() => {
                asker.stop(active.id);
                focusQuestion();
              }}
              onOpen={openPassage}
            />
          ) : (
            <DocumentList key={active.collection} api={api} collection={active.collection} onOpen={openDocument} />
          )}
        </main>
        {pane.target && paneModal && <div className="backdrop" onClick={pane.close} />}
        {pane.target && (
          <div className="app-pane" ref={pane.box}>
            <SourcePane api={api} target={pane.target} modal={paneModal} onTarget={openPane} onClose={pane.close} />
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

/** The source pane's target, and the focus: it goes back to what opened the pane when that closes. */
function usePane() {
  const [target, setTarget] = useState<Target | null>(null);
  const box = useRef<HTMLDivElement>(null);
  const opener = useRef<Element | null>(null);
  const hasFocus = useCallback(() => box.current?.contains(document.activeElement) ?? false, []);
  const open = useCallback(
    (next: Target) => {
      if (!hasFocus()) opener.current = document.activeElement;
      setTarget(next);
    },
    [hasFocus],
  );
  const close = useCallback(() => {
    setTarget(null);
    const back = opener.current;
    opener.current = null;
    // After the page behind a modal pane can take the focus again.
    if (back instanceof HTMLElement) requestAnimationFrame(() => back.isConnected && back.focus());
  }, []);
  return useMemo(() => ({ target, box, hasFocus, open, close }), [target, hasFocus, open, close]);
}

function usePreferences(storage: Storage | null) {
  const [preferences, setPreferences] = useState(() => loadPreferences(storage));
  const language: Language = preferences.language ?? preferredLanguage(navigator.languages);
  const { theme } = preferences;
  useEffect(() => {
    document.documentElement.lang = language;
    document.title = `pgask · ${dictionaries[language].tagline}`;
  }, [language]);
  useEffect(() => applyTheme(theme), [theme]);

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
