"""Files that are sent to the service: jobs, their files, and the bytes as they came; and the queue, procrastinate's.

Revision: 0013. New tables alone. The queue has the schema that procrastinate 3.10 brings: pyproject.toml holds that
version, and a newer one comes with a migration that applies what it changed. Its functions get the path of their own
schema, so that they may be called from any session.
"""

from __future__ import annotations

from importlib import resources

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_QUEUE = "pgask_queue"
_OWN_PATH = f"""
DO $$
DECLARE name text;
BEGIN
    FOR name IN SELECT oid::regprocedure::text FROM pg_proc WHERE pronamespace = '{_QUEUE}'::regnamespace
    LOOP
        EXECUTE 'ALTER FUNCTION ' || name || ' SET search_path = {_QUEUE}, pg_temp';
    END LOOP;
END
$$"""  # noqa: S608 - a constant


def _time(name: str, *, now: bool = False) -> sa.Column[object]:
    default = sa.text("now()") if now else None
    return sa.Column(name, sa.DateTime(timezone=True), nullable=not now, server_default=default)


def _tenant(table: str) -> tuple[sa.Column[object], sa.ForeignKeyConstraint]:
    return (
        sa.Column("tenant_id", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["pgask.tenants.id"], name=op.f(f"fk_{table}_tenant_id"), ondelete="CASCADE"
        ),
    )


def upgrade() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("collection_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'queued'"), nullable=False),
        sa.Column("stage", sa.Text(), nullable=True),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("options", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("eta_s", sa.REAL(), nullable=True),
        sa.Column("created_by", sa.Text(), server_default="", nullable=False),
        _time("created_at", now=True),
        _time("started_at"),
        _time("finished_at"),
        _time("changed_at", now=True),
        *_tenant("jobs"),
        sa.ForeignKeyConstraint(
            ["collection_id"],
            ["pgask.collections.id"],
            name=op.f("fk_jobs_collection_id"),
            ondelete="CASCADE",
        ),
        sa.CheckConstraint("kind IN ('upload')", name=op.f("ck_jobs_kind")),
        sa.CheckConstraint(
            "state IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')", name=op.f("ck_jobs_state")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
        schema="pgask",
    )
    op.create_index(op.f("ix_jobs_collection_id"), "jobs", ["collection_id"], schema="pgask")
    op.create_index("ix_jobs_tenant_id_created_at", "jobs", ["tenant_id", "created_at"], schema="pgask")
    op.create_table(
        "originals",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("document_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        _time("created_at", now=True),
        *_tenant("originals"),
        sa.ForeignKeyConstraint(
            ["document_id"], ["pgask.documents.id"], name=op.f("fk_originals_document_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_originals")),
        sa.UniqueConstraint("document_id", name=op.f("uq_originals_document_id")),
        schema="pgask",
    )
    op.create_index(op.f("ix_originals_tenant_id"), "originals", ["tenant_id"], schema="pgask")
    op.create_table(
        "original_parts",
        sa.Column("original_id", sa.Uuid(), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("bytes", sa.LargeBinary(), nullable=False),
        *_tenant("original_parts"),
        sa.ForeignKeyConstraint(
            ["original_id"],
            ["pgask.originals.id"],
            name=op.f("fk_original_parts_original_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("original_id", "part", name=op.f("pk_original_parts")),
        schema="pgask",
    )
    op.execute("ALTER TABLE pgask.original_parts ALTER bytes SET STORAGE EXTERNAL")
    op.create_table(
        "job_files",
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'queued'"), nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("size_bytes", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("document_id", sa.Uuid(), nullable=True),
        sa.Column("original_id", sa.Uuid(), nullable=True),
        *_tenant("job_files"),
        sa.ForeignKeyConstraint(
            ["job_id"], ["pgask.jobs.id"], name=op.f("fk_job_files_job_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["original_id"],
            ["pgask.originals.id"],
            name=op.f("fk_job_files_original_id"),
            ondelete="SET NULL",
        ),
        sa.CheckConstraint(
            "state IN ('queued', 'running', 'succeeded', 'skipped', 'failed', 'cancelled')",
            name=op.f("ck_job_files_state"),
        ),
        sa.PrimaryKeyConstraint("job_id", "position", name=op.f("pk_job_files")),
        schema="pgask",
    )
    op.create_index(op.f("ix_job_files_original_id"), "job_files", ["original_id"], schema="pgask")

    op.execute(f"CREATE SCHEMA {_QUEUE}")
    before = op.get_bind().scalar(sa.text("SELECT current_setting('search_path')"))
    op.execute(f"SET LOCAL search_path = {_QUEUE}")
    cursor = op.get_bind().connection.cursor()  # SQLAlchemy would take its % for parameters
    cursor.execute((resources.files("procrastinate") / "sql/schema.sql").read_text("utf-8"))
    cursor.close()
    op.execute(_OWN_PATH)
    op.get_bind().execute(sa.text("SELECT set_config('search_path', :path, true)"), {"path": before})


def downgrade() -> None:
    op.execute(f"DROP SCHEMA {_QUEUE} CASCADE")
    for table in ("job_files", "original_parts", "originals", "jobs"):
        op.drop_table(table, schema="pgask")
