// Formulas in a model's answer: which of its dollars and backslashes mean one. Pure.

/** What may hold a formula, or is code and holds none. */
const PARTS = /(`+)(?:(?!\1)[\s\S])*?\1(?!`)|\$\$[\s\S]+?\$\$|\\\[[\s\S]+?\\\]|\\\([\s\S]+?\\\)|(?<![\\$A-Za-z\p{N}])\$(?![\s$])((?:[^$\n`]|\\\$){1,200}?)(?<![\s\\])\$(?![$\p{N}])/gu;
/** A sum of money or a variable of a shell is none: "$5 and $6", "$HOME". */
const FORMULA = /[\\^_={}<>+|]|^[a-zA-Z]['\d]?$|^[a-zA-Z]\([^)]*\)$|^-?\d+(\.\d+)?$/;

/** The text with each formula between double dollars, which is all that the Markdown reader takes for one. */
export function withFormulas(text: string): string {
  return text.replace(PARTS, (part: string, fence: string | undefined, single: string | undefined) => {
    if (fence !== undefined || part.startsWith("$$")) return part;
    if (part.startsWith("\\[")) return `\n$$\n${part.slice(2, -2).trim()}\n$$\n`;
    if (part.startsWith("\\(")) return `$$${part.slice(2, -2).trim()}$$`;
    return single !== undefined && FORMULA.test(single) ? `$$${single}$$` : part;
  });
}

/** Whether there may be a formula, so that what draws it is fetched. */
export function mayHoldFormulas(text: string): boolean {
  return withFormulas(text).includes("$$");
}
