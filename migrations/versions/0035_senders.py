"""Documents know which account sent them.

Revision: 0035. A column without a default, so no row is written or read. It comes before what takes away, and 0036
gives it to schemas that were past it.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0032"
branch_labels = None
depends_on = None
KIND = "pre"


def upgrade() -> None:
    op.add_column("documents", sa.Column("sender", sa.Text()), schema="pgask", if_not_exists=True)


def downgrade() -> None:
    op.drop_column("documents", "sender", schema="pgask")
