"""A collection in a second embedding space beside the one that answers: its twin, and which model was chosen.

Revision: 0018. A twin is a collection that nobody sees: its documents are copies of those of the collection whose twin
it is, with chunks and vectors of another model (app/store/twins.py, ADR 0036). `former_documents` has the numbers that
documents had before a switch, so that citations of old answers still resolve.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

# A twin is called as what it is a twin of, behind its space ("@2:handbook"): who may see some collections alone, by
# name, sees their twins, too.
_NARROWED = """
CREATE POLICY narrowed ON pgask.collections AS RESTRICTIVE
    USING (nullif(current_setting('pgask.collections', true), '') IS NULL
           OR {name} = ANY (nullif(current_setting('pgask.collections', true), '')::text[]))
"""


def upgrade() -> None:
    op.add_column("collections", sa.Column("twin_of", sa.Integer(), nullable=True), schema="pgask")
    op.add_column(
        "collections", sa.Column("filled_at", sa.DateTime(timezone=True), nullable=True), schema="pgask"
    )
    op.create_foreign_key(
        op.f("fk_collections_twin_of"),
        "collections",
        "collections",
        ["twin_of"],
        ["id"],
        source_schema="pgask",
        referent_schema="pgask",
        ondelete="CASCADE",
        deferrable=True,
        initially="DEFERRED",
    )
    op.create_index(
        op.f("ix_collections_twin_of_space_id"),
        "collections",
        ["twin_of", "space_id"],
        unique=True,
        schema="pgask",
    )
    op.add_column("documents", sa.Column("copy_of", sa.Uuid(), nullable=True), schema="pgask")
    op.add_column(
        "documents", sa.Column("copied_at", sa.DateTime(timezone=True), nullable=True), schema="pgask"
    )
    op.create_foreign_key(
        op.f("fk_documents_copy_of"),
        "documents",
        "documents",
        ["copy_of"],
        ["id"],
        source_schema="pgask",
        referent_schema="pgask",
        ondelete="CASCADE",
    )
    op.create_index(
        op.f("ix_documents_copy_of"),
        "documents",
        ["copy_of"],
        schema="pgask",
        postgresql_where=sa.text("copy_of IS NOT NULL"),
    )
    op.add_column(
        "embedding_spaces", sa.Column("chosen_at", sa.DateTime(timezone=True), nullable=True), schema="pgask"
    )
    op.create_table(
        "former_documents",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("collection_id", sa.Integer(), nullable=False),
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["document_id"],
            ["pgask.documents.id"],
            name=op.f("fk_former_documents_document_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_former_documents")),
        schema="pgask",
    )
    op.create_index(
        op.f("ix_former_documents_document_id"), "former_documents", ["document_id"], schema="pgask"
    )

    op.execute("SELECT pgask.protect('pgask.former_documents')")
    op.execute("DROP POLICY narrowed ON pgask.collections")
    op.execute(_NARROWED.format(name="regexp_replace(name, '^@[0-9]+:', '')"))


def downgrade() -> None:
    op.execute("DROP POLICY narrowed ON pgask.collections")
    op.execute(_NARROWED.format(name="name"))
    op.execute("DELETE FROM pgask.documents WHERE copy_of IS NOT NULL")
    op.execute("DELETE FROM pgask.collections WHERE twin_of IS NOT NULL")
    op.drop_table("former_documents", schema="pgask")
    op.drop_column("embedding_spaces", "chosen_at", schema="pgask")
    for name in ("copied_at", "copy_of"):
        op.drop_column("documents", name, schema="pgask")
    for name in ("filled_at", "twin_of"):
        op.drop_column("collections", name, schema="pgask")
