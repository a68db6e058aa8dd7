"""Postings in blocks are the postings that were rows: merged, deleted, moved, exported, migrated back."""

from __future__ import annotations

import io
import json
import random
import zlib
from typing import Any

import psycopg
import pytest

from app.index import maintenance
from app.index.manifest import IndexSettings
from app.store import posting_blocks
from app.store.connection import Connection, Database, connect
from app.store.connection_pool import open_pool
from app.store.exporting import export_collection
from app.store.migrate import downgrade, migrate
from app.store.outlines import MAX_POSTINGS
from app.store.posting_blocks import BLOCK_CHUNKS, LEAST_CHUNKS, merge_postings
from app.store.shelves import ensure_shelf
from app.store.vocabulary import count_chunks, load_texts, load_texts_of_all, walk_terms
from tests.integration.ingesting import counted, counters, orphans, snapshot
from tests.integration.searching import Corpus

pytestmark = pytest.mark.integration

assert MAX_POSTINGS > BLOCK_CHUNKS

Posting = tuple[Any, ...]


@pytest.fixture
def corpus(database: Database) -> Corpus:
    made = Corpus(database)
    made.fill(24)
    return made


def postings(connection: Connection) -> list[Posting]:
    """All postings as rows say them."""
    return connection.execute(
        "SELECT p.* FROM pgask.chunk_postings(ARRAY(SELECT id FROM pgask.chunks)) p ORDER BY chunk_id, term"
    ).fetchall()


def merge(database: Database, corpus: Corpus, *, step: int = 4, size: int = 3) -> int:
    with connect(database.owner) as owner:
        merged = merge_postings(owner, corpus.collection.space_id, least=1, step=step, size=size)
        check_blocks(owner, size)
        return merged


def check_blocks(owner: Connection, size: int) -> None:
    """Each holds what it says, of a term in the order of the chunks, and none overlaps another."""
    rows = owner.execute(
        "SELECT collection_id, term, first_chunk, df, packed, length(windows) % df FROM pgask.posting_blocks"
        " ORDER BY collection_id, term, first_chunk"
    ).fetchall()
    before: tuple[Any, ...] = ()
    for collection_id, term, first, df, packed, rest in rows:
        chunks = [first + (number >> 32) for number in packed]
        assert chunks == sorted(set(chunks))
        assert 1 <= df == len(packed) <= size
        assert rest == 0
        assert before < (collection_id, term, chunks[0])
        before = (collection_id, term, chunks[-1])
    counts = owner.execute(
        "SELECT merged_count, (SELECT count(*) FROM pgask.merged_chunks m WHERE m.collection_id = c.id)"
        " FROM pgask.collections c"
    ).fetchall()
    assert all(noted == there for noted, there in counts)


@pytest.mark.parametrize("size", [2, BLOCK_CHUNKS])
def test_what_is_merged_is_what_was_written_and_is_deleted_and_replaced_like_it(
    database: Database, corpus: Corpus, size: int
) -> None:
    rng = random.Random(size)
    with connect(database.owner) as owner:
        before, stored = postings(owner), snapshot(database)
        assert merge(database, corpus, size=size) == len(corpus.places())
        assert owner.execute("SELECT count(*) FROM pgask.postings").fetchone() == (0,)
        assert postings(owner) == before
        assert snapshot(database) == stored
        assert merge(database, corpus, size=size) == 0
        for source in rng.sample(sorted(corpus.documents), 9):
            gone = corpus.ids([source])
            before = [row for row in before if row[0] not in gone]
            corpus.remove(source)
            check_blocks(owner, size)
            assert postings(owner) == before
        corpus.fill(30, seed=5)  # what was there is replaced, and behind what was merged comes more
        before = postings(owner)
        assert merge(database, corpus, size=size) > 0
        assert postings(owner) == before
        assert orphans(owner, corpus.collection) == [0, 0, 0]
        assert counters(owner, corpus.collection) == counted(owner, corpus.collection)
        owner.execute("DELETE FROM pgask.documents")
        assert owner.execute("SELECT count(*) FROM pgask.posting_blocks").fetchone() == (0,)
        assert counters(owner, corpus.collection) == (0, 0)


def test_postings_of_many_chunks_are_those_of_each_and_a_block_is_read_once(
    database: Database, corpus: Corpus
) -> None:
    """As rows and in blocks, whole terms or by a look into the index for each chunk (migration 0029)."""
    merge(database, corpus)
    corpus.fill(30, seed=5)  # some are rows again
    asked = "SELECT * FROM pgask.candidate_postings(ARRAY[%s], %s, %s, %s, %s) ORDER BY chunk_id"
    with connect(database.owner) as owner:
        every, rng, terms = postings(owner), random.Random(1), dict[str, list[Posting]]()
        for row in every:
            frequencies = bytes(row[5]).rstrip(b"\0")
            terms.setdefault(row[4], []).append((row[0], row[2], row[3], frequencies))
        ids, collection = sorted({row[0] for row in every}), corpus.collection.id
        for term, rows in terms.items():
            chosen = sorted(rng.sample(ids, rng.randrange(1, len(ids))))
            for df in (1, 10**9):
                found = owner.execute(
                    asked, [collection, term, df, chosen, [collection] * len(chosen)]
                ).fetchall()
                trimmed = [(*row[:3], bytes(row[3]).rstrip(b"\0")) for row in found]
                assert trimmed == [row for row in rows if row[0] in chosen]
        merge(database, corpus, size=BLOCK_CHUNKS)
        owner.execute("VACUUM pgask.postings")  # rows that are gone are looked at until then
        common = max(terms, key=lambda term: len(terms[term]))
        pages = [
            owner.execute(
                "EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) " + asked,
                [collection, common, 1, ids[:count], [collection] * count],
            ).fetchall()[0][0][0]["Plan"]["Shared Hit Blocks"]
            for count in (2, len(ids))
        ]
    assert len(ids) > 40
    assert pages[1] <= pages[0] + 10


def test_chunks_that_come_late_are_put_between(database: Database, corpus: Corpus) -> None:
    """A document that was moved away and back has older numbers than what was merged meanwhile."""
    with connect(database.owner) as owner:
        shelf = ensure_shelf(owner, "default", corpus.collection.space_id, ("board",))
        moved = [
            row[0]
            for row in owner.execute("SELECT id FROM pgask.documents ORDER BY source LIMIT 5").fetchall()
        ]
        before = postings(owner)
        merge(database, corpus)
        for target, kept in ((shelf.id, 5), (corpus.collection.id, 0)):
            for document in moved:
                owner.execute("SELECT pgask.move_document(%s, %s)", [document, target])
            assert merge(database, corpus) > 0
            seen = postings(owner)
            assert [(row[0], *row[2:]) for row in seen] == [(row[0], *row[2:]) for row in before]
            there = {row[0] for row in seen if row[1] == shelf.id}
            rows = owner.execute(
                "SELECT id FROM pgask.chunks WHERE collection_id = %s", [shelf.id]
            ).fetchall()
            assert there == {row[0] for row in rows}
            assert (len(there) > 0) == (kept > 0)
        assert postings(owner) == before


def test_an_export_is_the_same_and_comes_in_again(database: Database, corpus: Corpus) -> None:
    def exported() -> list[Any]:
        stream = io.BytesIO()
        with connect(database.app) as app:
            export_collection(app, "default", stream)
        stream.seek(0)
        return [line for line in map(json.loads, _lines(stream)) if line["kind"] == "chunks"]

    before = exported()
    merge(database, corpus)
    assert exported() == before
    assert sum(len(one) for line in before for one in line["postings"]) > 100


def _lines(stream: io.BytesIO) -> list[bytes]:
    data = stream.getvalue()
    return (zlib.decompress(data, 31) if data[:2] == b"\x1f\x8b" else data).splitlines()[1:]


async def test_the_vocabulary_is_read_from_both(database: Database, corpus: Corpus) -> None:
    words = ["vector", "index", "probe", "索引", "nowhere"]

    async def read() -> list[Any]:
        async with open_pool(database.app, size=1, statement_timeout_s=10) as pool, pool.connection() as one:
            return [
                await count_chunks(one, "default", words, most=1_000),
                await count_chunks(one, "default", words, most=2),
                sorted(await walk_terms(one, "default", ["v", "索", "in"], lengths=(1, 20), most=1_000)),
                await load_texts(one, "default", words, most=4),
                await load_texts_of_all(one, "default", [words[:2], words[1:3], []], most=3),
            ]

    before = await read()
    assert all(before[:4])
    merge(database, corpus)
    assert await read() == before
    corpus.remove(sorted(corpus.documents)[0])
    corpus.fill(3, seed=50)  # rows beside blocks
    mixed = await read()
    merge(database, corpus)
    assert await read() == mixed


def test_an_older_schema_has_rows_again(database: Database, corpus: Corpus) -> None:
    with connect(database.owner) as owner:
        before = owner.execute("SELECT * FROM pgask.postings ORDER BY chunk_id, term").fetchall()
        merge(database, corpus)
        downgrade(database, "0028")
        assert owner.execute("SELECT * FROM pgask.postings ORDER BY chunk_id, term").fetchall() == before
        migrate(database)
        merge(database, corpus)
        assert postings(owner) == [(row[0], row[1], *row[2:]) for row in before]


def test_upkeep_merges_what_is_enough(
    database: Database, corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Few chunks stay rows; of many the room is given back, and a posting takes at most 40 bytes."""
    chunks = len(corpus.places())
    with connect(database.owner) as owner:

        def rows() -> Any:
            assert maintenance.maintain(owner, corpus.collection.space_id, IndexSettings()) is None
            return owner.execute("SELECT count(*) > 0 FROM pgask.postings").fetchone()

        assert chunks < LEAST_CHUNKS
        assert rows() == (True,)
        monkeypatch.setattr(maintenance, "LEAST_CHUNKS", chunks)
        monkeypatch.setattr(maintenance, "_SMALL_INDEXES", 0)
        before = owner.execute("SELECT pg_indexes_size('pgask.postings')").fetchone()
        assert rows() == (False,)
        after = owner.execute("SELECT pg_indexes_size('pgask.postings')").fetchone()
        assert before is not None
        assert after is not None
        assert after[0] < before[0]


@pytest.fixture
def many(database: Database) -> Corpus:
    """1,500 chunks that have nothing but terms, merged."""
    made = Corpus(database)
    with connect(database.owner) as owner:
        owner.execute(
            "INSERT INTO pgask.postings SELECT n, %s, 1 + n %% 3, 180, 'w' || t, '\\x010001'"
            " FROM generate_series(1, 1500) n, generate_series(1, 100) t WHERE n %% t < 5",
            [made.collection.id],
        )
        owner.execute(
            "WITH d AS (INSERT INTO pgask.documents (collection_id, source, status) VALUES (%s, 'd', 'ready')"
            " RETURNING id, collection_id)"
            " INSERT INTO pgask.chunks (id, document_id, collection_id, chunk_index, char_start, char_end, token_count,"
            " term_count, places, sentences, window_start, window_end)"
            " SELECT n, d.id, collection_id, n, 0, 1, 1, 180, '[]', '{}', 0, 0 FROM d, generate_series(1, 1500) n",
            [made.collection.id],
        )
        assert merge_postings(owner, made.collection.space_id, least=1_000) == 1_500
        owner.execute("VACUUM (ANALYZE) pgask.posting_blocks")
    return made


def test_f_1307_a_posting_takes_at_most_forty_bytes(database: Database, many: Corpus) -> None:
    assert many.collection.id
    with connect(database.owner) as owner:
        row = owner.execute(
            "SELECT (pg_total_relation_size('pgask.posting_blocks') + pg_total_relation_size('pgask.merged_chunks'))"
            " / sum(df), sum(df) FROM pgask.posting_blocks"
        ).fetchone()
    assert row is not None
    assert row[0] <= 40
    assert row[1] > 20_000


def test_f_1308_a_term_is_counted_by_the_index_alone(database: Database, many: Corpus) -> None:
    with connect(database.owner) as owner:
        plan = owner.execute(
            "EXPLAIN (ANALYZE, BUFFERS, TIMING OFF) SELECT sum(df) FROM pgask.posting_blocks"
            " WHERE collection_id = %s AND term = 'w1'",
            [many.collection.id],
        ).fetchall()
        counted = owner.execute("SELECT sum(df) FROM pgask.posting_blocks WHERE term = 'w1'").fetchone()
    text = "\n".join(line for (line,) in plan)
    assert "Index Only Scan using ix_posting_blocks_term" in text
    assert "rows=12" in text  # blocks, of 1,500 chunks
    assert counted == (1_500,)


def test_a_chunk_of_too_many_terms_stays_rows(database: Database, corpus: Corpus) -> None:
    with connect(database.owner) as owner:
        largest = owner.execute(
            "UPDATE pgask.chunks SET term_count = %s WHERE id = (SELECT max(id) FROM pgask.chunks) RETURNING id",
            [posting_blocks.MOST_CHUNK_TERMS + 1],
        ).fetchone()
        before = postings(owner)
        assert merge(database, corpus) == len(corpus.places()) - 1
        assert owner.execute("SELECT DISTINCT chunk_id FROM pgask.postings").fetchone() == largest
        assert postings(owner) == before


def test_a_step_waits_for_who_writes(database: Database, corpus: Corpus) -> None:
    """What is deleted at that moment is neither merged nor left behind."""
    with connect(database.owner) as owner, psycopg.connect(database.owner) as writer:
        source = sorted(corpus.documents)[0]
        writer.execute("DELETE FROM pgask.documents WHERE source = %s", [source])
        owner.execute("SET lock_timeout = '200ms'")
        with pytest.raises(Exception, match="lock"):
            merge_postings(owner, corpus.collection.space_id, least=1)
        writer.commit()
        del corpus.documents[source]
        assert merge(database, corpus) == len(corpus.places())
        assert orphans(owner, corpus.collection) == [0, 0, 0]
