"""Postings are found by collection, term and chunk, so that a common term is looked up in the chunks that matter.

Revision: 0005. What stands in each window is read from the table for a question's candidates alone, so the index does
not carry it any more. It is built anew, which takes about 50 s for 17 million postings (100,000 chunks).
"""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _index_terms(["collection_id", "term", "chunk_id"], ["term_frequency", "chunk_terms"])


def downgrade() -> None:
    _index_terms(
        ["collection_id", "term"], ["chunk_id", "term_frequency", "chunk_terms", "window_frequencies"]
    )


def _index_terms(columns: list[str], included: list[str]) -> None:
    op.drop_index("ix_postings_term", "postings", schema="pgask")
    op.create_index(
        "ix_postings_term",
        "postings",
        columns,
        unique=False,
        schema="pgask",
        postgresql_include=included,
    )
