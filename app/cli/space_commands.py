"""`pgask spaces`: another embedding model beside the one that answers: filled, compared, switched to, and back."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli import space_trial
from app.cli.opening import read_settings
from app.cli.output import AsJson, print_json, print_table
from app.cli.space_opening import fill, find_second_space, opened, opened_alone, require_filled
from app.errors import InvalidRequestError

if TYPE_CHECKING:
    from app.config import Settings
    from app.store.connection import Connection, Database
    from app.store.twins import SpaceState

_spaces = typer.Typer(
    help="Try another embedding model beside the one that answers, and switch to it.",
    invoke_without_command=True,
)


def register(app: typer.Typer) -> None:
    """Add the group."""
    _spaces.command("evaluate", epilog="Example: pgask spaces evaluate handbook --questions questions.jsonl")(
        space_trial.evaluate
    )
    app.add_typer(
        _spaces, name="spaces", epilog="Example: pgask spaces add multilingual && pgask spaces switch"
    )


@_spaces.callback()
def _spaces_alone(context: typer.Context, as_json: AsJson = False) -> None:
    if context.invoked_subcommand is None:
        list_spaces(as_json)


@_spaces.command("list", epilog="Example: pgask spaces list --json")
def list_spaces(as_json: AsJson = False) -> None:
    """List the embedding spaces: which model answers, and which one is filled beside it."""
    from app.store.twins import list_states

    with opened(read_settings()) as (_, owner):
        states = list_states(owner)
    if as_json:
        print_json({"spaces": [asdict(state) | {"state": _state(state)} for state in states]})
        return
    print_table(
        ("ID", "MODEL", "DIMENSIONS", "STATE", "COLLECTIONS", "CHUNKS"),
        (
            (one.id, one.model, one.dimension, _state(one), one.collections or one.twins, one.chunks)
            for one in states
        ),
    )


@_spaces.command("add", epilog="Example: pgask spaces add multilingual")
def add(
    model: Annotated[str, typer.Argument(help="english, multilingual, a folder, or a name, as in "
                                              "PGASK_EMBEDDING_MODEL.")],
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Fill a second space with another model, from the stored texts, while the first one answers. Interrupted, the same
    command goes on where it was; later, it takes in what has changed."""
    from app.embedding import SentenceTransformerEmbedder
    from app.store.evaluations import forget_evaluations
    from app.store.spaces import ensure_space
    from app.store.twins import find_second, list_states

    settings = read_settings()
    started = time.monotonic()
    with opened_alone(settings) as (_, owner):
        embedder = SentenceTransformerEmbedder(
            model,
            device=settings.embedding_device,
            dtype=settings.embedding_dtype,
            runtime=settings.embedding_runtime,
            cache=settings.home / "models",
        )
        second = find_second(list_states(owner))
        space_id = ensure_space(owner, embedder.space)
        if second is not None and second.id != space_id:
            raise InvalidRequestError(
                f"{second.model} is beside the model that answers already, and there can be one. Drop it first: "
                "pgask spaces drop",
                code="second_space",
            )
        embedder.load()
        forget_evaluations(owner, space_id)
        stored = fill(owner, settings, embedder, space_id, as_json=as_json)
        state = next(one for one in list_states(owner) if one.id == space_id)
    seconds = round(time.monotonic() - started, 1)
    if as_json:
        print_json(asdict(state) | {"state": _state(state), "documents_stored": stored, "seconds": seconds})
    elif state.collections:
        print(f"{state.model} answers already; nothing is to be filled.")
    else:
        print(
            f"{state.model} is filled: {stored} documents stored, {state.chunks:,} chunks in {seconds} s. "
            "`pgask spaces evaluate` compares it with the one that answers, `pgask spaces switch` makes it that."
        )


@_spaces.command("switch", epilog="Example: pgask spaces switch")
def switch_space(
    force: Annotated[bool, typer.Option("--force", help="Switch without asking how it compares.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make the second space the one that answers, at once and as a whole. It is evaluated where it was not since
    the last `add`, and refused where it is significantly worse. Running services notice within seconds; the former
    space stays, and `back` returns to it."""
    settings = read_settings()
    with opened_alone(settings) as (database, owner):
        second = find_second_space(owner)
        require_filled(second)
        if not force:
            _ask_trials(database, owner, settings, second, as_json=as_json)
        _switch(owner, settings, second, as_json=as_json)


@_spaces.command("back", epilog="Example: pgask spaces back")
def back(as_json: AsJson = False) -> None:
    """Return to the space that answered before the last switch, however it compares."""
    settings = read_settings()
    with opened_alone(settings) as (_, owner):
        second = find_second_space(owner)
        if second.chosen_at is None:
            raise InvalidRequestError(
                f"{second.model} has never answered, so there is no way back to it. Go on to it: pgask spaces switch",
                code="no_former_space",
            )
        require_filled(second)
        _switch(owner, settings, second, as_json=as_json)


@_spaces.command("drop", epilog="Example: pgask spaces drop --yes")
def drop_space(
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")] = False, as_json: AsJson = False
) -> None:
    """Delete the second space: all its chunks and vectors. Citations of answers that it gave still resolve."""
    from app.store.twins import drop

    with opened_alone(read_settings()) as (_, owner):
        second = find_second_space(owner)
        if not yes and not typer.confirm(f"Delete the {second.chunks:,} chunks of {second.model}?"):
            raise typer.Exit(1)
        chunks = drop(owner, second.id)
    if as_json:
        print_json({"dropped": second.model, "chunks": chunks})
    else:
        print(f"dropped {second.model} with {chunks:,} chunks")


def _ask_trials(
    database: Database, owner: Connection, settings: Settings, second: SpaceState, *, as_json: bool
) -> None:
    """Evaluate the collections that were not since the last `add`. Raises InvalidRequestError where one is worse."""
    from app.store.evaluations import list_trials

    if any(trial.evaluation is None for trial in list_trials(owner, second.id)):
        verdict = space_trial.try_second(
            database, owner, settings, second, wanted=lambda trial: trial.evaluation is None, as_json=as_json
        )
        if not as_json:
            verdict.show()
    space_trial.refuse_if_worse(list_trials(owner, second.id), second.model)


def _switch(owner: Connection, settings: Settings, second: SpaceState, *, as_json: bool) -> None:
    from app.store.chosen_model import load_space
    from app.store.twins import read_space, switch_when_filled

    def fill_rest() -> None:
        fill(owner, settings, load_space(settings, read_space(owner, second.id)), second.id, as_json=as_json)

    switch_when_filled(owner, second.id, fill_rest)
    if as_json:
        print_json({"answers": second.model, "space": second.id})
    else:
        print(f"{second.model} answers from now on; running services notice within seconds.")


def _state(state: SpaceState) -> str:
    if state.collections:
        return "answers"
    if state.twins:
        return "being filled" if state.unfilled else "former" if state.chosen_at else "filled"
    return "empty"
