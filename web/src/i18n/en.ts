// The interface in English. It sets the keys; zh.ts must have the same ones.
import { failedEn, failuresEn } from "./failures";
import { reasonsEn } from "./reasons";

const count = (n: number, one: string, many: string): string => `${n.toLocaleString("en")} ${n === 1 ? one : many}`;

export const en = {
  tagline: "Ask your documents, answered with evidence",

  // Page frame
  skipToQuestion: "Skip to the question",
  conversations: "Conversations",
  newConversation: "New conversation",
  emptyConversation: "New conversation",
  noConversations: "Your conversations will be listed here. They stay in this browser.",
  notKept: "This browser isn't keeping conversations. They last until you leave the page.",
  openMenu: "Show conversations",
  closeMenu: "Hide conversations",
  rename: "Rename",
  renameConversation: (title: string) => `Rename “${title}”`,
  conversationName: "Name of the conversation",
  delete: "Delete",
  deleteConversation: (title: string) => `Delete “${title}”`,
  confirmDelete: "Delete this conversation?",
  keep: "Keep",
  answering: "Answering",
  switchLanguage: "切换到中文",
  themeSystem: "Colours: as the system",
  themeLight: "Colours: light",
  themeDark: "Colours: dark",

  // Who reads
  logIn: "Log in",
  loggingIn: "Logging in…",
  logInText: "This service answers people who have a key.",
  logInAgain: "Your session has ended: it is more than seven days old, its key was revoked or has expired, or you logged out in another tab. What you wrote here is kept.",
  key: "Key",
  keyHint: "It begins with “pgask_”. Whoever runs the service makes one on the command line, which shows it once:",
  keyRefused: "This key opens nothing here. It may be mistyped, revoked or expired.",
  logInFailed: "Nobody could be logged in just now.",
  proxyOnly: "This service is reached through its proxy",
  tryAgain: "Try again",
  account: "Logged in as",
  roleName: (role: string) => ({ reader: "reader", writer: "writer", admin: "administrator" })[role] ?? role,
  logOut: "Log out",
  logOutFailed: "Could not log out. Try again.",

  // Collections and documents
  collection: "Collection",
  documents: "Documents",
  chat: "Back to the conversation",
  documentCount: (n: number) => count(n, "document", "documents"),
  collectionsFailed: "The collections could not be loaded.",
  documentsEmpty: "This collection has no documents yet.",
  documentsHint: "Add some with:",
  copyCommand: "Copy the command",
  close: "Close",
  droppedTitle: "The page can't take files in yet",
  droppedText: "Nothing was sent. Whoever runs the service takes files in on its machine, with the name of their folder for ./docs:",
  documentsLoading: "Loading documents…",
  documentsOf: (collection: string) => `Documents in “${collection}”`,
  moreDocuments: "Load more documents",
  columnTitle: "Title",
  columnLanguage: "Language",
  columnPages: "Pages",
  columnChunks: "Chunks",
  columnStatus: "Status",
  languageName: (code: string) => ({ en: "English", zh: "Chinese", ja: "Japanese", ko: "Korean", und: "–" })[code] ?? code,
  statusName: (code: string) => ({ ready: "Ready", failed: "Failed", stale: "Out of date", duplicate: "Duplicate" })[code] ?? code,
  reasonText: (code: string) => reasonsEn[code] ?? code,
  duplicateOf: (source: string) => `Left out: “${source}” holds the same text, or nearly the same, and answers for it.`,
  unreadable: (percent: number) =>
    `The embedding model can't read ${percent} % of this document: words find it, meaning does not. A multilingual model (PGASK_EMBEDDING_MODEL) reads it.`,
  lossy: (percent: number) => `${percent} % of what a reader sees in this document could not be taken in, and is in no answer.`,
  dropped: (n: number) => `Left out when it was read: ${count(n, "character", "characters")}`,
  droppedKind: (kind: string, n: number) => {
    const names: Record<string, string> = {
      control: "control characters",
      surrogate: "broken characters",
      zero_width: "characters without width",
      bidi: "marks of writing direction",
      tag: "invisible tags",
      combining: "accents beyond 30 on one letter",
      page_furniture: "repeated page headers and footers",
      hidden: "hidden or deleted text",
      boilerplate: "menus and other page furniture",
      directive: "directives that take text from elsewhere",
      markup: "code and markup of the page",
      drawing: "drawings",
      comment: "comments",
      bad_line: "lines that could not be read",
      data: "embedded data and keys",
      symbol: "signs without a letter",
      attachment: "attachments that could not be read",
      output: "long outputs of code",
      repeated: "repetitions beyond a bound",
      scanned_page: "pages that are pictures (estimated; OCR is off, not installed or could not read them)",
    };
    return `${names[kind] ?? `other (${kind})`}: ${n.toLocaleString("en")}`;
  },

  // Empty page
  welcome: "What would you like to know?",
  welcomeText:
    "Answers come from your own documents. Every claim carries a number that opens the source at the sentence it rests on.",
  tryOne: "Try one of these",
  examples: [
    "How do I choose the number of ivfflat lists?",
    "Why is a chunk pooled from several windows?",
    "What does pgask do when no document holds the answer?",
  ] as readonly string[],

  // Composer
  questionLabel: "Your question",
  questionPlaceholder: "Ask your documents…",
  send: "Send",
  stop: "Stop",
  sendHint: "Enter sends, Shift + Enter starts a new line",
  counter: (used: string, limit: string) => `${used} of ${limit} characters`,
  tooLong: (over: number) => `Too long by ${count(over, "character", "characters")}`,

  // Answers
  you: "You",
  searching: "Searching the documents…",
  reasoning: "The model is thinking…",
  toLatest: "To the latest answer",
  copy: "Copy answer",
  copied: "Copied",
  notCopied: "Could not be copied",
  copyWithSources: "Copy with sources",
  copyLink: "Copy a link to this place",
  scope: (collection: string, when: string) => (when === "" ? `In “${collection}”` : `In “${collection}” · ${when}`),
  fromHere: (collection: string) => `From here: ${collection}`,
  tryModelAgain: "Try the model again",
  stopped: "Stopped. This answer is incomplete.",
  stoppedEmpty: "Stopped before an answer came.",
  askAgain: "Ask again",
  askAlone: "Ask this alone",
  searchedFor: (question: string) => `Searched for: ${question}`,
  extractive: "Quoted from the documents",
  writtenBy: (model: string) => `Written by ${model}`,
  seconds: (s: string) => `${s} s`,
  abstainedTitle: (reason: string) =>
    ({
      no_document_matches_filter: "No document matches the filter",
      empty_collection: "This collection is empty",
      not_readable_language: "The search can't read this language",
    })[reason] ?? "Not in the documents",
  abstainedAdvice: (reason: string) =>
    ({
      no_document_matches_filter: "Widen the filter, or ask without it.",
      empty_collection: "To ask other documents, choose another collection.",
      not_readable_language: "Ask in a language of the documents, or use words that stand in them as they are.",
    })[reason] ??
    "Try other words, name the thing you mean, or choose another collection. If it should be there, look whether its document was ingested.",
  nearest: "Nearest passages, which did not suffice",
  degradedTitle: "Answered without the language model",
  degradedText: "The configured model could not answer, so these are the best sentences from the documents.",
  failureText: (code: string) => failuresEn.get(code) ?? failedEn,
  failureDetail: "In the service's own words",
  announceDone: (sources: number) => `Answer complete. ${count(sources, "source", "sources")}.`,
  announceStopped: "Answer stopped.",
  announceFailed: "The question could not be answered.",

  // Citations
  sources: "Sources",
  openSource: (marker: string, title: string) => `Source ${marker}: ${title}`,
  unsupported: "Not confirmed",
  unsupportedCount: (n: number) => `${n.toLocaleString("en")} not confirmed`,
  unsupportedHint: "The cited passage does not clearly support this claim.",
  taskDone: "done",
  taskOpen: "not done",
  noSource: "no source",
  sourcelessLegend: "Underlined with dots: no source was named for it.",
  page: (n: number) => `p. ${n}`,
  pages: (...all: number[]) => `${all.length > 1 ? "pp." : "p."} ${all.join(", ")}`,
  ocr: (confidence: number) => `OCR, ${Math.floor(100 * confidence)}% sure`,
  ocrHint: "This page is a picture. Its text was recognised by a program, which is so sure of its letters.",
  passages: (n: number) => count(n, "passage", "passages"),
  score: (s: string) => `relevance ${s}`,
  moreSources: (n: number) => `Show ${count(n, "more source", "more sources")}`,
  fewerSources: "Show fewer",

  // Source pane
  sourcePane: "Source text",
  closeSource: "Close the source",
  previousSource: "Previous source",
  nextSource: "Next source",
  sourceOf: (n: number, total: number) => `${n} of ${total}`,
  sourceLoading: "Loading the source…",
  loadBefore: "Load more before",
  loadAfter: "Load more after",
  startOfDocument: "Start of the document",
  endOfDocument: "End of the document",
  toCitation: "To the cited passage",
  sourceMoved: "The document has changed since this answer. The passage was found in another place.",
  sourceChanged: "The document has changed since this answer. The passage as it was cited:",
  sourceGone: "This document is no longer here. The passage as it was cited:",
  source: "Source",
  sourceFailed: "This document could not be read, so it has no text here.",
  aboutDocument: (n: number) => count(n, "note on this document", "notes on this document"),
  sourceEmpty: "This document has no text.",

  // Errors
  retry: "Retry",
  errorCode: "Code",
  errorRequest: "Request",
  errorStatus: "Status",
  networkTitle: "The service can't be reached",
  networkDetail: "Check that pgask is running and that this computer is connected to it.",
  interruptedTitle: "The answer broke off",
  interruptedDetail: "The connection ended before the answer was complete.",
  badResponseTitle: "The reply could not be read",
  badResponseDetail: "The service sent something this page does not understand. It may be of another version: reload the page.",
  unknownTitle: "Something went wrong",
  adviceTooLarge: "Shorten the question, or start a new conversation.",
  adviceInvalid: "Change the question and send it again.",
  adviceBusy: "Too many questions at once. Wait a moment, then retry.",
  adviceBusyFor: (seconds: number) => `Too many questions at once. Retry in ${count(seconds, "second", "seconds")}.`,
  adviceUnavailable: "The service is starting or overloaded. Retry in a moment.",
  pageFailed: "The page ran into an error of its own.",
  reload: "Reload the page",
};

type Same<Value> = Value extends (...values: infer Values) => string
  ? (...values: Values) => string
  : Value extends readonly string[]
    ? readonly string[]
    : string;

/** What every interface language provides. */
export type Dictionary = { readonly [Key in keyof typeof en]: Same<(typeof en)[Key]> };
