"""The first schema: embedding spaces, collections, documents, chunks, postings, and their triggers.

Revision: 0001. No vector index here: an ivfflat index on an empty table learns nothing, so the app builds it once
there are rows (app/index/ivfflat.py).
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Statement-level, with transition tables: one call for a whole COPY or cascade.
TRIGGERS = """
CREATE FUNCTION pgask.count_inserted_chunks() RETURNS trigger LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    UPDATE pgask.collections c
       SET chunk_count = c.chunk_count + n.chunks, term_count = c.term_count + n.terms
      FROM (SELECT collection_id, count(*) AS chunks, sum(term_count) AS terms
              FROM inserted GROUP BY collection_id) n
     WHERE c.id = n.collection_id;
    RETURN NULL;
END $$;
CREATE TRIGGER count_inserted AFTER INSERT ON pgask.chunks REFERENCING NEW TABLE AS inserted
    FOR EACH STATEMENT EXECUTE FUNCTION pgask.count_inserted_chunks();

CREATE FUNCTION pgask.forget_deleted_chunks() RETURNS trigger LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    DELETE FROM pgask.postings p USING deleted d WHERE p.chunk_id = d.id;
    UPDATE pgask.collections c
       SET chunk_count = c.chunk_count - n.chunks, term_count = c.term_count - n.terms
      FROM (SELECT collection_id, count(*) AS chunks, sum(term_count) AS terms
              FROM deleted GROUP BY collection_id) n
     WHERE c.id = n.collection_id;
    RETURN NULL;
END $$;
CREATE TRIGGER forget_deleted AFTER DELETE ON pgask.chunks REFERENCING OLD TABLE AS deleted
    FOR EACH STATEMENT EXECUTE FUNCTION pgask.forget_deleted_chunks();
"""


def upgrade() -> None:
    op.execute("CREATE SCHEMA IF NOT EXISTS pgask_vectors")
    op.create_table(
        "embedding_spaces",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("weights_sha256", sa.Text(), nullable=False),
        sa.Column("dimension", sa.Integer(), nullable=False),
        sa.Column("pooling", sa.Text(), nullable=False),
        sa.Column("query_prefix", sa.Text(), nullable=False),
        sa.Column("passage_prefix", sa.Text(), nullable=False),
        sa.Column("normalized", sa.Boolean(), nullable=False),
        sa.Column("index_lists", sa.Integer(), nullable=True),
        sa.Column("index_probes", sa.Integer(), nullable=True),
        sa.Column("index_report", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_embedding_spaces")),
        sa.UniqueConstraint(
            "model",
            "weights_sha256",
            "dimension",
            "pooling",
            "query_prefix",
            "passage_prefix",
            "normalized",
            name="uq_embedding_spaces_fields",
        ),
        schema="pgask",
    )
    op.create_table(
        "postings",
        sa.Column("chunk_id", sa.BigInteger(), nullable=False),
        sa.Column("collection_id", sa.Integer(), nullable=False),
        sa.Column("term_frequency", sa.SmallInteger(), nullable=False),
        sa.Column("chunk_terms", sa.Integer(), nullable=False),
        sa.Column("term", sa.Text(collation="C"), nullable=False),
        schema="pgask",
    )
    op.create_index("ix_postings_chunk_id", "postings", ["chunk_id"], unique=False, schema="pgask")
    op.create_index(
        "ix_postings_term",
        "postings",
        ["collection_id", "term"],
        unique=False,
        schema="pgask",
        postgresql_include=["chunk_id", "term_frequency", "chunk_terms"],
    )
    op.create_table(
        "collections",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("space_id", sa.Integer(), nullable=False),
        sa.Column("lexicon_version", sa.Integer(), nullable=False),
        sa.Column("chunk_count", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("term_count", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["space_id"], ["pgask.embedding_spaces.id"], name=op.f("fk_collections_space_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_collections")),
        sa.UniqueConstraint("name", name=op.f("uq_collections_name")),
        schema="pgask",
    )
    op.create_index(
        op.f("ix_collections_space_id"), "collections", ["space_id"], unique=False, schema="pgask"
    )
    op.create_table(
        "documents",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("collection_id", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(collation="C"), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("reason_detail", sa.Text(), nullable=True),
        sa.Column("title", sa.Text(), server_default="", nullable=False),
        sa.Column("media_type", sa.Text(), server_default="", nullable=False),
        sa.Column("language", sa.Text(), server_default="und", nullable=False),
        sa.Column("content_sha256", sa.Text(), nullable=True),
        sa.Column("pipeline", sa.Text(), nullable=True),
        sa.Column("text", sa.Text(), server_default="", nullable=False),
        sa.Column(
            "pages",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'::jsonb"),
            nullable=False,
        ),
        sa.Column(
            "sections",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'::jsonb"),
            nullable=False,
        ),
        sa.Column(
            "metadata",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column(
            "dropped",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column("size_bytes", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("char_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("chunk_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("token_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("unknown_tokens", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("status IN ('ready', 'failed', 'stale')", name=op.f("ck_documents_status")),
        sa.ForeignKeyConstraint(
            ["collection_id"],
            ["pgask.collections.id"],
            name=op.f("fk_documents_collection_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_documents")),
        sa.UniqueConstraint("collection_id", "source", name=op.f("uq_documents_collection_id_source")),
        schema="pgask",
    )
    op.create_index(
        "ix_documents_metadata",
        "documents",
        ["metadata"],
        schema="pgask",
        postgresql_using="gin",
        postgresql_ops={"metadata": "jsonb_path_ops"},
    )
    op.create_table(
        "chunks",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("collection_id", sa.Integer(), nullable=False),
        sa.Column("chunk_index", sa.Integer(), nullable=False),
        sa.Column("char_start", sa.Integer(), nullable=False),
        sa.Column("char_end", sa.Integer(), nullable=False),
        sa.Column("token_count", sa.Integer(), nullable=False),
        sa.Column("term_count", sa.Integer(), nullable=False),
        sa.Column("page", sa.Integer(), nullable=True),
        sa.Column("heading", sa.Text(), nullable=True),
        sa.Column("places", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("sentences", postgresql.ARRAY(sa.Integer()), nullable=False),
        sa.Column("window_start", sa.Integer(), nullable=False),
        sa.Column("window_end", sa.Integer(), nullable=False),
        sa.CheckConstraint("char_start < char_end", name=op.f("ck_chunks_span")),
        sa.ForeignKeyConstraint(
            ["document_id"], ["pgask.documents.id"], name=op.f("fk_chunks_document_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chunks")),
        sa.UniqueConstraint("document_id", "chunk_index", name=op.f("uq_chunks_document_id_chunk_index")),
        schema="pgask",
    )
    op.execute(TRIGGERS)


def downgrade() -> None:
    op.execute("DROP SCHEMA pgask_vectors CASCADE")
    for table in ("chunks", "documents", "collections", "postings", "embedding_spaces"):
        op.drop_table(table, schema="pgask")
    op.execute("DROP FUNCTION pgask.count_inserted_chunks(), pgask.forget_deleted_chunks()")
