"""How the database is, in figures that cost little: for who runs the service."""

from __future__ import annotations

from dataclasses import dataclass

from app.embedding import UNREADABLE_SHARE
from app.store.connection import AsyncConnection


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
    return Condition(str(server), str(pgvector), int(size_bytes), int(documents), int(unreadable), models)
