// The last resort: an error of the page itself leaves a sentence and a way on instead of a blank screen.
import { Component, type ReactNode } from "react";
import { dictionaries, preferredLanguage } from "../i18n";

export class ErrorBoundary extends Component<{ children: ReactNode }, { failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError(): { failed: boolean } {
    return { failed: true };
  }

  override render(): ReactNode {
    if (!this.state.failed) return this.props.children;
    const words = dictionaries[preferredLanguage(navigator.languages)];
    return (
      <main className="page-failed">
        <p>{words.pageFailed}</p>
        <button type="button" className="button" onClick={() => location.reload()}>
          {words.reload}
        </button>
      </main>
    );
  }
}
