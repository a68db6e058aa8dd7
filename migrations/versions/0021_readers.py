"""Documents kept for some groups: shelves, and the groups of keys.

Revision: 0021. A shelf is a row of `collections` with the name of the collection that its documents are listed under,
and the groups that may read them (app/store/shelves.py, ADR 0039). The one policy of `collections` holds them back; all
other tables follow it, since theirs ask for the collections that are seen. `pgask.move_document` puts a document on
another shelf with all its rows.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

# `pgask.groups`: those of who asks, as an array; a star for who reads all of the tenant's; nothing set is no group.
_FUNCTIONS = """
CREATE FUNCTION pgask.may_read(readers text[]) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS $$
SELECT CASE WHEN readers IS NULL THEN true
            WHEN coalesce(current_setting('pgask.groups', true), '') = '' THEN false
            WHEN current_setting('pgask.groups', true) = '*' THEN true
            ELSE readers && current_setting('pgask.groups', true)::text[] END $$;

CREATE FUNCTION pgask.move_document(moved uuid, target integer) RETURNS void
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
    UPDATE pgask.postings SET collection_id = target
     WHERE chunk_id IN (SELECT id FROM pgask.chunks WHERE document_id = moved);
    UPDATE pgask.chunks SET collection_id = target WHERE document_id = moved;
    EXECUTE format('UPDATE pgask_vectors.chunk_vectors_%s SET collection_id = $1 WHERE document_id = $2', space)
      USING target, moved;
    EXECUTE format('UPDATE pgask_vectors.window_vectors_%s SET collection_id = $1 WHERE document_id = $2', space)
      USING target, moved;
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

_TENANT = "tenant_id = pgask.current_tenant()"


def upgrade() -> None:
    op.execute(_FUNCTIONS)
    op.add_column("collections", sa.Column("readers", ARRAY(sa.Text()), nullable=True), schema="pgask")
    op.drop_constraint(op.f("uq_collections_tenant_id_name"), "collections", schema="pgask")
    op.create_unique_constraint(
        op.f("uq_collections_tenant_id_name_readers"),
        "collections",
        ["tenant_id", "name", "readers"],
        schema="pgask",
        postgresql_nulls_not_distinct=True,
    )
    op.add_column(
        "api_keys",
        sa.Column("groups", ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        schema="pgask",
    )
    op.add_column("job_files", sa.Column("collection_id", sa.Integer(), nullable=True), schema="pgask")
    op.execute(f"ALTER POLICY tenant ON pgask.collections USING ({_TENANT} AND pgask.may_read(readers))")
    op.execute(
        "CREATE POLICY readable ON pgask.job_files AS RESTRICTIVE USING (collection_id IS NULL"
        " OR (collection_id = ANY (ARRAY(SELECT id FROM pgask.collections))) IS TRUE)"
    )


def downgrade() -> None:
    count = op.get_bind().exec_driver_sql(
        "SELECT count(*) FROM pgask.collections c WHERE readers IS NOT NULL"
        " AND EXISTS (SELECT FROM pgask.documents d WHERE d.collection_id = c.id)"
    )
    if count.scalar_one():
        raise RuntimeError(
            "There are documents that are kept for some groups, and an older schema would show them to all. "
            "Delete them, or let all read them, first."
        )
    op.execute("DELETE FROM pgask.collections WHERE readers IS NOT NULL")
    op.execute("DROP POLICY readable ON pgask.job_files")
    op.execute(f"ALTER POLICY tenant ON pgask.collections USING ({_TENANT})")
    op.drop_column("job_files", "collection_id", schema="pgask")
    op.drop_column("api_keys", "groups", schema="pgask")
    op.drop_constraint(op.f("uq_collections_tenant_id_name_readers"), "collections", schema="pgask")
    op.create_unique_constraint(
        op.f("uq_collections_tenant_id_name"), "collections", ["tenant_id", "name"], schema="pgask"
    )
    op.drop_column("collections", "readers", schema="pgask")
    op.execute("DROP FUNCTION pgask.move_document(uuid, integer), pgask.may_read(text[])")
