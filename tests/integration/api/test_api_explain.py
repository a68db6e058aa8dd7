"""Explanations, neighbours, near-identical chunks, the limit per document, and reranking, through HTTP."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.lexicon import terms
from app.search.standard import SPAN
from app.store.connection import Database, connect
from app.store.texts import whole_text
from tests.integration.api.conftest import MakeClient
from tests.integration.ingesting import SMALL, ingest, random_text
from tests.tiny_cross_encoder import WANTED, save_cross_encoder

pytestmark = pytest.mark.integration

QUESTION = "vector index list probe recall"


@pytest.fixture
def filled(database: Database, tmp_path: Path) -> Database:
    """Two long documents, a copy of one with a word changed, and short ones; a database of the test's own."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    long = random_text(1, 60)
    (folder / "a.txt").write_text(long, "utf-8")
    (folder / "copy.txt").write_text(long.replace("weight", "wait", 1), "utf-8")
    (folder / "b.txt").write_text(random_text(2, 60), "utf-8")
    for number in range(5):
        (folder / f"short{number}.txt").write_text(random_text(10 + number, 6), "utf-8")
    report = ingest(database, folder)
    assert report.failed == []
    assert report.new >= 7  # the copy may be kept out by its own setting
    return database


@pytest.fixture
def copied(filled: Database, tmp_path: Path) -> Database:
    """With the copy stored, whatever ingest thinks of duplicates."""
    ingest(filled, tmp_path / "corpus", options=replace(SMALL, duplicates="keep_all"))
    return filled


@pytest.fixture
def client(copied: Database, make_client: MakeClient) -> TestClient:
    return make_client(copied)


@pytest.fixture(scope="module")
def cross_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_cross_encoder(tmp_path_factory.mktemp("cross"))


def search(client: TestClient, **body: Any) -> dict[str, Any]:
    reply = client.post("/search", json={"question": QUESTION, **body})
    assert reply.status_code == 200, reply.text
    found: dict[str, Any] = reply.json()
    return found


class TestExplain:
    def test_it_is_there_only_where_it_was_asked_for(self, client: TestClient) -> None:
        assert "explain" not in search(client)
        assert "explain" not in client.post("/ask", json={"question": QUESTION}).json()

    def test_every_candidate_with_its_ranks_and_the_reason(self, client: TestClient) -> None:
        found = search(client, explain=True, top_k=3)
        explained, hits = found["explain"], found["hits"]
        assert explained["search"] == "exact"
        assert explained["probes"] is None
        assert explained["candidates_per_search"] == 50
        assert {one["term"] for one in explained["terms"]} == set(terms(QUESTION))
        idfs = [one["idf"] for one in explained["terms"]]
        assert idfs == sorted(idfs, reverse=True)
        assert set(explained["stages_ms"]) == {"embed", "plan", "search", "fuse", "rerank", "load"}
        candidates = explained["candidates"]
        assert len(candidates) <= explained["rows"]
        assert [one["fused_rank"] for one in candidates] == list(range(1, len(candidates) + 1))
        ranked = {one["rank"]: one for one in candidates if one["rank"] is not None}
        assert [ranked[hit["rank"]]["chunk_id"] for hit in hits] == [hit["chunk_id"] for hit in hits]
        assert [ranked[hit["rank"]]["score"] for hit in hits] == [hit["score"] for hit in hits]
        assert [ranked[hit["rank"]]["source"] for hit in hits] == [hit["source"] for hit in hits]
        assert all((one["rank"] is None) == (one["dropped"] is not None) for one in candidates)
        for rank, score in (("dense_rank", None), ("lexical_rank", "lexical")):
            ranks = sorted(one[rank] for one in candidates if one[rank] is not None)
            assert ranks == list(range(1, len(ranks) + 1))
            if score:
                scored = sorted((one for one in candidates if one[rank]), key=lambda one: one[rank])
                assert [one[score] for one in scored] == sorted((one[score] for one in scored), reverse=True)

    def test_the_score_follows_from_what_is_shown(self, client: TestClient) -> None:
        """The whole formula is tests/oracle.py's."""
        explained = search(client, explain=True)["explain"]
        candidates, dense, share = (
            explained["candidates"],
            explained["dense_weight"],
            explained["window_share"],
        )
        chunk = max(one["lexical"] for one in candidates)
        window = max(one["window_lexical"] for one in candidates)
        for one in candidates:
            words = share * one["window_lexical"] / window + (1 - share) * one["lexical"] / chunk
            meaning = one["readability"] * min(max(one["standard"] / SPAN, 0), 1)
            ideal = dense * meaning + (1 - dense) * words
            assert dense * meaning - 1e-9 <= one["score"] <= ideal + 1e-9
        by_language = {one["language"]: one for one in explained["standards"]}
        assert set(by_language) == {"en", "zh", "und"}
        scores = [
            {(one["dense"] - its["mean"]) / its["deviation"] for its in by_language.values()}
            for one in candidates
        ]
        for one, possible in zip(candidates, scores, strict=True):
            assert min(abs(one["standard"] - score) for score in possible) < 0.02

    def test_no_text_of_a_document_is_in_it(self, client: TestClient, copied: Database) -> None:
        shown = str(search(client, explain=True)["explain"])
        with connect(copied.app) as connection:
            texts = [row[0] for row in connection.execute("SELECT text FROM pgask.document_texts")]
        for text in texts:
            assert not any(text[at : at + 24] in shown for at in range(0, len(text) - 24, 12))

    def test_ask_shows_the_search_and_how_far_the_evidence_reaches(self, client: TestClient) -> None:
        body = {"question": QUESTION, "explain": True, "top_k": 2}
        reply = client.post("/ask", json=body).json()
        assert 0 <= reply["explain"]["answerability"] <= 1
        assert reply["explain"]["abstain_threshold"] == 0.0
        assert [one["rank"] for one in reply["explain"]["candidates"]].count(None) > 0
        streamed = client.post("/ask", json={**body, "stream": True}).text
        assert streamed.count('"answerability":') == 1

    def test_a_filter_keeps_fewer_rows(self, client: TestClient) -> None:
        whole = search(client, explain=True)["explain"]
        kept = search(client, explain=True, filter={"source_prefix": "short"})["explain"]
        assert {one["source"][:5] for one in kept["candidates"]} == {"short"}
        assert len(kept["candidates"]) < len(whole["candidates"])

    def test_a_question_without_terms(self, client: TestClient) -> None:
        explained = search(client, explain=True, question="?!")["explain"]
        assert explained["terms"] == []
        assert all(one["lexical_rank"] is None for one in explained["candidates"])

    def test_the_schema_names_its_fields(self, client: TestClient) -> None:
        schemas = client.get("/openapi.json").json()["components"]["schemas"]
        assert {"terms", "candidates", "search", "probes", "rows"} <= set(
            schemas["Explanation"]["properties"]
        )
        assert schemas["Search"]["properties"]["neighbors"]["anyOf"][0]["maximum"] == 2
        assert "neighbors" not in schemas["Ask"]["properties"]


class TestNearIdentical:
    def test_the_lower_one_is_left_out_and_named(self, client: TestClient) -> None:
        found = search(client, explain=True, top_k=50)
        texts = [hit["text"] for hit in found["hits"]]
        assert len(set(texts)) == len(texts)
        dropped = [one for one in found["explain"]["candidates"] if one["dropped"] == "near_identical"]
        assert dropped
        by_id = {one["chunk_id"]: one for one in found["explain"]["candidates"]}
        for one in dropped:
            better = by_id[one["near_identical_to"]]
            assert better["rank"] is not None
            assert {one["source"], better["source"]} == {"a.txt", "copy.txt"}
            assert better["fused_rank"] < one["fused_rank"]

    def test_others_move_up(self, client: TestClient) -> None:
        assert len(search(client, top_k=5)["hits"]) == 5


class TestMaxPerDocument:
    def test_no_document_gives_more(self, copied: Database, make_client: MakeClient) -> None:
        found = search(make_client(copied, max_per_document=1), explain=True, top_k=6)
        documents = [hit["document_id"] for hit in found["hits"]]
        assert len(set(documents)) == len(documents) == 6
        assert any(one["dropped"] == "document_cap" for one in found["explain"]["candidates"])


class TestNeighbors:
    @pytest.mark.parametrize("steps", [1, 2])
    def test_they_join_up_with_the_hit(self, client: TestClient, copied: Database, steps: int) -> None:
        found = search(client, neighbors=steps, top_k=4, filter={"source_prefix": "b"})
        with connect(copied.app) as connection:
            row = connection.execute(
                f"SELECT {whole_text('id')} FROM pgask.documents WHERE source = 'b.txt'"
            ).fetchone()
        assert row
        counts = set()
        for hit in found["hits"]:
            beside = hit["neighbors"]
            places = [one["steps"] for one in beside]
            assert places == sorted(places)
            assert set(places) <= {place for place in range(-steps, steps + 1) if place}
            counts.add(len(places))
            parts = [
                *(one for one in beside if one["steps"] < 0),
                hit,
                *(one for one in beside if one["steps"] > 0),
            ]
            assert all(before["char_end"] == after["char_start"] for before, after in pairwise(parts))
            joined = "".join(part["text"] for part in parts)
            assert joined == row[0][parts[0]["char_start"] : parts[-1]["char_end"]]
        assert max(counts) == 2 * steps

    def test_they_are_there_only_where_they_were_asked_for(self, client: TestClient) -> None:
        assert all("neighbors" not in hit for hit in search(client)["hits"])

    @pytest.mark.parametrize("steps", [-1, 3, "x"])
    def test_more_than_two_are_refused(self, client: TestClient, steps: object) -> None:
        reply = client.post("/search", json={"question": QUESTION, "neighbors": steps})
        assert reply.status_code == 422
        assert "neighbors" in reply.json()["detail"]


class TestReranking:
    @pytest.fixture
    def marked(self, copied: Database, tmp_path: Path) -> Database:
        """A chunk that only the cross-encoder likes, deep in a document: in its last window the wanted word."""
        text = "Of the page of the token. " * 15 + f"{QUESTION} {WANTED}."
        (tmp_path / "corpus" / "marked.txt").write_text(text, "utf-8")
        ingest(copied, tmp_path / "corpus")
        return copied

    def test_the_order_is_the_cross_encoder_s(
        self, marked: Database, make_client: MakeClient, cross_encoder: Path
    ) -> None:
        plain = search(make_client(marked), top_k=50)
        assert plain["hits"][0]["source"] != "marked.txt"
        assert all(hit["scores"]["rerank"] is None for hit in plain["hits"])
        reranked = make_client(
            marked, rerank_model=str(cross_encoder), rerank_timeout_s=60, rerank_candidates=100
        )
        found = search(reranked, explain=True, top_k=50)
        assert found["hits"][0]["source"] == "marked.txt"
        assert "rerank_failure" not in found
        scores = [hit["scores"]["rerank"] for hit in found["hits"]]
        assert scores == sorted(scores, reverse=True)
        assert scores[0] > 0.5 > scores[1]
        assert found["explain"]["reranked"] == len(found["explain"]["candidates"])
        assert found["timings_ms"]["rerank"] > 0
        assert sorted(hit["chunk_id"] for hit in found["hits"]) == sorted(
            hit["chunk_id"] for hit in plain["hits"]
        )
        asked = reranked.post("/ask", json={"question": QUESTION}).json()
        assert asked["timings_ms"]["rerank"] > 0
        assert reranked.get("/readyz").json()["checks"]["reranking"]["ok"]

    def test_it_reads_no_more_candidates_than_it_may(
        self, copied: Database, make_client: MakeClient, cross_encoder: Path
    ) -> None:
        client = make_client(
            copied, rerank_model=str(cross_encoder), rerank_timeout_s=60, rerank_candidates=3
        )
        found = search(client, explain=True, top_k=10)
        read = [hit["scores"]["rerank"] is not None for hit in found["hits"]]
        assert read == sorted(read, reverse=True)  # a copy among the three is left out
        assert 0 < sum(read) <= 3
        assert found["explain"]["reranked"] == 3

    def test_after_the_deadline_the_fused_order_stands_and_the_reply_says_so(
        self, copied: Database, make_client: MakeClient, cross_encoder: Path
    ) -> None:
        plain = search(make_client(copied))
        client = make_client(copied, rerank_model=str(cross_encoder), rerank_timeout_s=1e-6)
        found = search(client)
        assert found["rerank_failure"].startswith("rerank_timeout: ")
        assert [hit["chunk_id"] for hit in found["hits"]] == [hit["chunk_id"] for hit in plain["hits"]]
        assert all(hit["scores"]["rerank"] is None for hit in found["hits"])
        asked = client.post("/ask", json={"question": QUESTION}).json()
        assert asked["rerank_failure"].startswith("rerank_timeout: ")
        assert not asked["degraded"]
