"""Documents know the folder that they were taken in from, and what their file looked like when it was read.

Revision: 0008. Documents stored before have none of it: the next run reads their files once, notes it, and embeds
nothing again.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column in (
        sa.Column("root", sa.Text(), nullable=True),
        sa.Column("mtime_ns", sa.BigInteger(), nullable=True),
        sa.Column("inode", sa.BigInteger(), nullable=True),
    ):
        op.add_column("documents", column, schema="pgask")


def downgrade() -> None:
    for name in ("inode", "mtime_ns", "root"):
        op.drop_column("documents", name, schema="pgask")
