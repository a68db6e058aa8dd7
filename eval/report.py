"""What a run leaves behind: a table for the terminal, one JSON line, and a folder with everything.

The folder holds `questions.jsonl` (one object a question: reply, retrieved chunks, per-question values),
`summary.json` and `report.html`, and where dialogues were asked `dialogues.jsonl`, one object a turn. Formats only;
computes no figure.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from rich.table import Table

from app.domain import Answer, ScoredChunk
from app.errors import ConfigError
from eval.replies import Reply
from eval.report_html import render_html
from eval.report_verdicts import describe_probes, describe_turn, list_verdicts
from eval.runner import Evaluation
from eval.summary import QuestionScores, fact_values
from eval.verdicts import count_verdicts

# Keys whose figures are no shares in [0, 1] → decimals shown
_DECIMALS: Final = {
    "mean_words_per_chunk": 1, "mean_answer_words": 1, "questions": 0, "failed": 0, "p50_ms": 1, "p95_ms": 1,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class RunAbout:
    """What was evaluated, for whoever reads the report later."""

    corpus: str
    question_file: str
    started_at: datetime
    command: str


def format_figure(key: str, value: float | int | None) -> str:
    """A figure as people read it; an en dash for one that is undefined.

    >>> format_figure("recall@5", 0.96), format_figure("p50_ms", 12.345), format_figure("bleu", None)
    ('0.960', '12.3', '–')
    """
    return "–" if value is None else f"{value:.{_DECIMALS.get(key, 3)}f}"


def format_interval(key: str, evaluation: Evaluation) -> str:
    """The 95 % interval of a figure, or nothing."""
    if evaluation.figures[key] is None or key not in evaluation.intervals:
        return ""
    low, high = evaluation.intervals[key]
    return f"{format_figure(key, low)} to {format_figure(key, high)}"


def make_table(evaluation: Evaluation) -> Table:
    """The figures with their intervals."""
    table = Table(title=f"Evaluation of {evaluation.figures['questions']} questions")
    table.add_column("metric")
    table.add_column("value", justify="right")
    table.add_column("95 % interval", justify="right")
    for key, value in evaluation.figures.items():
        table.add_row(key, format_figure(key, value), format_interval(key, evaluation))
    return table


def make_notes(evaluation: Evaluation) -> list[str]:
    """What a reader must know to read the figures right: conventions, then what went wrong."""
    notes = [
        f"BLEU is sacreBLEU divided by 100; METEOR matches: {evaluation.meteor_matching}; Chinese words "
        "match exactly. Text is compared in lower case without punctuation and citation markers.",
    ]
    if evaluation.top_k < 10:
        notes.append(f"top_k is {evaluation.top_k}: measures at a greater depth are left out.")
    missing = [reply for reply in evaluation.replies if reply.gold is not None and reply.gold.missing]
    if missing:
        notes.append(
            "Questions whose gold passage is not in the collection, so that nothing could hit: "
            f"{len(missing)}; the first is {missing[0].question.id}."
        )
    if evaluation.ingested.failed:
        source, code = next(iter(evaluation.ingested.failed.items()))
        notes.append(
            f"Files that were not ingested: {len(evaluation.ingested.failed)}; the first is {source} ({code})."
        )
    if evaluation.corpora.plain is not None and evaluation.corpora.plain.name is not None:
        plain = evaluation.corpora.plain
        notes.append(f"Questions call {plain.folder} the collection {plain.name}.")
    if evaluation.skipped:
        named = ", ".join(f"{name or 'none named'} {count}" for name, count in evaluation.skipped.items())
        notes.append(
            f"Questions that were not asked, since their collection was not given: "
            f"{sum(evaluation.skipped.values())} ({named}); add --corpus NAME=DIR."
        )
    dialogues = evaluation.probes.dialogues
    if dialogues is not None and dialogues.skipped:
        notes.append(
            f"Dialogues that were not held, since their collection was not given: {dialogues.skipped}."
        )
    failed = [reply for reply in evaluation.replies if reply.error is not None]
    if failed:
        notes.append(f"Questions that failed and count as wrong: {len(failed)}; the first: {failed[0].error}")
    return notes


def make_json_line(evaluation: Evaluation) -> str:
    """The figures, to six decimals, as one line of JSON, with the collection's name; "collections" has those of several
    corpora by the names that questions use."""
    figures = {key: round(v, 6) if isinstance(v, float) else v for key, v in evaluation.figures.items()}
    described: dict[str, Any] = {**figures, "collection": evaluation.collection}
    if len(evaluation.corpora.all) > 1:
        described["collections"] = _list_collections(evaluation)
    return json.dumps(described, ensure_ascii=False)


def _list_collections(evaluation: Evaluation) -> dict[str, str]:
    return {corpus.name or "": corpus.collection for corpus in evaluation.corpora.all}


def make_folder(folder: Path) -> None:
    """Make the report's folder if it is not there. Raises ConfigError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(folder, error) from error


def write_report(evaluation: Evaluation, about: RunAbout, folder: Path) -> None:
    """Write the files into an existing folder, over those of an earlier run. Raises ConfigError."""
    notes = make_notes(evaluation)
    described = _describe_run(evaluation, about)
    rows = zip(evaluation.replies, evaluation.scores, strict=True)
    lines = [json.dumps(_describe_reply(reply, scores), ensure_ascii=False) for reply, scores in rows]
    summary = {
        "figures": evaluation.figures,
        "intervals_95": evaluation.intervals,
        "verdicts": count_verdicts(list_verdicts(evaluation)),
        "probes": describe_probes(evaluation.probes),
        "notes": notes,
        "run": described,
    }
    table = [
        (key, format_figure(key, value), format_interval(key, evaluation))
        for key, value in evaluation.figures.items()
    ]
    contents = {
        "questions.jsonl": "\n".join(lines) + "\n",
        "summary.json": json.dumps(summary, ensure_ascii=False, indent=2) + "\n",
        "report.html": render_html(evaluation, table, notes, described),
    }
    if evaluation.probes.dialogues is not None:
        turns = map(describe_turn, evaluation.probes.dialogues.turns)
        contents["dialogues.jsonl"] = "".join(json.dumps(turn, ensure_ascii=False) + "\n" for turn in turns)
    try:
        for name, content in contents.items():
            # A lone surrogate in a model's answer must not cost the whole report.
            (folder / name).write_text(content, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise _unwritable(folder, error) from error


def _unwritable(folder: Path, error: OSError) -> ConfigError:
    return ConfigError(
        f"The report can't be written to {folder}: {error.strerror}. Name another folder with --out."
    )


def _describe_run(evaluation: Evaluation, about: RunAbout) -> dict[str, Any]:
    return {
        "corpus": about.corpus,
        "questions": about.question_file,
        "started_at": about.started_at.astimezone(UTC).isoformat(timespec="seconds"),
        "command": about.command,
        "collection": evaluation.collection,
        "collections": _list_collections(evaluation) if len(evaluation.corpora.all) > 1 else None,
        "top_k": evaluation.top_k,
        "language_field": evaluation.wording,
        "meteor_matching": evaluation.meteor_matching,
        "documents": len(evaluation.ingested.documents),
        "files_failed": dict(evaluation.ingested.failed),
        "ingest_seconds": round(evaluation.ingested.seconds, 3),
        "index_recall": evaluation.ingested.index_recall,
    }


def _describe_reply(reply: Reply, scores: QuestionScores) -> dict[str, Any]:
    row: dict[str, Any] = {
        "id": reply.question.id,
        "question": reply.asked,
        "answers": reply.question.answers,
        "answerable": reply.question.answerable,
        "kind": reply.question.kind,
        "language": reply.language,
        "collection": reply.question.collection,
        "expected": reply.question.expected,
        "verdict": reply.verdict,
        "gold": asdict(reply.gold) if reply.gold else None,
        "error": reply.error,
    }
    if reply.result is not None:
        row |= {
            "latency_ms": round(reply.result.latency_ms, 3),
            "chunks": _describe_chunks(reply.chunks, reply.hits, scores.chunk_words),
        }
        if reply.result.answer is not None:
            row |= _describe_answer(reply.result.answer, reply.result.answerability, reply.exact)
    row["values"] = {**(scores.retrieval or {}), **(scores.answer or {}), **fact_values(scores)}
    return row


def _describe_answer(answer: Answer, answerability: float | None, exact: Sequence[bool]) -> dict[str, Any]:
    return {
        "answer": answer.text,
        "standalone_question": answer.standalone_question,
        "abstained": answer.abstained,
        "generator": answer.generator,
        "degraded_reason": answer.degraded_reason,
        "answerability": answerability,
        "citations": [
            {**asdict(citation), "exact": is_exact}
            for citation, is_exact in zip(answer.citations, exact, strict=True)
        ],
    }


def _describe_chunks(
    chunks: Sequence[ScoredChunk], hits: Sequence[bool], lengths: Sequence[int]
) -> list[dict[str, Any]]:
    """Chunks without their text: the span says which it is, and the file stays small."""
    return [
        {
            "rank": rank,
            "source": chunk.source,
            "chunk_id": chunk.chunk_id,
            "char_start": chunk.char_start,
            "char_end": chunk.char_end,
            "words": length,
            "score": chunk.score,
            "scores": asdict(chunk.scores),
            "hit": hit,
        }
        for rank, (chunk, hit, length) in enumerate(zip(chunks, hits, lengths, strict=True), start=1)
    ]
