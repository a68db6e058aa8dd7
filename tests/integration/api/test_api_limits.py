"""Every limit of a request, exceeded by one and just kept; what is refused is named and never echoed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.integration.api.conftest import MakeClient

pytestmark = pytest.mark.integration

JSON = {"content-type": "application/json"}


def nested(depth: int) -> Any:
    """An object with `depth` levels of objects."""
    value: Any = "x"
    for _ in range(depth):
        value = {"k": value}
    return value


TOO_MUCH: list[tuple[str, dict[str, Any]]] = [
    ("question", {"question": "x" * 8_001}),
    ("question", {"question": "问" * 8_001}),
    ("question", {"question": ""}),
    ("question", {"question": " \t\n"}),
    ("question", {"question": "\u200b\u00ad"}),
    ("question", {"question": "a\0b"}),
    ("question", {"question": 7}),
    ("question", {"question": None}),
    ("collection", {"collection": "c" * 65}),
    ("collection", {"collection": ""}),
    ("collection", {"collection": "a\0"}),
    ("top_k", {"top_k": 51}),
    ("top_k", {"top_k": 0}),
    ("top_k", {"top_k": 2.5}),
    ("top_k", {"top_k": True}),  # F-1218
    ("top_k", {"top_k": "3"}),
    ("explain", {"explain": "yes"}),
    ("generation.temperature", {"generation": {"temperature": "1"}}),
    ("generation.top_p", {"generation": {"top_p": True}}),
    ("generation.max_tokens", {"generation": {"max_tokens": "10"}}),
    ("history", {"history": [{"role": "user", "content": "x"}] * 51}),
    ("history[0].content", {"history": [{"role": "user", "content": "x" * 8_001}]}),
    ("history[0].role", {"history": [{"role": "system", "content": "x"}]}),
    ("history[0].content", {"history": [{"role": "user", "content": "\0"}]}),
    ("history[0].name", {"history": [{"role": "user", "content": "x", "name": "y"}]}),
    ("filter.source_prefix", {"filter": {"source_prefix": "x" * 1_025}}),
    ("filter.source_prefix", {"filter": {"source_prefix": "\0"}}),
    ("filter.metadata", {"filter": {"metadata": {f"k{n}": 1 for n in range(21)}}}),
    ("filter.metadata", {"filter": {"metadata": {"a": [{f"k{n}": 1 for n in range(20)}]}}}),
    ("filter.metadata", {"filter": {"metadata": nested(6)}}),
    ("filter.metadata", {"filter": {"metadata": {"a": [[[[[1]]]]]}}}),
    ("filter.metadata", {"filter": {"metadata": {"a": list(range(101))}}}),
    ("filter.metadata", {"filter": {"metadata": {"a": "x" * 1_025}}}),
    ("filter.metadata", {"filter": {"metadata": {"x" * 1_025: 1}}}),
    ("filter.metadata", {"filter": {"metadata": {"a": "\0"}}}),
    ("filter.metadata", {"filter": {"metadata": {"\0": 1}}}),
    ("filter.metadata", {"filter": {"metadata": []}}),
    ("filter.sources", {"filter": {"sources": []}}),
    ("generation.temperature", {"generation": {"temperature": 2.01}}),
    ("generation.temperature", {"generation": {"temperature": -0.1}}),
    ("generation.top_p", {"generation": {"top_p": 0}}),
    ("generation.top_p", {"generation": {"top_p": 1.1}}),
    ("generation.top_k", {"generation": {"top_k": 0}}),
    ("generation.top_k", {"generation": {"top_k": 1_001}}),
    ("generation.max_tokens", {"generation": {"max_tokens": 0}}),
    ("generation.max_tokens", {"generation": {"max_tokens": 4_097}}),
    ("generation.stop", {"generation": {"stop": ["x"] * 9}}),
    ("generation.stop[0]", {"generation": {"stop": ["x" * 65]}}),
    ("generation.stop[0]", {"generation": {"stop": [""]}}),
    ("stream", {"stream": "perhaps"}),
    ("topk", {"topk": 3}),
]

JUST_RIGHT: list[dict[str, Any]] = [
    {"question": "x" * 8_000},
    {"question": "🦜" * 8_000},
    {"top_k": 50},
    {"top_k": 1},
    {"top_k": 3.0},
    {"history": [{"role": "user", "content": "x" * 8_000}] * 50},
    {"filter": {"source_prefix": "x" * 1_024}},
    {"filter": {"metadata": {f"k{n}": 1 for n in range(20)}}},
    {"filter": {"metadata": nested(5)}},
    {"filter": {"metadata": {"a": list(range(100))}}},
    {"filter": None},
    {"generation": {"temperature": 2, "top_p": 1, "top_k": 1_000, "max_tokens": 4_096, "stop": ["x" * 64] * 8}},
]  # fmt: skip


@pytest.mark.parametrize(("field", "part"), TOO_MUCH)
def test_too_much_is_refused_by_name(client: TestClient, field: str, part: dict[str, Any]) -> None:
    reply = client.post("/ask", json={"question": "What are lists?"} | part)
    problem = reply.json()
    assert reply.status_code == 422, reply.text
    assert reply.headers["content-type"] == "application/problem+json"
    assert problem["code"] == "invalid_request"
    assert [fault["field"] for fault in problem["errors"]] == [field]
    told = f"{field}: "  # or in a sentence of our own, which has a code
    assert problem["detail"].startswith(told) or problem["errors"][0]["code"] == "empty_question"
    assert len(reply.text) < 800


@pytest.mark.parametrize("part", JUST_RIGHT)
def test_the_limit_itself_passes(client: TestClient, part: dict[str, Any]) -> None:
    reply = client.post("/ask", json={"question": "What are lists?"} | part)
    assert reply.status_code == 200, reply.text


def test_the_question_is_all_that_is_needed(client: TestClient) -> None:
    problem = client.post("/ask", json={}).json()
    assert [fault["field"] for fault in problem["errors"]] == ["question"]


@pytest.mark.parametrize(
    "where", ['{"question": %s}', '{"question": "x", "filter": {"metadata": {"a": %s}}}']
)
def test_lone_surrogates_are_refused(client: TestClient, where: str) -> None:
    reply = client.post("/ask", content=where % r'"a\ud800b"', headers=JSON)
    assert reply.status_code == 422


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_numbers_that_are_none_are_refused(client: TestClient, number: str) -> None:
    for body in (
        '{"question": "x", "generation": {"temperature": %s}}',
        '{"question": "x", "filter": {"metadata": {"a": %s}}}',
    ):
        assert client.post("/ask", content=body % number, headers=JSON).status_code == 422


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"{", 422, "invalid_request"),
        (b"", 422, "invalid_request"),
        (b"[]", 422, "invalid_request"),
        (b'"x"', 422, "invalid_request"),
        (b"\xff\xfe\xff", 400, "bad_request"),
        (b"[" * 200_000, 400, "bad_request"),
        (b'{"question": ' + b"9" * 5_000 + b"}", 400, "bad_request"),
    ],
)
def test_bodies_that_are_no_request(client: TestClient, content: bytes, status: int, code: str) -> None:
    reply = client.post("/ask", content=content, headers=JSON)
    assert (reply.status_code, reply.json()["code"]) == (status, code)


def test_another_media_type_is_refused(client: TestClient) -> None:
    """So that a form on another site can't ask: a browser sends no JSON across origins unasked."""
    body = json.dumps({"question": "x"})
    for media_type in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        reply = client.post("/ask", content=body, headers={"content-type": media_type})
        assert (reply.status_code, reply.json()["code"]) == (415, "unsupported_media_type")


def test_names_that_a_client_makes_up_are_shortened(client: TestClient) -> None:
    extra = {f"{'x' * 5_000}{n}\x1b[31m": n for n in range(50)}
    reply = client.post("/ask", json={"question": "x"} | extra)
    assert reply.status_code == 422
    assert len(reply.text) < 2_000
    assert "and 45 more" in reply.json()["detail"]


MANY = {f"f{number}": 1 for number in range(60_000)}


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/ask", {"question": "x"} | MANY, "body"),
        ("/search", {"question": "x"} | MANY, "body"),
        ("/collections", {"name": "x"} | MANY, "body"),
        ("/ask", {"question": "x", "generation": MANY}, "generation"),
        ("/ask", {"question": "x", "history": [{"role": "user", "content": "x"} | MANY]}, "history[0]"),
        ("/ask", {"question": "x", "filter": MANY}, "filter"),
        ("/ask", {"question": "x", "filter": {"all": [{"op": "equal"} | MANY]}}, "filter.all[0]"),
        ("/ask", {"question": "x", "filter": {"metadata": MANY}}, "filter.metadata"),
        ("/ask", {"question": "x", "history": [{}] * 60_000}, "history"),
    ],
)
def test_f_1218_many_fields_are_one_fault(
    client: TestClient, path: str, body: dict[str, Any], field: str
) -> None:
    """F-1218: each was a fault of its own, and for seconds nobody else was answered."""
    reply = client.post(path, json=body)
    assert (reply.status_code, [fault["field"] for fault in reply.json()["errors"]]) == (422, [field])


@pytest.mark.parametrize(
    "part",
    [
        {"messages": [{}] * 60_000},
        {"messages": [{}] * 2_000},
        {"stop": [1] * 60_000},
        {"modalities": [1] * 60_000},
    ],
)
def test_f_1218_many_faults_are_one_for_openai_clients_too(client: TestClient, part: dict[str, Any]) -> None:
    """F-1218: the first is told, and no more looked for."""
    asked = {"model": "pgask", "messages": [{"role": "user", "content": "x"}]}
    reply = client.post("/v1/chat/completions", json=asked | part)
    assert (reply.status_code, "more" in reply.json()["error"]["message"]) == (400, False)


class TestBodySize:
    def test_by_header(self, make_client: MakeClient) -> None:
        client = make_client(max_body_bytes=1_000)
        frame = len('{"question":""}')
        assert client.post("/ask", json={"question": "x" * (1_000 - frame)}).status_code == 200
        reply = client.post("/ask", json={"question": "x" * (1_001 - frame)})
        assert (reply.status_code, reply.json()["code"]) == (413, "body_too_large")
        assert "has 1,001 bytes, and the limit is 1,000 (PGASK_MAX_BODY_BYTES)" in reply.json()["detail"]

    def test_by_counting(self, make_client: MakeClient) -> None:
        client = make_client(max_body_bytes=1_000)

        def chunks(count: int) -> Iterator[bytes]:
            yield b'{"question": "x'
            for _ in range(count):
                yield b"x" * 100
            yield b'"}'

        small = client.post("/ask", content=chunks(9), headers=JSON)
        assert small.request.headers["transfer-encoding"] == "chunked"
        assert small.status_code == 200
        large = client.post("/ask", content=chunks(10), headers=JSON)
        assert (large.status_code, large.json()["code"]) == (413, "body_too_large")
        assert "at least 1,0" in large.json()["detail"]

    @pytest.mark.parametrize("length", ["-1", "abc", "9" * 400, "1e3", "²"])
    def test_lengths_that_are_none(self, client: TestClient, length: str) -> None:
        headers = {b"content-type": b"application/json", b"content-length": length.encode("latin-1")}
        assert client.post("/ask", content=b"{}", headers=headers).status_code == 413


class TestDocumentLimits:
    @pytest.mark.parametrize(
        ("field", "query"),
        [
            ("limit", "limit=0"),
            ("limit", "limit=1001"),
            ("limit", "limit=x"),
            ("cursor", f"cursor={'x' * 8_193}"),
            ("cursor", "cursor=%00"),
            ("collection", f"collection={'x' * 65}"),
            ("collection", "collection=%00"),
        ],
    )
    def test_list(self, client: TestClient, field: str, query: str) -> None:
        reply = client.get(f"/documents?{query}")
        assert reply.status_code == 422
        assert [fault["field"] for fault in reply.json()["errors"]] == [field]

    def test_a_thousand_a_page_pass(self, client: TestClient) -> None:
        assert client.get("/documents?limit=1000").status_code == 200

    @pytest.mark.parametrize("query", ["start=-1", "end=-1", "start=2147483648", "start=x", "start=5&end=4"])
    def test_text(self, client: TestClient, query: str) -> None:
        document = client.get("/documents").json()["documents"][0]["id"]
        assert client.get(f"/documents/{document}/text?{query}").status_code == 422

    @pytest.mark.parametrize("name", ["", "x" * 65, "a/b", " a", "a\n", "a\0", "'; --", 7])
    def test_names_of_collections(self, client: TestClient, name: Any) -> None:
        assert client.post("/collections", json={"name": name}).status_code == 422


def test_a_long_question_is_told_its_limit_in_characters(client: TestClient) -> None:
    body = {"question": "问" * 8_001}
    english = client.post("/ask", json=body).json()
    chinese = client.post("/ask", json=body, headers={"Accept-Language": "zh"}).json()
    assert english["detail"] == (
        "question: should have at most 8,000 characters; it has 8,001, and the limit is fixed."
    )
    assert "至多 8000 个字符；现有 8,001，上限不可调整" in chinese["detail"]
