"""Two embedding spaces asked the same questions: where one finds more than the other, and whether that is chance."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import mean
from typing import Any, Final, Literal

import numpy as np

from app.retrieval.retriever import Retriever
from app.trial.gold import DEPTH, Case, hits, rank_values
from app.trial.known_questions import KEPT
from app.trial.significance import SIGNIFICANCE, Difference, adjusted_for_several, compare_values

Verdict = Literal["better", "same", "worse", "none"]
FEWEST: Final = (
    6  # of fewer questions no result is significant, whatever it is: 2 of 2^5 is more than 1 in 20
)
_GROUPS: Final[Mapping[str, str]] = {
    KEPT: "kept questions",
    "made:en": "made from English texts",
    "made:zh": "made from Chinese texts",
    "made:de": "made from German texts",
    "made:fr": "made from French texts",
    "made:es": "made from Spanish texts",
    "made:it": "made from Italian texts",
    "made:pt": "made from Portuguese texts",
    "made:nl": "made from Dutch texts",
    "made:und": "made from texts in other languages",
}


@dataclass(frozen=True, slots=True)
class Found:
    """What both spaces found for one question: nDCG@10 and recall@10 of each, and the mean length of its passages."""

    case: Case
    ndcg: tuple[float, float]  # of the space that answers, and of the second one
    recall: tuple[float, float]
    chars: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Row:
    """One group of questions on one collection: nDCG@10, by which it is judged, and recall@10 beside it. `p` is that of
    nDCG@10, adjusted for all rows that were tested at once. `chars` are the mean lengths of passages in both spaces:
    longer ones are found more easily."""

    collection: str
    group: str
    ndcg: Difference
    recall: Difference
    p: float | None
    chars: tuple[float, float]

    @property
    def name(self) -> str:
        """The group in words."""
        return _GROUPS.get(self.group, self.group)

    @property
    def verdict(self) -> Verdict:
        """What the second space is in this group."""
        if self.p is None or self.ndcg.difference is None:
            return "none"
        if self.p >= SIGNIFICANCE:
            return "same"
        return "better" if self.ndcg.difference > 0 else "worse"


async def ask_both(
    serving: Retriever,
    second: Retriever,
    collection: str,
    cases: Sequence[Case],
    *,
    on_asked: Callable[[int, int], None],
) -> list[Found]:
    """Search for every question in both spaces, as a question is searched for, one after the other."""
    found = []
    for done, case in enumerate(cases, 1):
        rankings = [
            (await retriever.retrieve(case.question, collection, DEPTH, weigh=False)).hits
            for retriever in (serving, second)
        ]
        values = [rank_values([hits(chunk, case.gold) for chunk in ranking]) for ranking in rankings]
        chars = [mean([len(chunk.text) for chunk in ranking] or [0]) for ranking in rankings]
        (ndcg_a, recall_a), (ndcg_b, recall_b) = values
        found.append(Found(case, (ndcg_a, ndcg_b), (recall_a, recall_b), (chars[0], chars[1])))
        on_asked(done, len(cases))
    return found


def judge(found: Mapping[str, Sequence[Found]]) -> list[Row]:
    """A row for each group of questions on each collection, in the order of both. A group of fewer than FEWEST
    questions is shown, and not tested."""
    groups: dict[tuple[str, str], list[Found]] = {}
    for collection, ones in found.items():
        for one in ones:
            groups.setdefault((collection, one.case.group), []).append(one)
    rows = []
    for (collection, group), ones in groups.items():
        ndcg = _compare([one.ndcg for one in ones])
        chars = (mean(one.chars[0] for one in ones), mean(one.chars[1] for one in ones))
        rows.append((collection, group, ndcg, _compare([one.recall for one in ones]), chars))
    tested = [ndcg.p for _, _, ndcg, _, _ in rows if ndcg.p is not None and ndcg.questions >= FEWEST]
    adjusted = iter(adjusted_for_several(tested))
    return [
        Row(collection, group, ndcg, recall, next(adjusted) if ndcg.questions >= FEWEST else None, chars)
        for collection, group, ndcg, recall, chars in rows
    ]


def _compare(values: Sequence[tuple[float, float]]) -> Difference:
    a, b = np.array(values, dtype=np.float64).reshape(-1, 2).T
    return compare_values(a, b)


def overall(rows: Sequence[Row]) -> Verdict:
    """Worse where the second space is in any group, however much better it is in others; else better where it is in
    any."""
    verdicts = {row.verdict for row in rows}
    order: tuple[Verdict, ...] = ("worse", "better", "same")
    return next((verdict for verdict in order if verdict in verdicts), "none")


def in_words(rows: Sequence[Row], serving: str, second: str) -> str:
    """The verdict in one sentence."""
    verdict = overall(rows)
    if verdict == "none":
        return f"There are too few questions to tell {second} from {serving}."
    if verdict == "same":
        return f"There is no difference between {second} and {serving} that is more than chance."
    changed = [row for row in rows if row.verdict == verdict]
    said = f"{second} is {verdict} than {serving}: {_list(changed)}"
    also = [row for row in rows if verdict == "worse" and row.verdict == "better"]
    return f"{said}; it is better elsewhere: {_list(also)}." if also else f"{said}."


def _list(rows: Sequence[Row]) -> str:
    several = len({row.collection for row in rows}) > 1
    return ", ".join(
        f"{row.name}{f' of {row.collection}' if several else ''} ({row.ndcg.difference:+.3f} nDCG@10, p {row.p:.4f})"
        for row in rows
    )


def describe_row(row: Row) -> dict[str, Any]:
    """A row as JSON has it, and as it is kept."""

    def measure(one: Difference) -> dict[str, Any]:
        return {
            "serving": _rounded(one.a),
            "second": _rounded(one.b),
            "difference": _rounded(one.difference),
            "low": _rounded(one.low),
            "high": _rounded(one.high),
        }

    return {
        "collection": row.collection,
        "questions_from": row.group,
        "questions": row.ndcg.questions,
        "ndcg@10": measure(row.ndcg),
        "recall@10": measure(row.recall),
        "p": _rounded(row.p),
        "mean_passage_chars": {"serving": round(row.chars[0]), "second": round(row.chars[1])},
        "verdict": row.verdict,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
