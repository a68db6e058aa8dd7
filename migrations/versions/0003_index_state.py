"""A space knows which vector index it has (method, precision, build), and its newest questions' vectors are kept.

Revision: 0003. An index built before is build 0, ivfflat in full precision, and goes on answering. On the way down,
search is exact until the older version builds its index again: it does not know the one that is there.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column in (
        sa.Column("index_method", sa.Text(), nullable=True),
        sa.Column("index_precision", sa.Text(), nullable=True),
        sa.Column("index_build", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("index_ef_search", sa.Integer(), nullable=True),
    ):
        op.add_column("embedding_spaces", column, schema="pgask")
    op.execute(
        "UPDATE pgask.embedding_spaces SET index_method = 'ivfflat', index_precision = 'full'"
        " WHERE index_lists IS NOT NULL"
    )
    op.create_table(
        "question_vectors",
        sa.Column("space_id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("embedding", postgresql.ARRAY(sa.REAL()), nullable=False),
        sa.ForeignKeyConstraint(
            ["space_id"],
            ["pgask.embedding_spaces.id"],
            name=op.f("fk_question_vectors_space_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("space_id", "digest", name=op.f("pk_question_vectors")),
        schema="pgask",
    )
    op.create_index(
        op.f("ix_question_vectors_space_id_asked_at"),
        "question_vectors",
        ["space_id", "asked_at"],
        schema="pgask",
    )


def downgrade() -> None:
    op.drop_table("question_vectors", schema="pgask")
    op.execute(
        "UPDATE pgask.embedding_spaces SET index_lists = NULL, index_probes = NULL, index_report = NULL"
        " WHERE index_method IS DISTINCT FROM 'ivfflat' OR index_build > 0"
    )
    for column in ("index_ef_search", "index_build", "index_precision", "index_method"):
        op.drop_column("embedding_spaces", column, schema="pgask")
