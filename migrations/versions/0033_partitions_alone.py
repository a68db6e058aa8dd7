"""All vector tables are partitions, those too that services of before 0032 made; upkeep may give collections their own.

Revision: 0033. Post: services of before 0032 write the vectors of every collection where all lie together. What 0026
asks of windows is asked of the tables above them.
"""

from __future__ import annotations

from alembic import op

from migrations.online import commit
from migrations.vector_partitions import above, add_partitions

revision = "0033"
down_revision = "0031"
branch_labels = None
depends_on = None
KIND = "post"

_OF_COLLECTION = "(collection_id = ANY (ARRAY(SELECT id FROM pgask.collections))) IS TRUE"
_OR_OF_DOCUMENT = (
    "CASE WHEN collection_id IS NULL THEN EXISTS (SELECT FROM pgask.documents d WHERE d.id = document_id)"
    f" ELSE ({_OF_COLLECTION}) END"
)


def upgrade() -> None:
    add_partitions()
    for table in above("window"):
        op.execute(f"ALTER TABLE {table} ALTER COLUMN collection_id SET NOT NULL")
        op.execute(f"ALTER POLICY tenant ON {table} USING ({_OF_COLLECTION})")
        commit()


def downgrade() -> None:
    for table in above("window"):
        op.execute(f"ALTER POLICY tenant ON {table} USING ({_OR_OF_DOCUMENT})")
        op.execute(f"ALTER TABLE {table} ALTER COLUMN collection_id DROP NOT NULL")
        commit()
