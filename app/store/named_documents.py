"""Documents by what their names come to, so that the valid version of one can be asked too. Async, in the caller's
transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from psycopg import sql
from psycopg.rows import class_row

from app.domain import CollectionNames, SearchFilter, names_of
from app.store.chunks import HEAD_CHARS
from app.store.connection import AsyncConnection
from app.store.filters import compile_filter
from app.store.texts import text_between

MAX_NAMED: Final = 40  # documents whose names fit
MAX_LOOKED_AT: Final = 100_000  # documents: names have no index; these take about 0.1 s (eval/LOG.md)

# Of names of one length the last first: of dates in them the latest. Texts are read of those alone that are returned.
_NAMED: Final = f"""
SELECT d.id::text AS document_id, d.source, d.title, {text_between("d.id", "0", "%(head)s::int")} AS head FROM (
    SELECT n.id FROM (
        SELECT d.id, d.source, d.title FROM pgask.documents d JOIN pgask.collections c ON c.id = d.collection_id
         WHERE c.name = ANY(%(collections)s) AND d.status IN ('ready', 'stale') AND d.chunk_count > 0 AND ({{kept}})
         LIMIT %(looked_at)s) n
     WHERE lower((n.source || ' ' || n.title) COLLATE "C") LIKE ANY(%(patterns)s)
     ORDER BY length(n.source) + length(n.title), n.source DESC LIMIT %(most)s) found
  JOIN pgask.documents d USING (id)"""  # noqa: S608 - constants only


@dataclass(frozen=True, slots=True)
class NamedDocument:
    """A document by its names, and its first HEAD_CHARS characters."""

    document_id: str
    source: str
    title: str
    head: str


async def find_named(
    connection: AsyncConnection,
    collection: CollectionNames,
    search_filter: SearchFilter | None,
    names: Sequence[Sequence[str]],
) -> list[NamedDocument]:
    """Documents whose path and title hold all words of one of `names` in order, at most MAX_NAMED, those with the
    shortest names first. Of what the filter keeps MAX_LOOKED_AT documents are looked at.

    Words are letters and digits, in lower case where they are ASCII; others are found as they are written.
    """
    compiled = compile_filter(search_filter)
    parameters = {
        "collections": names_of(collection),
        "patterns": ["%" + "%".join(words) + "%" for words in names],
        "head": HEAD_CHARS,
        "most": MAX_NAMED,
        "looked_at": MAX_LOOKED_AT,
        **compiled.parameters,
    }
    async with connection.cursor(row_factory=class_row(NamedDocument)) as cursor:
        await cursor.execute(sql.SQL(_NAMED).format(kept=compiled.condition), parameters)
        return await cursor.fetchall()
