// Run before each test file: what jsdom lacks, and a clean page after each test. Tests without a page run without jsdom.
import { cleanup, configure } from "@testing-library/react";
import { afterEach } from "vitest";
import { loadMarkdown } from "../ask/AnswerText";
import { forgetAll, loadLater } from "./later";

// jsdom draws nothing, so it has no media queries: the tests run as on a wide screen with a light scheme.
const WIDTH_PX = 1280;

if (typeof window !== "undefined") {
  configure({ asyncUtilTimeout: 20_000 });
  await Promise.all([loadMarkdown(), loadLater()]); // which the page does when they are needed
  window.matchMedia = (query) => {
    const minimum = /min-width: (\d+)px/.exec(query)?.[1];
    return Object.assign(new EventTarget(), {
      matches: minimum !== undefined && WIDTH_PX >= Number(minimum),
      media: query,
      onchange: null,
      addListener: () => undefined,
      removeListener: () => undefined,
    }) as MediaQueryList;
  };
  HTMLDialogElement.prototype.showModal = function show() {
    this.open = true;
  };
  HTMLDialogElement.prototype.close = function close() {
    this.open = false;
  };
  HTMLElement.prototype.showPopover = function show() {
    this.style.display = "block";
  };
  HTMLElement.prototype.hidePopover = () => undefined;
  globalThis.ResizeObserver ??= class {
    observe(): void {}
    unobserve(): void {}
    disconnect(): void {}
  };
  globalThis.IntersectionObserver ??= class {
    readonly root = null;
    readonly rootMargin = "";
    readonly scrollMargin = "";
    readonly thresholds = [];
    observe(): void {}
    unobserve(): void {}
    disconnect(): void {}
    takeRecords(): IntersectionObserverEntry[] {
      return [];
    }
  };
  afterEach(() => {
    cleanup();
    forgetAll();
    localStorage.clear();
    sessionStorage.clear();
    history.replaceState(null, "", "/");
  });
}
