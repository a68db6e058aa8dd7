"""Replies that may still be rated, for a day: so that a rating finds its reply after a restart, and in another process.

Revision: 0023. A new table alone.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0023"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "replies",
        sa.Column(
            "tenant_id", sa.Integer(), server_default=sa.text("pgask.current_tenant()"), nullable=False
        ),
        sa.Column("asker", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("reply", postgresql.JSONB(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["pgask.tenants.id"], name=op.f("fk_replies_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "asker", "request_id", name=op.f("pk_replies")),
        schema="pgask",
    )
    op.create_index(op.f("ix_replies_tenant_id_at"), "replies", ["tenant_id", "at"], schema="pgask")
    op.execute("SELECT pgask.protect('pgask.replies')")


def downgrade() -> None:
    op.drop_table("replies", schema="pgask")
