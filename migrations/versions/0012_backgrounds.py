"""What cosines are measured against: vectors of everyday texts a space, and a sample of windows a collection.

Revision: 0012. A collection stored before has no sample until the index is looked after (the service does so in its
first minutes, ingest at its end); until then its cosines are measured against the texts alone.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "background_texts",
        sa.Column("space_id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("embedding", postgresql.ARRAY(sa.REAL()), nullable=False),
        sa.ForeignKeyConstraint(
            ["space_id"],
            ["pgask.embedding_spaces.id"],
            name=op.f("fk_background_texts_space_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("space_id", "digest", name=op.f("pk_background_texts")),
        schema="pgask",
    )
    op.create_table(
        "background_windows",
        sa.Column("collection_id", sa.Integer(), nullable=False),
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("window_index", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["collection_id"],
            ["pgask.collections.id"],
            name=op.f("fk_background_windows_collection_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["document_id"],
            ["pgask.documents.id"],
            name=op.f("fk_background_windows_document_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("document_id", "window_index", name=op.f("pk_background_windows")),
        schema="pgask",
    )
    op.create_index(
        op.f("ix_background_windows_collection_id"), "background_windows", ["collection_id"], schema="pgask"
    )
    op.add_column(
        "collections",
        sa.Column("background_version", sa.Integer(), server_default=sa.text("0"), nullable=False),
        schema="pgask",
    )
    op.add_column("collections", sa.Column("background", postgresql.JSONB(), nullable=True), schema="pgask")


def downgrade() -> None:
    for name in ("background", "background_version"):
        op.drop_column("collections", name, schema="pgask")
    op.drop_table("background_windows", schema="pgask")
    op.drop_table("background_texts", schema="pgask")
