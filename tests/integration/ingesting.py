"""Documents and folders for the tests of store, pipeline and retrieval, embedded by the deterministic embedder."""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
from psycopg import sql

from app.domain import Document
from app.embedding import Embedder
from app.lexicon import terms
from app.store.connection import Connection, Database, connect
from app.store.documents import EmbeddedDocument, SourceVersion
from app.store.spaces import Collection, all_chunks, all_windows, ensure_collection, ensure_space
from app.store.texts import text_between
from ingest.chunking import chunk
from ingest.parsers import parse
from ingest.pipeline import IngestOptions, IngestRun, Parse, Plan, ReadScan, Report
from ingest.sources import content_sha256
from tests.fakes import FakeEmbedder

FAKE: Final = FakeEmbedder()
SMALL: Final = IngestOptions(chunk_tokens=128, overlap=16, window_tokens=32)

_ENGLISH: Final = """
vector index list probe recall query chunk window token term corpus answer source page heading score weight rank
table column row lock commit backup memory disk cache plan filter prefix stem word sentence document collection
"""
_CHINESE: Final = """
向量 索引 列表 召回 查询 文档 分块 窗口 词语 语料 回答 来源 页码 标题 权重 排名 表格 备份 内存 磁盘
"""


class Silent:
    """Progress that nobody watches; counts the files."""

    def __init__(self) -> None:
        self.advanced: list[str] = []

    def stage(self, name: str, total: int) -> None:
        pass

    def advance(self, source: str, *, chunks: int = 0, tokens: int = 0) -> None:
        self.advanced.append(source)

    def page(self, source: str, page: int, pages: int) -> None:
        pass


def random_text(seed: int, sentences: int, *, chinese: bool = False) -> str:
    """Sentences of random words; the first letters of the alphabet are the likelier ones, as in real text."""
    rng = random.Random(seed)
    words = (_CHINESE if chinese else _ENGLISH).split()
    weights = [1 / (place + 1) for place in range(len(words))]
    made = []
    for _ in range(sentences):
        chosen = rng.choices(words, weights, k=rng.randint(5, 14))
        made.append("".join(chosen) + "。" if chinese else " ".join(chosen).capitalize() + ". ")
    return "".join(made).strip()


def write_corpus(folder: Path, count: int, *, sentences: int = 30) -> Path:
    """`count` Markdown files, every third one Chinese, some in folders below."""
    for number in range(count):
        path = folder / ("deep/er" if number % 4 == 1 else "") / f"文件{number:03}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        body = random_text(number, sentences, chinese=number % 3 == 2)
        path.write_text(f"---\nnumber: {number}\n---\n# Title {number}\n\n{body}\n", "utf-8")
    return folder


def age(folder: Path, seconds: int = 60) -> Path:
    """Make a folder's files that much older, so that their times of change say something."""
    moment = time.time() - seconds
    for path in folder.rglob("*"):
        if path.is_file():
            os.utime(path, (moment, moment))
    return folder


def open_collection(database: Database, embedder: Embedder = FAKE, name: str = "default") -> Collection:
    with connect(database.owner) as owner, connect(database.app) as app:
        return ensure_collection(app, name, ensure_space(owner, embedder.space))


@contextmanager
def open_run(
    database: Database,
    *,
    embedder: Embedder = FAKE,
    collection: str = "default",
    options: IngestOptions = SMALL,
    progress: Silent | None = None,
    parse: Parse = parse,
    read_scan: ReadScan | None = None,
    home: Path | None = None,
    sender: str | None = None,
) -> Iterator[IngestRun]:
    target = open_collection(database, embedder, collection)
    with connect(database.app) as connection:
        yield IngestRun(
            connection,
            target,
            embedder,
            options,
            progress or Silent(),
            parse=parse,
            read_scan=read_scan,
            home=home,
            sender_of=lambda _: sender,
        )


def ingest(database: Database, *paths: Path, **arguments: Any) -> Report:
    """Plan and carry out."""
    with open_run(database, **arguments) as run:
        return run.execute(run.plan(paths))


def plan(database: Database, *paths: Path, **arguments: Any) -> Plan:
    with open_run(database, **arguments) as run:
        return run.plan(paths)


def version_of(source: str, text: str, pipeline: str = "p1") -> SourceVersion:
    content = text.encode("utf-8", "surrogatepass")
    return SourceVersion(source, content_sha256(content), len(content), pipeline)


def embed_document(
    text: str, *, chunk_tokens: int = 64, metadata: Mapping[str, Any] | None = None, title: str = "Title"
) -> EmbeddedDocument:
    """A document as ingest would hand it to the store, with plain means for chunk vectors."""
    document = Document(text, title, "text/plain", "en", metadata=metadata or {})
    tokens = FAKE.tokenize(text)
    cut = chunk(document, tokens, chunk_tokens=chunk_tokens, overlap=8, window_tokens=24)
    readable = text.encode("utf-8", "replace").decode()  # of one length: a lone surrogate becomes one "?"
    windows = FAKE.embed_windows([tokens.ids[w.token_start : w.token_end] for w in cut.windows])
    means = np.stack([windows[first:after].mean(axis=0) for first, after in cut.chunk_windows])
    return EmbeddedDocument(
        document=document,
        chunks=cut.chunks,
        chunk_vectors=(means / np.linalg.norm(means, axis=1, keepdims=True)).astype(np.float32),
        chunk_windows=cut.chunk_windows,
        chunk_terms=[Counter(terms(readable[c.char_start : c.char_end])) for c in cut.chunks],
        windows=[(w.char_start, w.char_end) for w in cut.windows],
        window_vectors=windows,
        window_terms=[Counter(terms(readable[w.char_start : w.char_end])) for w in cut.windows],
        unknown_tokens=0,
        token_count=len(tokens),
    )


def snapshot(
    database: Database, collection: str = "default", embedder: Embedder = FAKE
) -> set[tuple[Any, ...]]:
    """All that is stored of a collection's chunks: source, sha256, index, text, vector, window vectors, postings."""
    target = open_collection(database, embedder, collection)
    with connect(database.app, vectors=False) as connection:
        statement = sql.SQL(
            "SELECT d.source, d.content_sha256, k.chunk_index,"
            f" {text_between('d.id', 'k.char_start', 'k.char_end')},"
            " vector_send(v.embedding), (SELECT string_agg(halfvec_send(w.embedding), ''"
            " ORDER BY w.window_index) FROM {windows} w WHERE w.document_id = d.id AND w.window_index >="
            " k.window_start AND w.window_index < k.window_end), (SELECT string_agg(p.term || p.term_frequency, ' '"
            " ORDER BY p.term) FROM pgask.chunk_postings(ARRAY[k.id]) p)"
            " FROM pgask.documents d JOIN pgask.chunks k ON k.document_id = d.id"
            " JOIN {chunks} v ON v.chunk_id = k.id WHERE d.collection_id = %s"
        ).format(windows=all_windows(target.space_id), chunks=all_chunks(target.space_id))
        rows = connection.execute(statement, [target.id]).fetchall()
    assert len(set(rows)) == len(rows)
    return set(rows)


def counters(connection: Connection, collection: Collection) -> tuple[int, int]:
    """What the triggers keep: chunk_count and term_count."""
    row = connection.execute(
        "SELECT chunk_count, term_count FROM pgask.collections WHERE id = %s", [collection.id]
    ).fetchone()
    assert row is not None
    return row[0], row[1]


def counted(connection: Connection, collection: Collection) -> tuple[int, int]:
    """The same, counted."""
    row = connection.execute(
        "SELECT count(*), coalesce(sum(term_count), 0) FROM pgask.chunks WHERE collection_id = %s",
        [collection.id],
    ).fetchone()
    assert row is not None
    return row[0], int(row[1])


def orphans(connection: Connection, collection: Collection) -> list[int]:
    """Postings, vectors and windows without their chunk or document; all must be 0."""
    without_chunk = "{} o WHERE NOT EXISTS (SELECT FROM pgask.chunks k WHERE k.id = o.chunk_id)"
    without_window = (
        "{} o WHERE NOT EXISTS (SELECT FROM pgask.chunks k WHERE k.document_id = o.document_id"
        " AND o.window_index >= k.window_start AND o.window_index < k.window_end)"
    )
    merged = sql.SQL("SELECT chunk_id FROM pgask.merged_chunks")
    statements = [
        sql.SQL("SELECT count(*) FROM " + rest).format(table)
        for rest, table in (
            (without_chunk, sql.SQL("(SELECT chunk_id FROM pgask.postings UNION ALL {})").format(merged)),
            (without_chunk, all_chunks(collection.space_id)),
            (without_window, all_windows(collection.space_id)),
        )
    ]
    found = []
    for statement in statements:
        row = connection.execute(statement).fetchone()
        assert row is not None
        found.append(int(row[0]))
    return found
