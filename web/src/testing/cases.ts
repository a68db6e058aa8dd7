// Answers that once went wrong, with the service's places: the texts of the faults that tests name.
import type { Citation, Claim } from "../wire/decode";
import { citationOf, claimsOf } from "./service";

export interface Case {
  answer: string;
  citations: Citation[];
  claims: Claim[];
}

const SURVEY = [
  "Quolls migrate in spring, as was shown by field studies in two valleys [2].",
  "Other authors found that quolls do not migrate at all [1].",
] as const;

/** F-601: the numbers of a survey's own references stand in its sentences. */
export function survey(): Case {
  const document = `# A survey of quoll migration\n\n${SURVEY.join("\n\n")}\n`;
  const answer = `${SURVEY[0]} [1] ${SURVEY[1]} [2]`;
  return {
    answer,
    citations: [citationOf(document, SURVEY[0]), citationOf(document, SURVEY[1], { marker: 2 })],
    claims: claimsOf(answer, [[SURVEY[0], "[1]", 0], [SURVEY[1], "[2]", 1]]),
  };
}

/** F-602: three statements of a model on one source, of which it confirms two; a fourth names none. */
export function threeClaims(): Case {
  const document =
    "The number of lists is about the square root of the row count. Lists are the clusters into which an ivfflat index " +
    "divides the vectors when it is built. Probes are read at each search.";
  const statements = [
    "The number of lists is about the square root of the row count",
    "Lists are the clusters into which an ivfflat index divides the vectors",
    "A thousand unicorns voted for purple probes on Tuesday",
    "Everybody **likes** `probes`",
  ] as const;
  const answer = `${statements[0]} [1]. ${statements[1]} [1]. ${statements[2]} [1]. ${statements[3]}.`;
  return {
    answer,
    citations: [
      citationOf(document, "The number of lists is about the square root of the row count."),
      citationOf(document, "Lists are the clusters into which an ivfflat index divides the vectors when it is built."),
      citationOf(document, "Probes are read at each search.", { supported: false }),
    ],
    claims: claimsOf(answer, [
      [statements[0], "[1]", 0],
      [statements[1], "[1]", 1],
      [statements[2], "[1]", 2, false],
      [statements[3], null, 0],
    ]),
  };
}

/** F-1001: what Markdown would take away. */
export const VERBATIM = [
  "The configuration file of the Wombat agent is C:\\new_folder\\*_config\\agent.ini on Windows.",
  "The Wombat agent calls __init__ before __main__ and multiplies 2 * 3 * 4 to get its timeout.",
  "The Wombat template is <b>{{name}}</b> & <script>alert(1)</script> in every release.",
  "The Wombat price is $5 to $10, see [1] and ~old~ price list at https://wombat.example/prices.",
  "The Wombat ratio is 3 | 4 and the exit code is `0`.\n1. one\n   - two &amp; three\\\n# no heading",
] as const;
