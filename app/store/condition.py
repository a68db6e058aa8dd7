"""How the database is, in figures that cost little: for who runs the service."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from psycopg.rows import args_row

from app.embedding import UNREADABLE_SHARE
from app.store.connection import AsyncConnection

# Of the documents with text, those that have a copy of today in the space of twins; no row where there is none.
_SECOND: Final = """
SELECT s.model, count(*), count(*) FILTER (WHERE EXISTS (
       SELECT FROM pgask.documents copy JOIN pgask.collections t ON t.id = copy.collection_id
        WHERE copy.copy_of = d.id AND copy.copied_at = d.updated_at AND t.space_id = s.id))
  FROM pgask.embedding_spaces s
  JOIN pgask.collections c ON c.twin_of IS NULL AND NOT c.importing AND c.space_id <> s.id
  JOIN pgask.documents d ON d.collection_id = c.id AND d.chunk_count > 0
 WHERE s.id = (SELECT space_id FROM pgask.collections WHERE twin_of IS NOT NULL LIMIT 1)
 GROUP BY s.model"""


@dataclass(frozen=True, slots=True)
class SecondSpace:
    """The space beside the one that answers (`pgask spaces`): of `documents` with text it holds so many as they are
    now."""

    model: str
    documents: int
    filled: int


@dataclass(frozen=True, slots=True)
class Condition:
    """Versions, size on disk, and what the embedding model makes of the documents.

    `unreadable_documents` hold more than UNREADABLE_SHARE of tokens that it can't read: words find them, meaning does
    not. `models` are those of the embedding spaces, by the space's number.
    """

    server: str
    pgvector: str
    size_bytes: int
    documents: int
    unreadable_documents: int
    models: dict[int, str]
    second_space: SecondSpace | None


async def read_condition(connection: AsyncConnection) -> Condition:
    """Read it all within one transaction. Raises StoreError."""
    cursor = await connection.execute(
        "SELECT current_setting('server_version'),"
        " coalesce((SELECT extversion FROM pg_extension WHERE extname = 'vector'), 'none'),"
        " pg_database_size(current_database()),"
        " count(*) FILTER (WHERE chunk_count > 0),"
        " count(*) FILTER (WHERE chunk_count > 0 AND unknown_tokens > token_count * %s)"
        " FROM pgask.documents WHERE copy_of IS NULL",  # copies for a second model are none of their own
        [UNREADABLE_SHARE],
    )
    row = await cursor.fetchone()
    assert row is not None
    server, pgvector, size_bytes, documents, unreadable = row
    spaces = await connection.execute("SELECT id, model FROM pgask.embedding_spaces ORDER BY id")
    models = {int(space_id): str(model) for space_id, model in await spaces.fetchall()}
    async with connection.cursor(row_factory=args_row(SecondSpace)) as reader:
        second = await (await reader.execute(_SECOND)).fetchone()
    return Condition(
        str(server), str(pgvector), int(size_bytes), int(documents), int(unreadable), models, second
    )
