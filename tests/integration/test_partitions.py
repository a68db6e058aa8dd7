"""Large collections have vector tables of their own: they answer as before, while they move and after, and go whole."""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import numpy as np
import psycopg
import pytest
from psycopg import sql

from app.domain import SearchFilter
from app.embedding import FloatMatrix
from app.errors import NotFoundError, StoreError
from app.index.maintenance import list_spaces, maintain, report
from app.index.manifest import IndexSettings
from app.search.plan import SearchMemory
from app.search.ranking import Ranking, RankingSettings
from app.store import catalog, partitions
from app.store.connection import AsyncPool, Connection, Database, connect, see, write
from app.store.connection_pool import open_pool
from app.store.documents import EmbeddedDocument, replace_document
from app.store.exporting import export_collection
from app.store.migrate import compare, downgrade, migrate
from app.store.partitions import arrange_partitions, partitions_of
from app.store.revisions import head_revision
from app.store.sources import remove_documents
from app.store.spaces import Collection, all_chunks, chunk_table, ensure_space, window_table
from app.store.tenancy import DEFAULT, NOBODY
from ingest.importing import import_collection
from tests.integration.ingesting import (
    FAKE,
    SMALL,
    counted,
    counters,
    embed_document,
    open_collection,
    orphans,
    random_text,
    snapshot,
    version_of,
)
from tests.integration.processes import wait_until
from tests.integration.searching import Corpus, search_pool
from tests.integration.vectors import add_rows, clustered

pytestmark = pytest.mark.integration

QUESTIONS = ("vector index probe recall", "索引和召回的向量 index", "backup of a disk", "nowhere at all")
FEW = 20  # chunks from which the larger collection of these tests has a partition
SETTINGS = IndexSettings(partition_chunks=FEW)


@pytest.fixture
async def pool(database: Database) -> AsyncIterator[AsyncPool]:
    async with open_pool(database.app, size=1, statement_timeout_s=30, otherwise=DEFAULT) as opened:
        yield opened


@pytest.fixture
def corpora(database: Database) -> tuple[Corpus, Corpus]:
    """A larger collection and a smaller one."""
    large, small = Corpus(database, "large"), Corpus(database, "small")
    large.fill(14)
    small.fill(3, seed=100)
    assert len(small.chunks()) < FEW / 2 < FEW < len(large.chunks())
    with connect(database.owner) as owner:
        maintain(
            owner, large.collection.space_id, IndexSettings()
        )  # backgrounds of cosines: scores stay what they are
    return large, small


def in_partitions(connection: Connection, collection: Collection) -> dict[int, int]:
    """How many chunk vectors of a collection lie in which partition; each chunk has one, and windows lie beside it."""
    table = all_chunks(collection.space_id)
    rows = connection.execute(
        sql.SQL("SELECT partition_id, document_id FROM {} WHERE collection_id = %s").format(table),
        [collection.id],
    ).fetchall()
    assert len(rows) == counted(connection, collection)[0]
    for partition in {partition for partition, _ in rows}:
        windows = connection.execute(
            sql.SQL("SELECT DISTINCT document_id FROM {} WHERE collection_id = %s").format(
                window_table(partition)
            ),
            [collection.id],
        ).fetchall()
        assert {row[0] for row in windows} == {row[1] for row in rows if row[0] == partition}
    return dict(Counter(partition for partition, _ in rows))


async def answers(
    pool: AsyncPool, collections: Sequence[str | tuple[str, ...]], memory: SearchMemory | None = None
) -> list[object]:
    """What questions find, with their scores, by every way that reads vectors."""
    found: list[object] = []
    for name in collections:
        for question in QUESTIONS:
            for only in (None, SearchFilter(metadata={"lang": "en"})):
                ranking = await search_pool(pool, question, None, only, collection=name, memory=memory)
                found += [
                    (one.chunk_id, round(one.score, 9), one.scores.dense, one.chunk and one.chunk.text)
                    for one in ranking.chunks
                ]
    return found


EACH = ("large", "small", ("large", "small"))


async def test_it_has_a_partition_from_so_many_chunks_on_and_goes_back_when_it_shrinks(
    corpora: tuple[Corpus, Corpus], database: Database, pool: AsyncPool
) -> None:
    large, small = corpora
    space, memory = large.collection.space_id, SearchMemory()
    stored, found = snapshot(database, "large"), await answers(pool, EACH, memory)
    with connect(database.owner) as owner:
        chunks = counted(owner, large.collection)[0]
        maintain(owner, space, replace(SETTINGS, partition_chunks=chunks + 1))
        assert partitions_of(owner, space) == []

        maintain(owner, space, replace(SETTINGS, partition_chunks=chunks))
        (partition,) = partitions_of(owner, space)
        assert in_partitions(owner, large.collection) == {partition: chunks}
        assert set(in_partitions(owner, small.collection)) == {space}
        shown = {one.id: (one.collections, one.partition_of, one.collection) for one in list_spaces(owner)}
        assert shown == {space: (1, None, None), partition: (1, space, "large")}
        assert report(owner, partition).rows == chunks
        assert report(owner, space).rows == counted(owner, small.collection)[0]
    assert snapshot(database, "large") == stored
    assert await answers(pool, EACH, memory) == found
    assert await answers(pool, EACH) == found
    assert (await search_pool(pool, "index", collection="large")).plan.partitions == (partition,)
    assert (await search_pool(pool, "index", collection="small")).plan.partitions == (space,)
    assert (await search_pool(pool, "index", collection=("small", "large"))).plan.partitions == (
        space,
        partition,
    )

    with connect(database.owner) as owner:
        maintain(owner, space, replace(SETTINGS, partition_chunks=2 * chunks))
        assert partitions_of(owner, space) == [partition]  # half as many keep it
        maintain(owner, space, replace(SETTINGS, partition_chunks=2 * chunks + 1))
        assert in_partitions(owner, large.collection) == {space: chunks}
        maintain(owner, space, IndexSettings())
        assert partitions_of(owner, space) == []
        assert owner.execute(
            "SELECT to_regclass(%s)", [f"pgask_vectors.chunk_vectors_{partition}"]
        ).fetchone() == (None,)
    assert snapshot(database, "large") == stored
    assert await answers(pool, EACH, memory) == found


def test_one_that_lies_alone_stays_where_it_is(database: Database) -> None:
    large = Corpus(database, "large")
    large.fill(14)
    space = large.collection.space_id
    with connect(database.owner) as owner:
        maintain(owner, space, SETTINGS)
        assert partitions_of(owner, space) == []
        Corpus(database, "small").fill(1, seed=100)
        maintain(owner, space, SETTINGS)
        assert len(partitions_of(owner, space)) == 1


def test_what_is_written_then_lies_there_and_goes_with_its_document(
    corpora: tuple[Corpus, Corpus], database: Database
) -> None:
    large, _ = corpora
    with connect(database.owner) as owner, connect(database.app) as app:
        maintain(owner, large.collection.space_id, SETTINGS)
        large.put("new.txt", random_text(900, 12))
        large.put("0.txt", random_text(901, 12))
        assert set(in_partitions(owner, large.collection)) == set(
            partitions_of(owner, large.collection.space_id)
        )
        assert remove_documents(app, large.collection, ["1.txt", "new.txt"]) == 2
        in_partitions(owner, large.collection)
        assert orphans(owner, large.collection) == [0, 0, 0]
        assert counters(owner, large.collection) == counted(owner, large.collection)


@pytest.fixture
def one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partitions, "BATCH_CHUNKS", 1)


async def test_it_is_asked_and_written_while_it_moves_and_a_killed_move_goes_on(
    corpora: tuple[Corpus, Corpus], database: Database, pool: AsyncPool, one_at_a_time: None
) -> None:
    large, _ = corpora
    space, found = large.collection.space_id, await answers(pool, EACH)
    with connect(database.owner) as owner, connect(database.app, autocommit=False) as holder:
        see(holder, DEFAULT)
        holder.execute("SELECT FROM pgask.documents WHERE source = '5.txt' AND collection_id = %s FOR UPDATE",
                       [large.collection.id])  # fmt: skip
        with ThreadPoolExecutor(1) as threads, connect(database.owner) as mover:
            moving = threads.submit(arrange_partitions, mover, space, FEW)
            wait_until(lambda: bool(partitions_of(owner, space)))
            partition = partitions_of(owner, space)[0]
            wait_until(lambda: len(_lying_in(owner, large, space)) == 1)  # all but the one that is held
            places = in_partitions(owner, large.collection)
            assert set(places) == {space, partition}
            assert await answers(pool, EACH) == found
            plan = (await search_pool(pool, "index", collection="large")).plan
            assert plan.partitions == (space, partition)
            large.put("new.txt", random_text(900, 12))
            large.remove("6.txt")
            large.put("7.txt", random_text(901, 3))
            assert arrange_partitions(owner, space, FEW) == 0  # another one is at it
            owner.execute("SELECT pg_terminate_backend(%s)", [mover.info.backend_pid])
            with pytest.raises(StoreError):
                moving.result()
        assert len(in_partitions(owner, large.collection)) == 2
        found = await answers(pool, EACH)
        holder.rollback()
        assert arrange_partitions(owner, space, FEW) == 1
        assert set(in_partitions(owner, large.collection)) == {partition}
        assert partitions_of(owner, space) == [partition]
        assert orphans(owner, large.collection) == [0, 0, 0]
    assert await answers(pool, EACH) == found


def _lying_in(owner: Connection, corpus: Corpus, partition: int) -> set[object]:
    """The documents of a corpus there."""
    table = chunk_table(partition)
    rows = owner.execute(
        sql.SQL("SELECT DISTINCT document_id FROM {} WHERE collection_id = %s").format(table),
        [corpus.collection.id],
    )
    return {row[0] for row in rows.fetchall()}


class _Interrupted(Sequence[Counter[str]]):
    """Terms whose first reader finds that something happened meanwhile."""

    def __init__(self, terms: Sequence[Counter[str]], happens: Callable[[], object]) -> None:
        self._terms, self._happens, self.read = terms, happens, 0

    def __iter__(self) -> Iterator[Counter[str]]:
        self.read += 1
        if self.read == 1:
            self._happens()
        return iter(self._terms)

    def __len__(self) -> int:
        return len(self._terms)

    def __getitem__(self, place: int) -> Counter[str]:  # type: ignore[override]
        return self._terms[place]


def test_who_began_to_write_before_it_moved_writes_again(
    corpora: tuple[Corpus, Corpus], database: Database
) -> None:
    """Its windows are written by then, where nobody would look for them."""
    large, _ = corpora
    text = random_text(902, 10)
    with connect(database.owner) as owner, connect(database.app) as app:
        arrange_partitions(owner, large.collection.space_id, FEW)
        embedded: EmbeddedDocument = embed_document(text, chunk_tokens=40)
        interrupted = _Interrupted(
            embedded.chunk_terms, lambda: arrange_partitions(owner, large.collection.space_id, 0)
        )
        assert replace_document(
            app, large.collection, version_of("late.txt", text), replace(embedded, chunk_terms=interrupted)
        )
        assert interrupted.read == 2
        assert set(in_partitions(owner, large.collection)) == {large.collection.space_id}


async def test_when_it_is_deleted_its_tables_go_and_who_asks_is_told(
    corpora: tuple[Corpus, Corpus], database: Database, pool: AsyncPool
) -> None:
    large, small = corpora
    memory = SearchMemory()
    with connect(database.owner) as owner:
        maintain(owner, large.collection.space_id, SETTINGS)
        (partition,) = partitions_of(owner, large.collection.space_id)
        await answers(pool, EACH, memory)
        found = await answers(pool, ("small",), memory)
        await write(pool, lambda connection: catalog.delete_collection(connection, "large"))
        with pytest.raises(NotFoundError):
            await search_pool(pool, "index", collection="large", memory=memory)
        maintain(owner, small.collection.space_id, SETTINGS)
        assert partitions_of(owner, small.collection.space_id) == []
        left = owner.execute(
            "SELECT count(*) FROM pg_class WHERE relname IN (%s, %s)",
            [f"chunk_vectors_{partition}", f"window_vectors_{partition}"],
        ).fetchone()
        assert left == (0,)
    for name in ("large", ("large", "small")):
        with pytest.raises(NotFoundError):
            await search_pool(pool, "index", collection=name, memory=memory)
    assert await answers(pool, ("small",), memory) == found


async def test_each_partition_has_its_index_and_several_are_asked_at_once(
    database: Database, pool: AsyncPool
) -> None:
    """Builds are numbered through, so that a statement names one of each; nearly all of the nearest are found."""
    large, small = open_collection(database, name="large"), open_collection(database, name="small")
    vectors = clustered(np.random.default_rng(2), 1_600)
    settings = IndexSettings(min_rows=500, target_recall=0.9, partition_chunks=800)
    with connect(database.owner) as owner, connect(database.app) as app:
        add_rows(app, large, vectors[:1_000], "large.txt")
        add_rows(app, small, vectors[1_000:], "small.txt")
        owner.execute("ANALYZE")
        maintain(owner, large.space_id, settings)
        (partition,) = partitions_of(owner, large.space_id)
        own, shared = report(owner, partition), report(owner, large.space_id)
        assert (own.rows, own.method, own.lists) == (1_000, "ivfflat", 20)
        assert (shared.rows, shared.method, shared.lists) == (600, "ivfflat", 12)
        assert own.recall is not None
        assert own.recall >= 0.9
        numbers = [
            read[0] for read in owner.execute("SELECT index_build FROM pgask.embedding_spaces").fetchall()
        ]
        assert len(set(numbers)) == 2
    questions = clustered(np.random.default_rng(3), 20)
    for name, ids in (("large", (partition,)), ("small", (large.space_id,)),
                      (("large", "small"), (large.space_id, partition))):  # fmt: skip
        hits = 0
        for question in questions:
            exact = await _nearest(pool, question, name, 10_000)
            found = await _nearest(pool, question, name, 100)
            assert exact.plan.exact
            assert (found.plan.partitions, found.plan.exact, found.plan.visited) == (ids, False, 0)
            best = [
                one.chunk_id for one in sorted(exact.chunks, key=lambda one: -(one.scores.dense or 0))[:10]
            ]
            hits += len(set(best) & {one.chunk_id for one in found.chunks})
        assert hits >= 0.8 * 10 * len(questions), name


async def _nearest(
    pool: AsyncPool, question: FloatMatrix, collection: str | tuple[str, ...], exact_max_rows: int
) -> Ranking:
    settings = RankingSettings(exact_max_rows=exact_max_rows, dense_weight=1.0)
    return await search_pool(pool, question, [], collection=collection, candidates=20, settings=settings)


def test_policies_hold_in_each_table_and_a_search_reads_one(
    corpora: tuple[Corpus, Corpus], database: Database
) -> None:
    large, _ = corpora
    with connect(database.owner) as owner:
        maintain(owner, large.collection.space_id, SETTINGS)
        (partition,) = partitions_of(owner, large.collection.space_id)
        tables = owner.execute(
            "SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity,"
            " (SELECT count(*) FROM pg_policy p WHERE p.polrelid = c.oid) FROM pg_class c"
            " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'pgask_vectors' AND relkind IN ('r', 'p')"
        ).fetchall()
    assert len(tables) == 6
    assert {(held, policies) for _, held, policies in tables} == {(True, 2)}
    with connect(database.app) as app:
        for scope, seen in ((NOBODY, False), (DEFAULT, True)):
            see(app, scope)
            for name, _, _ in tables:
                row = app.execute(
                    sql.SQL("SELECT count(*) > 0 FROM {}").format(sql.Identifier("pgask_vectors", name))
                ).fetchone()
                assert row == (seen,), name
        app.execute("SET plan_cache_mode = force_generic_plan")
        lines = app.execute(
            sql.SQL(
                "EXPLAIN SELECT v.chunk_id FROM (SELECT * FROM {} WHERE partition_id IN ({})) v"
                " WHERE v.collection_id = %s"
            ).format(all_chunks(large.collection.space_id), sql.Literal(partition)),
            [large.collection.id],
            prepare=True,
        ).fetchall()
        read = {name for (line,) in lines for name in re.findall(r" on chunk_vectors_(\d+)", line)}
        assert read == {str(partition)}
        with pytest.raises(psycopg.errors.CheckViolation):  # what belongs elsewhere
            app.execute(
                sql.SQL("UPDATE {} SET partition_id = %s").format(chunk_table(partition)), [partition + 1]
            )


async def test_a_document_for_some_groups_leaves_the_partition_and_comes_back(
    corpora: tuple[Corpus, Corpus], database: Database, pool: AsyncPool
) -> None:
    large, _ = corpora
    with connect(database.owner) as owner:
        maintain(owner, large.collection.space_id, SETTINGS)
        chunks = counted(owner, large.collection)[0]
        row = owner.execute(
            "SELECT id::text FROM pgask.documents WHERE source = '2.txt' AND collection_id = %s",
            [large.collection.id],
        ).fetchone()
        assert row is not None
        for readers in (("hr",), ()):
            await write(pool, partial(catalog.change_readers, document_id=row[0], readers=readers))
            held = owner.execute(
                sql.SQL("SELECT DISTINCT partition_id FROM {} WHERE document_id = %s").format(
                    all_chunks(large.collection.space_id)
                ),
                row,
            ).fetchall()
            assert (held == [(large.collection.space_id,)]) == bool(readers)
            in_partitions(owner, large.collection)
        assert counted(owner, large.collection)[0] == chunks


@pytest.mark.usefixtures("corpora")
def test_it_is_exported_and_imported_whole(database: Database) -> None:
    with connect(database.owner) as owner, connect(database.app) as app:
        space = ensure_space(owner, FAKE.space)
        maintain(owner, space, SETTINGS)
        stream = io.BytesIO()
        export_collection(app, "large", stream)
        stream.seek(0)
        import_collection(app, stream, "again", space, FAKE, options=SMALL)
        maintain(owner, space, SETTINGS)
        assert len(partitions_of(owner, space)) == 2
    assert snapshot(database, "again") == snapshot(database, "large")


def test_migrations_go_down_and_up_with_partitions(
    corpora: tuple[Corpus, Corpus], database: Database
) -> None:
    large, _ = corpora
    stored = snapshot(database, "large"), snapshot(database, "small")
    with connect(database.owner) as owner:
        maintain(owner, large.collection.space_id, SETTINGS)
    downgrade(database, "0029")
    with connect(database.owner) as owner:
        names = owner.execute(
            "SELECT relname FROM pg_class WHERE relname LIKE 'chunk\\_vectors\\__%%' AND relkind = 'r'"
        )
        assert names.fetchall() == [(f"chunk_vectors_{large.collection.space_id}",)]
    assert migrate(database)[1] == head_revision()
    compare(database)
    assert (snapshot(database, "large"), snapshot(database, "small")) == stored
    with connect(database.owner) as owner:
        maintain(owner, large.collection.space_id, SETTINGS)
        assert len(in_partitions(owner, large.collection)) == 1


def test_nothing_moves_while_a_service_of_before_may_write(
    corpora: tuple[Corpus, Corpus], database: Database
) -> None:
    large, _ = corpora
    downgrade(database, "0031")
    with connect(database.owner) as owner:
        maintain(owner, large.collection.space_id, SETTINGS)
        assert partitions_of(owner, large.collection.space_id) == []
