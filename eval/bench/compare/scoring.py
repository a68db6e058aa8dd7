"""One rule for every system: where a chunk's text stands in the file, whether it covers the gold passage, and figures.

Pure. No system is asked for offsets that it doesn't keep: a chunk is looked for in the file by its letters and digits,
so that stripped white space, joined lines and removed markup cost nobody a hit.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any, Final

import numpy as np

from app.trial.gold import is_hit, rank_values
from app.trial.question_file import Question, locate_context
from app.trial.significance import Difference, compare_values, mean_interval
from eval.metrics import abstain_auroc, percentile
from eval.tokenization import count_words

_EDGE: Final = (
    40  # letters of a chunk's beginning and end that find it where its middle was written otherwise
)


@dataclass(frozen=True, slots=True)
class Hit:
    """A retrieved chunk as its system returns it."""

    source: str  # file's path in the corpus
    text: str
    exact: bool | None  # whether the offsets given with it lead to exactly this text; None: it gives none


@dataclass(frozen=True, slots=True)
class Reply:
    """What a system said to one question."""

    hits: tuple[Hit, ...]  # best first
    score: float | None  # how sure the system is that there is an answer: higher is surer
    refused: bool | None  # None: it has no way to refuse
    milliseconds: float


@dataclass(slots=True)
class Letters:
    """A text's letters and digits, and where each of them stands."""

    text: str
    dense: str = field(init=False)
    places: list[int] = field(init=False)

    def __post_init__(self) -> None:
        self.places = [at for at, sign in enumerate(self.text) if sign.isalnum()]
        self.dense = "".join(self.text[at] for at in self.places)

    def find(self, part: str, near: int = 0) -> tuple[int, int] | None:
        """Half-open place of a part that may differ in all but letters and digits: the occurrence nearest to `near`,
        else one between those of its two ends, else None.

        >>> Letters("# One\\n\\n*two* three").find("One two")
        (2, 11)
        >>> Letters("One two").find("three") is None
        True
        """
        wanted = "".join(filter(str.isalnum, part))
        if not wanted:
            return None
        start = self._nearest(wanted, bisect_left(self.places, near))
        if start is not None:
            return self.places[start], self.places[start + len(wanted) - 1] + 1
        begin, end = self.dense.find(wanted[:_EDGE]), self.dense.rfind(wanted[-_EDGE:])
        if begin < 0 or end < begin or end - begin > 2 * len(wanted):
            return None
        return self.places[begin], self.places[min(end + _EDGE, len(self.places)) - 1] + 1

    def _nearest(self, wanted: str, near: int) -> int | None:
        after, before = self.dense.find(wanted, near), self.dense.rfind(wanted, 0, near + len(wanted))
        found = [at for at in (before, after) if at >= 0]
        return min(found, key=lambda at: abs(at - near)) if found else None


class Corpus:
    """The files of a set, read once."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._read = folder, dict[str, Letters]()

    def letters(self, source: str) -> Letters | None:
        """The text of a file; None where there is none of that name."""
        if source not in self._read:
            path = self._folder / source
            if not path.is_file():
                return None
            self._read[source] = Letters(path.read_text("utf-8"))
        return self._read[source]


def judge(reply: Reply, question: Question, corpus: Corpus) -> list[bool]:
    """Which of the hits cover the gold passage: at least half of the shorter of the two (the project's contract)."""
    gold = gold_place(question, corpus)
    return [_covers(hit, question, gold, corpus) for hit in reply.hits]


def gold_place(question: Question, corpus: Corpus) -> tuple[int, int] | None:
    """Where the gold passage stands in its file; None where the question has none, or its file hasn't it."""
    letters = corpus.letters(question.doc) if question.doc else None
    if letters is None:
        return None
    if question.context is not None:
        return locate_context(letters.text, question.context, near=question.context_start or 0)
    if question.context_start is None or question.context_end is None:
        return None
    return question.context_start, question.context_end


def _covers(hit: Hit, question: Question, gold: tuple[int, int] | None, corpus: Corpus) -> bool:
    if gold is None or hit.source != question.doc:
        return False
    letters = corpus.letters(hit.source)
    place = letters.find(hit.text, near=gold[0]) if letters is not None else None
    return place is not None and is_hit(place, gold)


def figures(
    replies: Mapping[str, Reply], questions: Sequence[Question], corpus: Corpus, *, foreign: str
) -> tuple[dict[str, Any], dict[str, float]]:
    """All figures of one system on one set, with 95 % intervals where they are means over questions, and nDCG@10 of
    each question that has a gold passage. Questions of the kind `foreign` belong to another corpus; those that the set
    itself marks as unanswerable are near misses."""
    answered = [q for q in questions if q.answerable and gold_place(q, corpus) is not None]
    found = {q.id: judge(replies[q.id], q, corpus) for q in answered}
    ndcg = {key: rank_values(hits)[0] for key, hits in found.items()}
    all_hits = [hit for reply in replies.values() for hit in reply.hits]
    exact = [hit.exact for hit in all_hits if hit.exact is not None]
    told: dict[str, Any] = {"questions": len(questions), "with_gold": len(found)}
    for depth in (1, 5, 10):
        told[f"recall@{depth}"] = _mean([any(hits[:depth]) for hits in found.values()])
    told["ndcg@10"] = _mean(list(ndcg.values()))
    told["ndcg@10_interval"] = _interval(list(ndcg.values()))
    told["mean_words_per_chunk"] = _mean([count_words(hit.text) for hit in all_hits])
    told["offsets_exact"] = _mean(exact)
    answerable = [replies[q.id] for q in questions if q.answerable]
    told["refused_with_answer"] = _mean([r.refused for r in answerable if r.refused is not None])
    for group, is_foreign in (("near_miss", False), ("foreign", True)):
        lacking = [replies[q.id] for q in questions if not q.answerable and (q.kind == foreign) is is_foreign]
        told[f"auroc_{group}"] = _auroc(answerable, lacking)
        told[f"refused_{group}"] = _mean([r.refused for r in lacking if r.refused is not None])
    times = [reply.milliseconds for reply in replies.values()]
    told["p50_ms"], told["p95_ms"] = percentile(times, 0.5), percentile(times, 0.95)
    return told, ndcg


def _auroc(answerable: Sequence[Reply], lacking: Sequence[Reply]) -> float | None:
    """How well the system's own score tells questions with an answer from those without; None without either. A reply
    without hits has the lowest score."""
    replies = [*answerable, *lacking]
    scores = [float("inf") if reply.score is None else -reply.score for reply in replies]
    return abstain_auroc(scores, [True] * len(answerable) + [False] * len(lacking))


def against(ours: Mapping[str, float], theirs: Mapping[str, float]) -> Difference:
    """Ours minus theirs in nDCG@10 over the questions of both, by a paired randomisation test."""
    keys = [key for key in ours if key in theirs]
    return compare_values(
        np.array([theirs[key] for key in keys], dtype=np.float64),
        np.array([ours[key] for key in keys], dtype=np.float64),
    )


def settings_id(about: Mapping[str, object]) -> str:
    """A short name for what a result depends on, so that it is kept for that alone."""
    return hashlib.sha256(repr(sorted(about.items())).encode()).hexdigest()[:12]


def _mean(values: Sequence[float]) -> float | None:
    return fmean(values) if values else None


def _interval(values: Sequence[float]) -> tuple[float, float] | None:
    return mean_interval(np.array(values, dtype=np.float64)) if values else None
