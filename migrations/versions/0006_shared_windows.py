"""Chunks know how many of their first windows the chunk before holds too, so that a search need not look at that one.

Revision: 0006.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "chunks",
        sa.Column("windows_shared", sa.Integer(), server_default=sa.text("0"), nullable=False),
        schema="pgask",
    )
    op.execute(
        "UPDATE pgask.chunks c SET windows_shared = before.window_end - c.window_start FROM pgask.chunks before"
        " WHERE before.document_id = c.document_id AND before.chunk_index = c.chunk_index - 1"
        " AND before.window_end > c.window_start"
    )


def downgrade() -> None:
    op.drop_column("chunks", "windows_shared", schema="pgask")
