// Saving a text as a file of the reader's, made in the page.

/** A name that every file system takes; "pgask" where nothing is left of it. */
export function fileName(title: string): string {
  const clean = Array.from(title.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}"*/:<>?\\|]+/gu, " ").trim()).slice(0, 60).join("").trim();
  return clean.replace(/^\.+|\.+$/g, "") || "pgask";
}

export function saveText(name: string, text: string): void {
  const address = URL.createObjectURL(new Blob([text], { type: "text/markdown;charset=utf-8" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000); // the browser may still be asking where to put it
}
