"""Writes: a document goes in whole or not at all, and takes with it what made it searchable."""

from __future__ import annotations

import random
import threading
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from psycopg import sql

from app.errors import DocumentError, StoreError, StoreUnavailableError
from app.store.chunks import load_chunks
from app.store.connection import Connection, Database, connect, transaction
from app.store.connection_pool import open_pool
from app.store.documents import record_failure, replace_document
from app.store.sources import KnownDocument, known_documents, remove_documents, rename_document
from app.store.spaces import Collection, chunk_table, window_table
from app.store.texts import text_between, whole_text
from tests.integration.ingesting import (
    counted,
    counters,
    embed_document,
    open_collection,
    orphans,
    random_text,
    snapshot,
    version_of,
)

pytestmark = pytest.mark.integration


def store(connection: Connection, collection: Collection, source: str, text: str, **arguments: Any) -> bool:
    return replace_document(
        connection, collection, version_of(source, text), embed_document(text, **arguments)
    )


def check_consistent(connection: Connection, collection: Collection) -> None:
    assert counters(connection, collection) == counted(connection, collection)
    assert orphans(connection, collection) == [0, 0, 0]


def test_counts_are_right_after_every_kind_of_write(database: Database) -> None:
    collection, other = open_collection(database), open_collection(database, name="other")
    with connect(database.app) as app:
        for number in range(4):
            store(app, collection, f"{number}.txt", random_text(number, 20))
            store(app, other, f"{number}.txt", random_text(number + 50, 9))
            check_consistent(app, collection)
        assert counters(app, collection)[0] > 4
        store(app, collection, "1.txt", random_text(99, 60))
        check_consistent(app, collection)
        store(app, collection, "1.txt", "Short now.")
        check_consistent(app, collection)
        remove_documents(app, collection, ["0.txt", "2.txt", "none.txt"])
        check_consistent(app, collection)
        app.execute("DELETE FROM pgask.chunks WHERE chunk_index = 1 AND collection_id = %s", [collection.id])
        assert counters(app, collection) == counted(app, collection)
        app.execute("DELETE FROM pgask.documents WHERE source = '3.txt'")  # by hand, of both collections
        check_consistent(app, other)
        app.execute("DELETE FROM pgask.documents WHERE collection_id = %s", [collection.id])
        app.execute("DELETE FROM pgask.collections WHERE name = 'default'")
        assert orphans(app, collection) == [0, 0, 0]
        left = app.execute("SELECT DISTINCT collection_id FROM pgask.postings").fetchall()
        assert left == [(other.id,)]
        check_consistent(app, other)


def test_a_write_that_fails_leaves_the_counts_and_the_old_version(database: Database) -> None:
    collection = open_collection(database)
    with connect(database.app) as app:
        store(app, collection, "a.txt", "The old version.")
        before = snapshot(database)
        broken = embed_document(random_text(1, 30))
        broken.window_vectors[0, 0] = float("nan")  # refused by the server in the middle of a COPY
        with pytest.raises(DocumentError):
            replace_document(app, collection, version_of("a.txt", "x"), broken)
        check_consistent(app, collection)
    assert snapshot(database) == before


def test_replacing_the_same_version_writes_nothing(database: Database) -> None:
    collection = open_collection(database)
    with connect(database.app) as app:
        assert store(app, collection, "a.txt", "One version.")
        rows = app.execute("SELECT xmin, * FROM pgask.documents").fetchall()
        assert not store(app, collection, "a.txt", "One version.")
        assert app.execute("SELECT xmin, * FROM pgask.documents").fetchall() == rows


def test_a_reader_sees_one_version_whole(database: Database) -> None:
    """Text, chunks, postings, vectors and windows of one snapshot are of the same version, always."""
    collection = open_collection(database)
    versions = {
        marker: embed_document(f"{marker} " + random_text(number, 12 + 10 * number))
        for number, marker in enumerate(("alpha", "beta", "gamma"))
    }
    expected = {
        marker: (len(found.chunks), len(found.windows), sum(map(len, found.chunk_terms)))
        for marker, found in versions.items()
    }
    assert len(set(expected.values())) == len(versions)
    statement = sql.SQL(
        f"SELECT split_part({whole_text('d.id')}, ' ', 1),"
        " (SELECT count(*) FROM {chunks} v WHERE v.document_id = d.id),"
        " (SELECT count(*) FROM {windows} w WHERE w.document_id = d.id), (SELECT count(*) FROM pgask.postings p"
        " JOIN pgask.chunks k ON k.id = p.chunk_id WHERE k.document_id = d.id), d.chunk_count, c.chunk_count"
        " FROM pgask.documents d JOIN pgask.collections c ON c.id = d.collection_id"
    ).format(chunks=chunk_table(collection.space_id), windows=window_table(collection.space_id))
    done = threading.Event()
    seen: list[tuple[Any, ...]] = []

    def read() -> None:
        with connect(database.app) as reader:
            while not done.is_set():
                seen.extend(reader.execute(statement).fetchall())

    with connect(database.app) as app, ThreadPoolExecutor(1) as pool:
        reading = pool.submit(read)
        for turn in range(60):
            marker = list(versions)[turn % 3]
            replace_document(app, collection, version_of("a.txt", f"{turn}"), versions[marker])
        done.set()
        reading.result()
    assert {row[0] for row in seen} == set(versions)
    for marker, vectors, windows, postings, of_document, of_collection in seen:
        assert (vectors, windows, postings) == expected[marker]
        assert of_document == of_collection == vectors


def test_eight_writers_of_one_file_leave_one_version(database: Database) -> None:
    collection = open_collection(database)
    text = random_text(3, 40)
    embedded, version = embed_document(text), version_of("a.txt", text)
    start = threading.Barrier(8)

    def write(_: int) -> bool:
        with connect(database.app) as app:
            start.wait()
            return replace_document(app, collection, version, embedded)

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(write, range(8))) == [False] * 7 + [True]
    with connect(database.app) as app:
        check_consistent(app, collection)
        assert counters(app, collection)[0] == len(embedded.chunks)
        assert len(known_documents(app, collection)) == 1


def test_writers_of_different_versions_leave_one_of_them_whole(database: Database) -> None:
    collection = open_collection(database)
    texts = [f"marker{number} " + random_text(number, 15 + number) for number in range(8)]
    start = threading.Barrier(8)

    def write(text: str) -> bool:
        embedded = embed_document(text)
        with connect(database.app) as app:
            start.wait()
            return replace_document(app, collection, version_of("a.txt", text), embedded)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(write, texts))
    with connect(database.app) as app:
        check_consistent(app, collection)
        row = app.execute(f"SELECT {whole_text('id')}, chunk_count FROM pgask.documents").fetchone()
        assert row is not None
        assert row[0] in texts
        assert row[1] == counters(app, collection)[0] == len(embed_document(row[0]).chunks)


def test_renaming_keeps_the_content(database: Database) -> None:
    collection = open_collection(database)
    with connect(database.app) as app:
        store(app, collection, "docs/old name.txt", random_text(1, 20), title="old name")
        store(app, collection, "taken.txt", "Another one.", title="Its own title")
        before = {row[1:] for row in snapshot(database)}
        assert not rename_document(app, collection, "docs/old name.txt", "taken.txt")
        assert not rename_document(app, collection, "none.txt", "new.txt")
        assert rename_document(app, collection, "docs/old name.txt", "docs/new.txt")
        assert rename_document(app, collection, "taken.txt", "moved.txt")
        titles = dict(app.execute("SELECT source, title FROM pgask.documents").fetchall())
        assert titles == {"docs/new.txt": "new", "moved.txt": "Its own title"}
        check_consistent(app, collection)
    assert {row[1:] for row in snapshot(database)} == before


def test_a_failure_is_recorded_and_an_older_version_goes_on_answering(database: Database) -> None:
    collection = open_collection(database)

    def known(source: str) -> KnownDocument:
        return known_documents(app, collection)[source]

    with connect(database.app) as app:
        record_failure(app, collection, version_of("new.pdf", "x"), "encrypted", "A password is needed.")
        assert known("new.pdf").status == "failed"
        store(app, collection, "old.txt", "Good text.")
        before = snapshot(database)
        record_failure(app, collection, version_of("old.txt", "\0"), "bad_encoding", "Not UTF-8.")
        assert known("old.txt").status == "stale"
        assert {row[3] for row in snapshot(database)} == {row[3] for row in before} == {"Good text."}
        record_failure(app, collection, version_of("old.txt", "\0"), "parse_failed", "Still bad.")
        reasons = app.execute(
            "SELECT reason, reason_detail FROM pgask.documents WHERE source = 'old.txt'"
        ).fetchone()
        assert reasons == ("parse_failed", "Still bad.")
        assert store(app, collection, "old.txt", "Good text.")  # mended: the very bytes that were good before
        assert known("old.txt").status == "ready"
        assert store(app, collection, "new.pdf", "Now it can be read.")
        assert app.execute("SELECT status, reason FROM pgask.documents").fetchall() == [("ready", None)] * 2
        check_consistent(app, collection)


def test_f_1301_a_hit_in_a_long_document_reads_a_few_pages(database: Database) -> None:
    """As many near its end as near its beginning; it was all that stands before it."""
    rng, collection = random.Random(11), open_collection(database)
    letters = "abcdefghijklmnopqrstuvwxyz 字词é🦜"
    text = "".join(rng.choices(letters, k=600_000)) * 14  # 8.4 million
    short = embed_document("A document.")
    long = replace(short, document=replace(short.document, text=text))
    places = [0, 1, 1_999, 2_000, 311_111, 597_400, 8_397_400]
    with connect(database.app) as app:
        replace_document(app, collection, version_of("long.txt", text), long)
        statement = (
            f"SELECT {text_between('d.id', '%(at)s::int', '%(at)s::int + 2500')} FROM pgask.documents d"
        )
        for at in places:
            row = app.execute(statement, {"at": at}).fetchone()
            assert row == (text[at : at + 2_500],)
            plan = app.execute("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + statement, {"at": at}).fetchone()
            assert plan is not None
            root = plan[0][0]["Plan"]
            assert root["Shared Hit Blocks"] + root["Shared Read Blocks"] <= 10, (at, root)


def test_parts_of_a_text_that_stay_are_not_written_and_no_part_is_left_over(database: Database) -> None:
    collection = open_collection(database)
    parts = "SELECT part, xmin, text FROM pgask.document_texts ORDER BY part"
    text = random_text(5, 120)
    assert len(text) > 6_000
    with connect(database.app) as app:
        store(app, collection, "a.txt", text)
        before = app.execute(parts).fetchall()
        store(app, collection, "a.txt", text[:4_100])
        after = app.execute(parts).fetchall()
        assert after[:2] == before[:2]
        assert "".join(part for *_, part in after) == text[:4_100]


def every_plane() -> str:
    """Words of letters from all over Unicode, each long enough to be cut into chunks, quotes and signs between."""
    rng = random.Random(7)
    words = []
    for plane in (0, 1, 2, 3, 15, 16):
        start = plane * 0x10000
        found: list[str] = []
        while len(found) < 120:
            character = chr(rng.randrange(max(start, 0x21), start + 0xFFFE))
            if unicodedata.category(character) not in {"Cs", "Zl", "Zp", "Zs"}:
                found.append(character)
        words += ["".join(found[at : at + 6]) + f" word{plane}x{at}" for at in range(0, 120, 6)]
    return "  ".join(words) + " \t\r\n \\ ' \" % _ {} $1 %(a)s \x7f e\u0301 👩\u200d🔬 \U000e0041"


async def test_quotes_are_exact_in_every_plane(database: Database) -> None:
    collection, text = open_collection(database), every_plane()
    embedded = embed_document(text, chunk_tokens=32)
    assert len(embedded.chunks) > 5
    with connect(database.app) as app:
        store(app, collection, "planes.txt", text, chunk_tokens=32)
        stored = app.execute(f"SELECT {whole_text('id')}, char_count FROM pgask.documents").fetchone()
        assert stored == (text, len(text))
        ids = [row[0] for row in app.execute("SELECT id FROM pgask.chunks").fetchall()]
    async with open_pool(database.app, size=1, statement_timeout_s=5) as pool, transaction(pool) as reader:
        chunks = (await load_chunks(reader, ids)).values()
    assert len(chunks) == len(embedded.chunks)
    for chunk in chunks:
        assert chunk.text == text[chunk.char_start : chunk.char_end]


def test_metadata_that_json_can_not_hold_is_a_reason_and_no_crash(database: Database) -> None:
    collection = open_collection(database)
    refused: list[dict[str, Any]] = [
        {"a": "x\0y"},
        {"a\0": "x"},
        {"a": "\ud800"},
        {"a": float("nan")},
        {"a": ["\0"]},
    ]
    with connect(database.app) as app:
        store(app, collection, "a.txt", "The old version.")
        for metadata in refused:
            with pytest.raises(DocumentError) as refusal:
                store(app, collection, "a.txt", "The new version.", metadata=metadata)
            assert refusal.value.code == "parse_failed"
        assert store(app, collection, "b.txt", "The next document.")  # the connection goes on
        assert app.execute(f"SELECT {whole_text('id')} FROM pgask.documents ORDER BY source").fetchall() == [
            ("The old version.",),
            ("The next document.",),
        ]


def test_text_that_postgresql_can_not_hold_is_a_reason(database: Database) -> None:
    collection = open_collection(database)
    with connect(database.app) as app:
        for text in ("a NUL \0 in it", "a surrogate \udcff in it"):
            with pytest.raises(DocumentError) as refused:
                store(app, collection, "a.txt", text)
            assert refused.value.code == "parse_failed"


def test_metadata_of_many_values_is_stored(database: Database) -> None:
    collection = open_collection(database)
    metadata = {f"key {number}": "值" * 500 for number in range(1_000)}
    with connect(database.app) as app:
        store(app, collection, "a.txt", "A text.", metadata=metadata)
        assert app.execute("SELECT metadata FROM pgask.documents").fetchone() == (metadata,)


def test_a_source_beyond_a_row_of_an_index_is_a_reason(database: Database) -> None:
    collection = open_collection(database)
    rng = random.Random(1)
    source = "".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=4_000))  # random: it does not compress
    with connect(database.app) as app, pytest.raises(DocumentError) as refused:
        store(app, collection, source, "A text.")
    assert refused.value.code == "too_large"


def test_long_terms_are_stored(database: Database) -> None:
    collection = open_collection(database)
    text = " ".join(["x" * 5_000, "é" * 5_000, "字" * 300, "a.b" * 2_000, "𠀀" * 500])
    with connect(database.app) as app:
        assert store(app, collection, "a.txt", text)
        longest = app.execute("SELECT max(length(term)) FROM pgask.postings").fetchone()
    assert longest == (64,)


def test_a_server_that_goes_away_while_writing(database: Database) -> None:
    collection = open_collection(database)
    with connect(database.app) as app, connect(database.app) as other:
        store(app, collection, "a.txt", "A text.")
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [app.info.backend_pid])
        with pytest.raises(StoreUnavailableError, match="can't be reached"):
            store(app, collection, "b.txt", "Another text.")
        assert list(known_documents(other, collection)) == ["a.txt"]


def test_a_lock_that_does_not_come_is_no_lost_connection(database: Database) -> None:
    collection = open_collection(database)
    with psycopg.connect(database.owner) as owner, connect(database.app) as app:
        owner.execute("LOCK TABLE pgask.documents")
        app.execute("SET lock_timeout = '50ms'")
        with pytest.raises(StoreError, match="holds a lock") as refused:
            store(app, collection, "a.txt", "A text.")
        assert not isinstance(refused.value, StoreUnavailableError)
