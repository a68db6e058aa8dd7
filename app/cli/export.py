"""`pgask export` and `pgask import`: one collection as one file, to another database and back."""

from __future__ import annotations

import os
import sys
import time
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from app.cli.opening import open_checked, read_settings
from app.cli.output import AsJson, print_json, printable
from app.cli.output import as_json as as_json_line
from app.errors import InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_STANDARD = Path("-")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("export", epilog="Example: pgask export handbook handbook.pgask")(export)
    app.command("import", epilog="Example: pgask import handbook.pgask --collection handbook-2")(import_)


def export(
    collection: Annotated[str, typer.Argument(help="The collection.")],
    file: Annotated[Path, typer.Argument(help="The file to write; - writes to standard output.")],
    overwrite: Annotated[bool, typer.Option(help="Replace the file where it is there.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write a collection to one file: texts, chunks, terms and vectors."""
    from app.store.connection import connect
    from app.store.exporting import export_collection

    began = time.monotonic()
    with (
        open_checked(read_settings()) as database,
        connect(database.app) as connection,
        _written(file, overwrite=overwrite) as stream,
    ):
        counted = export_collection(connection, collection, stream)
    told = {
        "collection": collection,
        "file": str(file),
        **counted,
        "seconds": round(time.monotonic() - began, 2),
    }
    if as_json:
        print(as_json_line(told), file=sys.stderr if file == _STANDARD else sys.stdout)
    elif file != _STANDARD:
        print(
            printable(
                f"wrote {collection} to {file}: {counted['documents']:,} documents, {counted['chunks']:,} chunks"
            )
        )


def import_(
    file: Annotated[Path, typer.Argument(help="A file that `pgask export` wrote; - reads standard input.")],
    collection: Annotated[str | None, typer.Option(help="Name for it; without, the one it had.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make a collection of a file. It is seen when all of it is there; run again, a killed import goes on."""
    from app.index import maintenance
    from app.index.manifest import IndexSettings
    from app.store.backgrounds import ensure_texts
    from app.store.chosen_model import ChosenModel
    from app.store.connection import connect
    from app.store.spaces import ensure_space
    from ingest.importing import import_collection
    from ingest.options import IngestOptions

    began = time.monotonic()
    settings = read_settings()
    with _read(file) as stream, open_checked(settings) as database, connect(database.owner) as owner:
        embedder = ChosenModel(settings).embedder(owner)
        space_id = ensure_space(owner, embedder.space)
        with connect(database.app) as connection:
            options = IngestOptions.from_settings(settings, prune=False)
            done = import_collection(
                connection, stream, collection, space_id, embedder, options=options, progress=_progress()
            )
        ensure_texts(owner, space_id, embedder)
        maintenance.maintain(owner, space_id, IndexSettings.from_settings(settings))
    if as_json:
        print_json(asdict(done) | {"seconds": round(time.monotonic() - began, 2)})
        return
    anew = f", {done.made_anew:,} of them made anew from their text" if done.made_anew else ""
    lost = f", {done.failed:,} that the embedding model can't read" if done.failed else ""
    print(
        printable(f"made {done.collection}: {done.documents:,} documents{anew}{lost}, {done.chunks:,} chunks")
    )


def _progress() -> Callable[[int, int], None]:
    """A line on a terminal that counts the documents; elsewhere nothing."""
    if not sys.stderr.isatty():
        return lambda _done, _of: None
    shown = 0.0

    def tell(done: int, of: int) -> None:
        nonlocal shown
        if done == of or time.monotonic() > shown + 0.2:
            shown = time.monotonic()
            print(f"\r{done:,} of {of:,} documents", end="\n" if done == of else "", file=sys.stderr)

    return tell


@contextmanager
def _written(file: Path, *, overwrite: bool) -> Iterator[IO[bytes]]:
    """The file to write, in place of the old one when all of it is there; others may not read it."""
    if file == _STANDARD:
        yield sys.stdout.buffer
        return
    if file.exists() and not overwrite:
        raise InvalidRequestError(f"{file} is there already. Name another file, or give --overwrite.")
    part = file.with_name(file.name + ".part")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(file)
    except OSError as error:
        raise InvalidRequestError(
            f"{file} can't be written: {error.strerror}.", code="file_refused"
        ) from error
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def _read(file: Path) -> Iterator[IO[bytes]]:
    if file == _STANDARD:
        yield sys.stdin.buffer
        return
    try:
        stream = file.open("rb")
    except OSError as error:
        raise InvalidRequestError(f"{file} can't be read: {error.strerror}.", code="file_refused") from error
    with stream:
        yield stream
