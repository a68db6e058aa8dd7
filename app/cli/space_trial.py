"""`pgask spaces evaluate`: the space that answers and the second one, asked the same questions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from app.cli.opening import read_settings
from app.cli.output import AsJson, print_json, print_table, printable
from app.cli.space_opening import fill, find_second_space, opened_alone, require_filled
from app.errors import InvalidRequestError, NotFoundError

if TYPE_CHECKING:
    from app.config import Settings
    from app.domain import ScoredChunk
    from app.embedding import Embedder
    from app.retrieval.retriever import Retriever
    from app.store.connection import AsyncPool, Connection, Database
    from app.store.evaluations import Trial
    from app.store.twins import SpaceState
    from app.trial.comparison import Found, Row
    from app.trial.gold import Case
    from app.trial.question_file import Question

MADE: Final = (
    300  # questions made from a collection's texts: a difference of .03 nDCG@10 can be told from chance
)
MOST_OF_A_SET: Final = 1_000
_PATIENCE_S: Final = 600  # of one statement: this is no request

Sets = Mapping[str, Sequence["Question"]]  # by the names of their files


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an evaluation found: its rows, and in one sentence."""

    serving: str
    second: str
    rows: Sequence[Row]

    @property
    def sentence(self) -> str:
        """The verdict in words."""
        from app.trial.comparison import in_words

        return in_words(self.rows, self.serving, self.second)

    @property
    def is_worse(self) -> bool:
        """Whether the second space is significantly worse."""
        from app.trial.comparison import overall

        return overall(self.rows) == "worse"

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        from app.trial.comparison import describe_row, overall

        return {
            "serving": self.serving,
            "second": self.second,
            "verdict": overall(self.rows),
            "sentence": self.sentence,
            "rows": [describe_row(row) for row in self.rows],
        }

    def show(self) -> None:
        """For people."""
        print_table(
            ("COLLECTION", "QUESTIONS", "N", "NDCG@10", "SECOND", "DIFFERENCE", "95 %", "P", "RECALL@10", "SECOND",
             "CHARS", "SECOND", "VERDICT"),
            (
                (
                    row.collection, row.name, row.ndcg.questions, _figure(row.ndcg.a), _figure(row.ndcg.b),
                    _figure(row.ndcg.difference, "+.3f"),
                    f"{_figure(row.ndcg.low, '+.3f')} to {_figure(row.ndcg.high, '+.3f')}", _figure(row.p, ".4f"),
                    _figure(row.recall.a), _figure(row.recall.b), round(row.chars[0]), round(row.chars[1]),
                    row.verdict if row.verdict != "none" else "too few",
                )
                for row in self.rows
            ),
        )  # fmt: skip
        print(printable(self.sentence))


def _figure(value: float | None, form: str = ".3f") -> str:
    return "–" if value is None else format(value, form)


def evaluate(
    collection: Annotated[str | None, typer.Argument(help="This collection alone; without, all.")] = None,
    questions: Annotated[
        list[Path] | None,
        typer.Option("--questions", exists=True, dir_okay=False, help="A question file of `rag-eval`; may be given "
                     "again. Questions that name no collection are asked of COLLECTION."),
    ] = None,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Compare the second space with the one that answers, on questions that readers rated, on question files, and on
    questions made from the texts. Exit code 1 if it is significantly worse, which `switch` then refuses."""
    from app.store.evaluations import list_trials

    settings = read_settings()
    sets = _read_sets(questions or [])
    with opened_alone(settings) as (database, owner):
        second = find_second_space(owner)
        require_filled(second)
        names = {trial.name for trial in list_trials(owner, second.id)}
        if not names or collection not in {None, *names}:
            named = "" if collection is None else f" {collection!r}"
            raise NotFoundError(
                f"There is no collection{named} with text to compare. `pgask collections` lists them."
            )
        verdict = try_second(
            database,
            owner,
            settings,
            second,
            wanted=lambda trial: collection in (None, trial.name),
            sets=sets,
            as_json=as_json,
        )
    if as_json:
        print_json(verdict.as_json())
    else:
        verdict.show()
    if verdict.is_worse:
        raise typer.Exit(1)


def try_second(
    database: Database,
    owner: Connection,
    settings: Settings,
    second: SpaceState,
    *,
    wanted: Callable[[Trial], bool],
    sets: Sets = MappingProxyType({}),
    as_json: bool,
) -> Verdict:
    """Fill what the second space lacks by now, ask both spaces about the collections that are `wanted`, and keep what
    was found for `switch`. Raises ConfigError and EmbeddingMismatchError where one of both models is not on this
    machine, and InvalidRequestError (`collection_needed`)."""
    from app.store.chosen_model import load_space
    from app.store.evaluations import keep_evaluation, list_trials
    from app.store.twins import find_serving, list_states, read_space
    from app.trial.comparison import describe_row, judge

    serving = find_serving(list_states(owner), second)
    asked_first = load_space(settings, read_space(owner, serving.id))
    asked_second = load_space(settings, read_space(owner, second.id))
    fill(owner, settings, asked_second, second.id, as_json=as_json)
    trials = [one for one in list_trials(owner, second.id) if wanted(one)]
    _check_sets(sets, [one.name for one in trials])
    found = asyncio.run(
        _ask_all(database, settings, (asked_first, asked_second), trials, sets, quiet=as_json)
    )
    names = _labels(trials)
    rows = judge(dict(zip(names, found, strict=True)))
    for name, trial in zip(names, trials, strict=True):
        keep_evaluation(owner, trial, [describe_row(row) for row in rows if row.collection == name])
    return Verdict(serving.model, second.model, rows)


def refuse_if_worse(trials: Sequence[Trial], second: str) -> None:
    """Raises InvalidRequestError (`space_is_worse`) where a kept evaluation says so."""
    worse = [
        f"{names} {row['ndcg@10']['difference']:+.3f} nDCG@10 on {row['questions']} questions (p {row['p']:.4f})"
        for trial in trials
        for row in trial.evaluation or ()
        if row["verdict"] == "worse"
        for names in [f"{row['collection']}, {row['questions_from']}:"]
    ]
    if worse:
        raise InvalidRequestError(
            f"{second} finds significantly less than the model that answers: {'; '.join(worse)}. `pgask spaces "
            "evaluate` shows all figures, `pgask spaces drop` gives it up, `pgask spaces switch --force` switches "
            "anyway.",
            code="space_is_worse",
        )


async def _ask_all(
    database: Database,
    settings: Settings,
    models: tuple[Embedder, Embedder],
    trials: Sequence[Trial],
    sets: Sets,
    *,
    quiet: bool,
) -> list[list[Found]]:
    """What both models found for all questions on each collection, asked by somebody who may read all of it."""
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress

    from app.retrieval.rerank import CrossEncoderReranker
    from app.retrieval.retriever import RetrievalSettings, Retriever
    from app.store.connection_pool import open_pool
    from app.store.tenancy import Scope, working_for
    from app.trial.comparison import ask_both

    console = Console(stderr=True)
    bar = Progress(*Progress.get_default_columns()[:2], MofNCompleteColumn(), console=console,
                   transient=True, disable=quiet or not console.is_terminal)  # fmt: skip
    reranker = CrossEncoderReranker.from_settings(settings)
    found: list[list[Found]] = []
    usual = RetrievalSettings.from_settings(settings)
    async with open_pool(database.app, size=3, statement_timeout_s=_PATIENCE_S) as pool:
        serving, second = (Retriever(pool, model, usual, None, reranker) for model in models)
        by_words = Retriever(pool, models[0], replace(usual, dense_weight=0.0))
        with bar:
            for trial in trials:
                task = bar.add_task(trial.name, total=None)

                def show(done: int, total: int, task: Any = task) -> None:
                    bar.update(task, completed=done, total=total)

                with working_for(Scope(trial.tenant_id, groups=None)):
                    cases = await _read_cases(pool, trial.name, sets, by_words)
                    found.append(await ask_both(serving, second, trial.name, cases, on_asked=show))
    return found


async def _read_cases(pool: AsyncPool, collection: str, sets: Sets, by_words: Retriever) -> list[Case]:
    """All questions on a collection: rated ones, those of sets, and made ones."""

    async def find_by_words(question: str) -> Sequence[ScoredChunk]:
        return (await by_words.retrieve(question, collection, 1)).hits

    from app.store.connection import transaction
    from app.trial.known_questions import KEPT, place_questions, read_kept
    from app.trial.made_questions import make_questions

    async with transaction(pool) as connection:
        kept = await read_kept(connection, collection)
        cases = await place_questions(connection, collection, KEPT, kept)
        for name, asked in sets.items():
            meant = [one for one in asked if one.collection in (None, collection)]
            cases += await place_questions(connection, collection, name, meant[:MOST_OF_A_SET])
        return cases + await make_questions(connection, collection, MADE, find_by_words)


def _read_sets(files: Sequence[Path]) -> Sets:
    from app.trial.question_file import load_questions

    return {file.name if len({one.name for one in files}) == len(files) else str(file): load_questions(file)
            for file in files}  # fmt: skip


def _check_sets(sets: Sets, names: Sequence[str]) -> None:
    unnamed = [name for name, asked in sets.items() if any(one.collection is None for one in asked)]
    if unnamed and len(set(names)) > 1:
        raise InvalidRequestError(
            f"The questions of {', '.join(unnamed)} name no collection, and there are several. Name the one that they "
            "ask: pgask spaces evaluate COLLECTION --questions FILE",
            code="collection_needed",
        )


def _labels(trials: Sequence[Trial]) -> list[str]:
    """What a collection is called in a report: with its tenant's number where several have one of this name."""
    names = [trial.name for trial in trials]
    return [
        trial.name if names.count(trial.name) == 1 else f"{trial.name} (tenant {trial.tenant_id})"
        for trial in trials
    ]
