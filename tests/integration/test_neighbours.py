"""What stands beside a hit: stretches that touch it and repeat nothing, and a model that is given them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from app.domain import ScoredChunk
from app.main import create_app
from app.retrieval.retriever import RetrievalSettings, Retrieved, Retriever
from app.store.connection import Database, connect
from app.store.connection_pool import open_pool
from app.store.texts import whole_text
from tests.fakes import FakeEmbedder, ScriptedLlm
from tests.integration.api.conftest import BASE_URL, settings_for
from tests.integration.ingesting import FAKE, ingest, random_text, write_corpus

pytestmark = pytest.mark.integration

QUESTION = "vector index list probe recall"


@pytest.fixture
def filled(database: Database, tmp_path: Path) -> Database:
    folder = write_corpus(tmp_path / "corpus", 6, sentences=120)
    (folder / "long.md").write_text(f"# Long\n\n{random_text(99, 200)}\n", "utf-8")
    assert ingest(database, folder).failed == []
    return database


async def retrieve(database: Database, top_k: int) -> tuple[Retrieved, tuple[ScoredChunk, ...]]:
    async with open_pool(database.app, size=2, statement_timeout_s=10) as pool:
        retriever = Retriever(pool, FAKE, RetrievalSettings())
        found = await retriever.retrieve(QUESTION, "default", top_k)
        return found, await retriever.load_neighbours(found.hits)


@pytest.mark.parametrize("top_k", [1, 3, 6, 50])
async def test_neighbours_touch_their_hit_and_are_the_stored_text(filled: Database, top_k: int) -> None:
    found, neighbours = await retrieve(filled, top_k)
    with connect(filled.app) as connection:
        found_texts = connection.execute(
            f"SELECT id::text, {whole_text('id')} FROM pgask.documents"
        ).fetchall()
    texts = dict(found_texts)
    hits = {hit.chunk_id for hit in found.hits}
    assert len(neighbours) <= 2 * len(hits)
    assert neighbours or top_k == 50
    for neighbour in neighbours:
        assert neighbour.chunk_id not in hits
        assert neighbour.text == texts[neighbour.document_id][neighbour.char_start : neighbour.char_end] != ""
        assert any(
            hit.document_id == neighbour.document_id
            and neighbour.char_start in (hit.char_end, neighbour.char_start)
            and (neighbour.char_start == hit.char_end or neighbour.char_end == hit.char_start)
            for hit in found.hits
        )


async def test_the_best_hit_s_come_first_and_what_follows_before_what_precedes(filled: Database) -> None:
    found, neighbours = await retrieve(filled, 6)
    places = []
    for neighbour in neighbours:
        rank, after = next(
            (hit.rank, neighbour.char_start == hit.char_end)
            for hit in found.hits
            if hit.document_id == neighbour.document_id
            and (neighbour.char_start == hit.char_end or neighbour.char_end == hit.char_start)
        )
        places.append((rank, not after))
    assert len(places) > 2
    assert places == sorted(places)


def test_the_model_is_given_them_and_quotes_from_them_are_exact(filled: Database) -> None:
    def quote_last_sentence(body: dict[str, object]) -> str:
        messages = body["messages"]
        assert isinstance(messages, list)
        source = re.search(r"<<<source 1 .*?>>>\n.*?\n(.*?)\n<<<end 1", messages[-1]["content"], re.DOTALL)
        assert source
        return f"{source[1].strip().split('. ')[-1]} [1]"

    with ScriptedLlm(quote_last_sentence) as llm:
        llm.max_model_len = 32_000
        app = create_app(settings_for(llm_base_url=llm.base_url), filled, FakeEmbedder())
        with TestClient(app, base_url=BASE_URL) as client:
            hit = client.post("/search", json={"question": QUESTION, "top_k": 1}).json()["hits"][0]
            reply = client.post("/ask", json={"question": QUESTION, "top_k": 1}).json()
            (citation,) = reply["citations"]
            text = client.get(f"/documents/{hit['document_id']}/text").json()["text"]
    assert citation["supported"]
    assert citation["document_id"] == hit["document_id"]
    assert citation["char_end"] > hit["char_end"]  # what it cites stands beside the hit
    assert citation["chunk_id"] != hit["chunk_id"]
    assert text[citation["char_start"] : citation["char_end"]] == citation["quote"]
