"""A reader that looks at a collection all along, and what it should never see."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any, Final

import psycopg
from psycopg import sql

from app.store.connection import see
from app.store.spaces import chunk_table, window_table
from app.store.tenancy import DEFAULT
from app.store.texts import whole_text

Fingerprint = tuple[Any, ...]
_PAUSE_S: Final = 0.1


def read_documents(connection: psycopg.Connection[Any], collection: str) -> dict[str, Fingerprint]:
    """Every document with content by its source, as one snapshot shows it: which version, and how many parts of each
    kind it has."""
    place = connection.execute(
        "SELECT id, space_id FROM pgask.collections WHERE name = %s", [collection]
    ).fetchone()
    if place is None:
        return {}
    statement = sql.SQL(
        f"SELECT d.source, d.content_sha256, md5({whole_text('d.id')}), d.title, d.char_count, d.chunk_count,"
        " d.token_count, k.parts, k.last_index, k.term_count, v.parts, w.parts, p.parts"
        " FROM pgask.documents d"
        " LEFT JOIN (SELECT document_id, count(*) parts, max(chunk_index) last_index, sum(term_count) term_count"
        "   FROM pgask.chunks WHERE collection_id = %(id)s GROUP BY 1) k ON k.document_id = d.id"
        " LEFT JOIN (SELECT document_id, count(*) parts FROM {vectors} WHERE collection_id = %(id)s GROUP BY 1) v"
        "   ON v.document_id = d.id"
        " LEFT JOIN (SELECT document_id, count(*) parts FROM {windows} GROUP BY 1) w ON w.document_id = d.id"
        " LEFT JOIN (SELECT c.document_id, sum(o.term_frequency) parts FROM pgask.chunk_postings(ARRAY("
        "   SELECT id FROM pgask.chunks WHERE collection_id = %(id)s)) o JOIN pgask.chunks c ON c.id = o.chunk_id"
        "   GROUP BY 1) p ON p.document_id = d.id"
        " WHERE d.collection_id = %(id)s AND d.status IN ('ready', 'stale')"
    ).format(vectors=chunk_table(place[1]), windows=window_table(place[1]))
    return {row[0]: tuple(row[1:]) for row in connection.execute(statement, {"id": place[0]}).fetchall()}


class Reader(threading.Thread):
    """Compares what it sees with what undisturbed runs of some version make. Survives the server's death."""

    def __init__(self, url: str, collection: str, allowed: Mapping[str, frozenset[Fingerprint]]) -> None:
        super().__init__(daemon=True)
        self._url, self._collection, self._allowed = url, collection, allowed
        self._stopped = threading.Event()
        self.required: frozenset[str] = frozenset()  # sources that must be there whatever happens
        self.samples = 0
        self.half_visible: list[str] = []  # documents in a state that no undisturbed run makes
        self.lost: list[str] = []  # required and not there
        self.failures: list[str] = []  # errors that are not the server's death

    def stop(self) -> None:
        """End it."""
        self._stopped.set()
        self.join()

    def run(self) -> None:
        """Look until stopped."""
        while not self._stopped.wait(_PAUSE_S):
            try:
                with psycopg.connect(self._url, autocommit=True, connect_timeout=5) as connection:
                    see(connection, DEFAULT)
                    while not self._stopped.wait(_PAUSE_S):
                        self._look(connection)
            except psycopg.OperationalError:  # the server is down: look again
                continue
            except psycopg.Error as error:
                self.failures.append(f"reader: {type(error).__name__}: {error}")

    def _look(self, connection: psycopg.Connection[Any]) -> None:
        required = self.required  # read before the look: what is asked for only now may not be there yet
        seen = read_documents(connection, self._collection)
        self.samples += 1
        for source, fingerprint in seen.items():
            if fingerprint not in self._allowed.get(source, frozenset()):
                self.half_visible.append(f"{source}: {fingerprint}")
        self.lost += sorted(required - seen.keys())
