"""Texts, lines and windows stored before there were tenants know their collection; filters by time have an index.

Revision: 0025. Pre: 0017 left `collection_id` empty where rows lay already. It is filled in batches, beside readers and
writers; all code since 0017 writes it.
"""

from __future__ import annotations

from migrations.online import (
    build_index,
    check_not_null,
    drop_index,
    drop_promise,
    promise_not_null,
    update_in_batches,
    vector_tables,
)

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None
KIND = "pre"

_INDEX = "ix_documents_collection_id_updated_at"


def upgrade() -> None:
    build_index(_INDEX, "pgask.documents", "collection_id, updated_at")
    for table, key in _tables():
        promise_not_null(table, "collection_id")
        update_in_batches(
            table,
            key,
            "collection_id = d.collection_id",
            "d.id = t.document_id AND t.collection_id IS NULL",
            using="FROM pgask.documents d",
        )
        check_not_null(table, "collection_id")


def downgrade() -> None:
    drop_index(f"pgask.{_INDEX}")
    for table, _ in _tables():
        drop_promise(table, "collection_id")


def _tables() -> list[tuple[str, tuple[str, str]]]:
    """Those whose `collection_id` may be empty, each with its primary key."""
    return [
        ("pgask.document_texts", ("document_id", "part")),
        ("pgask.page_lines", ("document_id", "page")),
        *((name, ("document_id", "window_index")) for name in vector_tables("window")),
    ]
