"""Texts, lines and windows always have their collection, and their policies ask for nothing else.

Revision: 0026. Post: services of before 0025 make the tables of a new space with a `collection_id` that may be empty.
"""

from __future__ import annotations

from alembic import op

from migrations.online import check_not_null, commit, promise_not_null, set_not_null, vector_tables

revision = "0026"
down_revision = "0035"
branch_labels = None
depends_on = None
KIND = "post"

_OF_COLLECTION = "(collection_id = ANY (ARRAY(SELECT id FROM pgask.collections))) IS TRUE"
_OR_OF_DOCUMENT = (
    "CASE WHEN collection_id IS NULL THEN EXISTS (SELECT FROM pgask.documents d WHERE d.id = document_id)"
    f" ELSE ({_OF_COLLECTION}) END"
)


def upgrade() -> None:
    for table in _tables():
        promise_not_null(table, "collection_id")
        check_not_null(table, "collection_id")
        set_not_null(table, "collection_id")
        op.execute(f"ALTER POLICY tenant ON {table} USING ({_OF_COLLECTION})")
        commit()


def downgrade() -> None:
    for table in _tables():
        op.execute(f"ALTER POLICY tenant ON {table} USING ({_OR_OF_DOCUMENT})")
        op.execute(f"ALTER TABLE {table} ALTER COLUMN collection_id DROP NOT NULL")
        commit()


def _tables() -> list[str]:
    return ["pgask.document_texts", "pgask.page_lines", *vector_tables("window")]
