"""Postings know how often their term stands in each window of the chunk, so that BM25 can rank the best window too.

Revision: 0004. Postings stored before hold nothing of windows: their chunks are ranked without the windows' share until
the next ingest, which makes their documents anew since it does not know how they were made.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "postings",
        sa.Column("window_frequencies", sa.LargeBinary(), server_default=sa.text("''"), nullable=False),
        schema="pgask",
    )
    _index_terms(["chunk_id", "term_frequency", "chunk_terms", "window_frequencies"])
    op.execute("UPDATE pgask.documents SET pipeline = NULL WHERE pipeline IS NOT NULL")


def downgrade() -> None:
    _index_terms(["chunk_id", "term_frequency", "chunk_terms"])
    op.drop_column("postings", "window_frequencies", schema="pgask")


def _index_terms(included: list[str]) -> None:
    op.drop_index("ix_postings_term", "postings", schema="pgask")
    op.create_index(
        "ix_postings_term",
        "postings",
        ["collection_id", "term"],
        unique=False,
        schema="pgask",
        postgresql_include=included,
    )
