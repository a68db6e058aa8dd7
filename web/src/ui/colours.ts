// The words of code in colours, by lowlight. Fetched where code is shown.
import type { Element, ElementContent, Root } from "hast";
import bash from "highlight.js/lib/languages/bash";
import c from "highlight.js/lib/languages/c";
import cpp from "highlight.js/lib/languages/cpp";
import csharp from "highlight.js/lib/languages/csharp";
import diff from "highlight.js/lib/languages/diff";
import go from "highlight.js/lib/languages/go";
import ini from "highlight.js/lib/languages/ini";
import java from "highlight.js/lib/languages/java";
import javascript from "highlight.js/lib/languages/javascript";
import json from "highlight.js/lib/languages/json";
import python from "highlight.js/lib/languages/python";
import ruby from "highlight.js/lib/languages/ruby";
import rust from "highlight.js/lib/languages/rust";
import sql from "highlight.js/lib/languages/sql";
import typescript from "highlight.js/lib/languages/typescript";
import xml from "highlight.js/lib/languages/xml";
import yaml from "highlight.js/lib/languages/yaml";
import { createLowlight } from "lowlight";

/** What people write most, in half the weight of all that is common. */
const lowlight = createLowlight({ bash, c, cpp, csharp, diff, go, ini, java, javascript, json, python, ruby, rust, sql, typescript, xml, yaml });

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
