"""Lists of documents: filtered, sorted, in pages, with counts. Async, in the caller's transaction.

Pages are cut by sort key and source, never by number: what comes and goes meanwhile neither repeats nor hides others.
Where several shelves of a collection are seen, a source may stand on more than one of them: then the id decides.
Every sort key is text that compares by code points, so that any cursor of the right form stands for some place.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal
from unicodedata import normalize

from psycopg import sql
from psycopg.rows import class_row

from app.errors import InvalidRequestError
from app.store.catalog import SUMMARY, DocumentSummary, find_shelf_ids
from app.store.connection import AsyncConnection

MAX_PAGE: Final = 1_000  # documents in one answer of list_documents
MAX_FOLDERS: Final = 1_000  # in one answer of count_facets

SortField = Literal["source", "title", "media_type", "language", "status", "pages", "chars", "updated_at"]

_LANGUAGES: Final = "coalesce(d.languages, ARRAY[d.language])"
_NUMBER: Final = "lpad({}::text, 12, '0')"
_KEYS: Final[Mapping[SortField, str]] = {
    "source": "''",
    "title": "left(lower(d.title), 500)",
    "media_type": "d.media_type",
    "language": "d.language",
    "status": "d.status",
    "pages": _NUMBER.format("jsonb_array_length(d.pages)"),
    "chars": _NUMBER.format("d.char_count"),
    "updated_at": "to_char(d.updated_at AT TIME ZONE 'UTC', 'YYYYMMDDHH24MISSUS')",
}
# The folder right below %(folder)s that a document lies in, NULL for one that lies in that folder itself
_SUBFOLDER: Final = (
    "CASE WHEN strpos(substr(d.source, length(%(folder)s) + 1), '/') > 0"
    " THEN %(folder)s || split_part(substr(d.source, length(%(folder)s) + 1), '/', 1) END"
)


@dataclass(frozen=True, slots=True)
class ListQuery:
    """Which documents of a collection, and in which order. `q` is looked for in names and titles, in any case; an empty
    tuple keeps all. `folder` is given without the slash at its end, and keeps what lies in it at any depth."""

    q: str = ""
    status: tuple[str, ...] = ()
    media_type: tuple[str, ...] = ()
    language: tuple[str, ...] = ()
    folder: str = ""
    sort: SortField = "source"
    descending: bool = False


@dataclass(frozen=True, slots=True)
class ListedDocument(DocumentSummary):
    """The same with the folder, or the file given by itself, that it was taken in from: for operators, not for whoever
    may ask."""

    root: str | None = None


@dataclass(frozen=True, slots=True)
class DocumentPage:
    """Documents in order, and the cursor of the next page (None: this was the last)."""

    documents: tuple[ListedDocument, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class FacetCount:
    """How many documents have this value."""

    value: str
    count: int


@dataclass(frozen=True, slots=True)
class Facets:
    """How many documents a list has, and how many each value would leave in it. A field's own filter does not count
    for that field. A document counts under each of its languages. `folder` has the folders right below the one that was
    asked for."""

    total: int
    status: tuple[FacetCount, ...]
    media_type: tuple[FacetCount, ...]
    language: tuple[FacetCount, ...]
    folder: tuple[FacetCount, ...]


@dataclass(slots=True)
class _Conditions:
    """SQL of our own over `pgask.documents d`, and the parameters that it names."""

    values: dict[str, Any]
    tests: list[str] = field(default_factory=lambda: ["d.status <> 'skipped'"])

    def add(self, test: str, **values: Any) -> None:
        self.tests.append(test)
        self.values |= values

    def joined(self) -> str:
        return " AND ".join(self.tests)


async def list_documents(
    connection: AsyncConnection,
    collection: str,
    limit: int,
    cursor: str | None = None,
    query: ListQuery = ListQuery(),
) -> DocumentPage:
    """A page of a collection's documents, after the one that `cursor` stands for.

    Raises NotFoundError (no such collection) and InvalidRequestError (a bad limit or cursor).
    """
    if not 1 <= limit <= MAX_PAGE:
        raise InvalidRequestError(f"A page has 1 to {MAX_PAGE:,} documents.")
    after = None if cursor is None else _decode_cursor(cursor)
    shelves = await find_shelf_ids(connection, collection)
    conditions = _conditions(shelves, query)
    key, way = f'({_KEYS[query.sort]}) COLLATE "C"', "DESC" if query.descending else "ASC"
    by = {} if query.sort == "source" else {"key": key}
    by |= {"after": "d.source"} | ({"number": 'd.id::text COLLATE "C"'} if len(shelves) > 1 else {})
    if after is not None:
        sign = "<" if query.descending else ">"
        places = ", ".join(f"%({name})s" for name in by)
        conditions.add(f"({', '.join(by.values())}) {sign} ({places})", **after)
    order = ", ".join(f"{column} {way}" for column in by.values())
    statement = (
        f"SELECT {SUMMARY}, {key} AS sort_key FROM pgask.documents d"  # noqa: S608 - constants only
        f" WHERE {conditions.joined()} ORDER BY {order} LIMIT %(rows)s"
    )
    async with connection.cursor(row_factory=class_row(_Keyed)) as rows:
        await rows.execute(sql.SQL(statement), conditions.values | {"rows": limit + 1})
        found = await rows.fetchall()
    more = len(found) > limit
    last = _encode_cursor(query, found[limit - 1]) if more else None
    return DocumentPage(tuple(one.listed() for one in found[:limit]), last)


async def count_facets(connection: AsyncConnection, collection: str, query: ListQuery) -> Facets:
    """Counts for the filters of a list. Raises NotFoundError."""
    shelves = await find_shelf_ids(connection, collection)

    async def count(column: str, other: ListQuery) -> tuple[FacetCount, ...]:
        conditions = _conditions(shelves, other)
        conditions.values["folder"] = _below(other.folder)
        statement = (
            f"SELECT value, count(*) FROM (SELECT {column} AS value FROM pgask.documents d"  # noqa: S608 - constants
            f" WHERE {conditions.joined()}) found WHERE value IS NOT NULL"
            f' GROUP BY value ORDER BY value COLLATE "C" LIMIT {MAX_FOLDERS}'
        )
        rows = await connection.execute(sql.SQL(statement), conditions.values)
        return tuple(FacetCount(*row) for row in await rows.fetchall())

    everything = await count("''", query)
    return Facets(
        total=everything[0].count if everything else 0,
        status=await count("d.status", replace(query, status=())),
        media_type=await count("d.media_type", replace(query, media_type=())),
        language=await count(f"unnest({_LANGUAGES})", replace(query, language=())),
        folder=await count(_SUBFOLDER, query),
    )


@dataclass(frozen=True, slots=True)
class _Keyed(ListedDocument):
    sort_key: str = ""

    def listed(self) -> ListedDocument:
        return ListedDocument(**{name: getattr(self, name) for name in _LISTED})


_LISTED: Final = (*DocumentSummary.__dataclass_fields__, "root")


def _conditions(shelves: list[int], query: ListQuery) -> _Conditions:
    conditions = _Conditions({"shelves": shelves, "shelf": shelves[0]})
    # Of one shelf the index gives the documents in order
    conditions.add("d.collection_id = " + ("%(shelf)s" if len(shelves) == 1 else "ANY(%(shelves)s)"))
    if query.q:
        conditions.add(
            "(strpos(lower(normalize(d.source, NFC)), lower(%(q)s)) > 0"
            " OR strpos(lower(normalize(d.title, NFC)), lower(%(q)s)) > 0)",
            q=normalize("NFC", query.q),
        )
    if query.status:
        conditions.add("d.status = ANY(%(status)s)", status=list(query.status))
    if query.media_type:
        conditions.add("d.media_type = ANY(%(media_type)s)", media_type=list(query.media_type))
    if query.language:
        conditions.add(f"{_LANGUAGES} && %(language)s", language=list(query.language))
    if below := _below(query.folder):
        # `source` sorts by code points, and the code point after the slash is the zero
        conditions.add(
            "d.source >= %(folder)s AND d.source < %(after_folder)s",
            folder=below,
            after_folder=f"{below[:-1]}0",
        )
    return conditions


def _below(folder: str) -> str:
    """What the names of a folder's documents begin with."""
    folder = folder.strip("/")
    return f"{folder}/" if folder else ""


def _encode_cursor(query: ListQuery, last: _Keyed) -> str:
    place = "\0".join(("" if query.sort == "source" else last.sort_key, last.source, last.id))
    return base64.urlsafe_b64encode(f"s:{place}".encode()).decode("ascii")


def _decode_cursor(cursor: str) -> dict[str, str]:
    """The sort key, the source and the id that a cursor stands for. One of the right form that nobody gave stands for
    some place in the list."""
    try:
        text = base64.b64decode(cursor.encode("ascii"), altchars=b"-_", validate=True).decode(
            "utf-8", "replace"
        )
    except (binascii.Error, ValueError):
        text = ""
    if not text.startswith("s:") or not {"+", "/"}.isdisjoint(cursor):
        raise InvalidRequestError(
            "The cursor is none that a list of documents gave. Start again without it.", code="bad_cursor"
        )
    parts = text.removeprefix("s:").split("\0", 2)
    key, source, number = parts if len(parts) == 3 else ("", parts[-1], "")
    return {"key": key, "after": source, "number": number.replace("\0", "\ufffd")}
