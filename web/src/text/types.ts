// What a kind of file is called, in few letters that every language reads.

const NAMES: Readonly<Record<string, string>> = {
  "application/pdf": "PDF",
  "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "DOCX",
  "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "XLSX",
  "application/vnd.openxmlformats-officedocument.presentationml.presentation": "PPTX",
  "application/vnd.oasis.opendocument.text": "ODT",
  "application/vnd.oasis.opendocument.spreadsheet": "ODS",
  "application/vnd.oasis.opendocument.presentation": "ODP",
  "application/x-ipynb+json": "Jupyter",
  "application/epub+zip": "EPUB",
  "application/rtf": "RTF",
  "message/rfc822": "E-mail",
  "text/markdown": "Markdown",
  "text/html": "HTML",
  "text/plain": "TXT",
  "text/csv": "CSV",
  "text/tab-separated-values": "TSV",
  "text/x-rst": "RST",
  "text/asciidoc": "AsciiDoc",
};

export function typeName(mediaType: string): string {
  return NAMES[mediaType] ?? (mediaType.replace(/^.*\/(x-|vnd\.)?/, "").replace(/\+.*$/, "").slice(0, 24) || "–");
}

/** How a document is drawn. */
export type Drawing = "markdown" | "code" | "table" | "plain";

const MARKDOWN = new Set([
  "text/markdown",
  "text/html",
  "application/xhtml+xml",
  "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
  "application/vnd.openxmlformats-officedocument.presentationml.presentation",
  "application/vnd.oasis.opendocument.text",
  "application/vnd.oasis.opendocument.presentation",
  "application/epub+zip",
  "message/rfc822",
  "application/x-ipynb+json",
]);
const TABLES = new Set([
  "text/csv",
  "text/tab-separated-values",
  "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
  "application/vnd.oasis.opendocument.spreadsheet",
]);
const CODE = /^text\/x-(?!rst|tex|rmarkdown|org|asciidoc|subrip|markdown)|^(application|text)\/(json|javascript|typescript|xml|yaml|toml|sql)$/;

export function drawingOf(mediaType: string): Drawing {
  if (MARKDOWN.has(mediaType)) return "markdown";
  if (TABLES.has(mediaType)) return "table";
  return CODE.test(mediaType) ? "code" : "plain";
}
