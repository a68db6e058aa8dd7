"""A file that `pgask export` wrote → a collection: as it was where the model is the same, else made anew from its text.

Knows the file's lines and the store; run by `pgask import`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import IO

import numpy as np

from app.domain import Document, Page, PageLines, Section, TextLine
from app.embedding import Embedder, EmbeddingSpace, FloatVector
from app.errors import DocumentError, EmbeddingMismatchError
from app.lexicon import LEXICON_VERSION
from app.store.connection import Connection
from app.store.documents import WINDOW_HASH_BYTES, SourceVersion, record_failure, replace_document
from app.store.export_lines import Line, LineReader, corrupt
from app.store.imported import (
    Gathered,
    Header,
    OriginalWriter,
    RowWriter,
    Stored,
    document_of,
    finish,
    keep_for,
    keep_history,
    note_stored,
    other_file,
    read_header,
    read_line,
    read_readers,
    read_row,
    refusals,
    staged,
    stored_so_far,
    vectors_of,
)
from app.store.shelves import Readers
from app.store.spaces import Collection
from ingest.options import IngestOptions, options_of, renewed_pipeline
from ingest.preparing import pooled, prepare, slices
from ingest.windows import encode_windows


@dataclass(slots=True)
class Imported:
    """What became of an import: `resumed` documents were there from one that was killed, `made_anew` were embedded or
    got their terms by this program, `failed` are those of which its model can read nothing."""

    collection: str
    documents: int = 0
    chunks: int = 0
    resumed: int = 0
    made_anew: int = 0
    failed: int = 0


def import_collection(
    connection: Connection,
    stream: IO[bytes],
    name: str | None,
    space_id: int,
    embedder: Embedder,
    *,
    options: IngestOptions,
    progress: Callable[[int, int], None] = lambda _done, _of: None,
) -> Imported:
    """Import a file under the name that it has, or another. Raises InvalidRequestError (not a file of ours, damaged,
    cut off, a newer version's; the name is taken), EmbeddingMismatchError, StoreError."""
    reader = LineReader(stream)
    header = read_header(reader.header())
    if header.lexicon_version > LEXICON_VERSION:
        raise EmbeddingMismatchError(
            f"The file holds the search terms of a later version of pgask (lexicon_version {header.lexicon_version}, "
            f"here {LEXICON_VERSION}). Upgrade pgask."
        )
    same_space = EmbeddingSpace(**header.space.model_dump()) == embedder.space
    as_it_was = same_space and header.lexicon_version == LEXICON_VERSION
    named = name or header.collection
    with staged(connection, header, named, space_id, LEXICON_VERSION) as collection:
        run = _Run(
            connection,
            collection,
            header,
            embedder,
            options,
            reader=reader,
            as_it_was=as_it_was,
            same_space=same_space,
        )
        for line in reader.lines():
            run.take(line)
            progress(run.documents, header.documents)
        run.check()
        finish(connection, collection, header, named, run.duplicates, as_it_was=as_it_was)
        chunks = _count_chunks(connection, collection)
        return Imported(named, run.documents, chunks, run.resumed, run.made_anew, run.failed)


class _Run:
    """Takes the lines of a file in their order."""

    def __init__(
        self,
        connection: Connection,
        collection: Collection,
        header: Header,
        embedder: Embedder,
        options: IngestOptions,
        *,
        reader: LineReader,
        as_it_was: bool,
        same_space: bool,
    ) -> None:
        self._connection = connection
        self._collection = collection
        self._header = header
        self._reader = reader
        self._embedder = embedder
        self._options = options
        self._as_it_was = as_it_was
        self._same_space = same_space
        self._stored = stored_so_far(connection, collection)
        self._rows = RowWriter(connection, collection, header.space.dimension)
        self._lines: list[Line] = []
        self._skipping = False
        self._open = False
        self._source = ""
        self._readers: Readers = ()
        self._gathered: Gathered | None = None
        self._original: OriginalWriter | None = None
        self.documents = self.resumed = self.made_anew = self.failed = 0
        self.duplicates: dict[str, str] = {}

    def take(self, line: Line) -> None:
        """The next line. Raises InvalidRequestError."""
        kind = line.value.get("kind")
        if kind == "document":
            self._begin(line)
        elif kind == "stored":
            self._end()
        elif not self._open and not self._skipping:
            raise corrupt("a line before any document")
        elif kind in ("original", "original_part"):
            if not self._skipping:
                with refusals():
                    self._take_original(line)
        elif self._gathered is not None:
            self._gather(self._gathered, line)
        elif not self._skipping:
            with refusals():
                self._rows.write(line)

    def check(self) -> None:
        """Raises InvalidRequestError where the file has fewer documents than it says, or than are there of it."""
        if self.documents < self._stored.documents:
            raise other_file()
        if self._open or self._skipping or self.documents != self._header.documents:
            raise corrupt("documents are missing")

    def _begin(self, line: Line) -> None:
        if self._open or self._skipping or self.documents >= self._header.documents:
            raise corrupt("a document too many")
        told, row = read_line(line), read_row(line)
        if told.duplicate_of is not None:
            self.duplicates[row.source] = told.duplicate_of
        readers = read_readers(told)
        if self.documents < self._stored.documents:
            self._skipping = True
            return
        self._open = True
        self._source, self._readers = row.source, readers
        self._connection.execute("BEGIN")
        if not self._as_it_was and row.chunk_count:
            self._gathered = Gathered(row, line)
            return
        with refusals():
            self._rows.begin(line)

    def _end(self) -> None:
        if self._skipping:
            self.resumed += 1
            is_last = self.resumed == self._stored.documents
            if is_last and self._reader.read_sum != self._stored.read_sum:
                raise other_file()
        elif self._open:
            with refusals():
                self._settle()
                if self._original is not None:
                    self._original.end()
                if self._readers:
                    keep_for(self._connection, self._collection, self._source, self._readers)
                stored = Stored(self.documents + 1, self._reader.read_sum)
                note_stored(self._connection, self._collection, stored)
                self._connection.execute("COMMIT")
        else:
            raise corrupt("the end of no document")
        self._skipping = self._open = False
        self._original = None
        self.documents += 1

    def _settle(self) -> None:
        """What makes the document searchable is there: check it, or make it."""
        if self._gathered is not None:
            self._make(self._gathered)
            self._gathered = None
            self.made_anew += 1
        elif self._original is None:
            self._rows.end()

    def _take_original(self, line: Line) -> None:
        if self._original is not None:
            self._original.write(line)
            return
        self._settle()
        document_id = document_of(self._connection, self._collection, self._source)
        self._original = OriginalWriter(self._connection, line, document_id)

    def _gather(self, gathered: Gathered, line: Line) -> None:
        told = read_line(line)
        match told.kind:
            case "texts":
                gathered.texts += told.texts
            case "page_lines":
                gathered.pages += told.rows
            case "windows" if self._same_space:
                gathered.vectors.append(
                    vectors_of(told.vectors, len(told.spans), self._header.space.dimension, half=True)
                )

    def _make(self, gathered: Gathered) -> None:
        """Cut, embed and store a document anew; the file's vectors are used where the model is the same."""
        row = gathered.row
        text = "".join(gathered.texts)
        if len(text) != row.char_count:
            raise corrupt("document: its text is not as long as it says")
        document = Document(
            text,
            row.title,
            row.media_type,
            row.language,
            sections=tuple(Section.of(*section) for section in row.sections),
            pages=tuple(Page(*page) for page in row.pages),
            metadata=row.metadata,
            dropped=row.dropped,
            page_lines=tuple(
                PageLines(
                    page.page,
                    page.width,
                    page.height,
                    tuple(TextLine(*page.lines[at : at + 6]) for at in range(0, len(page.lines) // 6 * 6, 6)),
                )
                for page in gathered.pages
            ),
        )
        pipeline = row.pipeline or ""
        version = SourceVersion(
            row.source,
            row.content_sha256 or "",
            row.size_bytes,
            renewed_pipeline(pipeline),
            media_type=row.media_type,
        )
        try:
            prepared = prepare(version, document, self._embedder, self._options_of(pipeline), is_new=True)
            (windows,) = encode_windows(self._embedder, [slices(prepared)], [_stored_windows(gathered)])
            with refusals():
                replace_document(self._connection, self._collection, version, pooled(prepared, windows))
                keep_history(self._connection, self._collection, gathered.line)
        except DocumentError as error:  # the other model has no tokens for it
            record_failure(self._connection, self._collection, version, error.code, str(error))
            self.failed += 1

    def _options_of(self, pipeline: str) -> IngestOptions:
        """How the document was cut; a file may say anything."""
        found = options_of(pipeline, self._options)
        is_likely = 32 <= found.chunk_tokens <= 8_192 and 0 <= found.overlap <= found.chunk_tokens // 2
        return found if is_likely and 8 <= found.window_tokens <= 8_192 else self._options


def _stored_windows(gathered: Gathered) -> Mapping[bytes, FloatVector]:
    """The file's window vectors by the hash of their tokens."""
    hashes = bytes.fromhex((gathered.row.window_hashes or "\\x")[2:])
    if not gathered.vectors:
        return {}
    vectors = np.concatenate(gathered.vectors)
    if len(hashes) != len(vectors) * WINDOW_HASH_BYTES:
        return {}
    size = WINDOW_HASH_BYTES
    return {hashes[at * size : (at + 1) * size]: vector for at, vector in enumerate(vectors)}


def _count_chunks(connection: Connection, collection: Collection) -> int:
    row = connection.execute(
        "SELECT sum(c.chunk_count)::bigint FROM pgask.collections c"
        " WHERE c.name = (SELECT name FROM pgask.collections WHERE id = %s)",
        [collection.id],
    ).fetchone()
    return int(row[0]) if row else 0
