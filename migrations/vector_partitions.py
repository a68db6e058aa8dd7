"""Makes the vector tables of a space partitions of one above them, and back: revisions 0032 and 0033 (ADR 0046).

`chunk_vectors_N` stays as it is, with its index: it becomes the partition that the collections of space N share. No row
is written: the column has a default, and the table is attached by a constraint that was checked beside readers.
"""

from __future__ import annotations

from typing import Final

from alembic import op
from sqlalchemy import text

from migrations.online import alone, commit, update_in_batches, vector_tables

_CHECK: Final = "ck_partition_id"
_REFERENCES: Final = {
    "chunk": "(chunk_id) REFERENCES pgask.chunks",
    "window": "(document_id) REFERENCES pgask.documents",
}


_FIELDS: Final = "model, weights_sha256, dimension, pooling, query_prefix, passage_prefix, normalized"
_KEYS: Final = {"chunk": ("chunk_id",), "window": ("document_id", "window_index")}
_MOVE: Final = """
CREATE OR REPLACE FUNCTION pgask.move_document(moved uuid, target integer) RETURNS void
LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
    source integer;
    space integer;
    counted record;
BEGIN
    SELECT d.collection_id, c.space_id INTO source, space
      FROM pgask.documents d JOIN pgask.collections c ON c.id = d.collection_id WHERE d.id = moved FOR UPDATE OF d;
    IF source IS NULL OR source = target THEN
        RETURN;
    END IF;
    PERFORM FROM pgask.collections WHERE id IN (source, target) ORDER BY id FOR NO KEY UPDATE;
    SELECT count(*) AS chunks, coalesce(sum(term_count), 0) AS terms INTO counted
      FROM pgask.chunks WHERE document_id = moved;
    DELETE FROM pgask.background_windows WHERE document_id = moved;
    DELETE FROM pgask.documents WHERE copy_of = moved;
    UPDATE pgask.job_files SET detail = NULL WHERE code = 'duplicate'
       AND document_id IN (SELECT id FROM pgask.documents WHERE duplicate_of = moved);
    UPDATE pgask.documents SET duplicate_of = NULL, reason_detail = NULL WHERE duplicate_of = moved;
    PERFORM pgask.unmerge(ARRAY(SELECT id FROM pgask.chunks WHERE document_id = moved));
    UPDATE pgask.postings SET collection_id = target
     WHERE chunk_id IN (SELECT id FROM pgask.chunks WHERE document_id = moved);
    UPDATE pgask.chunks SET collection_id = target WHERE document_id = moved;
{vectors}
    UPDATE pgask.document_texts SET collection_id = target WHERE document_id = moved;
    UPDATE pgask.page_lines SET collection_id = target WHERE document_id = moved;
    UPDATE pgask.signature_bands SET collection_id = target WHERE document_id = moved;
    UPDATE pgask.document_facts SET collection_id = target WHERE document_id = moved;
    UPDATE pgask.former_documents SET collection_id = target WHERE document_id = moved;
    UPDATE pgask.job_files SET collection_id = target WHERE document_id = moved;
    UPDATE pgask.documents SET collection_id = target WHERE id = moved;
    UPDATE pgask.collections SET chunk_count = chunk_count - counted.chunks, term_count = term_count - counted.terms
     WHERE id = source;
    UPDATE pgask.collections SET chunk_count = chunk_count + counted.chunks, term_count = term_count + counted.terms
     WHERE id = target;
END $$;
"""
_VECTORS_OF_0024: Final = """
    EXECUTE format('UPDATE pgask_vectors.chunk_vectors_%s SET collection_id = $1 WHERE document_id = $2', space)
      USING target, moved;
    EXECUTE format('UPDATE pgask_vectors.window_vectors_%s SET collection_id = $1 WHERE document_id = $2', space)
      USING target, moved;"""
_VECTORS: Final = """
    EXECUTE format('UPDATE pgask_vectors.chunk_vectors_%s_all SET collection_id = $1, partition_id ='
            || ' (SELECT coalesce(partition_id, space_id) FROM pgask.collections WHERE id = $1)'
            || ' WHERE document_id = $2', space) USING target, moved;
    EXECUTE format('UPDATE pgask_vectors.window_vectors_%s_all SET collection_id = $1, partition_id ='
            || ' (SELECT coalesce(partition_id, space_id) FROM pgask.collections WHERE id = $1)'
            || ' WHERE document_id = $2', space) USING target, moved;"""


def add_partitions() -> None:
    """All that partitions need and that is not there yet. Each step bears being begun anew."""
    for kind in ("chunk", "window"):
        for table in vector_tables(kind):
            if not _is_partition(table):
                _attach(kind, table, int(table.rpartition("_")[2]))
    op.execute(
        "ALTER TABLE pgask.embedding_spaces DROP CONSTRAINT IF EXISTS uq_embedding_spaces_fields,"
        " ADD COLUMN IF NOT EXISTS partition_of integer"
        " CONSTRAINT fk_embedding_spaces_partition_of REFERENCES pgask.embedding_spaces"
    )
    op.execute(
        f"CREATE UNIQUE INDEX IF NOT EXISTS uq_embedding_spaces_fields ON pgask.embedding_spaces ({_FIELDS})"
        " WHERE partition_of IS NULL"
    )
    for name in ("partition_id", "leaving_id"):
        op.execute(
            f"ALTER TABLE pgask.collections ADD COLUMN IF NOT EXISTS {name} integer"
            f" CONSTRAINT fk_collections_{name} REFERENCES pgask.embedding_spaces"
        )
    op.execute(_MOVE.replace("{vectors}", _VECTORS))


def remove_partitions() -> None:
    """Tables and functions as they were before; rows of collections' own partitions are moved back first."""
    op.execute(_MOVE.replace("{vectors}", _VECTORS_OF_0024))
    commit()
    own = text("SELECT id, partition_of FROM pgask.embedding_spaces WHERE partition_of IS NOT NULL")
    for partition, space in op.get_bind().execute(own).fetchall():
        for kind, key in _KEYS.items():
            above, table = (
                f"pgask_vectors.{kind}_vectors_{space}_all",
                f"pgask_vectors.{kind}_vectors_{partition}",
            )
            if table in vector_tables(kind):
                update_in_batches(above, key, f"partition_id = {space}", f"t.partition_id = {partition}")
                op.execute(f"DROP TABLE {table}")
                commit()
    for kind in _KEYS:
        for table in vector_tables(kind):
            if _is_partition(table):
                op.execute(f"ALTER TABLE {table}_all DETACH PARTITION {table}")
                op.execute(f"DROP TABLE {table}_all")
                commit()
            op.execute(f"ALTER TABLE {table} DROP COLUMN IF EXISTS partition_id")
            commit()
    op.execute("ALTER TABLE pgask.collections DROP COLUMN leaving_id, DROP COLUMN partition_id")
    op.execute("DELETE FROM pgask.embedding_spaces WHERE partition_of IS NOT NULL")
    op.execute("DROP INDEX pgask.uq_embedding_spaces_fields")
    op.execute(
        "ALTER TABLE pgask.embedding_spaces DROP COLUMN partition_of,"
        f" ADD CONSTRAINT uq_embedding_spaces_fields UNIQUE ({_FIELDS})"
    )


def above(kind: str) -> list[str]:
    """The tables above those of one kind that spaces share."""
    return [f"{table}_all" for table in vector_tables(kind) if _is_there(f"{table}_all")]


def _attach(kind: str, table: str, space: int) -> None:
    op.execute(f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS partition_id integer NOT NULL DEFAULT {space}")
    op.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {_CHECK}")
    op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {_CHECK} CHECK (partition_id = {space}) NOT VALID")
    commit()
    with alone():
        op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {_CHECK}")
    op.execute(f"DROP TABLE IF EXISTS {table}_all")  # empty, of a table that code of before dropped
    op.execute(f"CREATE TABLE {table}_all (LIKE {table} INCLUDING STORAGE) PARTITION BY LIST (partition_id)")
    op.execute(f"ALTER TABLE {table}_all ADD FOREIGN KEY {_REFERENCES[kind]} ON DELETE CASCADE")
    op.execute(f"SELECT pgask.protect('{table}_all')")
    op.execute(f"ALTER TABLE {table}_all ATTACH PARTITION {table} FOR VALUES IN ({space})")
    op.execute(f"ALTER TABLE {table} DROP CONSTRAINT {_CHECK}")
    commit()


def _is_there(table: str) -> bool:
    return (
        op.get_bind().execute(text("SELECT to_regclass(:table) IS NOT NULL"), {"table": table}).scalar_one()
        is True
    )


def _is_partition(table: str) -> bool:
    found = text("SELECT relispartition FROM pg_class WHERE oid = to_regclass(:table)")
    return op.get_bind().execute(found, {"table": table}).scalar_one() is True
