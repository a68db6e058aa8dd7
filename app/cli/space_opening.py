"""What the commands of `pgask spaces` have in common: one of them at a time, the second space, and its fill."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from app.cli.opening import open_checked
from app.errors import InvalidRequestError

if TYPE_CHECKING:
    from app.config import Settings
    from app.embedding import SentenceTransformerEmbedder
    from app.store.connection import Connection, Database
    from app.store.twins import SpaceState


@contextmanager
def opened(settings: Settings) -> Iterator[tuple[Database, Connection]]:
    """The database, with a connection of the schema's owner."""
    from app.store.connection import connect

    with open_checked(settings) as database, connect(database.owner) as owner:
        yield database, owner


@contextmanager
def opened_alone(settings: Settings) -> Iterator[tuple[Database, Connection]]:
    """The same for a command that changes spaces. Raises InvalidRequestError (`spaces_busy`) where another one is at
    it; a killed one is not."""
    with opened(settings) as (database, owner):
        if owner.execute("SELECT pg_try_advisory_lock(hashtext('pgask.spaces'))").fetchone() != (True,):
            raise InvalidRequestError(
                "Another `pgask spaces` command is at work on this database. Let it end, and try again.",
                code="spaces_busy",
            )
        yield database, owner


def find_second_space(owner: Connection) -> SpaceState:
    """The space beside the one that answers. Raises InvalidRequestError (`no_second_space`)."""
    from app.store.twins import find_second, list_states

    second = find_second(list_states(owner))
    if second is None:
        raise InvalidRequestError(
            "There is no second space. Fill one first: pgask spaces add MODEL", code="no_second_space"
        )
    return second


def require_filled(second: SpaceState) -> None:
    """Raises InvalidRequestError (`space_not_filled`) where the first fill of a space has not ended."""
    if second.unfilled:
        raise InvalidRequestError(
            f"{second.model} is not filled yet. Run again: pgask spaces add MODEL", code="space_not_filled"
        )


def fill(
    owner: Connection,
    settings: Settings,
    embedder: SentenceTransformerEmbedder,
    space_id: int,
    *,
    as_json: bool,
) -> int:
    """Fill all twins of a space, with a bar where somebody looks, and see to its index. Returns how many documents were
    stored."""
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress, TimeRemainingColumn

    from app.index.maintenance import maintain
    from app.index.manifest import IndexSettings
    from app.store.backgrounds import ensure_texts
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
        stored = fill_space(
            owner, space_id, embedder, options, group_tokens=embedder.group_tokens, watch=watch
        )
    ensure_texts(owner, space_id, embedder)
    maintain(owner, space_id, IndexSettings.from_settings(settings))
    return stored
