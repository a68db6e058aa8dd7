"""Two runs over the same questions: is their difference more than chance?

Pure but for `load_run`. A is the baseline, B what is judged; a difference is B minus A, and every measure here is
better when higher. The p values are per measure, not corrected for testing several.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from app.errors import InvalidRequestError
from app.trial.gold import is_hit
from app.trial.significance import Difference, compare_values
from eval.metrics import RANK_MEASURES
from eval.summary import ANSWER_KEYS

FROM_REPLIES: Final = ("decided_rightly", "cites_gold")
COMPARABLE: Final = (
    *RANK_MEASURES,
    *ANSWER_KEYS,
    "fact_first",
    "fact_anywhere",
    *FROM_REPLIES,
)  # what questions.jsonl keeps a value of for each question, or holds what it follows from
DEFAULT_METRICS: Final = ("ndcg@10", "recall@5", "answer_contains_gold", *FROM_REPLIES)
_NAMED: Final = 3  # how many differing questions a refusal names


@dataclass(frozen=True, slots=True)
class QuestionValues:
    """One line of a questions.jsonl: what was asked, and the measures that apply to it."""

    asked: str  # question and gold answers, to tell whether two lines are one question
    values: Mapping[str, float]


Run = Mapping[str, QuestionValues]  # question id → its values, in the order of the file


def load_run(path: Path) -> Run:
    """The questions of a run, from its --out folder or its questions.jsonl. Raises InvalidRequestError."""
    file = path / "questions.jsonl" if path.is_dir() else path
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(f"{file} can't be read: name the --out folder of a `rag-eval run`.") from error
    run: dict[str, QuestionValues] = {}
    rows = [_row(line, f"{file}, line {number}") for number, line in enumerate(lines, start=1)]
    were_answered = any("abstained" in row for row in rows)
    for number, row in enumerate(rows, start=1):
        question_id, question = _parse_row(row, f"{file}, line {number}", were_answered=were_answered)
        if question_id in run:
            raise _unreadable(f"{file}, line {number}: the id {question_id} stands twice.")
        run[question_id] = question
    if not run:
        raise _unreadable(f"{file} has no questions.")
    return run


def compare_runs(a: Run, b: Run, metrics: Sequence[str] = DEFAULT_METRICS) -> dict[str, Difference]:
    """Each measure's difference, in the order given. Raises InvalidRequestError where the runs did not ask the
    same questions, or a measure is unknown or is defined in one run only."""
    for metric in metrics:
        if metric not in COMPARABLE:
            raise InvalidRequestError(
                f"{metric} has no value for each question; choose from {', '.join(COMPARABLE)}.",
                code="invalid_metric",
            )
    _refuse_different_questions(a, b)
    return {metric: _compare(a, b, metric) for metric in metrics}


def describe_comparison(a: Path, b: Path, questions: int, found: Mapping[str, Difference]) -> dict[str, Any]:
    """The JSON line of a comparison."""
    metrics = {}
    for key, difference in found.items():
        rounded = {n: round(v, 6) if isinstance(v, float) else v for n, v in asdict(difference).items()}
        metrics[key] = {**rounded, "verdict": difference.verdict}
    return {
        "a": str(a),
        "b": str(b),
        "questions": questions,
        "metrics": metrics,
        "losses": [key for key, difference in found.items() if difference.verdict == "loss"],
        "gains": [key for key, difference in found.items() if difference.verdict == "gain"],
    }


def _compare(a: Run, b: Run, metric: str) -> Difference:
    one_sided = [key for key in a if (metric in a[key].values) != (metric in b[key].values)]
    if one_sided and metric not in FROM_REPLIES:  # those say nothing where a run only searched
        raise InvalidRequestError(
            f"{metric} is defined in one of the runs only for {_name(one_sided)}: were both run with the same top_k?",
            code="different_questions",
        )
    keys = [key for key in a if metric in a[key].values and metric in b[key].values]
    return compare_values(
        np.array([a[key].values[metric] for key in keys], dtype=np.float64),
        np.array([b[key].values[metric] for key in keys], dtype=np.float64),
    )


def _refuse_different_questions(a: Run, b: Run) -> None:
    only_a, only_b = [key for key in a if key not in b], [key for key in b if key not in a]
    changed = [key for key in a if key in b and a[key].asked != b[key].asked]
    parts = [
        f"{what} {_name(keys)}"
        for what, keys in (("only A has", only_a), ("only B has", only_b), ("asked otherwise:", changed))
        if keys
    ]
    if parts:
        raise InvalidRequestError(
            f"The runs did not ask the same questions: {'; '.join(parts)}.", code="different_questions"
        )


def _name(keys: Sequence[str]) -> str:
    """How many questions, and the first of them."""
    more = ", …" if len(keys) > _NAMED else ""
    return f"{len(keys)} ({', '.join(keys[:_NAMED])}{more})"


def _row(line: str, where: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except ValueError:
        row = None
    if not isinstance(row, dict):
        raise _no_line(where)
    return row


def _parse_row(row: Mapping[str, Any], where: str, *, were_answered: bool) -> tuple[str, QuestionValues]:
    try:
        values = {str(key): float(value) for key, value in row["values"].items()}
        values |= _decisions(row) if were_answered else {}
        asked = json.dumps([row["question"], row["answers"], row["answerable"]], ensure_ascii=False)
        return str(row["id"]), QuestionValues(asked, values)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _no_line(where) from error


def _decisions(row: Mapping[str, Any]) -> dict[str, float]:
    """Whether it was right to answer, or to refuse; and of a question whose passage is known, whether the answer cites
    a part of it. The passages that are found say nothing of either. A question that failed has 0."""
    if str(row.get("verdict")).startswith("about_"):  # to refuse it is neither right nor wrong
        return {}
    is_answered = row.get("abstained") is False
    values = {"decided_rightly": float("abstained" in row and is_answered == row["answerable"])}
    gold = row.get("gold")
    if row["answerable"] and gold is not None and not gold["missing"]:
        values["cites_gold"] = float(is_answered and any(_is_gold(one, gold) for one in row["citations"]))
    return values


def _is_gold(citation: Mapping[str, Any], gold: Mapping[str, Any]) -> bool:
    if citation["source"] not in gold["sources"]:
        return False
    place = (citation["char_start"], citation["char_end"])
    return gold["span"] is None or is_hit(place, tuple(gold["span"]))


def _no_line(where: str) -> InvalidRequestError:
    return _unreadable(f"{where} is no line of a questions.jsonl that `rag-eval run` wrote.")


def _unreadable(message: str) -> InvalidRequestError:
    return InvalidRequestError(message, code="invalid_run")
