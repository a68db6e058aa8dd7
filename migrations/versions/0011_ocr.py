"""Where the lines of pages stand that OCR read, and pictures without text, which are noted and no documents.

Revision: 0011.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0011"
down_revision = "0009"
branch_labels = None
depends_on = None

_NAME = "ck_documents_status"


def upgrade() -> None:
    _allow("'ready', 'failed', 'stale', 'duplicate', 'skipped'")
    op.create_table(
        "page_lines",
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("page", sa.Integer(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("lines", ARRAY(sa.Integer()), nullable=False),
        sa.PrimaryKeyConstraint("document_id", "page", name="pk_page_lines"),
        sa.ForeignKeyConstraint(
            ["document_id"],
            ["pgask.documents.id"],
            name="fk_page_lines_document_id_documents",
            ondelete="CASCADE",
        ),
        schema="pgask",
    )


def downgrade() -> None:
    op.drop_table("page_lines", schema="pgask")
    op.execute("DELETE FROM pgask.documents WHERE status = 'skipped'")
    _allow("'ready', 'failed', 'stale', 'duplicate'")


def _allow(states: str) -> None:
    op.drop_constraint(op.f(_NAME), "documents", schema="pgask", type_="check")
    op.create_check_constraint(op.f(_NAME), "documents", f"status IN ({states})", schema="pgask")
