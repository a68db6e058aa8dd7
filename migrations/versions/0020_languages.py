"""All languages that a document has text in, and the language of each chunk.

Revision: 0020. Nothing is rewritten: what was stored before has neither, and is taken to be in its document's language
until the next ingest, which cuts it anew.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("documents", sa.Column("languages", ARRAY(sa.Text()), nullable=True), schema="pgask")
    op.add_column("chunks", sa.Column("language", sa.Text(), nullable=True), schema="pgask")


def downgrade() -> None:
    op.drop_column("chunks", "language", schema="pgask")
    op.drop_column("documents", "languages", schema="pgask")
