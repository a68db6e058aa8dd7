"""A file in two languages: its sections, its place in lists and under filters, and what its chunks count as."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest

from app.domain import Negation, OneOf, SearchFilter
from app.index.maintenance import maintain
from app.index.manifest import IndexSettings
from app.retrieval.retriever import RetrievalSettings, Retriever
from app.store.backgrounds import arrange_samples, sample_statement
from app.store.catalog import find_document, get_document
from app.store.connection import AsyncPool, Database, connect, transaction
from app.store.connection_pool import open_pool
from app.store.listing import ListQuery, count_facets, list_documents
from tests.integration.ingesting import FAKE, ingest, open_collection

pytestmark = pytest.mark.integration

ENGLISH: Final = (
    "Annual leave is asked for two working days before, and what is left is carried over until March. " * 6
)
CHINESE: Final = "年假须提前两个工作日申请，未休完的年假可以结转到次年三月，逾期作废。" * 12
MIXED: Final = f"# Leave\n\n{ENGLISH}\n\n## 年假\n\n{CHINESE}\n"


@pytest.fixture
async def pool(database: Database, tmp_path: Path) -> AsyncIterator[AsyncPool]:
    """Three files: one in both languages, one in each."""
    for name, text in {
        "both.md": MIXED,
        "en.md": f"# Walls\n\n{ENGLISH[:200]}\n",
        "zh.md": f"# 墙\n\n{CHINESE[:90]}\n",
    }.items():
        (tmp_path / name).write_text(text, "utf-8")
    assert ingest(database, tmp_path, embedder=FAKE).failed == []
    with connect(database.owner) as owner:
        maintain(owner, open_collection(database, FAKE).space_id, IndexSettings())
    async with open_pool(database.app, size=1, statement_timeout_s=10) as opened:
        yield opened


async def test_it_is_shown_listed_and_counted_in_both(pool: AsyncPool) -> None:
    """Issue 13.8."""
    async with transaction(pool) as connection:
        detail = await get_document(connection, await find_document(connection, "default", "both.md"))
        assert (detail.language, tuple(detail.languages)) == ("zh", ("zh", "en"))
        assert [section.language for section in detail.sections] == ["en", "zh"]
        for language, sources in {"en": ["both.md", "en.md"], "zh": ["both.md", "zh.md"], "und": []}.items():
            page = await list_documents(connection, "default", 10, query=ListQuery(language=(language,)))
            assert [one.source for one in page.documents] == sources
        facets = await count_facets(connection, "default", ListQuery())
        assert {one.value: one.count for one in facets.language} == {"en": 2, "zh": 2}
        assert facets.total == 3


@pytest.mark.parametrize(
    ("search_filter", "sources"),
    [
        (SearchFilter(where=OneOf("language", ("zh",))), {"both.md", "zh.md"}),
        (SearchFilter(where=OneOf("language", ("en",))), {"both.md", "en.md"}),
        (SearchFilter(where=Negation(OneOf("language", ("en",)))), {"zh.md"}),
    ],
)
async def test_a_filter_finds_it_by_either(
    pool: AsyncPool, search_filter: SearchFilter, sources: set[str]
) -> None:
    found = await Retriever(pool, FAKE, RetrievalSettings()).retrieve(
        "年假 leave", "default", 50, search_filter
    )
    assert {hit.source for hit in found.hits} == sources


@pytest.mark.usefixtures("pool")
def test_its_chunks_and_what_they_are_measured_by_are_in_their_own(database: Database) -> None:
    with connect(database.app) as app:
        rows = app.execute(
            "SELECT k.language FROM pgask.chunks k JOIN pgask.documents d ON d.id = k.document_id"
            " WHERE d.source = 'both.md' ORDER BY k.chunk_index"
        ).fetchall()
        told = [row[0] for row in rows]
        assert {*told} == {"en", "zh"}
        assert told == sorted(told)
        collection = open_collection(database, FAKE)
        sample = app.execute(sample_statement(collection.space_id), [[collection.id]]).fetchall()
    windows = arrange_samples(sample, [collection.id], FAKE.space.dimension)[collection.id]
    counts = {language: len(vectors) for language, vectors in windows.items()}
    assert min(counts["en"], counts["zh"]) > 1
    assert counts.keys() == {"en", "zh"}
