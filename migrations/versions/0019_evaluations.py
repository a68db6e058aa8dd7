"""How a twin compares with the collection that it is a twin of, so that `pgask spaces switch` sees it.

Revision: 0019. `evaluation` has the figures of app/trial/comparison.py, no question and no text.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0019"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "collections", sa.Column("evaluated_at", sa.DateTime(timezone=True), nullable=True), schema="pgask"
    )
    op.add_column("collections", sa.Column("evaluation", JSONB(), nullable=True), schema="pgask")


def downgrade() -> None:
    for name in ("evaluation", "evaluated_at"):
        op.drop_column("collections", name, schema="pgask")
