// How a search went: its terms, what each stage thought of each candidate, and where the time went.
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useWords } from "../i18n";
import { useApi } from "../shell/context";
import { visible } from "../text/visible";
import { ProblemNotice } from "../ui/ProblemNotice";
import { problemOf } from "../wire/api";
import type { Reach } from "../wire/decode";
import type { Candidate, Explanation } from "../wire/search";
import type { Turn } from "./conversations";
import { askedIn } from "./scope";

const SHOWN_CANDIDATES = 20;

export function WhyThese({ turn }: { turn: Turn }) {
  const words = useWords();
  const api = useApi();
  const question = turn.searchedFor ?? turn.standaloneQuestion ?? turn.question;
  const { data, error, refetch } = useQuery({
    queryKey: ["why", turn.id, turn.askedAt],
    queryFn: ({ signal }) => api.search({ question, ...askedIn(turn.scope), explain: true }, signal),
    staleTime: Number.POSITIVE_INFINITY,
  });
  if (error) return <ProblemNotice problem={problemOf(error)} onRetry={() => void refetch()} />;
  const explanation = data?.explanation;
  if (!explanation) return <p className="why-note">{data ? words.notExplained : words.searching}</p>;
  return (
    <section className="why-these" data-testid="why-these" aria-label={words.whyThese}>
      <Times timings={Object.keys(turn.timings).length > 0 ? turn.timings : explanation.stages} />
      {turn.reach && <Needle reach={turn.reach} />}
      <p className="why-note">{words.searchedHow(explanation.search, explanation.rows, explanation.candidates_per_search)}</p>
      {explanation.unknown_share > 0 && <p className="why-note">{words.unknownShare(Math.round(explanation.unknown_share * 100))}</p>}
      <Terms explanation={explanation} />
      <Candidates candidates={explanation.candidates} />
    </section>
  );
}

/** How far the passages reach, against what an answer needs. */
function Needle({ reach: { value, needed } }: { reach: Reach }) {
  const words = useWords();
  return (
    <p className="why-reach" data-testid="reach">
      <meter min={0} max={1} low={needed} optimum={1} value={value} aria-label={words.answerability} />
      <span>{words.reach(value.toFixed(2), needed.toFixed(2))}</span>
    </p>
  );
}

/** Stages that are parts of another one or the sum of all. */
const WITHIN = new Set(["total", "plan", "fuse"]);

function Times({ timings }: { timings: Readonly<Record<string, number>> }) {
  const words = useWords();
  const stages = Object.entries(timings).filter(([name, ms]) => !WITHIN.has(name) && ms > 0);
  const sum = stages.reduce((total, [, ms]) => total + ms, 0);
  if (sum === 0) return null;
  return (
    <ul className="why-times" aria-label={words.whereTimeWent}>
      {stages.map(([name, ms]) => (
        <li key={name}>
          <span>{words.stageName(name)}</span>
          <progress max={sum} value={ms} aria-label={words.stageName(name)} />
          <span className="numeric">{words.milliseconds(ms.toFixed(ms < 10 ? 1 : 0))}</span>
        </li>
      ))}
    </ul>
  );
}

function Terms({ explanation: { terms } }: { explanation: Explanation }) {
  const words = useWords();
  if (terms.length === 0) return null;
  return (
    <p className="why-terms">
      {words.terms}{" "}
      {terms.map(({ term, idf }) => (
        <span key={term} className="badge" title={words.rarity(idf.toFixed(2))}>
          {term} <span className="count">{idf.toFixed(1)}</span>
        </span>
      ))}
    </p>
  );
}

function Candidates({ candidates }: { candidates: readonly Candidate[] }) {
  const words = useWords();
  const reranked = candidates.some(({ rerank }) => rerank !== null);
  return (
    <div className="table-scroll" tabIndex={0} role="region" aria-label={words.candidates}>
      <table className="why-table">
        <thead>
          <tr>
            <Head>{words.rank}</Head>
            <th scope="col">{words.columnName}</th>
            <Head>{words.byMeaning}</Head>
            <Head>{words.byWords}</Head>
            <Head>{words.fused}</Head>
            {reranked && <Head>{words.reranked}</Head>}
            <th scope="col">{words.outcome}</th>
          </tr>
        </thead>
        <tbody>
          {candidates.slice(0, SHOWN_CANDIDATES).map((one) => (
            <tr key={one.chunk_id} className={one.rank === null ? "why-dropped" : undefined}>
              <td className="numeric">{one.fused_rank}</td>
              <th scope="row" className="path">
                {visible(one.source)}
              </th>
              <td className="numeric">{ranked(one.dense_rank, one.dense)}</td>
              <td className="numeric">{ranked(one.lexical_rank, one.lexical)}</td>
              <td className="numeric">{one.score.toFixed(3)}</td>
              {reranked && <td className="numeric">{one.rerank?.toFixed(2) ?? "–"}</td>}
              <td>{one.rank === null ? words.dropReason(one.dropped ?? "top_k") : words.shownAs(one.rank)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Head({ children }: { children: ReactNode }) {
  return (
    <th scope="col" className="numeric">
      {children}
    </th>
  );
}

/** "3. (0.71)"; a dash where that search did not propose it. */
function ranked(rank: number | null, score: number): string {
  return rank === null ? "–" : `${rank}. (${score.toFixed(2)})`;
}
