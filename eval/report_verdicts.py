"""Verdicts, courtesy, dialogues and topic switches as tables and as JSON. Formats only; judges nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from app.trial.question_file import Question
from eval.probes import DialogueResult, PoliteResult, Probes, SwitchResult, Turn
from eval.runner import Evaluation
from eval.verdicts import VERDICTS, Verdict, Verdicts, count_verdicts

VERDICT_WORDS: Final[Mapping[Verdict, str]] = {
    "first": "fact first",
    "later": "fact later",
    "wrong": "wrong",
    "wrongly_refused": "wrongly refused",
    "rightly_refused": "rightly refused",
    "wrongly_answered": "wrongly answered",
    "about_answered": "answered",
    "about_abstained": "refused",
    "about_wrong": "not to be said",
    "unjudged": "not judged",
    "failed": "failed",
}

_ABOUT: Final[frozenset[Verdict]] = frozenset({"about_answered", "about_abstained", "about_wrong"})


@dataclass(frozen=True, slots=True)
class Grid:
    """A table of texts; the first cell of a row names it."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    ruled: frozenset[int] = frozenset()  # rows that a line follows


def list_verdicts(evaluation: Evaluation) -> list[tuple[Question, Verdict]]:
    """Every question that was asked for an answer, with its verdict."""
    return [
        (reply.question, verdict) for reply in evaluation.replies if (verdict := reply.verdict) is not None
    ]


def list_grids(evaluation: Evaluation) -> list[Grid]:
    """What there is to tell beside the figures: verdicts by kind and language, then each probe that ran."""
    grids = []
    judged = list_verdicts(evaluation)
    if judged:
        grids += _grid_verdicts("Verdicts by kind and language", judged)
    probes = evaluation.probes
    if probes.polite is not None:
        grids.append(_grid_polite(probes.polite))
    if probes.dialogues is not None:
        followups = [(turn.question, turn.verdict) for turn in probes.dialogues.followups]
        grids += _grid_verdicts("Turns of dialogues after the first", followups)
    if probes.switch is not None:
        grids.append(_grid_switch(probes.switch))
    return grids


def make_tables(evaluation: Evaluation) -> list[Table]:
    """The grids for a terminal."""
    return [_make_table(grid) for grid in list_grids(evaluation)]


def describe_probes(probes: Probes) -> dict[str, Any]:
    """What the probes found, for summary.json; null for those that did not run."""
    return {
        "polite": probes.polite and {name: asdict(count) for name, count in probes.polite.templates.items()},
        "dialogues": probes.dialogues and _describe_dialogues(probes.dialogues),
        "switch": probes.switch
        and {
            "asked": probes.switch.asked,
            "joined": list(probes.switch.joined),
            "changed": probes.switch.changed,
            "broken": probes.switch.broken,
        },
    }


def describe_turn(turn: Turn) -> dict[str, Any]:
    """One turn of a dialogue, for dialogues.jsonl."""
    answer = turn.answer
    return {
        "id": turn.question.id,
        "dialogue": turn.dialogue,
        "kind": turn.question.kind,
        "question": turn.question.question,
        "standalone_question": answer and answer.standalone_question,
        "expected": turn.question.expected,
        "answer": answer and answer.text,
        "abstained": answer and answer.abstained,
        "verdict": turn.verdict,
        "error": turn.error,
    }


def _describe_dialogues(result: DialogueResult) -> dict[str, Any]:
    followups = [(turn.question, turn.verdict) for turn in result.followups]
    return {"followups": count_verdicts(followups), "skipped": result.skipped}


def _grid_verdicts(title: str, judged: Sequence[tuple[Question, Verdict]]) -> list[Grid]:
    """One table, and another for questions about the collection: either reply to those may be right."""
    facts = [pair for pair in judged if pair[1] not in _ABOUT]
    about = [pair for pair in judged if pair[1] in _ABOUT]
    parts = ((title, facts), (f"{title}: greetings, and what is asked about the collection", about))
    return [_grid_counts(name, pairs) for name, pairs in parts if pairs]


def _grid_counts(title: str, judged: Sequence[tuple[Question, Verdict]]) -> Grid:
    counted = count_verdicts(judged)
    given = {verdict for verdicts in counted["all"].values() for verdict in verdicts}
    shown = [verdict for verdict in VERDICTS if verdict in given]
    rows: list[tuple[str, ...]] = []
    ruled = set()
    for named in counted.values():
        rows += _count_rows(named, shown)
        ruled.add(len(rows) - 1)
    head = ("", "asked", *(VERDICT_WORDS[verdict] for verdict in shown))
    return Grid(title, head, tuple(rows), frozenset(ruled))


def _count_rows(named: Mapping[str, Verdicts], shown: Sequence[Verdict]) -> Iterable[tuple[str, ...]]:
    for name, verdicts in named.items():
        cells = (str(verdicts.get(verdict, 0)) for verdict in shown)
        yield (name, str(sum(verdicts.values())), *cells)


def _grid_polite(result: PoliteResult) -> Grid:
    rows = tuple(
        (name, str(count.asked), str(count.refused), str(count.lost), str(count.changed))
        for name, count in result.templates.items()
    )
    head = ("template", "asked", "refused", "lost", "changed text")
    return Grid("Courtesy around questions that are answered right when bare", head, rows)


def _grid_switch(result: SwitchResult) -> Grid:
    row = ("all", str(result.asked), str(len(result.joined)), str(result.changed), str(result.broken))
    return Grid(
        "Questions after an unrelated one", ("", "asked", "joined", "changed", "no longer right"), (row,)
    )


def _make_table(grid: Grid) -> Table:
    table = Table(title=grid.title, box=SIMPLE_HEAD, padding=0, show_edge=False)
    for at, name in enumerate(grid.head):
        table.add_column(name, justify="right" if at else "left", no_wrap=at == 0)
    for at, row in enumerate(grid.rows):
        table.add_row(*map(_printable, row), end_section=at in grid.ruled)
    return table


def _printable(text: str) -> str:
    """A name of a question file, without what a terminal would obey, nor the markup of the library that prints it."""
    return escape("".join(character if character.isprintable() else "�" for character in text))
