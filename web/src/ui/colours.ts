// The words of code in colours, by lowlight. Fetched where code is shown.
import type { Element, ElementContent, Root } from "hast";
import { common, createLowlight } from "lowlight";

const lowlight = createLowlight(common);

export interface Coloured {
  text: string;
  className: string;
}

/** A language by its name in a fence or by a media type; null where it is not known. */
function languageOf(name: string): string | null {
  const bare = name.toLowerCase().replace(/^.*\/(x-)?/, "").replace(/^(shellscript|sh)$/, "bash").replace(/^c\+\+(src)?$/, "cpp");
  return lowlight.registered(bare) ? bare : null;
}

/** What colours a text of a language; null where it is not known. Joined, the pieces are the text. */
export function colourOf(name: string): ((text: string) => Coloured[]) | null {
  const language = languageOf(name);
  return language === null ? null : (text) => flat(lowlight.highlight(language, text), "");
}

/** The same as a tree, for a block of Markdown. */
export function colouredTree(name: string, text: string): Root | null {
  const language = languageOf(name);
  return language === null ? null : lowlight.highlight(language, text);
}

function flat(parent: Root | Element, className: string): Coloured[] {
  return (parent.children as ElementContent[]).flatMap((child) => {
    if (child.type === "text") return child.value === "" ? [] : [{ text: child.value, className }];
    if (child.type !== "element") return [];
    const own = child.properties.className;
    return flat(child, Array.isArray(own) ? own.join(" ") : className);
  });
}
