"""What cosines are measured against: sampled with the care of indexes, renewed with growth, gone with its documents."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from app.index.background import CHANGED, SAMPLED, read_backgrounds, renew_backgrounds
from app.index.maintenance import maintain, report
from app.index.manifest import IndexSettings
from app.retrieval.retriever import RetrievalSettings, Retriever
from app.search import background_reader
from app.search.background_reader import BackgroundReader
from app.search.plan import read_collections
from app.store.backgrounds import background_texts, ensure_texts
from app.store.connection import AsyncPool, Connection, Database, connect, transaction
from app.store.connection_pool import open_pool
from app.store.documents import replace_document
from app.store.shelves import ensure_shelf
from app.store.sources import remove_documents
from app.store.spaces import Collection
from tests.integration.ingesting import (
    FAKE,
    embed_document,
    ingest,
    open_collection,
    random_text,
    version_of,
    write_corpus,
)

pytestmark = pytest.mark.integration


def put(database: Database, source: str, text: str) -> None:
    with connect(database.app) as app:
        embedded = embed_document(text, chunk_tokens=40)
        replace_document(app, open_collection(database), version_of(source, text), embedded)


def fill(database: Database, numbers: range) -> Collection:
    for number in numbers:
        put(database, f"{number}.txt", random_text(number, 4 + number % 9))
    return open_collection(database)


def sampled(connection: Connection) -> list[tuple[str, int]]:
    rows = connection.execute(
        "SELECT d.source, b.window_index FROM pgask.background_windows b JOIN pgask.documents d ON d.id = b.document_id"
        " ORDER BY 1, 2"
    )
    return [(row[0], row[1]) for row in rows.fetchall()]


@pytest.fixture
async def pool(database: Database) -> AsyncIterator[AsyncPool]:
    async with open_pool(database.app, size=2, statement_timeout_s=10) as opened:
        yield opened


def test_the_care_of_indexes_samples_each_collection_and_says_what_cosines_are_like(
    database: Database, tmp_path: Path
) -> None:
    ingest(database, write_corpus(tmp_path, 12))
    collection = open_collection(database)
    with connect(database.owner) as owner:
        assert maintain(owner, collection.space_id, IndexSettings()) is None  # too few for an index
        (background,) = report(owner, collection.space_id).backgrounds
        assert background.collection == "default"
        assert background.windows == len(sampled(owner)) > 0
        assert {pair.languages for pair in background.cosines} == {"en", "en, zh", "zh"}
        assert all(-1 <= pair.mean <= 1 and 0 < pair.deviation < 1 for pair in background.cosines)
        assert renew_backgrounds(owner, collection.space_id) == 0  # nothing has changed


def test_a_long_document_gives_as_many_windows_as_many_short_ones(database: Database) -> None:
    collection = open_collection(database)
    put(database, "long.txt", "\n\n".join(random_text(number, 60) for number in range(60)))
    with connect(database.owner) as owner:
        renew_backgrounds(owner, collection.space_id)
        places = [place for _, place in sampled(owner)]
        row = owner.execute(
            f"SELECT count(*) FROM pgask_vectors.window_vectors_{collection.space_id}"
        ).fetchone()
    assert row is not None
    assert len(places) == min(SAMPLED, row[0])
    gaps = np.diff(places)
    assert places[-1] > 0.9 * row[0]
    assert gaps.max() - gaps.min() <= 1  # evenly spread


def test_a_sample_is_renewed_where_a_fifth_of_the_chunks_is_new_or_gone(database: Database) -> None:
    collection = fill(database, range(20))
    with connect(database.owner) as owner:
        renew_backgrounds(owner, collection.space_id)
        first = sampled(owner)
        put(database, "one.txt", "One more.")
        assert renew_backgrounds(owner, collection.space_id) == 0
        fill(database, range(20, 20 + int(20 * CHANGED) + 6))
        assert renew_backgrounds(owner, collection.space_id) == 1
        assert sampled(owner) != first
        with connect(database.app) as app:
            remove_documents(app, collection, [f"{number}.txt" for number in range(10)])
        assert not {source for source, _ in sampled(owner)} & {f"{number}.txt" for number in range(10)}
        assert renew_backgrounds(owner, collection.space_id) == 1
        assert len(read_backgrounds(owner, collection.space_id)) == 1


async def test_a_search_measures_by_the_texts_and_the_sample(database: Database, pool: AsyncPool) -> None:
    collection = fill(database, range(20))
    retriever = Retriever(pool, FAKE, RetrievalSettings())
    before = await retriever.retrieve("vector index probe recall", "default", 5)
    texts = FAKE.embed_passages(list(background_texts()["en"])) @ before.vector
    assert before.standards["en"].mean == pytest.approx(texts.mean(), abs=1e-5)
    assert before.standards["en"].deviation == pytest.approx(texts.std(), abs=1e-5)
    with connect(database.owner) as owner:
        ensure_texts(owner, collection.space_id, FAKE)
        maintain(owner, collection.space_id, IndexSettings())
    # what is known of the collection from the first search no longer holds
    after = await retriever.retrieve("vector index probe recall", "default", 5)
    async with transaction(pool) as connection:
        stored = await read_collections(connection, "default", FAKE.space)
        background = await BackgroundReader(FAKE).read(
            connection, FAKE.space, stored.space_id, stored.samples
        )
    own = background.samples[0]["en"] @ after.vector
    weight = min(0.5, len(own) / (len(own) + 48))
    assert after.standards["en"].mean == pytest.approx(
        (1 - weight) * texts.mean() + weight * own.mean(), abs=1e-4
    )
    for hit in after.hits:
        assert hit.scores.dense is not None
        assert hit.standard == pytest.approx(after.standards["en"].score(hit.scores.dense), abs=1e-5)


async def test_samples_of_many_shelves_are_read_at_once_and_kept(
    database: Database, pool: AsyncPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More shelves than were kept had each read again for every question."""
    monkeypatch.setattr(background_reader, "MOST_KEPT", 5)  # vectors, less than a question asks here
    space_id = fill(database, range(6)).space_id
    with connect(database.app) as app, connect(database.owner) as owner:
        documents = app.execute("SELECT id FROM pgask.documents ORDER BY source").fetchall()
        for number, (document,) in enumerate(documents):
            shelf = ensure_shelf(app, "default", space_id, (f"group {number}",))
            app.execute("SELECT pgask.move_document(%s, %s)", [document, shelf.id])
        ensure_texts(owner, space_id, FAKE)
        assert renew_backgrounds(owner, space_id) == 6

    class Counted:
        calls = 0

        async def execute(self, *given: Any) -> Any:
            self.calls += 1
            return await connection.execute(*given)

    reader = BackgroundReader(FAKE)
    async with transaction(pool) as connection:
        stored = await read_collections(connection, "default", FAKE.space)
        counted = Counted()
        read = [
            await reader.read(cast("Any", counted), FAKE.space, space_id, stored.samples) for _ in range(2)
        ]
        alone = [await reader.read(connection, FAKE.space, space_id, [sample]) for sample in stored.samples]
    assert counted.calls == 2  # the texts, and all samples
    assert len(stored.samples) >= 6
    for background in read:
        for windows, one in zip(background.samples, alone, strict=True):
            assert windows.keys() == one.samples[0].keys()
            assert all(np.array_equal(vectors, one.samples[0][name]) for name, vectors in windows.items())


def test_the_texts_are_embedded_once(database: Database) -> None:
    collection = open_collection(database)

    class Once(type(FAKE)):  # type: ignore[misc]
        calls = 0

        def embed_passages(self, texts):  # type: ignore[no-untyped-def]
            Once.calls += 1
            return super().embed_passages(texts)

    with connect(database.owner) as owner:
        for _ in range(2):
            ensure_texts(owner, collection.space_id, Once())
        row = owner.execute("SELECT count(*) FROM pgask.background_texts").fetchone()
    assert Once.calls == 1
    assert row == (sum(map(len, background_texts().values())),)
