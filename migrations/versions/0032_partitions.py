"""Large collections may have vector tables of their own, which are partitions of their space's (ADR 0046).

Revision: 0032. Pre: the tables that are there become the partition that all share, as they lie; code of before reads
and writes them by their names as ever. What it writes of a collection with a partition of its own would be missed, so
upkeep makes none before 0033. It stands before what takes away, and 0033 gives it to schemas that were past it.
"""

from __future__ import annotations

from migrations.vector_partitions import add_partitions, remove_partitions

revision = "0032"
down_revision = "0029"
branch_labels = None
depends_on = None
KIND = "pre"


def upgrade() -> None:
    add_partitions()


def downgrade() -> None:
    remove_partitions()
