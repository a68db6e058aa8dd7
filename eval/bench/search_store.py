"""The corpus of eval/bench/search.py as pgask stores it: documents of ten chunks, each chunk of one window.

Documents carry what the filters ask for: a folder (1 % of them, near to one another, since passages of one folder are
of one subject), and a mark in the metadata that has nothing to do with the content (1 %).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from app.domain import Chunk, Document
from app.embedding import EmbeddingSpace, FloatMatrix
from app.index import maintenance
from app.index.manifest import IndexSettings
from app.lexicon import terms
from app.server.embedded import EmbeddedPostgres
from app.store.connection import Connection, Database, connect
from app.store.documents import EmbeddedDocument, SourceVersion, replace_document
from app.store.migrate import migrate
from app.store.spaces import Collection, ensure_collection, ensure_space
from eval.bench.search_corpus import SearchCorpus

DATABASE: Final = "search_bench_test"
CHUNKS: Final = 10  # of a document
FOLDERS: Final = 100  # so that one keeps 1 %
COLLECTION: Final = "default"
CONNECTIONS: Final = "max_connections = 200"


@contextmanager
def open_store(home: Path, space: EmbeddingSpace, corpus: SearchCorpus) -> Iterator[Database]:
    """A database with the corpus in it; what an earlier run with this `home` stored is used again."""
    _allow_connections(home)
    with EmbeddedPostgres(home) as server:
        urls = server.start()
        database = named(urls, DATABASE)
        if _holds(database, len(corpus.texts)):
            migrate(database)
        else:
            server.drop_database(DATABASE)
            server.create_database(DATABASE)
            migrate(database)
            with connect(database.owner) as owner, connect(database.app) as app:
                collection = ensure_collection(app, COLLECTION, ensure_space(owner, space))
                fill(app, collection, corpus)
                owner.execute("ANALYZE")
                maintenance.rebuild(owner, collection.space_id, IndexSettings())
        yield database


def _allow_connections(home: Path) -> None:
    """More connections than the embedded server has: each client of a rival takes one, or a pool of them."""
    settings = home / "postgres/data/postgresql.conf"
    if not settings.exists():
        with EmbeddedPostgres(home):
            pass
    if CONNECTIONS not in (text := settings.read_text("utf-8")):
        settings.write_text(f"{text}\n{CONNECTIONS}\n", "utf-8")


def fill(app: Connection, collection: Collection, corpus: SearchCorpus) -> None:
    """Store every passage; passages of a folder are near one another."""
    order = by_subject(corpus.vectors)
    folder_size = len(order) // FOLDERS
    for number, start in enumerate(range(0, len(order), CHUNKS)):
        rows = order[start : start + CHUNKS].tolist()
        source = f"folder{start // folder_size:03}/document{number:06}.md"
        metadata = {"kind": "marked" if number % 100 == 7 else "plain", "number": number}
        embedded = _embedded([corpus.texts[row] for row in rows], corpus.vectors[rows], metadata)
        replace_document(app, collection, SourceVersion(source, f"{number:064x}", 1, "bench"), embedded)


def by_subject(vectors: FloatMatrix) -> npt.NDArray[np.int64]:
    """The rows in an order that puts near ones together: by nearest of FOLDERS spread-out rows, each its share."""
    centres = vectors[np.linspace(0, len(vectors) - 1, FOLDERS).astype(int)]
    nearest = np.argmax(vectors @ centres.T, axis=1)
    return np.argsort(nearest, kind="stable")


def _embedded(texts: list[str], vectors: FloatMatrix, metadata: dict[str, Any]) -> EmbeddedDocument:
    text = "\n".join(texts)
    starts = np.cumsum([0, *(len(part) + 1 for part in texts[:-1])]).tolist()
    spans = [(start, start + len(part)) for start, part in zip(starts, texts, strict=True)]
    counted = [Counter(terms(part)) for part in texts]
    return EmbeddedDocument(
        document=Document(text, "Document", "text/markdown", "en", metadata=metadata),
        chunks=[
            Chunk(place, start, end, len(texts[place].split()), sentences=((start, end),))
            for place, (start, end) in enumerate(spans)
        ],
        chunk_vectors=vectors,
        chunk_windows=[(place, place + 1) for place in range(len(texts))],
        chunk_terms=counted,
        windows=spans,
        window_vectors=vectors,
        window_terms=counted,
        unknown_tokens=0,
        token_count=sum(len(part.split()) for part in texts),
    )


def named(urls: Any, name: str) -> Database:
    """A database of the server whose URLs these are."""
    from psycopg.conninfo import conninfo_to_dict

    def renamed(url: str) -> str:
        current = conninfo_to_dict(url)["dbname"]
        return url.replace(f"/{current}?", f"/{name}?")

    return Database(owner=renamed(urls.owner), app=renamed(urls.app))


def _holds(database: Database, rows: int) -> bool:
    import psycopg

    try:
        with psycopg.connect(database.owner) as connection:
            found = connection.execute(
                "SELECT c.chunk_count, s.index_report IS NOT NULL FROM pgask.collections c"
                " JOIN pgask.embedding_spaces s ON s.id = c.space_id"
            ).fetchone()
    except (psycopg.OperationalError, psycopg.errors.UndefinedTable):
        return False
    return found == (rows, True)
