// What a file is called: its own name first, its folder and title after it.
import { visible } from "./visible";

/** The last part of a source; the title where there is no source. */
export function fileNameOf({ source, title }: { source: string; title: string }): string {
  return visible(source.split("/").at(-1) || title);
}

/** The folder, without the slash at its end; empty for what lies in none. */
export function folderOf(source: string): string {
  return visible(source.split("/").slice(0, -1).join("/"));
}

/** The heading that a passage stands below, without the title that it may begin with. */
export function headingBelow({ heading, title }: { heading: string | null; title: string }): string | null {
  if (heading === null || heading === title) return null;
  return visible(heading.startsWith(`${title} › `) ? heading.slice(title.length + 3) : heading);
}

/** The title where it says more than the file's name. */
export function titleBeside({ source, title }: { source: string; title: string }): string | null {
  const name = source.split("/").at(-1) ?? "";
  const bare = name.replace(/\.[^.]*$/, "");
  return title === "" || title === source || title === name || title === bare ? null : visible(title);
}
