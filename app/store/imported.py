"""Lines of an exported file → rows of a collection that nobody sees until all of it is there. Sync; used by ingest.

One transaction a document, committed when its sum is right. A killed import goes on with what is missing. Values of a
file are checked before they become rows: a file may be anybody's.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Annotated, Any, Final, LiteralString, TypeVar
from uuid import UUID

import numpy as np
import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from app.embedding import FloatMatrix
from app.errors import InvalidRequestError, StoreBusyError
from app.lexicon import MAX_TERM_CHARS
from app.sqlstates import all_errors, store_errors
from app.store.binary_copy import POSTING_COLUMNS, in_blocks, pack_postings, pack_vectors
from app.store.connection import Connection
from app.store.export_lines import Line, corrupt
from app.store.exporting import FORMERLY_WRITTEN, LEFT_OUT
from app.store.originals import PART_BYTES
from app.store.schema_names import SCHEMA, VECTOR_SCHEMA
from app.store.shelves import MOST_GROUPS, Readers, read_groups
from app.store.sources import MAX_SOURCE_BYTES
from app.store.spaces import COLLECTION_NAME, Collection
from app.store.staging import staged_copy
from app.store.texts import PART_CHARS

LEFTOVERS_DAYS: Final = 7
UNIT_WITHIN: Final = 0.02  # what 16 bits a number leave of a unit vector's length is far nearer
_CHUNK_COLUMNS: Final = (
    "chunk_index, char_start, char_end, token_count, term_count, page, heading, places, sentences, window_start,"
    " window_end, windows_shared, language"
)
Count = Annotated[int, Field(ge=0, le=2**31 - 1, strict=True)]
# Fails at the first value that does not fit: a file of kilobytes can unpack to millions, each with a report of its own
T = TypeVar("T")
Many = Annotated[list[T], Field(fail_fast=True)]
# Years of four digits alone: PostgreSQL knows others, and infinity, which Python can't read back
Moment = Annotated[
    str, Field(pattern=r"^[12]\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d(:\d\d){0,2})$")
]
Share = Annotated[float, Field(ge=0, le=1)]
MAX_TITLE_CHARS: Final = 100_000


def _in_order(span: tuple[int, int]) -> tuple[int, int]:
    if span[0] > span[1]:
        raise ValueError("ends before it begins")
    return span


Span = Annotated[tuple[Count, Count], AfterValidator(_in_order)]
_Place = tuple[Count, Count | None, str | None] | tuple[Count, Count | None, str | None, Share]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class SpaceFields(_Strict):
    """The embedding space that a file's vectors are of."""

    model: str
    weights_sha256: str
    dimension: Annotated[int, Field(ge=1, le=16_000)]
    query_prefix: str
    passage_prefix: str
    pooling: str
    normalized: bool


class _Cosines(_Strict):
    languages: Annotated[str, Field(max_length=100)]
    pairs: Count
    mean: float
    deviation: float


class _Background(_Strict):
    """What cosines are like in the collection (app/index/background.py), which decides when it is measured anew."""

    chunks: Count
    windows: Count
    measured_at: Annotated[str, Field(max_length=100)]
    cosines: Annotated[Many[_Cosines], Field(max_length=10_000)]


class Header(BaseModel):
    """The first line of a file."""

    export_id: UUID
    collection: str
    space: SpaceFields
    lexicon_version: Count
    documents: Count
    chunks: Annotated[int, Field(ge=0)]
    background: _Background | None = None
    background_version: Annotated[int, Field(ge=0, le=2**30, strict=True)] = 0  # each measurement adds one


class DocumentRow(BaseModel):
    """What is read of a document's row; the other columns go to the database as they are."""

    source: Annotated[str, Field(min_length=1, max_length=MAX_SOURCE_BYTES)]
    status: str
    title: Annotated[str, Field(max_length=MAX_TITLE_CHARS)]
    media_type: str
    language: Annotated[str, Field(max_length=100)]
    languages: Annotated[Many[Annotated[str, Field(max_length=100)]], Field(max_length=1_000)] | None = None
    created_at: Moment
    updated_at: Moment
    token_count: Count
    unknown_tokens: Count
    char_count: Count
    chunk_count: Count
    size_bytes: Annotated[int, Field(ge=0, lt=2**63)]
    content_sha256: str | None
    pipeline: Annotated[str | None, Field(max_length=200)]
    pages: Many[tuple[Count, Count, Count] | tuple[Count, Count, Count, Share]]
    sections: Many[tuple[Count, Count, Many[str]] | tuple[Count, Count, Many[str], str | None]]
    metadata: dict[str, Any]
    dropped: dict[str, Count]
    signature_bands: Many[Annotated[int, Field(ge=-(2**63), lt=2**63, strict=True)]] | None = None
    window_hashes: Annotated[str | None, Field(pattern=r"^\\x([0-9a-f]{32})*$")]

    @model_validator(mode="after")
    def _lies_in_its_text(self) -> DocumentRow:
        spans = [page[1:3] for page in self.pages] + [section[:2] for section in self.sections]
        numbers = [page[0] for page in self.pages]
        if any(not start <= end <= self.char_count for start, end in spans):
            raise ValueError("outside of the text")
        if any(one >= other for one, other in pairwise([0, *numbers, 2**31 - 1])):
            raise ValueError("pages out of order")
        if self.unknown_tokens > self.token_count:
            raise ValueError("more tokens unknown than there are")
        return self


class _DocumentLine(_Strict):
    kind: str
    id: UUID
    row: dict[str, Any]
    duplicate_of: str | None
    background: Many[Count]
    readers: Annotated[Many[str], Field(max_length=MOST_GROUPS)] = []


class _TextsLine(_Strict):
    kind: str
    first: Count
    texts: Many[Annotated[str, Field(min_length=1, max_length=PART_CHARS)]]


class PageRow(_Strict):
    """Where the lines of a page stand."""

    page: Count
    width: Count
    height: Count
    lines: Many[Annotated[int, Field(ge=-(2**31), lt=2**31)]]

    @model_validator(mode="after")
    def _is_six_a_line(self) -> PageRow:
        if len(self.lines) % 6 or any(
            not 0 <= a <= b for a, b in zip(self.lines[::6], self.lines[1::6], strict=True)
        ):
            raise ValueError("lines that are none")
        return self


class _PagesLine(_Strict):
    kind: str
    rows: Many[PageRow]


class _WindowsLine(_Strict):
    kind: str
    first: Count
    spans: Many[Span]
    vectors: str


class _ChunkRow(_Strict):
    chunk_index: Count
    char_start: Count
    char_end: Count
    token_count: Count
    term_count: Annotated[int, Field(ge=0, lt=2**17, strict=True)]  # so many bits a merged posting has for it
    page: Count | None
    heading: str | None
    places: Many[_Place]
    sentences: Many[Count]
    window_start: Count
    window_end: Count
    windows_shared: Count
    language: str | None = None


_Posting = tuple[
    Annotated[str, Field(min_length=1, max_length=MAX_TERM_CHARS)],
    Annotated[int, Field(ge=1, le=32_767)],
    Annotated[str, Field(pattern="^([0-9a-f]{2})*$")],
]


class _ChunksLine(_Strict):
    kind: str
    rows: Many[_ChunkRow]
    postings: Many[Many[_Posting]]
    vectors: str


class _OriginalLine(_Strict):
    kind: str
    name: Annotated[str, Field(min_length=1, max_length=1_024)]
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    size_bytes: Annotated[int, Field(ge=0, lt=2**63)]


class _OriginalPartLine(_Strict):
    kind: str
    part: Count
    bytes: str


_LINES: Final[Mapping[str, TypeAdapter[Any]]] = {
    kind: TypeAdapter(of)
    for kind, of in {
        "document": _DocumentLine,
        "texts": _TextsLine,
        "page_lines": _PagesLine,
        "windows": _WindowsLine,
        "chunks": _ChunksLine,
        "original": _OriginalLine,
        "original_part": _OriginalPartLine,
    }.items()
}


@dataclass(slots=True)
class _Begun:
    """How far a document has come."""

    row: DocumentRow
    document_id: UUID
    background: Sequence[int]
    chars: int = 0
    windows: int = 0
    chunks: int = 0


@dataclass(slots=True)
class Gathered:
    """A document read whole, whose vectors or terms have to be made anew."""

    row: DocumentRow
    line: Line
    background: Sequence[int] = ()
    texts: list[str] = field(default_factory=list)
    pages: list[PageRow] = field(default_factory=list)
    vectors: list[FloatMatrix] = field(default_factory=list)


def read_header(value: Mapping[str, Any]) -> Header:
    """The first line's values. Raises InvalidRequestError."""
    try:
        return Header.model_validate(value)
    except ValidationError as error:
        raise corrupt(f"its first line lacks or misspells {_where(error)}") from None


def read_line(line: Line) -> Any:
    """A line of a document by its form. Raises InvalidRequestError."""
    adapter = _LINES.get(str(line.value.get("kind")))
    if adapter is None:
        raise corrupt("it holds a line of no known kind")
    try:
        return adapter.validate_python(line.value)
    except ValidationError as error:
        raise corrupt(f"{line.value['kind']}: {_where(error)} has no value that fits") from None


def read_readers(line: _DocumentLine) -> Readers:
    """Who may read a document. Raises InvalidRequestError."""
    try:
        return read_groups(line.readers)
    except InvalidRequestError:
        raise corrupt("document: readers has no value that fits") from None


def read_row(line: Line) -> DocumentRow:
    """The row of a `document` line. Raises InvalidRequestError."""
    try:
        return DocumentRow.model_validate(line.value.get("row"))
    except ValidationError as error:
        raise corrupt(f"document: {_where(error)} has no value that fits") from None


def _where(error: ValidationError) -> str:
    found = error.errors(include_url=False, include_context=False, include_input=False)
    place = ".".join(str(part) for part in found[0]["loc"])[:60]
    return "".join(c if c.isprintable() else "�" for c in place) or "a value"


def _unpacked(packed: str) -> bytes:
    try:
        return base64.b64decode(packed, validate=True)
    except (binascii.Error, ValueError):
        raise corrupt("bytes that can't be unpacked") from None


def vectors_of(packed: str, rows: int, dimension: int, *, half: bool) -> FloatMatrix:
    """Packed vectors as float32 (rows, dimension). Raises InvalidRequestError."""
    data = _unpacked(packed)
    kind = np.dtype(">f2" if half else ">f4")
    if len(data) != rows * dimension * kind.itemsize:
        raise corrupt(f"vectors that have no {dimension} numbers each")
    found: FloatMatrix = np.frombuffer(data, dtype=kind).astype(np.float32).reshape(rows, dimension)
    if not np.isfinite(found).all():
        raise corrupt("vectors that hold no numbers")
    # One of no length is near to nothing and, as PostgreSQL sorts, before everything
    if not (np.abs(np.linalg.norm(found.astype(np.float64), axis=1) - 1) < UNIT_WITHIN).all():
        raise corrupt("vectors that are not of length one")
    return found


@contextmanager
def staged(
    connection: Connection, header: Header, name: str, space_id: int, lexicon_version: int
) -> Iterator[Collection]:
    """A hidden collection to import into, the one of an earlier, killed import of the same file where there is one;
    nobody else imports into it meanwhile. It goes where the file turns out to be none; other errors leave it, and the
    next import goes on.

    Raises InvalidRequestError (a bad name, or one that is there), StoreBusyError.
    """
    if not COLLECTION_NAME.fullmatch(name):
        raise InvalidRequestError(
            "A collection's name has 1 to 64 letters, digits, '_', '-', '.' or inner spaces, and starts and ends with "
            "a letter or digit. Name another by --collection NAME."
        )
    with all_errors():
        _check_free(connection, name)
        hidden = f"importing {header.export_id} {hashlib.sha256(name.encode()).hexdigest()[:8]}"
        locked = connection.execute(
            "SELECT pg_try_advisory_lock(hashtext('pgask.importing'), hashtext(%s))", [hidden]
        ).fetchone()
        if locked != (True,):
            raise StoreBusyError("Another process imports this file just now. Wait for it, or end it.")
        try:
            _forget_leftovers(connection, hidden)
            yield _make(connection, hidden, space_id, lexicon_version)
        except InvalidRequestError:
            connection.rollback()
            drop(connection, hidden)
            raise
        finally:
            if not connection.broken and not connection.closed:
                connection.rollback()
                connection.execute(
                    "SELECT pg_advisory_unlock(hashtext('pgask.importing'), hashtext(%s))", [hidden]
                )


def _check_free(connection: Connection, name: str) -> None:
    if connection.execute("SELECT FROM pgask.collections WHERE name = %s", [name]).fetchone() is not None:
        raise InvalidRequestError(
            f"There is a collection {name!r} already. Choose another name (--collection NAME), or delete that one: "
            f"pgask collections delete {name}",
            code="collection_exists",
        )


def _make(connection: Connection, hidden: str, space_id: int, lexicon_version: int) -> Collection:
    connection.execute(
        "INSERT INTO pgask.collections (name, space_id, lexicon_version, importing) VALUES (%s, %s, %s, true)"
        " ON CONFLICT DO NOTHING",
        [hidden, space_id, lexicon_version],
    )
    row = connection.execute(
        "SELECT id, space_id, lexicon_version, description <> '' OR NOT EXISTS (SELECT FROM pgask.documents d"
        "  JOIN pgask.collections s ON s.id = d.collection_id WHERE s.name = c.name AND s.importing)"
        " FROM pgask.collections c WHERE name = %s AND importing AND readers IS NULL",
        [hidden],
    ).fetchone()
    assert row is not None
    if row[1:] != (
        space_id,
        lexicon_version,
        True,
    ):  # begun with another model, or by a version that noted no sums
        drop(connection, hidden)
        return _make(connection, hidden, space_id, lexicon_version)
    return Collection(row[0], hidden, space_id, lexicon_version)


def _forget_leftovers(connection: Connection, hidden: str) -> None:
    """What imports have left that were killed long ago and are not running."""
    rows = connection.execute(
        "SELECT name FROM pgask.collections WHERE importing AND name <> %s"
        " AND created_at < now() - %s * interval '1 day'"
        " AND pg_try_advisory_xact_lock(hashtext('pgask.importing'), hashtext(name))",
        [hidden, LEFTOVERS_DAYS],
    ).fetchall()
    for (name,) in rows:
        drop(connection, name)


def drop(connection: Connection, hidden: str) -> None:
    """Delete what was imported."""
    with connection.transaction():
        connection.execute(
            "DELETE FROM pgask.documents WHERE collection_id IN (SELECT id FROM pgask.collections"
            " WHERE name = %s AND importing)",
            [hidden],
        )
        connection.execute("DELETE FROM pgask.collections WHERE name = %s AND importing", [hidden])


@dataclass(frozen=True, slots=True)
class Stored:
    """What an earlier, killed import has stored: the file's first `documents`, and the sum of all lines up to there. It
    stands where the description of a collection does, which one that nobody sees has none of."""

    documents: int = 0
    read_sum: str = ""


def stored_so_far(connection: Connection, collection: Collection) -> Stored:
    """What is there of the file."""
    row = connection.execute(
        "SELECT description FROM pgask.collections WHERE id = %s", [collection.id]
    ).fetchone()
    documents, _, read_sum = ("" if row is None else str(row[0])).partition(" ")
    return Stored(int(documents), read_sum) if documents.isdecimal() else Stored()


def note_stored(connection: Connection, collection: Collection, stored: Stored) -> None:
    """Note, in the transaction of the last one, how many documents are there."""
    connection.execute(
        "UPDATE pgask.collections SET description = %s WHERE id = %s",
        [f"{stored.documents} {stored.read_sum}", collection.id],
    )


def other_file() -> InvalidRequestError:
    """The refusal of a file that is not the one whose import was killed, though it says so."""
    return InvalidRequestError(
        "An import of another file that calls itself the same was killed, and what it stored is not what this one "
        "begins with. That has been removed: run the command again to import this file from its beginning.",
        code="import_other_file",
    )


@contextmanager
def refusals() -> Iterator[None]:
    """What the database refuses of a file's values, as a refusal of the file."""
    try:
        with store_errors():
            try:
                yield
            except psycopg.errors.ProgramLimitExceeded as error:  # too long for an index
                raise corrupt("it holds values that are too long") from error
    except (psycopg.DataError, psycopg.IntegrityError, UnicodeEncodeError) as error:
        raise corrupt("it holds values that the database does not take") from error


class RowWriter:
    """Stores one document as it was, line by line, in the caller's transaction."""

    def __init__(self, connection: Connection, collection: Collection, dimension: int) -> None:
        self._connection = connection
        self._collection = collection
        self._dimension = dimension
        columns = connection.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_schema = 'pgask'"
            " AND table_name = 'documents' AND is_generated = 'NEVER'"
        ).fetchall()
        self._columns = {name for (name,) in columns} - set(LEFT_OUT)
        self._begun: _Begun | None = None

    def begin(self, line: Line) -> DocumentRow:
        """Write the document's row, under its own id where that is free. Raises InvalidRequestError."""
        told: _DocumentLine = read_line(line)
        row = read_row(line)
        told.row.pop("signature_bands", None)  # in a table of their own
        for name in FORMERLY_WRITTEN:
            if told.row.get(name, "") is None:
                del told.row[name]
        if unknown := told.row.keys() - self._columns:
            raise corrupt(f"document: unknown columns {', '.join(sorted(unknown))[:100]}")
        given = [sql.Identifier(name) for name in sorted(told.row)]
        insert = sql.SQL(
            "INSERT INTO pgask.documents (id, collection_id, {columns}) SELECT {id}, %(collection)s, {columns}"
            " FROM jsonb_populate_record(NULL::pgask.documents, (%(line)s::jsonb) -> 'row')"
            " {otherwise} RETURNING id"
        )
        named = {"collection": self._collection.id, "line": line.text.decode(), "id": told.id}
        columns = sql.SQL(", ").join(given)
        found = None
        for given_id, otherwise in (
            ("%(id)s", "ON CONFLICT (id) DO NOTHING"),
            ("gen_random_uuid()", ""),
        ):
            statement = insert.format(columns=columns, id=sql.SQL(given_id), otherwise=sql.SQL(otherwise))
            found = found or self._connection.execute(statement, named).fetchone()
        assert found is not None
        self._connection.execute(
            "INSERT INTO pgask.signature_bands (collection_id, band, document_id)"
            " SELECT DISTINCT %s::int, band, %s::uuid FROM unnest(%s::bigint[]) AS shared (band)",
            [self._collection.id, found[0], row.signature_bands or []],
        )
        self._begun = _Begun(row, found[0], told.background)
        return row

    def write(self, line: Line) -> None:
        """Write a line of the document. Raises InvalidRequestError."""
        begun = self._begun
        if begun is None:
            raise corrupt("a line before any document")
        match read_line(line):
            case _TextsLine() as texts:
                self._write_texts(begun, texts)
            case _PagesLine() as pages:
                with self._connection.cursor() as cursor:
                    cursor.executemany(
                        "INSERT INTO pgask.page_lines (collection_id, document_id, page, width, height, lines)"
                        " VALUES (%s, %s, %s, %s, %s, %s)",
                        [
                            (self._collection.id, begun.document_id, p.page, p.width, p.height, p.lines)
                            for p in pages.rows
                        ],
                    )
            case _WindowsLine() as windows:
                self._write_windows(begun, windows)
            case _ChunksLine() as chunks:
                self._write_chunks(begun, chunks)
            case _:
                raise corrupt("a document within a document")

    def end(self) -> None:
        """Check that the document is whole. Raises InvalidRequestError."""
        begun = self._begun
        if begun is None:
            raise corrupt("the end of no document")
        if (begun.chars, begun.chunks) != (begun.row.char_count, begun.row.chunk_count):
            raise corrupt("document: its text or chunks are not as long as it says")
        if any(index >= begun.windows for index in begun.background):
            raise corrupt("document: a window that it lacks")
        with self._connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO pgask.background_windows (collection_id, document_id, window_index) VALUES (%s, %s, %s)",
                [(self._collection.id, begun.document_id, index) for index in begun.background],
            )
        self._begun = None

    def _write_texts(self, begun: _Begun, line: _TextsLine) -> None:
        if begun.chars != line.first * PART_CHARS:
            raise corrupt("texts: a part is missing")
        if any(len(text) != PART_CHARS for text in line.texts[:-1]):
            raise corrupt("texts: a part is cut short")
        with self._connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO pgask.document_texts (collection_id, document_id, part, text) VALUES (%s, %s, %s, %s)",
                [
                    (self._collection.id, begun.document_id, line.first + at, text)
                    for at, text in enumerate(line.texts)
                ],
            )
        begun.chars += sum(map(len, line.texts))

    def _write_windows(self, begun: _Begun, line: _WindowsLine) -> None:
        count = len(line.spans)
        if line.first != begun.windows or any(not a <= b <= begun.row.char_count for a, b in line.spans):
            raise corrupt("windows: out of order, or outside of the text")
        offsets = np.array(line.spans, dtype=np.int32).reshape(-1, 2)
        self._copy(
            (VECTOR_SCHEMA, f"window_vectors_{self._collection.space_id}"),
            "collection_id, document_id, window_index, char_start, char_end, embedding",
            pack_vectors(
                [
                    (">i4", np.full(count, self._collection.id)),
                    ("V16", begun.document_id.bytes),
                    (">i4", np.arange(line.first, line.first + count)),
                    (">i4", offsets[:, 0]),
                    (">i4", offsets[:, 1]),
                ],
                vectors_of(line.vectors, count, self._dimension, half=True),
                half=True,
            ),
        )
        begun.windows += count

    def _write_chunks(self, begun: _Begun, line: _ChunksLine) -> None:
        if len(line.postings) != len(line.rows):
            raise corrupt("chunks: terms of other chunks")
        for at, row in enumerate(line.rows):
            inside = [row.char_start, *row.sentences, row.char_end]
            if (
                row.chunk_index != begun.chunks + at
                or row.char_end > begun.row.char_count
                or len(row.sentences) % 2
                or min(inside) < row.char_start
                or max(inside) > row.char_end
                or not row.window_start + row.windows_shared <= row.window_end <= begun.windows
                or any(not row.char_start <= place[0] < row.char_end for place in row.places)
            ):
                raise corrupt("chunks: out of order, or outside of the text or the windows")
        ids = [
            number
            for (number,) in self._connection.execute(
                "SELECT nextval('pgask.chunks_id_seq') FROM generate_series(1, %s)", [len(line.rows)]
            )
        ]
        rows = [{"id": chunk_id, **row.model_dump()} for chunk_id, row in zip(ids, line.rows, strict=True)]
        self._connection.execute(
            f"INSERT INTO pgask.chunks (id, document_id, collection_id, {_CHUNK_COLUMNS})"  # noqa: S608 - constants only
            f" SELECT id, %s, %s, {_CHUNK_COLUMNS} FROM jsonb_populate_recordset(NULL::pgask.chunks, %s)",
            [begun.document_id, self._collection.id, Jsonb(rows)],
        )
        encoding = self._connection.info.encoding
        self._copy(
            (SCHEMA, "postings"),
            POSTING_COLUMNS,
            (
                pack_postings(
                    chunk_id,
                    self._collection.id,
                    row.term_count,
                    [(term, count, bytes.fromhex(windows)) for term, count, windows in postings],
                    encoding,
                )
                for chunk_id, row, postings in zip(ids, line.rows, line.postings, strict=True)
            ),
        )
        self._copy(
            (VECTOR_SCHEMA, f"chunk_vectors_{self._collection.space_id}"),
            "chunk_id, collection_id, document_id, embedding",
            pack_vectors(
                [
                    (">i8", np.array(ids, dtype=np.int64)),
                    (">i4", np.full(len(ids), self._collection.id)),
                    ("V16", begun.document_id.bytes),
                ],
                vectors_of(line.vectors, len(ids), self._dimension, half=False),
                half=False,
            ),
        )
        begun.chunks += len(ids)

    def _copy(self, table: tuple[str, str], columns: LiteralString, rows: Iterator[bytes]) -> None:
        with staged_copy(self._connection, *table, columns) as copy:
            for block in in_blocks(rows):
                copy.write(block)


class OriginalWriter:
    """Stores the file that a document was, part by part, in the caller's transaction."""

    def __init__(self, connection: Connection, line: Line, document_id: UUID) -> None:
        self._connection = connection
        told = read_line(line)
        if not isinstance(told, _OriginalLine):
            raise corrupt("original: a part before its beginning")
        self._told = told
        self._sha256 = hashlib.sha256()
        self._size_bytes = self._parts = 0
        row = connection.execute(
            "INSERT INTO pgask.originals (document_id, name, sha256, size_bytes) VALUES (%s, %s, %s, %s) RETURNING id",
            [document_id, self._told.name, self._told.sha256, self._told.size_bytes],
        ).fetchone()
        assert row is not None
        self._id: UUID = row[0]

    def write(self, line: Line) -> None:
        """The next part. Raises InvalidRequestError."""
        told = read_line(line)
        if not isinstance(told, _OriginalPartLine):
            raise corrupt("original: another one")
        content = _unpacked(told.bytes)
        if told.part != self._parts or len(content) > PART_BYTES:
            raise corrupt("original: a part is missing or too long")
        self._connection.execute(
            "INSERT INTO pgask.original_parts (original_id, part, bytes) VALUES (%s, %s, %s)",
            [self._id, told.part, content],
            binary=True,
        )
        self._sha256.update(content)
        self._size_bytes += len(content)
        self._parts += 1

    def end(self) -> None:
        """Check that the file is whole. Raises InvalidRequestError."""
        if (self._sha256.hexdigest(), self._size_bytes) != (self._told.sha256, self._told.size_bytes):
            raise corrupt("original: it is not what its sum says")


def document_of(connection: Connection, collection: Collection, source: str) -> UUID:
    """The id of a source's document, which is there."""
    row = connection.execute(
        "SELECT id FROM pgask.documents WHERE collection_id = %s AND source = %s", [collection.id, source]
    ).fetchone()
    assert row is not None
    return UUID(str(row[0]))


def keep_for(connection: Connection, collection: Collection, source: str, readers: Readers) -> None:
    """Put a document on the shelf of its readers, in the transaction that stores it: it is nowhere without them. Raises
    InvalidRequestError."""
    connection.execute(
        "INSERT INTO pgask.collections (name, space_id, lexicon_version, importing, readers)"
        " VALUES (%s, %s, %s, true, %s) ON CONFLICT DO NOTHING",
        [collection.name, collection.space_id, collection.lexicon_version, list(readers)],
    )
    connection.execute(
        "SELECT pgask.move_document(%s, c.id) FROM pgask.collections c WHERE c.name = %s AND c.readers = %s::text[]",
        [document_of(connection, collection, source), collection.name, list(readers)],
    )


def keep_history(connection: Connection, collection: Collection, line: Line) -> None:
    """Give a document that was made anew the times and the state that it had."""
    connection.execute(
        "UPDATE pgask.documents d SET status = r.status, reason = r.reason, reason_detail = r.reason_detail,"
        " created_at = r.created_at, updated_at = r.updated_at"
        " FROM jsonb_populate_record(NULL::pgask.documents, (%s::jsonb) -> 'row') r"
        " WHERE d.collection_id = %s AND d.source = r.source",
        [line.text.decode(), collection.id],
    )


def finish(
    connection: Connection,
    collection: Collection,
    header: Header,
    name: str,
    duplicates: Mapping[str, str],
    *,
    as_it_was: bool,
) -> None:
    """Show the collection under its name. Raises InvalidRequestError where that was taken meanwhile."""
    try:
        with store_errors(), connection.transaction():
            connection.execute(
                "UPDATE pgask.documents d SET duplicate_of = kept.id"
                " FROM unnest(%s::text[], %s::text[]) n (source, kept) JOIN pgask.documents kept"
                " ON kept.source = n.kept AND kept.collection_id IN (SELECT id FROM pgask.collections"
                "   WHERE name = %s AND importing)"
                " WHERE d.collection_id = kept.collection_id AND d.source = n.source AND d.status = 'duplicate'",
                [list(duplicates), list(duplicates.values()), collection.name],
            )
            connection.execute(
                "UPDATE pgask.collections SET background = %s, background_version = %s WHERE id = %s",
                [
                    Jsonb(header.background.model_dump())
                    if as_it_was and header.background is not None
                    else None,
                    header.background_version if as_it_was else 0,
                    collection.id,
                ],
            )
            connection.execute(
                "UPDATE pgask.collections SET name = %s, importing = false, description = '', created_at = now()"
                " WHERE name = %s AND importing",
                [name, collection.name],
            )
    except psycopg.errors.UniqueViolation:
        _check_free(connection, name)
        raise
