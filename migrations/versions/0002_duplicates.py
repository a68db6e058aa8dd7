"""Documents know what they are a duplicate of, where their file lay, and what their windows held.

Revision: 0002. Documents stored before have neither a signature nor window hashes: they are compared as exact
duplicates only, and embedded whole when they change, until they are ingested anew.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column in (
        sa.Column("origin", sa.Text(), nullable=True),
        sa.Column("text_sha256", sa.Text(), nullable=True),
        sa.Column("signature", sa.LargeBinary(), nullable=True),
        sa.Column("signature_bands", postgresql.ARRAY(sa.BigInteger()), nullable=True),
        sa.Column("duplicate_of", sa.Uuid(), nullable=True),
        sa.Column("window_hashes", sa.LargeBinary(), nullable=True),
    ):
        op.add_column("documents", column, schema="pgask")
    op.create_foreign_key(
        op.f("fk_documents_duplicate_of"),
        "documents",
        "documents",
        ["duplicate_of"],
        ["id"],
        source_schema="pgask",
        referent_schema="pgask",
        ondelete="SET NULL",
    )
    op.execute(
        "UPDATE pgask.documents SET text_sha256 = encode(sha256(convert_to(text, 'UTF8')), 'hex')"
        " WHERE chunk_count > 0"
    )
    op.create_index(
        op.f("ix_documents_collection_id_text_sha256"),
        "documents",
        ["collection_id", "text_sha256"],
        schema="pgask",
    )
    op.create_index(
        "ix_documents_signature_bands",
        "documents",
        ["signature_bands"],
        schema="pgask",
        postgresql_using="gin",
        postgresql_with={"fastupdate": "off"},
    )
    op.create_index(
        op.f("ix_documents_duplicate_of"),
        "documents",
        ["duplicate_of"],
        schema="pgask",
        postgresql_where=sa.text("duplicate_of IS NOT NULL"),
    )
    _allow_statuses("'ready', 'failed', 'stale', 'duplicate'")


def downgrade() -> None:
    op.execute("DELETE FROM pgask.documents WHERE status = 'duplicate'")
    _allow_statuses("'ready', 'failed', 'stale'")
    for index in (
        "ix_documents_duplicate_of",
        "ix_documents_signature_bands",
        "ix_documents_collection_id_text_sha256",
    ):
        op.drop_index(index, "documents", schema="pgask")
    for column in (
        "window_hashes",
        "duplicate_of",
        "signature_bands",
        "signature",
        "text_sha256",
        "origin",
    ):
        op.drop_column("documents", column, schema="pgask")


def _allow_statuses(statuses: str) -> None:
    op.drop_constraint(op.f("ck_documents_status"), "documents", schema="pgask", type_="check")
    op.create_check_constraint(
        op.f("ck_documents_status"), "documents", f"status IN ({statuses})", schema="pgask"
    )
