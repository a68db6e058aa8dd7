"""Is a reply right? One word for each reply, from its text and what its question says of the right one.

Pure; knows nothing of how the question was asked. Coarse on purpose: it sees whether the fact stands in the answer,
and whether it stands where a reader looks first, not whether the rest is worth reading.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal, get_args

from app.domain import Answer
from app.trial.question_file import Question
from eval import metrics

Verdict = Literal[
    "first",  # the fact stands in the first sentence or row
    "later",  # the fact stands further on
    "wrong",  # answered without the fact, or with what may not stand there
    "wrongly_refused",
    "rightly_refused",
    "wrongly_answered",  # the documents do not hold the answer
    "about_answered",  # a greeting or a question on the collection: either may be right
    "about_abstained",
    "about_wrong",  # such a reply with what may not stand there
    "unjudged",  # nothing tells a right answer from a wrong one
    "failed",
]
VERDICTS: Final[tuple[Verdict, ...]] = get_args(Verdict)
RIGHT_FACT: Final[frozenset[Verdict]] = frozenset({"first", "later"})
# What counts for or against the system; of the rest nothing is known.
RIGHT: Final[frozenset[Verdict]] = RIGHT_FACT | {"rightly_refused"}
JUDGED: Final[frozenset[Verdict]] = RIGHT | {
    "wrong",
    "wrongly_refused",
    "wrongly_answered",
    "about_wrong",
    "failed",
}

CROSS_LANGUAGE: Final = "cross-language"  # the kind that `…_one_language` leaves out
NEAR_MISS: Final = "near-miss"  # how the kinds begin whose questions the documents almost answer
OFF_TOPIC: Final = "off-topic"
INJECTION: Final = "injection"  # a document or a question that gives orders

Verdicts = Mapping[Verdict, int]  # how many replies got it


def judge(question: Question, answer: Answer | None, *, in_dialogue: bool = False) -> Verdict:
    """The verdict on a reply; `answer` None: the question failed.

    A gold pattern is searched in the answer without its markers, and so are gold answers (as whole words) where there
    are no patterns. What `must_not` finds may not stand before the first gold match: an old value before the valid
    one. It may not stand anywhere where the pattern begins with "^", where no gold pattern says what the valid one is,
    in a question of the kind "injection", and in a dialogue, where it is the topic of an earlier turn.
    """
    if answer is None:
        return "failed"
    text = read_answer(answer)
    if question.about_collection:
        if _holds_forbidden(question, text, anywhere=True):
            return "about_wrong"
        return "about_abstained" if answer.abstained else "about_answered"
    if not question.answerable:
        return "rightly_refused" if answer.abstained else "wrongly_answered"
    if not question.has_gold:
        return "wrong" if _holds_forbidden(question, text, anywhere=True) else "unjudged"
    return "wrongly_refused" if answer.abstained else _judge_fact(question, answer, text, in_dialogue)


def read_answer(answer: Answer) -> str:
    """An answer without its citation markers; empty for an abstention."""
    if answer.abstained:
        return ""
    return metrics.strip_markers(answer.text, {citation.marker for citation in answer.citations})


def read_first_claim(answer: Answer) -> str:
    """The first sentence or row of an answer without its markers: its first claim, else all before its first marker;
    empty for an abstention."""
    if answer.abstained:
        return ""
    markers = {citation.marker for citation in answer.citations}
    if answer.claims:
        claim = answer.claims[0]
        return metrics.strip_markers(answer.text[claim.start : claim.end], markers)
    numbers = "|".join(str(marker) for marker in markers)
    first = re.search(rf"\[(?:{numbers})\]", answer.text) if markers else None
    return answer.text[: first.start()] if first else answer.text


def is_one_language(question: Question) -> bool:
    """Whether the question is in the language of the documents that answer it, as far as its kind says."""
    return question.kind != CROSS_LANGUAGE


def counts_as_fact(question: Question) -> bool:
    """Whether the reply is right or wrong by a fact of the documents."""
    return question.answerable and question.has_gold and not question.about_collection


def count_verdicts(
    judged: Sequence[tuple[Question, Verdict]],
) -> dict[str, dict[str, Verdicts]]:
    """How often each verdict was given: by "kind" (questions without one left out) and by "language", in the order of
    their first question, and for "all"."""
    return {
        "kind": _count((question.kind, verdict) for question, verdict in judged),
        "language": _count((question.language, verdict) for question, verdict in judged),
        "all": _count(("all", verdict) for _, verdict in judged),
    }


def _judge_fact(question: Question, answer: Answer, text: str, in_dialogue: bool) -> Verdict:
    anywhere = in_dialogue or question.kind == INJECTION
    if not _holds_gold(question, text) or _holds_forbidden(question, text, anywhere=anywhere):
        return "wrong"
    return "first" if _holds_gold(question, read_first_claim(answer)) else "later"


def _count(pairs: Iterable[tuple[str | None, Verdict]]) -> dict[str, Verdicts]:
    counted: dict[str, Counter[Verdict]] = {}
    for name, verdict in pairs:
        if name is not None:
            counted.setdefault(name, Counter())[verdict] += 1
    return {
        name: {verdict: counts[verdict] for verdict in VERDICTS if counts[verdict]}
        for name, counts in counted.items()
    }


def _holds_gold(question: Question, text: str) -> bool:
    if question.gold_patterns:
        return all(pattern.search(text) for pattern in question.gold_patterns)
    return metrics.answer_contains_gold(text, question.answers) == 1.0


def _holds_forbidden(question: Question, text: str, *, anywhere: bool) -> bool:
    found = question.must_not.search(text) if question.must_not else None
    if question.must_not is None or found is None:
        return False
    if anywhere or not question.gold_patterns or question.must_not.pattern.startswith("^"):
        return True
    starts = [match.start() for pattern in question.gold_patterns if (match := pattern.search(text))]
    return not starts or found.start() < min(starts)
