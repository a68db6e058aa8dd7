"""Collections that an import has not finished are in no list.

Revision: 0014.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "collections",
        sa.Column("importing", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        schema="pgask",
    )


def downgrade() -> None:
    op.execute(
        "DELETE FROM pgask.documents WHERE collection_id IN (SELECT id FROM pgask.collections WHERE importing)"
    )
    op.execute("DELETE FROM pgask.collections WHERE importing")
    op.drop_column("collections", "importing", schema="pgask")
