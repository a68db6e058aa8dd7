"""`collections` of /search, /ask and /v1: several asked as one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest
from fastapi.testclient import TestClient

from app.domain import MAX_COLLECTIONS
from app.store.connection import Database
from tests.integration.ingesting import FAKE, ingest, open_collection

pytestmark = pytest.mark.integration

QUESTION: Final = "How old must a pump be to be replaced?"
MakeClient = Callable[..., TestClient]


@pytest.fixture
def two(database: Database, tmp_path: Path, make_client: MakeClient) -> TestClient:
    for name, text in (
        ("manuals", "# Pumps\n\nA pump is replaced when it is nine years old.\n"),
        ("rules", "# Safety\n\nNobody opens a pump that is running.\n"),
        ("other", "# Old\n\nA pump must be replaced when it is old.\n"),
    ):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "pump.md").write_text(text, "utf-8")
        assert not ingest(database, folder, collection=name).failed
    return make_client(database)


def search(client: TestClient, **body: Any) -> Any:
    return client.post("/search", json={"question": QUESTION} | body)


def test_each_hit_and_citation_says_whence(two: TestClient) -> None:
    both = {"collections": ["manuals", "rules"]}
    hits = search(two, **both).json()["hits"]
    assert [(hit["collection"], hit["source"]) for hit in hits] == [
        ("manuals", "pump.md"), ("rules", "pump.md")
    ]  # fmt: skip
    assert {hit["collection"] for hit in search(two, collections=["*"]).json()["hits"]} == {
        "manuals", "rules", "other"
    }  # fmt: skip
    one = search(two, collection="rules").json()["hits"]
    assert one == search(two, collections=["rules"]).json()["hits"]
    assert [hit["collection"] for hit in one] == ["rules"]

    reply = two.post("/ask", json={"question": QUESTION} | both).json()
    assert "nine years" in reply["answer"]
    assert {citation["collection"] for citation in reply["citations"]} == {"manuals"}
    listed = two.post("/ask", json={"question": "What documents do you have?"} | both).json()
    assert listed["kind"] == "meta"
    assert {citation["collection"] for citation in listed["citations"]} == {"manuals", "rules"}
    named = two.post("/ask", json={"question": "Which documents mention running?"} | both).json()
    assert {citation["collection"] for citation in named["citations"]} == {"rules"}


def test_a_word_is_mended_by_what_any_of_them_holds(two: TestClient) -> None:
    body = {"question": "Which safty rule is there for machines?", "collections": ["manuals", "rules"]}
    assert two.post("/ask", json=body).json()["searched_for"] == "Which safety rule is there for machines?"


@pytest.mark.parametrize("route", ["/search", "/ask"])
def test_what_can_not_be_asked_is_refused(two: TestClient, route: str) -> None:
    def refused(**body: Any) -> tuple[int, str]:
        reply = two.post(route, json={"question": QUESTION} | body)
        return reply.status_code, reply.json()["code"]

    missing = two.post(route, json={"question": QUESTION, "collections": ["rules", "none"]})
    assert (missing.status_code, missing.json()["code"]) == (404, "not_found")
    assert "'none'" in missing.json()["detail"]
    assert "rules" not in missing.json()["detail"]
    both = two.post(route, json={"question": QUESTION, "collection": "rules", "collections": ["other"]})
    assert (both.status_code, both.json()["errors"][0]["code"]) == (422, "two_kinds_of_collections")
    names = [f"c{number}" for number in range(MAX_COLLECTIONS + 1)]
    assert refused(collections=names) == (422, "invalid_request")
    assert refused(collections=names[:-1])[0] == 404
    null = two.post(route, json={"question": QUESTION, "collection": "rules", "collections": None})
    assert null.status_code == 200


def test_all_are_at_most_so_many(two: TestClient, database: Database) -> None:
    for number in range(MAX_COLLECTIONS - 3):
        open_collection(database, FAKE, f"c{number}")
    assert search(two, collections=["*"]).status_code == 200
    open_collection(database, FAKE, "one more")
    reply = search(two, collections=["*"])
    assert (reply.status_code, reply.json()["code"]) == (422, "limit_exceeded")


def test_models_of_several(two: TestClient) -> None:
    models = {model["id"] for model in two.get("/v1/models").json()["data"]}
    assert models == {"pgask/*", "pgask/manuals", "pgask/rules", "pgask/other"}
    assert two.get("/v1/models/pgask/manuals,rules").json()["id"] == "pgask/manuals,rules"
    assert two.get("/v1/models/pgask/manuals,none").status_code == 404
    messages = [{"role": "user", "content": QUESTION}]
    for model in ("pgask/*", "pgask/manuals,rules"):
        reply = two.post("/v1/chat/completions", json={"model": model, "messages": messages}).json()
        asked = {"collections": model.removeprefix("pgask/").split(",")}
        same = two.post("/ask", json={"question": QUESTION} | asked).json()
        assert reply["choices"][0]["message"]["pgask"]["citations"] == same["citations"]
    for name in ("manuals", "other"):
        assert two.delete(f"/collections/{name}").status_code == 204
    assert {model["id"] for model in two.get("/v1/models").json()["data"]} == {"pgask/rules"}
