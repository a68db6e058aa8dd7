"""`pgask documents` and `pgask collections`: what is in the database, and removing it."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Final

import typer

from app.cli.opening import open_checked, read_settings
from app.cli.output import AsJson, print_json, print_table, printable
from app.cli.transactions import in_transaction

if TYPE_CHECKING:
    from app.store.connection import AsyncConnection
    from app.store.listing import ListedDocument

Collection = Annotated[str, typer.Option(help="Collection that the documents are in.")]
DocumentName = Annotated[str, typer.Argument(help="A document's id, or its source in --collection.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")]

LOSSY: Final = "yes: more than a tenth of what a reader sees in it is in no answer"
UNREADABLE: Final = (
    "the embedding model can't read this document: words find it, meaning does not. Set PGASK_EMBEDDING_MODEL to a "
    "multilingual model, delete the collection and ingest it again"
)

_documents = typer.Typer(help="List, show and delete documents.", invoke_without_command=True)
_collections = typer.Typer(help="List, make and delete collections.", invoke_without_command=True)


def register(app: typer.Typer) -> None:
    """Add the groups."""
    app.add_typer(_documents, name="documents", epilog="Example: pgask documents list --collection default")
    app.add_typer(_collections, name="collections", epilog="Example: pgask collections create handbook")


@_documents.callback()
def _documents_alone(
    context: typer.Context, collection: Collection = "default", as_json: AsJson = False
) -> None:
    if context.invoked_subcommand is None:
        list_documents(collection, as_json)


@_collections.callback()
def _collections_alone(context: typer.Context, as_json: AsJson = False) -> None:
    if context.invoked_subcommand is None:
        list_collections(as_json)


@_documents.command("list", epilog="Example: pgask documents list --collection handbook --json")
def list_documents(collection: Collection = "default", as_json: AsJson = False) -> None:
    """List a collection's documents by source."""
    found = in_transaction(lambda connection: _all_documents(connection, collection))
    if as_json:
        print_json({"documents": [asdict(document) for document in found]})
        return
    print_table(
        ("SOURCE", "STATUS", "LANGUAGE", "CHARS", "CHUNKS", "ID", "ROOT"),
        (
            (d.source, _status(d), d.language, d.chars, d.chunks, d.id, d.root or "")
            for d in found
        ),
    )  # fmt: skip


def _status(document: ListedDocument) -> str:
    """The status, and the reason where it says more."""
    if document.reason in {None, document.status}:
        return document.status
    return f"{document.status} ({document.reason})"


@_documents.command("show", epilog="Example: pgask documents show en/chunking.md")
def show_document(
    document: DocumentName, collection: Collection = "default", as_json: AsJson = False
) -> None:
    """Show everything about a document but its text."""
    from app.store import catalog

    async def read(connection: AsyncConnection) -> catalog.RootedDetail:
        return await catalog.get_document(connection, await _id(connection, document, collection))

    detail = in_transaction(read)
    shown = asdict(detail) | {
        "sections": [(one.char_start, one.char_end, one.heading_path) for one in detail.sections],
        "page_spans": [(one.number, one.char_start, one.char_end) for one in detail.page_spans],
    }
    if as_json:
        print_json(shown)
        return
    in_words: dict[str, object] = {
        "dropped": ", ".join(f"{kind} {count:,}" for kind, count in sorted(detail.dropped.items())),
        "unknown_share": None if detail.unknown_share is None else f"{detail.unknown_share:.1%}",
        "is_unreadable": UNREADABLE if detail.is_unreadable else None,
        "lost_share": f"{detail.lost_share:.1%}" if detail.dropped else None,
        "is_lossy": LOSSY if detail.is_lossy else None,
        "readers": ", ".join(detail.readers),
        "sections": None,
        "page_spans": None,  # as many lines as pages: --json has them
    }
    for name, value in (shown | in_words).items():
        if value not in (None, "", {}):
            print(printable(f"{name:<15} {value}"))
    for one in detail.sections:
        path = " › ".join(one.heading_path)
        print(printable(f"section         {one.char_start}-{one.char_end}  {path}"))


@_documents.command("delete", epilog="Example: pgask documents delete en/chunking.md --yes")
def delete_document(
    document: Annotated[
        str | None, typer.Argument(help="A document's id, or its source in --collection.")
    ] = None,
    collection: Collection = "default",
    sender: Annotated[
        str | None, typer.Option(help="In place of a document: all that this account uploaded.")
    ] = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Delete a document, or all that an account uploaded, with all that makes it searchable. A file stays in its
    folder: ingest takes it in again."""
    from app.store import catalog

    if (document is None) == (sender is None):
        raise typer.BadParameter("Name a document, or an account by --sender.")
    if sender is not None:
        _delete_sent(sender, collection, yes=yes, as_json=as_json)
        return
    assert document is not None
    _confirm(f"Delete {document}?", yes=yes)

    async def delete(connection: AsyncConnection) -> str:
        found = await _id(connection, document, collection)
        await catalog.delete_document(connection, found)
        return found

    deleted = in_transaction(delete)
    if as_json:
        print_json({"deleted": deleted})
    else:
        print(f"deleted {printable(document)}")


def _delete_sent(sender: str, collection: str, *, yes: bool, as_json: bool) -> None:
    from app.store import catalog

    _confirm(f"Delete all that {sender} uploaded into {collection}?", yes=yes)
    documents = in_transaction(lambda connection: catalog.delete_sent(connection, collection, sender))
    if as_json:
        print_json({"sender": sender, "documents": documents})
    else:
        print(f"deleted {documents} documents that {printable(sender)} uploaded")


@_collections.command("list", epilog="Example: pgask collections list")
def list_collections(as_json: AsJson = False) -> None:
    """List the collections."""
    from app.store import catalog

    found = in_transaction(catalog.list_collections)
    if as_json:
        print_json({"collections": [asdict(collection) for collection in found]})
        return
    print_table(
        ("NAME", "DOCUMENTS", "CHUNKS", "MODEL"), ((c.name, c.documents, c.chunks, c.model) for c in found)
    )
    if not found:
        print("There is none yet: ingest ./docs --collection NAME makes one.")


@_collections.command("create", epilog="Example: pgask collections create handbook")
def create_collection(
    name: Annotated[str, typer.Argument(help="1 to 64 letters, digits, _, -, . or inner spaces.")],
    description: Annotated[str, typer.Option(help="What it holds, for people who choose one.")] = "",
    as_json: AsJson = False,
) -> None:
    """Make an empty collection for the embedding model that answers (ingest makes one by itself)."""
    from app.store import catalog
    from app.store.chosen_model import space_in_use
    from app.store.connection import connect

    settings = read_settings()
    with open_checked(settings) as database, connect(database.app) as connection:
        space = space_in_use(settings, connection)
    made = in_transaction(lambda connection: catalog.create_collection(connection, name, space, description))
    if as_json:
        print_json(asdict(made))
    else:
        print(f"made {name}")


@_collections.command("delete", epilog="Example: pgask collections delete handbook --yes")
def delete_collection(
    name: Annotated[str, typer.Argument(help="The collection.")], yes: Yes = False, as_json: AsJson = False
) -> None:
    """Delete a collection with all its documents."""
    from app.store import catalog

    _confirm(f"Delete the collection {name} with all its documents?", yes=yes)
    documents = in_transaction(lambda connection: catalog.delete_collection(connection, name))
    if as_json:
        print_json({"deleted": name, "documents": documents})
    else:
        print(f"deleted {name} with {documents} documents")


async def _all_documents(connection: AsyncConnection, collection: str) -> list[ListedDocument]:
    from app.store import listing

    found: list[ListedDocument] = []
    cursor: str | None = None
    while True:
        page = await listing.list_documents(connection, collection, listing.MAX_PAGE, cursor)
        found += page.documents
        cursor = page.next_cursor
        if cursor is None:
            return found


async def _id(connection: AsyncConnection, document: str, collection: str) -> str:
    """The id that a document's name stands for: itself, or that of the source. Raises NotFoundError."""
    from uuid import UUID

    from app.store import catalog

    try:
        return str(UUID(document))
    except ValueError:
        return await catalog.find_document(connection, collection, document)


def _confirm(question: str, *, yes: bool) -> None:
    if not yes:
        typer.confirm(printable(question), abort=True, err=True)
