"""The column of 0035, for schemas that were at 0026 or later before 0035 stood in front of it.

Revision: 0036. Post, though nothing is taken away: code works before and after it.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0034"
branch_labels = None
depends_on = None
KIND = "post"


def upgrade() -> None:
    op.add_column("documents", sa.Column("sender", sa.Text()), schema="pgask", if_not_exists=True)


def downgrade() -> None:
    """0035 takes it away."""
