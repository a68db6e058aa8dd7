// The bar at the top: the product, the collection, the documents, the language, the colours and who is logged in.
import type { ReactNode } from "react";
import { useLanguage, useWords } from "../i18n";
import { useMediaQuery } from "./media";
import type { Theme } from "./theme";
import type { Collection, Session } from "../wire/decode";
import { Account } from "./Account";
import { BookIcon, ChatIcon, ChevronIcon, HalfIcon, MenuIcon, MoonIcon, SunIcon } from "../ui/Icons";

interface Props {
  collections: readonly Collection[] | null;
  collectionsFailed: boolean;
  collection: string;
  view: "chat" | "documents";
  theme: Theme;
  /** Present where there is room for who is logged in. */
  session?: Session | undefined;
  /** Present where the conversations are a drawer. */
  onMenu?: (() => void) | undefined;
  onCollection: (name: string) => void;
  onCollectionsRetry: () => void;
  onView: (view: "chat" | "documents") => void;
  onLanguage: () => void;
  onTheme: () => void;
  onLogOut: () => Promise<void>;
}

export function Header(props: Props) {
  const words = useWords();
  const inDocuments = props.view === "documents";
  return (
    <header className="header">
      {props.onMenu && (
        <button type="button" className="icon-button" data-testid="menu" aria-label={words.openMenu} title={words.openMenu} onClick={props.onMenu}>
          <MenuIcon />
        </button>
      )}
      <h1 className="brand">
        pgask <span className="brand-tagline">{words.tagline}</span>
      </h1>
      <div className="header-tools">
        <CollectionPicker {...props} />
        <button
          type="button"
          className="button header-documents"
          data-testid="documents-switch"
          aria-label={inDocuments ? words.chat : words.documents}
          title={inDocuments ? words.chat : words.documents}
          onClick={() => props.onView(inDocuments ? "chat" : "documents")}
        >
          {inDocuments ? <ChatIcon /> : <BookIcon />}
          <span className="wide-only">{inDocuments ? words.chat : words.documents}</span>
        </button>
        <LanguageSwitch onLanguage={props.onLanguage} />
        <ThemeSwitch theme={props.theme} onTheme={props.onTheme} />
        {props.session && <Account session={props.session} onLogOut={props.onLogOut} />}
      </div>
    </header>
  );
}

function CollectionPicker({ collections, collectionsFailed, collection, onCollection, onCollectionsRetry }: Props): ReactNode {
  const words = useWords();
  const known = collections ?? [];
  const roomy = useMediaQuery("(min-width: 600px)");
  // The conversation's collection may have been removed, or the list may not be here yet.
  const listed = known.some(({ name }) => name === collection);
  return (
    <span className="collection">
      <select
        className="collection-picker"
        data-testid="collection-picker"
        aria-label={words.collection}
        title={collectionsFailed ? words.collectionsFailed : words.collection}
        value={collection}
        onFocus={() => collectionsFailed && onCollectionsRetry()}
        onChange={(event) => onCollection(event.target.value)}
      >
        {!listed && <option value={collection}>{collection}</option>}
        {known.map(({ name, documents }) => (
          <option key={name} value={name}>
            {roomy ? `${name} · ${words.documentCount(documents)}` : name}
          </option>
        ))}
      </select>
      <ChevronIcon />
    </span>
  );
}

export function LanguageSwitch({ onLanguage }: { onLanguage: () => void }) {
  const words = useWords();
  const toChinese = useLanguage() === "en";
  return (
    <button
      type="button"
      className="icon-button language-switch"
      data-testid="language-switch"
      lang={toChinese ? "zh" : "en"}
      aria-label={words.switchLanguage}
      title={words.switchLanguage}
      onClick={onLanguage}
    >
      {toChinese ? "中文" : "EN"}
    </button>
  );
}

export function ThemeSwitch({ theme, onTheme }: { theme: Theme; onTheme: () => void }) {
  const words = useWords();
  const name = theme === null ? words.themeSystem : theme === "light" ? words.themeLight : words.themeDark;
  return (
    <button type="button" className="icon-button" data-testid="theme-switch" aria-label={name} title={name} onClick={onTheme}>
      {theme === null ? <HalfIcon /> : theme === "light" ? <SunIcon /> : <MoonIcon />}
    </button>
  );
}
