"""`pgask spaces`: another embedding model beside the one that answers: filled, compared, switched to, and back."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.opening import open_checked, read_settings
from app.cli.output import AsJson, print_json, print_table
from app.errors import InvalidRequestError

if TYPE_CHECKING:
    from app.config import Settings
    from app.embedding import SentenceTransformerEmbedder
    from app.store.connection import Connection
    from app.store.twins import SpaceState

_spaces = typer.Typer(
    help="Try another embedding model beside the one that answers, and switch to it.",
    invoke_without_command=True,
)


def register(app: typer.Typer) -> None:
    """Add the group."""
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

    with _opened(read_settings()) as owner:
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
    from app.index.maintenance import maintain
    from app.index.manifest import IndexSettings
    from app.store.backgrounds import ensure_texts
    from app.store.spaces import ensure_space
    from app.store.twins import find_second, list_states

    settings = read_settings()
    started = time.monotonic()
    with _opened(settings) as owner:
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
        stored = _fill(owner, settings, embedder, space_id, as_json=as_json)
        ensure_texts(owner, space_id, embedder)
        maintain(owner, space_id, IndexSettings.from_settings(settings))
        state = next(one for one in list_states(owner) if one.id == space_id)
    seconds = round(time.monotonic() - started, 1)
    if as_json:
        print_json(asdict(state) | {"state": _state(state), "documents_stored": stored, "seconds": seconds})
    elif state.collections:
        print(f"{state.model} answers already; nothing is to be filled.")
    else:
        print(
            f"{state.model} is filled: {stored} documents stored, {state.chunks:,} chunks in {seconds} s. "
            "`pgask spaces switch` makes it the one that answers."
        )


@_spaces.command("switch", epilog="Example: pgask spaces switch")
def switch_space(as_json: AsJson = False) -> None:
    """Make the second space the one that answers, at once and as a whole. Running services notice within seconds; the
    former space stays, and `back` returns to it."""
    _switch(as_json=as_json, only_former=False)


@_spaces.command("back", epilog="Example: pgask spaces back")
def back(as_json: AsJson = False) -> None:
    """Return to the space that answered before the last switch."""
    _switch(as_json=as_json, only_former=True)


@_spaces.command("drop", epilog="Example: pgask spaces drop --yes")
def drop_space(
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")] = False, as_json: AsJson = False
) -> None:
    """Delete the second space: all its chunks and vectors. Citations of answers that it gave still resolve."""
    from app.store.twins import drop

    with _opened(read_settings()) as owner:
        second = _second(owner)
        if not yes and not typer.confirm(f"Delete the {second.chunks:,} chunks of {second.model}?"):
            raise typer.Exit(1)
        chunks = drop(owner, second.id)
    if as_json:
        print_json({"dropped": second.model, "chunks": chunks})
    else:
        print(f"dropped {second.model} with {chunks:,} chunks")


def _switch(*, as_json: bool, only_former: bool) -> None:
    from app.index.maintenance import maintain
    from app.index.manifest import IndexSettings
    from app.store.chosen_model import load_space
    from app.store.twins import read_space, switch_when_filled

    settings = read_settings()
    with _opened(settings) as owner:
        second = _second(owner)
        if only_former and second.chosen_at is None:
            raise InvalidRequestError(
                f"{second.model} has never answered, so there is no way back to it. Go on to it: pgask spaces switch",
                code="no_former_space",
            )
        if second.unfilled:
            raise InvalidRequestError(
                f"{second.model} is not filled yet. Run again: pgask spaces add MODEL",
                code="space_not_filled",
            )

        def fill() -> None:
            embedder = load_space(settings, read_space(owner, second.id))
            _fill(owner, settings, embedder, second.id, as_json=as_json)
            maintain(owner, second.id, IndexSettings.from_settings(settings))

        switch_when_filled(owner, second.id, fill)
    if as_json:
        print_json({"answers": second.model, "space": second.id})
    else:
        print(f"{second.model} answers from now on; running services notice within seconds.")


def _fill(
    owner: Connection,
    settings: Settings,
    embedder: SentenceTransformerEmbedder,
    space_id: int,
    *,
    as_json: bool,
) -> int:
    """Fill all twins of a space. Returns how many documents were stored."""
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress, TimeRemainingColumn

    from ingest.filling import FillProgress, fill_space
    from ingest.options import IngestOptions

    console = Console(stderr=True)
    options = IngestOptions.from_settings(settings, prune=False)
    bar = Progress(*Progress.get_default_columns()[:2], MofNCompleteColumn(), TimeRemainingColumn(),
                   console=console, transient=True, disable=as_json or not console.is_terminal)  # fmt: skip

    def watch(name: str) -> FillProgress:
        task = bar.add_task(name, total=None)

        def show(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        return show

    with bar:
        return fill_space(owner, space_id, embedder, options, group_tokens=embedder.group_tokens, watch=watch)


@contextmanager
def _opened(settings: Settings) -> Iterator[Connection]:
    from app.store.connection import connect

    with open_checked(settings) as database, connect(database.owner) as owner:
        yield owner


def _second(owner: Connection) -> SpaceState:
    from app.store.twins import find_second, list_states

    second = find_second(list_states(owner))
    if second is None:
        raise InvalidRequestError(
            "There is no second space. Fill one first: pgask spaces add MODEL", code="no_second_space"
        )
    return second


def _state(state: SpaceState) -> str:
    if state.collections:
        return "answers"
    if state.twins:
        return "being filled" if state.unfilled else "former" if state.chosen_at else "filled"
    return "empty"
