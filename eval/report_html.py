"""The HTML report: one page that opens from disk, asks the network for nothing and runs no script.

Questions, answers and passages are untrusted: every text goes through `html.escape`, and the page's own
policy forbids everything but its inline style.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final

from eval.replies import Reply
from eval.report_verdicts import VERDICT_WORDS, Grid, list_grids
from eval.runner import Evaluation
from eval.summary import QuestionScores
from eval.tokenization import HAN_CHARACTER
from eval.verdicts import Verdict

WORST_QUESTIONS: Final = 50
_PASSAGE_CHARS: Final = 600
_QUALITY: Final[Mapping[Verdict | None, float]] = {
    "first": 1.0, "later": 0.5, "wrong": 0.0, "wrongly_refused": 0.0, "about_wrong": 0.0,
}  # fmt: skip

_STYLE: Final = """
:root { color-scheme: light dark; --line: #8884; --good: #2e7d32; --bad: #c62828; --soft: #8882; }
body { font: 15px/1.5 system-ui, "Noto Sans CJK SC", sans-serif; max-width: 68rem; margin: 2rem auto;
       padding: 0 1rem; overflow-wrap: break-word; }
table { border-collapse: collapse; margin: 1rem 0; }
th, td { padding: .2rem .8rem .2rem 0; border-bottom: 1px solid var(--line); text-align: left;
         vertical-align: top; }
td { overflow-wrap: anywhere; }
td.source { min-width: 7em; }
th, td.number { white-space: nowrap; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
details { border: 1px solid var(--line); border-radius: .4rem; margin: .5rem 0; padding: .4rem .8rem;
          overflow-x: auto; }
summary { cursor: pointer; }
blockquote { margin: .4rem 0; padding: .3rem .8rem; background: var(--soft); white-space: pre-wrap; }
.hit { color: var(--good); } .miss { color: var(--bad); } .meta { opacity: .75; }
@media (max-width: 30rem) { th { white-space: normal; overflow-wrap: anywhere; } th, td { padding-right: .4rem; } }
@media (prefers-color-scheme: dark) { :root { --good: #81c784; --bad: #ef9a9a; } }
"""


def render_html(
    evaluation: Evaluation,
    figures: Sequence[tuple[str, str, str]],
    notes: Sequence[str],
    about: Mapping[str, Any],
) -> str:
    """The whole page. `figures` are rows of key, value and interval, already formatted."""
    worst = worst_questions(evaluation)
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'\">",
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>pgask evaluation</title><style>{_STYLE}</style></head><body><h1>Evaluation</h1>",
        _definitions(about),
        "<h2>Figures</h2>",
        _figure_table(figures),
        *map(_grid, list_grids(evaluation)),
        *(f"<p>{escape(note)}</p>" for note in notes),
        f"<h2>The {len(worst)} worst questions</h2>" if worst else "<h2>No question went wrong</h2>",
        *(_question(evaluation.replies[at], evaluation.scores[at]) for at in worst),
        "</body></html>\n",
    ]
    return "\n".join(parts)


def worst_questions(evaluation: Evaluation, limit: int = WORST_QUESTIONS) -> list[int]:
    """Indices of the questions that went wrong, worst first, ties in the order of the file."""
    quality = [score_quality(scores) for scores in evaluation.scores]
    wrong = [at for at, value in enumerate(quality) if value < 1]
    return sorted(wrong, key=lambda at: quality[at])[:limit]


def score_quality(scores: QuestionScores) -> float:
    """How well one question went, in [0, 1]: the mean of what is judged of the rank of its passage (nDCG@10)
    and its answer (gold contained, or rightly abstained; by its verdict where patterns judge it, a fact that does not
    come first counting half); -1 for a failure."""
    if scores.failed:
        return -1.0
    judged = []
    if scores.retrieval and "ndcg@10" in scores.retrieval:
        judged.append(scores.retrieval["ndcg@10"])
    if scores.answer:
        judged.append(scores.answer["answer_contains_gold"])
    elif scores.verdict in _QUALITY:
        judged.append(_QUALITY[scores.verdict])
    if not scores.answerable and not scores.only_searched:
        judged.append(float(scores.abstained))
    return sum(judged) / len(judged) if judged else 1.0


def _definitions(about: Mapping[str, Any]) -> str:
    rows = (
        f"<tr><th>{escape(key.replace('_', ' '))}</th><td>{escape(str(value))}</td></tr>"
        for key, value in about.items()
        if value not in (None, {}, "")
    )
    return f"<table>{''.join(rows)}</table>"


def _figure_table(figures: Sequence[tuple[str, str, str]]) -> str:
    rows = (
        f'<tr><th>{escape(key)}</th><td class="number">{escape(value)}</td>'
        f'<td class="number">{escape(interval)}</td></tr>'
        for key, value, interval in figures
    )
    return f"<table><tr><th>metric</th><th>value</th><th>95 % interval</th></tr>{''.join(rows)}</table>"


def _grid(grid: Grid) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in grid.head)
    rows = (
        f"<tr><th>{escape(name)}</th>{''.join(f'<td class=number>{escape(cell)}</td>' for cell in cells)}</tr>"
        for name, *cells in grid.rows
    )
    return f"<h2>{escape(grid.title)}</h2><table><tr>{head}</tr>{''.join(rows)}</table>"


def _question(reply: Reply, scores: QuestionScores) -> str:
    rank = next((rank for rank, hit in enumerate(reply.hits, start=1) if hit), None)
    found = "no gold passage to find"
    if reply.ranking_counts:
        found = f"gold passage at rank {rank}" if rank else "gold passage not found"
    contained = ""
    if scores.answer:
        contained = ", answer right" if scores.answer["answer_contains_gold"] else ", answer wrong"
    elif scores.verdict is not None:
        contained = f", {VERDICT_WORDS[scores.verdict]}"
    state = "miss" if rank is None and reply.ranking_counts else "meta"
    language = "zh" if HAN_CHARACTER.search(reply.asked) else "en"  # picks the shapes of Han characters
    return (
        f'<details lang="{language}"><summary>{escape(reply.asked)} <span class="{state}">'
        f"({found}{contained}{', abstained' if reply.abstained else ''})</span></summary>"
        f'<p class="meta">{escape(reply.question.id)}</p>'
        f"<p><b>Gold:</b> {escape(_gold_answers(reply))}</p>{_reply_text(reply)}{_gold_passage(reply)}"
        f"{_chunk_table(reply)}</details>"
    )


def _gold_answers(reply: Reply) -> str:
    if reply.question.expected:
        return reply.question.expected
    if not reply.question.answerable:
        return "not in the documents"
    return " | ".join(reply.question.answers) or "any passage of the named documents"


def _reply_text(reply: Reply) -> str:
    if reply.result is None:
        return f'<p class="miss"><b>Failed:</b> {escape(reply.error or "")}</p>'
    if reply.result.answer is None:
        return ""
    return f"<p><b>Answer:</b></p><blockquote>{escape(reply.result.answer.text)}</blockquote>"


def _gold_passage(reply: Reply) -> str:
    if reply.gold is None:
        return ""
    where = ", ".join(reply.gold.sources)
    if reply.gold.missing:
        where += " (not in the collection)"
    elif reply.gold.span:
        where += f" [{reply.gold.span[0]}, {reply.gold.span[1]})"
    passage = f"<blockquote>{_shorten(reply.question.context)}</blockquote>" if reply.question.context else ""
    return f"<p><b>Gold passage:</b> {escape(where)}</p>{passage}"


def _chunk_table(reply: Reply) -> str:
    rows = (
        f'<tr class="{"hit" if hit else "meta"}"><td class="number">{rank}</td><td>{"hit" if hit else ""}</td>'
        f'<td class="source">{escape(chunk.source)} [{chunk.char_start}, {chunk.char_end})</td><td class="number">'
        f"{chunk.score:.3f}</td><td>{_shorten(chunk.text, 160)}</td></tr>"
        for rank, (chunk, hit) in enumerate(zip(reply.chunks, reply.hits, strict=True), start=1)
    )
    head = "<tr><th>rank</th><th></th><th>source</th><th>score</th><th>begins</th></tr>"
    return f"<table>{head}{''.join(rows)}</table>" if reply.chunks else "<p>Nothing was retrieved.</p>"


def _shorten(text: str, limit: int = _PASSAGE_CHARS) -> str:
    """Escaped, and cut at `limit` characters."""
    return escape(text if len(text) <= limit else f"{text[:limit]}…")
