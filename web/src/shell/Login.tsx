// The way in where the service asks for a key. It takes the page's place; what was written there is kept behind it.
import { useEffect, useId, useRef, useState, type FormEvent } from "react";
import { problemOf } from "../wire/api";
import { useWords } from "../i18n";
import { problemText } from "../wire/problems";
import { languageOf } from "../text/script";
import type { Problem } from "../wire/decode";
import type { Theme } from "./theme";
import { LanguageSwitch, ThemeSwitch } from "./Switches";

interface Props {
  hasEnded: boolean;
  asksForKey: boolean;
  detail: string;
  theme: Theme;
  onLogIn: (key: string) => Promise<void>;
  onCheck: () => Promise<void>;
  onLanguage: () => void;
  onTheme: () => void;
}

export function Login(props: Props) {
  const words = useWords();
  return (
    <div className="login" data-testid="login">
      <header className="header">
        <p className="brand login-brand">
          pgask <span className="brand-tagline">{words.tagline}</span>
        </p>
        <div className="header-tools">
          <LanguageSwitch onLanguage={props.onLanguage} />
          <ThemeSwitch theme={props.theme} onTheme={props.onTheme} />
        </div>
      </header>
      <main className="login-main">{props.asksForKey ? <KeyForm {...props} /> : <ProxyOnly {...props} />}</main>
    </div>
  );
}

function KeyForm({ hasEnded, onLogIn }: Props) {
  const words = useWords();
  const ids = useId();
  const field = useRef<HTMLInputElement>(null);
  const [key, setKey] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  useEffect(() => field.current?.focus(), []);

  const send = (event: FormEvent): void => {
    event.preventDefault();
    const brought = key.trim();
    if (brought === "" || busy) return;
    setBusy(true);
    setProblem(null);
    onLogIn(brought).catch((error: unknown) => {
      setProblem(problemOf(error));
      setBusy(false);
      field.current?.focus();
      field.current?.select();
    });
  };

  return (
    <form className="login-form" onSubmit={send} aria-labelledby={`${ids}title`}>
      <h1 className="login-title" id={`${ids}title`}>
        {words.logIn}
      </h1>
      <p data-testid="login-text">{hasEnded ? words.logInAgain : words.logInText}</p>
      <label htmlFor={`${ids}key`}>{words.key}</label>
      <input
        ref={field}
        id={`${ids}key`}
        className="login-key"
        data-testid="login-key"
        type="password"
        name="key"
        autoComplete="current-password"
        autoCapitalize="none"
        spellCheck={false}
        required
        aria-invalid={problem !== null || undefined}
        aria-describedby={`${ids}problem ${ids}hint`}
        value={key}
        onChange={(event) => setKey(event.target.value)}
      />
      <div id={`${ids}problem`} role="alert">
        {problem && <LoginProblem problem={problem} />}
      </div>
      <button type="submit" className="button button-main" data-testid="login-send" disabled={busy || key.trim() === ""}>
        {busy ? words.loggingIn : words.logIn}
      </button>
      <div className="login-hint" id={`${ids}hint`}>
        <p>{words.keyHint}</p>
        <pre tabIndex={0}>
          <code>pgask keys create --name Ada --role reader</code>
        </pre>
      </div>
    </form>
  );
}

function LoginProblem({ problem }: { problem: Problem }) {
  const words = useWords();
  const { title, detail, advice } = problemText(problem, words);
  // What is no key at all is as wrong as one that is unknown.
  if (problem.status === 401 || problem.status === 422) return <p className="login-problem">{words.keyRefused}</p>;
  return (
    <div className="login-problem">
      <p>{words.logInFailed}</p>
      <p lang={languageOf(title)}>{title}</p>
      {detail !== "" && <p lang={languageOf(detail)}>{detail}</p>}
      {advice !== "" && <p>{advice}</p>}
    </div>
  );
}

function ProxyOnly({ detail, onCheck }: Props) {
  const words = useWords();
  return (
    <div className="login-form">
      <h1 className="login-title">{words.proxyOnly}</h1>
      {detail !== "" && <p lang={languageOf(detail)}>{detail}</p>}
      <button type="button" className="button button-main" onClick={() => void onCheck()}>
        {words.tryAgain}
      </button>
    </div>
  );
}
