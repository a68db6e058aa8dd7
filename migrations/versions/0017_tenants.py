"""Row-level security: a tenant's rows are seen by who works for that tenant, and by the owner, who migrates.

Revision: 0017. Everything stored until now belongs to `default` and answers as before. `pgask.protect(table)` gives a
table its policies: a migration that makes a table of a tenant's rows calls it (`tenant_id`, or `collection_id` of a row
below a collection). No large table is written anew: windows, texts and lines that lie there have no `collection_id`,
and are looked up by their document.

What takes as long as there are documents comes first, under a lock that keeps writers out and no reader; what locks
readers out comes last, and takes no longer for many rows than for few.

An index that is not a b-tree can't be asked before a policy, since its operators could tell of rows that are hidden. So
what near duplicates share is kept in a table of its own, and so are the metadata that filters ask for.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

# The record first: its index takes as long as it has lines, and no question waits for it
_OF_TENANT = ("audit", "question_vectors", "sessions", "api_keys", "collections")
_OF_USERS = ("jobs", "job_files", "originals", "original_parts", "feedback")
_HAD_TENANT = ("api_keys", "conversations", *_OF_USERS)
_OF_COLLECTION = (
    "documents",
    "chunks",
    "postings",
    "background_windows",
    "signature_bands",
    "document_facts",
    "document_texts",
    "page_lines",
)

FUNCTIONS = """
CREATE FUNCTION pgask.current_tenant() RETURNS integer LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT nullif(current_setting('pgask.tenant', true), '')::integer $$;

CREATE FUNCTION pgask.protect(target regclass) RETURNS void LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
    of_collection CONSTANT text := '(collection_id = ANY (ARRAY(SELECT id FROM pgask.collections))) IS TRUE';
    condition text;
    is_filled boolean;
BEGIN
    SELECT attnotnull INTO is_filled FROM pg_catalog.pg_attribute
     WHERE attrelid = target AND attname = 'collection_id' AND NOT attisdropped;
    IF EXISTS (SELECT FROM pg_catalog.pg_attribute
                WHERE attrelid = target AND attname = 'tenant_id' AND NOT attisdropped) THEN
        condition := 'tenant_id = pgask.current_tenant()';
    ELSIF is_filled THEN
        condition := of_collection;
    ELSIF is_filled IS NOT NULL THEN
        condition := 'CASE WHEN collection_id IS NULL'
            || ' THEN EXISTS (SELECT FROM pgask.documents d WHERE d.id = document_id) ELSE '
            || of_collection || ' END';
    ELSE
        RAISE EXCEPTION '% has neither tenant_id nor collection_id', target;
    END IF;
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', target);
    EXECUTE format('CREATE POLICY tenant ON %s USING (%s)', target, condition);
    EXECUTE format('CREATE POLICY owner ON %s TO %I USING (true)', target, current_user);
END $$;
"""

# Each value of the metadata with where it stands, as one number: elements of a list stand where the list does, and
# numbers are compared by what they are worth. Documents that differ may share one: who asks compares them as well.
FACTS = """
CREATE FUNCTION pgask.facts(metadata jsonb) RETURNS SETOF bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
WITH RECURSIVE part (path, value) AS (
    SELECT '', metadata
    UNION ALL
    SELECT below.path, below.value FROM part CROSS JOIN LATERAL (
        SELECT part.path || chr(31) || member.key AS path, member.value
          FROM jsonb_each(CASE jsonb_typeof(part.value) WHEN 'object' THEN part.value ELSE '{}' END) member
        UNION ALL
        SELECT part.path, element
          FROM jsonb_array_elements(CASE jsonb_typeof(part.value) WHEN 'array' THEN part.value ELSE '[]' END) element
    ) below
), leaf AS (
    SELECT path || chr(30) || CASE jsonb_typeof(value)
           WHEN 'number' THEN trim_scale((value #>> '{}')::numeric)::text ELSE value::text END AS told
      FROM part WHERE jsonb_typeof(value) NOT IN ('object', 'array')
)
SELECT DISTINCT ('x' || encode(substr(sha256(convert_to(told, 'UTF8')), 1, 8), 'hex'))::bit(64)::bigint FROM leaf
$$;

CREATE FUNCTION pgask.note_facts() RETURNS trigger LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF OLD.metadata = NEW.metadata THEN
            RETURN NULL;
        END IF;
        DELETE FROM pgask.document_facts WHERE document_id = NEW.id;
    END IF;
    INSERT INTO pgask.document_facts (collection_id, fact, document_id)
    SELECT NEW.collection_id, fact, NEW.id FROM pgask.facts(NEW.metadata) fact;
    RETURN NULL;
END $$;
CREATE TRIGGER note_facts AFTER INSERT OR UPDATE OF metadata ON pgask.documents
    FOR EACH ROW EXECUTE FUNCTION pgask.note_facts();
"""

# The one row of a key or session that whoever asks has shown, by its digest: nobody knows it without the secret.
PRESENTED = """
CREATE POLICY presented ON pgask.sessions FOR SELECT
    USING (digest = decode(current_setting('pgask.presented', true), 'hex'));
CREATE POLICY presented ON pgask.api_keys FOR SELECT
    USING (digest = decode(current_setting('pgask.presented', true), 'hex')
           OR id IN (SELECT s.key_id FROM pgask.sessions s
                      WHERE s.digest = decode(current_setting('pgask.presented', true), 'hex')));
"""

# Of a key that may see some collections alone: names, as an array.
NARROWED = """
CREATE POLICY narrowed ON pgask.collections AS RESTRICTIVE
    USING (nullif(current_setting('pgask.collections', true), '') IS NULL
           OR name = ANY (nullif(current_setting('pgask.collections', true), '')::text[]));
CREATE POLICY narrowed ON pgask.jobs AS RESTRICTIVE
    USING ((collection_id = ANY (ARRAY(SELECT id FROM pgask.collections))) IS TRUE);
CREATE POLICY narrowed ON pgask.job_files AS RESTRICTIVE
    USING (EXISTS (SELECT FROM pgask.jobs j WHERE j.id = job_id));
CREATE POLICY narrowed ON pgask.originals AS RESTRICTIVE
    USING (document_id IS NULL OR EXISTS (SELECT FROM pgask.documents d WHERE d.id = document_id));
CREATE POLICY narrowed ON pgask.original_parts AS RESTRICTIVE
    USING (EXISTS (SELECT FROM pgask.originals o WHERE o.id = original_id));
CREATE POLICY narrowed ON pgask.feedback AS RESTRICTIVE
    USING (nullif(current_setting('pgask.collections', true), '') IS NULL
           OR to_jsonb(nullif(current_setting('pgask.collections', true), '')::text[]) @> (scope -> 'collections'));
"""

_VECTOR_TABLES = """
SELECT c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = 'pgask_vectors' AND c.relkind = 'r' AND c.relname ~ %s ORDER BY 1
"""


def upgrade() -> None:
    op.execute(FUNCTIONS)
    op.execute("LOCK TABLE pgask.documents IN SHARE ROW EXCLUSIVE MODE")
    _keep_apart("signature_bands", "band", "unnest(d.signature_bands)")
    op.execute(FACTS)
    _keep_apart("document_facts", "fact", "pgask.facts(d.metadata)")
    _add_documents_key("fk_documents_new", ondelete=None)
    for table in (*_OF_TENANT, *_OF_USERS, "conversations"):
        if table not in _HAD_TENANT:
            op.execute(f"ALTER TABLE pgask.{table} ADD COLUMN tenant_id integer NOT NULL DEFAULT 1")
            op.create_foreign_key(
                op.f(f"fk_{table}_tenant_id"),
                table,
                "tenants",
                ["tenant_id"],
                ["id"],
                source_schema="pgask",
                referent_schema="pgask",
                ondelete="CASCADE",
            )
        op.execute(f"ALTER TABLE pgask.{table} ALTER COLUMN tenant_id SET DEFAULT pgask.current_tenant()")
        if table == "audit":
            op.drop_index(op.f("ix_audit_at"), "audit", schema="pgask")
            op.create_index(op.f("ix_audit_tenant_id_at"), "audit", ["tenant_id", "at"], schema="pgask")
    op.add_column("api_keys", sa.Column("collections", ARRAY(sa.Text()), nullable=True), schema="pgask")
    op.drop_constraint(op.f("uq_collections_name"), "collections", schema="pgask")
    op.create_unique_constraint(
        op.f("uq_collections_tenant_id_name"), "collections", ["tenant_id", "name"], schema="pgask"
    )
    op.drop_constraint(op.f("pk_question_vectors"), "question_vectors", schema="pgask")
    op.create_primary_key(
        op.f("pk_question_vectors"), "question_vectors", ["tenant_id", "space_id", "digest"], schema="pgask"
    )
    op.add_column(
        "embedding_spaces",
        sa.Column("row_count", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        schema="pgask",
    )
    op.execute(
        "UPDATE pgask.embedding_spaces s SET row_count ="
        " (SELECT coalesce(sum(c.chunk_count), 0) FROM pgask.collections c WHERE c.space_id = s.id)"
    )
    for table in ("document_texts", "page_lines"):
        op.add_column(table, sa.Column("collection_id", sa.Integer(), nullable=True), schema="pgask")
    _put_documents_key("fk_documents_new")
    for name in ("signature_bands", "metadata"):
        op.drop_index(f"ix_documents_{name}", "documents", schema="pgask")
    op.drop_column("documents", "signature_bands", schema="pgask")
    for table in (*_OF_TENANT, *_OF_USERS, "conversations", *_OF_COLLECTION):
        op.execute(f"SELECT pgask.protect('pgask.{table}')")
    op.execute(PRESENTED)
    op.execute(NARROWED)
    for name in _vector_tables("^window_vectors_[0-9]+$"):
        op.execute(f"ALTER TABLE pgask_vectors.{name} ADD COLUMN collection_id integer")
    for name in _vector_tables("^(window|chunk)_vectors_[0-9]+$"):
        op.execute(f"SELECT pgask.protect('pgask_vectors.{name}')")


def downgrade() -> None:
    count = op.get_bind().exec_driver_sql("SELECT count(*) FROM pgask.tenants").scalar_one()
    if count > 1:
        raise RuntimeError(
            "There is more than one tenant, and an older schema would let each see the others' rows. "
            "Delete the other ones first: pgask tenants delete NAME"
        )
    for name in _vector_tables("^(window|chunk)_vectors_[0-9]+$"):
        _unprotect(f"pgask_vectors.{name}")
    for name in _vector_tables("^window_vectors_[0-9]+$"):
        op.execute(f"ALTER TABLE pgask_vectors.{name} DROP COLUMN collection_id")
    for table in ("collections", *_OF_USERS):
        op.execute(f"DROP POLICY narrowed ON pgask.{table}")
    for table in ("api_keys", "sessions"):
        op.execute(f"DROP POLICY presented ON pgask.{table}")
    for table in (*_OF_COLLECTION, *_OF_TENANT, *_OF_USERS, "conversations"):
        _unprotect(f"pgask.{table}")
    op.add_column("documents", sa.Column("signature_bands", ARRAY(sa.BigInteger())), schema="pgask")
    op.execute(
        "UPDATE pgask.documents d SET signature_bands = b.bands FROM (SELECT document_id,"
        " array_agg(band ORDER BY band) AS bands FROM pgask.signature_bands GROUP BY 1) b WHERE b.document_id = d.id"
    )
    op.execute(
        "CREATE INDEX ix_documents_signature_bands ON pgask.documents USING gin (signature_bands)"
        " WITH (fastupdate = off)"
    )
    op.drop_table("signature_bands", schema="pgask")
    op.execute("DROP TRIGGER note_facts ON pgask.documents")
    op.execute("DROP FUNCTION pgask.note_facts(), pgask.facts(jsonb)")
    op.drop_table("document_facts", schema="pgask")
    op.execute("CREATE INDEX ix_documents_metadata ON pgask.documents USING gin (metadata jsonb_path_ops)")
    for table in ("document_texts", "page_lines"):
        op.drop_column(table, "collection_id", schema="pgask")
    op.drop_column("embedding_spaces", "row_count", schema="pgask")
    op.drop_index(op.f("ix_audit_tenant_id_at"), "audit", schema="pgask")
    op.create_index(op.f("ix_audit_at"), "audit", ["at"], schema="pgask")
    _add_documents_key("fk_documents_old", ondelete="CASCADE")
    _put_documents_key("fk_documents_old")
    op.drop_constraint(op.f("pk_question_vectors"), "question_vectors", schema="pgask")
    op.create_primary_key(
        op.f("pk_question_vectors"), "question_vectors", ["space_id", "digest"], schema="pgask"
    )
    op.drop_constraint(op.f("uq_collections_tenant_id_name"), "collections", schema="pgask")
    op.create_unique_constraint(op.f("uq_collections_name"), "collections", ["name"], schema="pgask")
    op.drop_column("api_keys", "collections", schema="pgask")
    op.execute("ALTER TABLE pgask.api_keys ALTER COLUMN tenant_id DROP DEFAULT")
    for table in (*_OF_USERS, "conversations"):
        op.execute(f"ALTER TABLE pgask.{table} ALTER COLUMN tenant_id SET DEFAULT 1")
    for table in _OF_TENANT:
        if table not in _HAD_TENANT:
            op.drop_column(table, "tenant_id", schema="pgask")
    op.execute("DROP FUNCTION pgask.protect(regclass), pgask.current_tenant()")


def _add_documents_key(name: str, ondelete: str | None) -> None:
    """Documents go before their collection: the trigger that forgets their postings sees those of a collection that is
    there. Checked beside readers."""
    then = f" ON DELETE {ondelete}" if ondelete else ""
    op.execute(
        f"ALTER TABLE pgask.documents ADD CONSTRAINT {name} FOREIGN KEY (collection_id)"
        f" REFERENCES pgask.collections (id){then} NOT VALID"
    )
    op.execute(f"ALTER TABLE pgask.documents VALIDATE CONSTRAINT {name}")


def _put_documents_key(name: str) -> None:
    """In the place of the one that was there."""
    op.drop_constraint(op.f("fk_documents_collection_id"), "documents", schema="pgask")
    op.execute(f"ALTER TABLE pgask.documents RENAME CONSTRAINT {name} TO fk_documents_collection_id")


def _keep_apart(table: str, number: str, numbers: str) -> None:
    """A table of documents by a number that many may have, filled with the `numbers` of each document `d`."""
    op.create_table(
        table,
        sa.Column("collection_id", sa.Integer(), nullable=False),
        sa.Column(number, sa.BigInteger(), nullable=False),
        sa.Column("document_id", sa.Uuid(), nullable=False),
        schema="pgask",
    )
    op.execute(
        f"INSERT INTO pgask.{table} (collection_id, {number}, document_id)"  # noqa: S608 - constants only
        f" SELECT DISTINCT d.collection_id, n.number, d.id FROM pgask.documents d, {numbers} n (number)"
    )
    op.create_primary_key(
        op.f(f"pk_{table}"), table, ["collection_id", number, "document_id"], schema="pgask"
    )
    op.create_foreign_key(
        op.f(f"fk_{table}_document_id"),
        table,
        "documents",
        ["document_id"],
        ["id"],
        source_schema="pgask",
        referent_schema="pgask",
        ondelete="CASCADE",
    )
    op.create_index(op.f(f"ix_{table}_document_id"), table, ["document_id"], schema="pgask")


def _unprotect(table: str) -> None:
    op.execute(f"DROP POLICY tenant ON {table}")
    op.execute(f"DROP POLICY owner ON {table}")
    op.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY")


def _vector_tables(pattern: str) -> list[str]:
    return [row[0] for row in op.get_bind().exec_driver_sql(_VECTOR_TABLES, (pattern,)).fetchall()]
