// The page's start: builds the API, the store and the asker once, and hands them to the page.
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./App";
import { createAccess } from "./wire/access";
import { createApi } from "./wire/api";
import { createAsker } from "./ask/asking";
import { askSettings } from "./ask/settings";
import { ErrorBoundary } from "./shell/ErrorBoundary";
import { browserStorage, loadPreferences } from "./ask/storage";
import { createStore } from "./ask/store";
import { applyTheme } from "./shell/theme";
import "./styles/index.css";

const storage = browserStorage();
applyTheme(loadPreferences(storage).theme); // before the first paint
const api = createApi();
const access = createAccess(api);
void access.check(); // the page is drawn meanwhile
const store = createStore(storage);
const asker = createAsker(api, store, () => askSettings(loadPreferences(storage).settings));
window.addEventListener("beforeunload", asker.leave);
window.addEventListener("pagehide", () => {
  asker.leave();
  store.flush();
});
window.addEventListener("storage", (event) => store.adopt(event.key, event.newValue));

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root");
createRoot(root).render(
  <StrictMode>
    <ErrorBoundary>
      <App api={api} access={access} store={store} asker={asker} storage={storage} />
    </ErrorBoundary>
  </StrictMode>,
);
