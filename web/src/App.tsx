// The page: who reads, in which language, and what the parts of the page share.
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { useEffect, useMemo, useState, useSyncExternalStore } from "react";
import type { Asker } from "./ask/asking";
import type { Store } from "./ask/store";
import { useKeeper } from "./ask/useKeeper";
import { dictionaries, LanguageContext } from "./i18n";
import { useNavigation } from "./shell/address";
import { SurroundingsContext } from "./shell/context";
import { Login } from "./shell/Login";
import { Page } from "./shell/Page";
import { usePreferences } from "./shell/preferences";
import { useTitle } from "./shell/title";
import type { Access, AccessStore } from "./wire/access";
import type { Api } from "./wire/api";

interface Props {
  api: Api;
  access: AccessStore;
  store: Store;
  asker: Asker;
  storage: Storage | null;
}

export function App({ api, access, store, asker, storage }: Props) {
  const preferences = usePreferences(storage);
  const navigation = useNavigation();
  const who = useAccess(access);
  const session = who.status === "in" ? who.session : undefined;
  const [client] = useState(() => new QueryClient({ defaultOptions: { queries: { retry: false, staleTime: 15_000 } } }));
  const { go } = navigation;
  useEffect(() => {
    if (who.status === "in") asker.resume(); // before it is known who reads, nobody may ask
  }, [who.status, asker]);
  const keeping = useKeeper(api, store, storage, session);
  const surroundings = useMemo(() => ({ api, go, session }), [api, go, session]);

  return (
    <LanguageContext value={preferences.language}>
      {who.status === "out" ? (
        <LoggedOut who={who} access={access} client={client} preferences={preferences} />
      ) : (
        <QueryClientProvider client={client}>
          <SurroundingsContext value={surroundings}>
            <Page
              navigation={navigation}
              preferences={preferences}
              store={store}
              asker={asker}
              keeping={keeping}
              isKnown={who.status !== "unknown"}
              onLogOut={async () => {
                await access.logOut();
                client.clear();
              }}
            />
          </SurroundingsContext>
        </QueryClientProvider>
      )}
    </LanguageContext>
  );
}

interface LoggedOutProps {
  who: Extract<Access, { status: "out" }>;
  access: AccessStore;
  client: QueryClient;
  preferences: ReturnType<typeof usePreferences>;
}

function LoggedOut({ who, access, client, preferences }: LoggedOutProps) {
  useTitle(dictionaries[preferences.language].logIn);
  return (
    <Login
      {...who}
      theme={preferences.theme}
      onLogIn={async (key) => {
        client.clear();
        await access.logIn(key);
      }}
      onCheck={access.check}
      onLanguage={preferences.switchLanguage}
      onTheme={preferences.switchTheme}
    />
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
