"""Samples the windows of each collection that cosines are measured against, and says what cosines are like there.

Sync. Cheap: some hundred rows a collection, however large that is. Done with the care of indexes, after each ingest and
while the service runs, where a collection has none yet or a fifth of its chunks has come or gone.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from psycopg import sql
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from app.embedding import FloatMatrix
from app.index.manifest import now
from app.store.backgrounds import arrange_samples, sample_statement
from app.store.connection import Connection
from app.store.spaces import all_windows

SAMPLED: Final = 96  # windows a collection and language
CHANGED: Final = 0.2  # share of the chunks that came or went: sampled anew

# As many windows of each document, evenly spread in it, of as many documents as are needed, in an order that an ingest
# of the same files repeats.
_SAMPLE: Final = """
INSERT INTO pgask.background_windows (collection_id, document_id, window_index)
SELECT DISTINCT %(collection)s, p.id, ((2 * place + 1) * w.windows / (2 * least(p.wanted, w.windows)))::integer
  FROM (SELECT id, ceil(%(sampled)s::float8 / least(among, %(sampled)s))::integer AS wanted FROM (
               SELECT d.id, row_number() OVER shuffled AS number, count(*) OVER (PARTITION BY d.language) AS among
                 FROM pgask.documents d WHERE d.collection_id = %(collection)s AND d.chunk_count > 0
               WINDOW shuffled AS (PARTITION BY d.language ORDER BY md5(d.source), d.id)) numbered
         WHERE number <= %(sampled)s) p
 CROSS JOIN LATERAL (SELECT max(window_index) + 1 AS windows FROM {windows} WHERE document_id = p.id) w
 CROSS JOIN LATERAL generate_series(0, least(p.wanted, w.windows) - 1) place
 WHERE w.windows > 0"""

_DUE: Final = """
SELECT c.id, c.name, c.chunk_count FROM pgask.collections c
 WHERE c.space_id = %(space)s AND c.chunk_count > 0 AND NOT c.importing
   AND (c.background IS NULL
        OR abs(c.chunk_count - (c.background->>'chunks')::bigint) >= %(changed)s * (c.background->>'chunks')::bigint
        OR (SELECT count(*) FROM pgask.background_windows b WHERE b.collection_id = c.id)
           <= (1 - %(changed)s) * (c.background->>'windows')::bigint)
 ORDER BY c.id"""


@dataclass(frozen=True, slots=True)
class CosinePair:
    """What cosines between windows of two languages are like, each with windows of another place: mean and standard
    deviation."""

    languages: str  # "en, zh"
    pairs: int
    mean: float
    deviation: float


@dataclass(frozen=True, slots=True)
class BackgroundReport:
    """A collection's background: how many `chunks` it had when `windows` were sampled, and what their cosines are like,
    by pair of languages."""

    collection: str
    chunks: int
    windows: int
    measured_at: str
    cosines: tuple[CosinePair, ...]


@dataclass(frozen=True, slots=True)
class _Due:
    id: int
    name: str
    chunk_count: int


def renew_backgrounds(connection: Connection, space_id: int) -> int:
    """Sample those collections of a space that need it, each in a transaction of its own. Returns how many."""
    with connection.cursor(row_factory=class_row(_Due)) as cursor:
        due = cursor.execute(_DUE, {"space": space_id, "changed": CHANGED}).fetchall()
    for one in due:
        _renew(connection, space_id, one)
    return len(due)


def read_backgrounds(connection: Connection, space_id: int) -> list[BackgroundReport]:
    """The backgrounds of a space's collections as they were measured last; those without one are left out."""
    rows = connection.execute(
        "SELECT coalesce(o.name, c.name) AS name, c.background FROM pgask.collections c"
        " LEFT JOIN pgask.collections o ON o.id = c.twin_of WHERE c.space_id = %s AND c.background IS NOT NULL"
        " ORDER BY 1",
        [space_id],
    ).fetchall()
    return [_report(name, stored) for name, stored in rows]


def _renew(connection: Connection, space_id: int, due: _Due) -> None:
    with connection.transaction():
        # Two at once would insert the same rows; the one that waited samples once more, which does no harm.
        connection.execute("SELECT FROM pgask.collections WHERE id = %s FOR NO KEY UPDATE", [due.id])
        connection.execute("DELETE FROM pgask.background_windows WHERE collection_id = %s", [due.id])
        connection.execute(
            sql.SQL(_SAMPLE).format(windows=all_windows(space_id)),
            {"collection": due.id, "sampled": SAMPLED},
        )
        rows = connection.execute(sample_statement(space_id), [[due.id]]).fetchall()
        dimension = len(rows[0][2]) if rows else 0
        pairs = _measure_pairs(arrange_samples(rows, [due.id], dimension)[due.id])
        report = {
            "chunks": due.chunk_count,
            "windows": len(rows),
            "measured_at": now(),
            "cosines": [asdict(pair) for pair in pairs],
        }
        connection.execute(
            "UPDATE pgask.collections SET background = %s, background_version = background_version + 1 WHERE id = %s",
            [Jsonb(report), due.id],
        )


def _measure_pairs(sample: dict[str, FloatMatrix] | Any) -> list[CosinePair]:
    found = []
    languages = sorted(sample)
    for at, one in enumerate(languages):
        for other in languages[at:]:
            cosines = sample[one] @ sample[other].T
            if one == other:
                cosines = cosines[np.triu_indices(len(cosines), k=1)]
            if cosines.size:
                found.append(
                    CosinePair(
                        one if one == other else f"{one}, {other}",
                        int(cosines.size),
                        round(float(cosines.mean()), 4),
                        round(float(cosines.std()), 4),
                    )
                )
    return found


def _report(name: str, stored: dict[str, Any]) -> BackgroundReport:
    pairs = tuple(CosinePair(**pair) for pair in stored["cosines"])
    return BackgroundReport(name, stored["chunks"], stored["windows"], stored["measured_at"], pairs)
