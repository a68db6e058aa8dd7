"""Completions of a language model that may be given again, for some hours (PGASK_ANSWER_CACHE_HOURS).

Revision: 0031. Post, though nothing is taken away: code works before and after it. The table is not logged: what it
holds can be made again.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None
KIND = "post"


def upgrade() -> None:
    op.create_table(
        "completions",
        sa.Column(
            "tenant_id", sa.Integer(), server_default=sa.text("pgask.current_tenant()"), nullable=False
        ),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["pgask.tenants.id"], name=op.f("fk_completions_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "digest", name=op.f("pk_completions")),
        schema="pgask",
        prefixes=["UNLOGGED"],
    )
    op.execute("SELECT pgask.protect('pgask.completions')")


def downgrade() -> None:
    op.drop_table("completions", schema="pgask")
