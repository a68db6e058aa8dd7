"""The manifest: which embedding space and lexicon each collection was made with, and the refusal to mix them.

A space's two vector tables are made by the schema's owner, once: `chunk_vectors_N` holds one pooled unit vector a
chunk (what ivfflat indexes), `window_vectors_N` the unit vectors of the windows in half precision (what candidates are
rescored on). Both are the partitions that collections share; those of large collections (app/store/partitions.py) lie
beside them, and `chunk_vectors_N_all`, `window_vectors_N_all` are all of the space.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from app.embedding import EmbeddingSpace
from app.errors import EmbeddingMismatchError, InvalidRequestError, NotFoundError, StoreError
from app.lexicon import LEXICON_VERSION
from app.store.connection import Connection
from app.store.schema_names import VECTOR_SCHEMA

COLLECTION_NAME: Final = re.compile(r"[^\W_](?:[\w .\-]{0,62}[^\W_])?")

SPACE_FIELDS: Final = "model, weights_sha256, dimension, query_prefix, passage_prefix, pooling, normalized"

FIND_SPACE: Final = """
SELECT id FROM pgask.embedding_spaces
 WHERE model = %(model)s AND weights_sha256 = %(weights_sha256)s AND dimension = %(dimension)s
   AND query_prefix = %(query_prefix)s AND passage_prefix = %(passage_prefix)s AND pooling = %(pooling)s
   AND normalized = %(normalized)s AND partition_of IS NULL"""

# Collections with content that a space or lexicon does not fit; where `twins_do`, not those with a twin that fits, as a
# service has that was not told yet of a switch.
MISMATCHES: Final = f"""
SELECT c.name, c.lexicon_version, {", ".join("s." + field for field in SPACE_FIELDS.split(", "))}
  FROM pgask.collections c JOIN pgask.embedding_spaces s ON s.id = c.space_id
 WHERE c.chunk_count > 0 AND c.twin_of IS NULL
   AND NOT (%(twins_do)s AND EXISTS (
            SELECT FROM pgask.collections t JOIN pgask.embedding_spaces s ON s.id = t.space_id
             WHERE t.twin_of = c.id AND t.filled_at IS NOT NULL AND t.lexicon_version = %(lexicon_version)s
               AND s.model = %(model)s AND s.weights_sha256 = %(weights_sha256)s AND s.dimension = %(dimension)s
               AND s.query_prefix = %(query_prefix)s AND s.passage_prefix = %(passage_prefix)s
               AND s.pooling = %(pooling)s AND s.normalized = %(normalized)s))
   AND NOT (c.lexicon_version = %(lexicon_version)s
            AND s.model = %(model)s AND s.weights_sha256 = %(weights_sha256)s AND s.dimension = %(dimension)s
            AND s.query_prefix = %(query_prefix)s AND s.passage_prefix = %(passage_prefix)s
            AND s.pooling = %(pooling)s AND s.normalized = %(normalized)s)
 ORDER BY c.name"""  # noqa: S608 - constants only


@dataclass(frozen=True, slots=True)
class Collection:
    """A row of pgask.collections; `twin_of` is the collection that it is a twin of, see app/store/twins.py."""

    id: int
    name: str
    space_id: int
    lexicon_version: int
    twin_of: int | None = None


def space_parameters(space: EmbeddingSpace) -> dict[str, object]:
    """The parameters of FIND_SPACE and MISMATCHES."""
    fields: dict[str, object] = {field: getattr(space, field) for field in SPACE_FIELDS.split(", ")}
    return fields | {"lexicon_version": LEXICON_VERSION}


def chunk_table(partition_id: int) -> sql.Identifier:
    """The pooled chunk vectors of a partition; that of a space's number is shared by collections without another."""
    return sql.Identifier(VECTOR_SCHEMA, f"chunk_vectors_{int(partition_id)}")


def window_table(partition_id: int) -> sql.Identifier:
    """The window vectors of a partition."""
    return sql.Identifier(VECTOR_SCHEMA, f"window_vectors_{int(partition_id)}")


def all_chunks(space_id: int) -> sql.Identifier:
    """The pooled chunk vectors of a space, in whatever partition."""
    return sql.Identifier(VECTOR_SCHEMA, f"chunk_vectors_{int(space_id)}_all")


def all_windows(space_id: int) -> sql.Identifier:
    """The window vectors of a space, in whatever partition."""
    return sql.Identifier(VECTOR_SCHEMA, f"window_vectors_{int(space_id)}_all")


def chunk_source(space_id: int, partitions: Sequence[int]) -> sql.Composable:
    """Where chunk vectors are read from, before an alias: these partitions and no other, the shared one where none is
    named. Others by the table above all: that is there still when a partition is dropped."""
    return _source(space_id, partitions, chunk_table(space_id), all_chunks(space_id))


def window_source(space_id: int, partitions: Sequence[int]) -> sql.Composable:
    """Where window vectors are read from, as chunk_source."""
    return _source(space_id, partitions, window_table(space_id), all_windows(space_id))


def _source(
    space_id: int, partitions: Sequence[int], shared: sql.Identifier, every: sql.Identifier
) -> sql.Composable:
    if set(partitions) <= {space_id}:
        return shared
    # Known when it is planned: the others are left out
    numbers = sql.SQL(", ").join(map(sql.Literal, partitions))
    return sql.SQL("(SELECT * FROM {} WHERE partition_id IN ({}))").format(every, numbers)


def ensure_space(owner: Connection, space: EmbeddingSpace) -> int:
    """The id of a space; makes its row and tables where they are missing. `owner` may create tables."""
    parameters = space_parameters(space)
    with owner.transaction():
        owner.execute("SELECT pg_advisory_xact_lock(hashtext('pgask.embedding_spaces'))")
        row = owner.execute(FIND_SPACE, parameters).fetchone()
        if row is not None:
            return int(row[0])
        row = owner.execute(
            f"INSERT INTO pgask.embedding_spaces ({SPACE_FIELDS}) VALUES (%(model)s, %(weights_sha256)s, %(dimension)s,"  # noqa: S608
            " %(query_prefix)s, %(passage_prefix)s, %(pooling)s, %(normalized)s) RETURNING id",
            parameters,
        ).fetchone()
        assert row is not None
        space_id = int(row[0])
        try:
            _create_tables(owner, space_id, space.dimension)
        except psycopg.errors.InsufficientPrivilege as error:
            raise StoreError(
                "The database role may not create the tables of a new embedding space. Set PGASK_OWNER_DATABASE_URL to "
                "the role that owns the schema."
            ) from error
        return space_id


def _create_tables(owner: Connection, space_id: int, dimension: int) -> None:
    size = sql.Literal(dimension)
    owner.execute(
        sql.SQL(
            "CREATE TABLE {} (chunk_id bigint NOT NULL REFERENCES pgask.chunks ON DELETE CASCADE,"
            " collection_id integer NOT NULL, document_id uuid NOT NULL, embedding vector({}) NOT NULL,"
            " partition_id integer NOT NULL) PARTITION BY LIST (partition_id)"
        ).format(all_chunks(space_id), size)
    )
    owner.execute(
        sql.SQL(
            "CREATE TABLE {} (document_id uuid NOT NULL REFERENCES pgask.documents ON DELETE CASCADE,"
            " window_index integer NOT NULL, char_start integer NOT NULL, char_end integer NOT NULL,"
            " embedding halfvec({}) NOT NULL, collection_id integer NOT NULL, partition_id integer NOT NULL)"
            " PARTITION BY LIST (partition_id)"
        ).format(all_windows(space_id), size)
    )
    for table in (all_chunks(space_id), all_windows(space_id)):
        owner.execute("SELECT pgask.protect(%s::regclass)", [table.as_string(owner)])
    create_partition(owner, space_id, space_id)


def create_partition(owner: Connection, space_id: int, partition_id: int) -> None:
    """Make a pair of vector tables among those of a space. What is written there by its name belongs there."""
    for table, above, key in (
        (chunk_table(partition_id), all_chunks(space_id), "chunk_id"),
        (window_table(partition_id), all_windows(space_id), "document_id, window_index"),
    ):
        named = {"table": table, "above": above, "partition": sql.Literal(partition_id)}
        owner.execute(sql.SQL("CREATE TABLE {table} (LIKE {above} INCLUDING STORAGE)").format(**named))
        owner.execute(
            sql.SQL("ALTER TABLE {} ALTER partition_id SET DEFAULT {}, ADD PRIMARY KEY ({})").format(
                table, sql.Literal(partition_id), sql.SQL(key)
            )
        )
        owner.execute("SELECT pgask.protect(%s::regclass)", [table.as_string(owner)])
        owner.execute(
            sql.SQL("ALTER TABLE {above} ATTACH PARTITION {table} FOR VALUES IN ({partition})").format(
                **named
            )
        )
    chunks = chunk_table(partition_id)
    owner.execute(sql.SQL("CREATE INDEX ON {} (collection_id)").format(chunks))
    owner.execute(sql.SQL("CREATE INDEX ON {} (document_id)").format(chunks))


def ensure_collection(
    connection: Connection, name: str, space_id: int, readers: Sequence[str] | None = None
) -> Collection:
    """The collection of this name, or its shelf for these readers, made where it is missing. Raises
    EmbeddingMismatchError where its content was made in another space or with a later lexicon; an empty one simply
    moves to the new space, and what failed with the old model is read again. The terms of an earlier lexicon are for
    ingest/renewing.py."""
    check_name(name)
    with connection.transaction():
        is_other = connection.execute(
            "INSERT INTO pgask.collections (name, space_id, lexicon_version, readers) VALUES (%s, %s, %s, %s)"
            " ON CONFLICT (tenant_id, name, readers) DO UPDATE"
            " SET space_id = excluded.space_id, lexicon_version = excluded.lexicon_version,"
            " partition_id = NULL, leaving_id = NULL"
            " WHERE collections.chunk_count = 0"
            "   AND (collections.space_id, collections.lexicon_version)"
            "       IS DISTINCT FROM (excluded.space_id, excluded.lexicon_version)"
            " RETURNING id",
            [name, space_id, LEXICON_VERSION, None if readers is None else list(readers)],
        ).fetchone()  # whether it changes the row or not, ON CONFLICT DO UPDATE locks it: what is read next stays so
        collection = find_collection(connection, name, readers)
        if is_other:  # what one model has no tokens for, the other may have
            connection.execute(
                "UPDATE pgask.documents SET pipeline = NULL WHERE collection_id = %s", [collection.id]
            )
        if collection.space_id != space_id or collection.lexicon_version > LEXICON_VERSION:
            raise _mismatch(connection, collection, read_space(connection, space_id))
    return collection


def peek_collection(connection: Connection, name: str, space: EmbeddingSpace) -> Collection | None:
    """What ensure_collection would give, without writing: None where it would have to make or move the collection."""
    check_name(name)
    row = connection.execute(
        "SELECT id, space_id, lexicon_version, chunk_count FROM pgask.collections WHERE name = %s AND readers IS NULL",
        [name],
    ).fetchone()
    if row is None:
        return None
    *fields, chunk_count = row
    collection = Collection(fields[0], name, fields[1], fields[2])
    if read_space(connection, collection.space_id) == space and collection.lexicon_version <= LEXICON_VERSION:
        return collection
    if chunk_count:
        raise _mismatch(connection, collection, space)
    return None


def find_collection(connection: Connection, name: str, readers: Sequence[str] | None = None) -> Collection:
    """The collection of this name, or its shelf for these readers, none that is hidden. Raises NotFoundError."""
    with connection.cursor(row_factory=class_row(Collection)) as cursor:
        found = cursor.execute(
            "SELECT id, name, space_id, lexicon_version FROM pgask.collections"
            " WHERE name = %s AND readers IS NOT DISTINCT FROM %s::text[] AND twin_of IS NULL AND NOT importing",
            [name, None if readers is None else list(readers)],
        ).fetchone()
    if found is None:
        raise NotFoundError(f"There is no collection {name!r}. `pgask collections` lists them.")
    return found


def check_spaces(connection: Connection, space: EmbeddingSpace) -> None:
    """Raise EmbeddingMismatchError if any collection with content was made in another space or lexicon."""
    row = connection.execute(MISMATCHES, space_parameters(space) | {"twins_do": False}).fetchone()
    if row is not None:
        raise mismatch_error(row, space)


def mismatch_error(row: tuple[object, ...], space: EmbeddingSpace) -> EmbeddingMismatchError:
    """The refusal for a row of MISMATCHES: names both values of what differs, and the way out."""
    name, stored = row[0], dict(zip(["lexicon_version", *SPACE_FIELDS.split(", ")], row[1:], strict=True))
    wanted = space_parameters(space)
    version = stored["lexicon_version"]
    if all(stored[field] == wanted[field] for field in SPACE_FIELDS.split(", ")):
        if isinstance(version, int) and version < LEXICON_VERSION:
            return EmbeddingMismatchError(
                f"Collection {name!r} holds the search terms of an earlier version of pgask (lexicon_version: stored "
                f"{version}, configured {LEXICON_VERSION}). Run `ingest` on any of its folders once: the terms of all "
                "its documents are made anew from the stored text, and nothing is embedded again."
            )
        return EmbeddingMismatchError(
            f"Collection {name!r} holds the search terms of a later version of pgask (lexicon_version: stored "
            f"{version}, configured {LEXICON_VERSION}). Use that version, or delete the collection "
            f"(`pgask collections delete {name}`) and ingest it again."
        )
    differences = "; ".join(
        f"{field}: stored {stored[field]!r}, configured {wanted[field]!r}"
        for field in stored
        if stored[field] != wanted[field]
    )
    return EmbeddingMismatchError(
        f"Collection {name!r} was made with another embedding or lexicon ({differences}). Restore the old setting, or "
        f"delete the collection (`pgask collections delete {name}`) and ingest it again."
    )


def _mismatch(
    connection: Connection, collection: Collection, space: EmbeddingSpace
) -> EmbeddingMismatchError:
    stored = space_parameters(read_space(connection, collection.space_id))
    fields = (stored[field] for field in SPACE_FIELDS.split(", "))
    return mismatch_error((collection.name, collection.lexicon_version, *fields), space)


def read_space(connection: Connection, space_id: int) -> EmbeddingSpace:
    """The space of this number."""
    with connection.cursor(row_factory=class_row(EmbeddingSpace)) as cursor:
        space = cursor.execute(
            f"SELECT {SPACE_FIELDS} FROM pgask.embedding_spaces WHERE id = %s",  # noqa: S608 - constants only
            [space_id],
        ).fetchone()
    assert space is not None  # a foreign key of collections
    return space


def check_name(name: str) -> None:
    """Raise InvalidRequestError where a collection can't be called so."""
    if not COLLECTION_NAME.fullmatch(name):
        raise InvalidRequestError(
            "A collection's name has 1 to 64 letters, digits, '_', '-', '.' or inner spaces, and starts and ends with "
            "a letter or digit."
        )
