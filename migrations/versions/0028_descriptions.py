"""Collections have a description, and a job may take in again what is kept.

Revision: 0028. The column has a default, so no row is written; the jobs' check is made anew over few rows.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0021"
branch_labels = None
depends_on = None
KIND = "pre"


def upgrade() -> None:
    op.add_column(
        "collections",
        sa.Column("description", sa.Text(), server_default=sa.text("''"), nullable=False),
        schema="pgask",
    )
    op.drop_constraint(op.f("ck_jobs_kind"), "jobs", schema="pgask", type_="check")
    op.create_check_constraint(op.f("ck_jobs_kind"), "jobs", "kind IN ('upload', 'reingest')", schema="pgask")


def downgrade() -> None:
    op.execute("UPDATE pgask.jobs SET kind = 'upload' WHERE kind = 'reingest'")
    op.drop_constraint(op.f("ck_jobs_kind"), "jobs", schema="pgask", type_="check")
    op.create_check_constraint(op.f("ck_jobs_kind"), "jobs", "kind IN ('upload')", schema="pgask")
    op.drop_column("collections", "description", schema="pgask")
