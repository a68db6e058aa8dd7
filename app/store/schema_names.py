"""The names of the three schemas; apart from the tables, since SQLAlchemy takes a third of a second to load."""

from __future__ import annotations

from typing import Final

SCHEMA: Final = "pgask"
VECTOR_SCHEMA: Final = "pgask_vectors"
QUEUE_SCHEMA: Final = "pgask_queue"
