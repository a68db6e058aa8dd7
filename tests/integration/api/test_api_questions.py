"""POST /ask and POST /search: answers whose quotes are the stored text, streams in order, filters that hold."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.fakes import ScriptedLlm
from tests.integration.api.conftest import MakeClient

pytestmark = pytest.mark.integration

QUESTION = "How many ivfflat lists should I choose?"
INJECTIONS = [
    "'; DROP TABLE pgask.documents; --",
    "' OR '1'='1",
    "%' OR source LIKE '%",
    "guide/%",
    "guide_",
    "%(collection_id)s",
    "{chunks}",
    "$1",
    "\\",
    "pgask.collections",
    "') UNION SELECT usename, passwd FROM pg_shadow --",
]


def events(body: str) -> list[tuple[str, dict[str, Any]]]:
    """Names and values of the events of a stream."""
    found = []
    for block in body.strip().split("\n\n"):
        if not block.startswith(":"):
            name, data = block.split("\n", 1)
            found.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return found


def hits(client: TestClient, **body: Any) -> list[dict[str, Any]]:
    reply = client.post("/search", json={"question": QUESTION} | body)
    assert reply.status_code == 200, reply.text
    found: list[dict[str, Any]] = reply.json()["hits"]
    return found


class TestAsk:
    @pytest.mark.parametrize(
        ("question", "source"), [(QUESTION, "guide/lists.md"), ("分块大小是多少个词元？", "zh/chunking.md")]
    )
    def test_every_quote_is_the_stored_text(self, client: TestClient, question: str, source: str) -> None:
        reply = client.post("/ask", json={"question": question}).json()
        assert not reply["abstained"]
        assert reply["citations"][0]["source"] == source
        for citation in reply["citations"]:
            assert f"[{citation['marker']}]" in reply["answer"]
            span = {"start": citation["char_start"], "end": citation["char_end"]}
            stored = client.get(f"/documents/{citation['document_id']}/text", params=span).json()
            assert stored["text"] == citation["quote"] != ""

    def test_offsets_after_an_astral_character_count_code_points(self, client: TestClient) -> None:
        reply = client.post("/ask", json={"question": "Probes: how many lists does a query read?"}).json()
        citation = next(c for c in reply["citations"] if "Probes say" in c["quote"])
        text = client.get(f"/documents/{citation['document_id']}/text").json()["text"]
        assert "🦜" in text[: citation["char_start"]]
        assert text[citation["char_start"] : citation["char_end"]] == citation["quote"]

    def test_the_reply_has_the_contract_s_fields(self, client: TestClient) -> None:
        reply = client.post("/ask", json={"question": QUESTION})
        body = reply.json()
        assert list(body) == [
            "answer", "abstained", "generator", "degraded", "degraded_reason", "standalone_question", "citations",
            "claims", "kind", "searched_for", "reason", "nearest", "usage", "timings_ms", "request_id",
        ]  # fmt: skip
        assert set(body["timings_ms"]) == {"embed", "retrieve", "rerank", "generate", "total"}
        assert body["timings_ms"]["total"] > 0
        assert body["request_id"] == reply.headers["x-request-id"]
        assert (body["generator"], body["usage"]) == (
            "extractive",
            {"prompt_tokens": 0, "completion_tokens": 0},
        )

    @pytest.mark.parametrize(
        ("question", "letters"), [("Who won the cup?", "documents"), ("谁赢得了奖杯？", "文档")]
    )
    def test_without_evidence_it_abstains_in_the_question_s_language(
        self, make_client: MakeClient, question: str, letters: str
    ) -> None:
        reply = make_client(abstain_threshold=1.0).post("/ask", json={"question": question}).json()
        assert reply["abstained"]
        assert reply["citations"] == []
        assert letters in reply["answer"]

    @pytest.mark.parametrize("question", ["hi", "你好", "thanks", QUESTION])
    def test_a_collection_that_there_is_not_is_404_whatever_is_said(
        self, client: TestClient, question: str
    ) -> None:
        """A greeting was answered with 200."""
        for stream in (False, True):
            body = {"question": question, "collection": "none", "stream": stream}
            reply = client.post("/ask", json=body)
            assert (reply.status_code, reply.json()["code"]) == (404, "not_found")

    def test_a_follow_up_is_searched_with_the_question_before_it(self, client: TestClient) -> None:
        history = [{"role": "user", "content": QUESTION}, {"role": "assistant", "content": "The root. [1]"}]
        reply = client.post("/ask", json={"question": "And what about probes?", "history": history}).json()
        assert QUESTION in reply["standalone_question"]

    def test_a_model_that_fails_is_replaced_and_said_so(self, make_client: MakeClient) -> None:
        with ScriptedLlm() as llm:
            llm.mode = "error_500"
            client = make_client(llm_base_url=llm.base_url)
            reply = client.post("/ask", json={"question": QUESTION}).json()
        assert reply["degraded"]
        assert reply["degraded_reason"]
        assert reply["generator"] == "extractive"
        assert reply["citations"]

    def test_a_model_s_markers_become_citations(self, make_client: MakeClient) -> None:
        with ScriptedLlm("Take the square root of the rows [1].") as llm:
            client = make_client(llm_base_url=llm.base_url)
            reply = client.post("/ask", json={"question": QUESTION}).json()
        assert reply["generator"] == "scripted-llama"
        assert reply["citations"][0]["marker"] == 1
        assert reply["usage"]["completion_tokens"] > 0


class TestStream:
    def test_sources_then_tokens_then_the_whole_reply(self, client: TestClient) -> None:
        reply = client.post("/ask", json={"question": QUESTION, "stream": True})
        assert reply.headers["content-type"].startswith("text/event-stream")
        assert (reply.headers["cache-control"], reply.headers["x-accel-buffering"]) == ("no-store", "no")
        names = [name for name, _ in events(reply.text)]
        assert names[0] == "sources"
        assert names[-1] == "done"
        assert set(names[1:-1]) == {"token"}

    def test_done_is_what_the_plain_reply_is(self, client: TestClient) -> None:
        plain = client.post("/ask", json={"question": QUESTION}).json()
        streamed = events(client.post("/ask", json={"question": QUESTION, "stream": True}).text)
        done = streamed[-1][1]
        for own in ("request_id", "timings_ms"):
            assert plain.pop(own)
            assert done.pop(own)
        assert done == plain
        assert "".join(value["text"] for name, value in streamed if name == "token") == plain["answer"]
        assert streamed[0][1]["citations"] == plain["citations"]

    def test_a_failure_before_the_first_event_has_its_own_status(self, client: TestClient) -> None:
        reply = client.post("/ask", json={"question": QUESTION, "stream": True, "collection": "nowhere"})
        assert reply.status_code == 404
        assert reply.headers["content-type"] == "application/problem+json"

    def test_a_model_that_breaks_off_still_ends_in_done(self, make_client: MakeClient) -> None:
        with ScriptedLlm("Half of this answer never comes [1].") as llm:
            llm.mode = "disconnect_mid_stream"
            client = make_client(llm_base_url=llm.base_url)
            streamed = events(client.post("/ask", json={"question": QUESTION, "stream": True}).text)
        assert streamed[-1][0] == "done"
        assert streamed[-1][1]["degraded"]


class TestSearch:
    def test_ranks_scores_and_texts(self, client: TestClient) -> None:
        found = hits(client)
        assert [hit["rank"] for hit in found] == list(range(1, len(found) + 1))
        assert [hit["score"] for hit in found] == sorted((hit["score"] for hit in found), reverse=True)
        assert found[0]["source"] == "guide/lists.md"
        assert found[0]["scores"]["lexical"] > 0
        for hit in found:
            span = {"start": hit["char_start"], "end": hit["char_end"]}
            assert (
                client.get(f"/documents/{hit['document_id']}/text", params=span).json()["text"] == hit["text"]
            )

    def test_top_k(self, client: TestClient) -> None:
        assert len(hits(client, top_k=1)) == 1
        assert len(hits(client, top_k=50)) >= 3

    @pytest.mark.parametrize(
        ("given", "sources"),
        [
            ({"source_prefix": "guide/"}, {"guide/lists.md", "guide/backup.md"}),
            ({"source_prefix": "zh"}, {"zh/chunking.md"}),
            ({"source_prefix": "guide/lists.md"}, {"guide/lists.md"}),
            ({"metadata": {"lang": "zh"}}, {"zh/chunking.md"}),
            ({"metadata": {"lang": "en"}, "source_prefix": "guide/b"}, {"guide/backup.md"}),
            ({}, {"guide/lists.md", "guide/backup.md", "zh/chunking.md"}),
            ({"source_prefix": "Guide/"}, set()),
            ({"source_prefix": "uide"}, set()),
            ({"metadata": {"lang": "fr"}}, set()),
            ({"metadata": {"lang": "en", "more": 1}}, set()),
        ],
    )
    def test_filters(self, client: TestClient, given: dict[str, Any], sources: set[str]) -> None:
        assert {hit["source"] for hit in hits(client, filter=given, top_k=50)} == sources

    def test_a_filter_that_keeps_nothing_makes_ask_abstain(self, client: TestClient) -> None:
        body = {"question": QUESTION, "filter": {"source_prefix": "nowhere/"}}
        reply = client.post("/ask", json=body).json()
        assert (reply["abstained"], reply["citations"]) == (True, [])


class TestInjection:
    @pytest.mark.parametrize("text", INJECTIONS)
    def test_filters_take_text_as_text(self, client: TestClient, text: str) -> None:
        assert hits(client, filter={"source_prefix": text}) == []
        assert hits(client, filter={"metadata": {"lang": text}}) == []
        assert hits(client, filter={"metadata": {text: "en"}}) == []

    @pytest.mark.parametrize("text", INJECTIONS)
    def test_questions_and_collections_take_text_as_text(self, client: TestClient, text: str) -> None:
        before = client.get("/collections").json()
        assert client.post("/search", json={"question": text}).status_code == 200
        for name in (text, text[:64]):
            reply = client.post("/search", json={"question": QUESTION, "collection": name})
            assert reply.status_code == (404 if len(name) <= 64 else 422)
            assert client.get("/documents", params={"collection": name}).status_code == reply.status_code
        assert client.get("/collections").json() == before
