"""Conversations of those who log in: one's own alone, whole, in bounds, and gone when deleted."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from fastapi.testclient import TestClient

from app.store import conversations
from app.store.connection import Database, transaction
from app.store.connection_pool import open_pool
from tests.integration.api.conftest import MakeClient
from tests.integration.api.test_api_access import bearer, make_key

CONTENT = {
    "turns": [{"question": "重叠多少？", "answer": "64 [1]", "citations": [{"quote": "🦜"}]}],
    "scope": None,
}


@pytest.fixture
def guarded(own: Database, make_client: MakeClient) -> TestClient:
    return make_client(own, auth="keys")


def put(client: TestClient, key: str, name: str = "c1", **body: Any) -> Any:
    given = {"content": CONTENT} | body
    return client.put(f"/conversations/{name}", json=given, headers=bearer(key))


def listed(client: TestClient, key: str, **query: Any) -> Any:
    return client.get("/conversations", headers=bearer(key), params=query).json()


def test_one_comes_back_as_it_was_and_each_sees_its_own(guarded: TestClient, own: Database) -> None:
    ada, bob = make_key(own, "reader", name="Ada"), make_key(own, "admin", name="Bob")
    assert put(guarded, ada, name="c1").json() == {"version": 1}
    assert put(guarded, ada, version=1, content=CONTENT | {"more": 1}).json() == {"version": 2}
    found = guarded.get("/conversations/c1", headers=bearer(ada)).json()
    assert (found["content"], found["version"], found["name"]) == (CONTENT | {"more": 1}, 2, None)
    assert [one["id"] for one in listed(guarded, ada)["conversations"]] == ["c1"]
    assert "content" not in listed(guarded, ada)["conversations"][0]
    assert listed(guarded, ada, content=True)["conversations"] == [found]
    # another, an admin too, neither sees nor changes it, and has names of its own
    assert listed(guarded, bob)["conversations"] == []
    for method in ("GET", "DELETE"):
        assert guarded.request(method, "/conversations/c1", headers=bearer(bob)).status_code == 404
    assert put(guarded, bob, version=2).json()["code"] == "conversation_changed"
    assert put(guarded, bob).json() == {"version": 1}
    assert guarded.delete("/conversations", headers=bearer(bob)).status_code == 204
    assert guarded.get("/conversations/c1", headers=bearer(ada)).json() == found
    assert guarded.delete("/conversations/c1", headers=bearer(ada)).status_code == 204
    assert guarded.get("/conversations/c1", headers=bearer(ada)).status_code == 404


def test_what_another_tab_changed_is_not_overwritten(guarded: TestClient, own: Database) -> None:
    key = make_key(own, "reader")
    assert put(guarded, key).status_code == 200
    for version in (None, 2):
        reply = put(guarded, key, version=version)
        assert (reply.status_code, reply.json()["code"]) == (409, "conversation_changed")
    assert put(guarded, key, version=1).json() == {"version": 2}


def test_number_size_and_time_are_bounded(
    own: Database, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = make_client(own, auth="keys", conversation_days=30)
    key = make_key(own, "reader")
    monkeypatch.setattr(conversations, "MAX_NUMBER", 12)
    for number in range(12):
        assert put(client, key, name=f"c{number:02}").status_code == 200
    assert put(client, key, name="more").json()["code"] == "limit_exceeded"
    page = listed(client, key, content=True)
    assert len(page["conversations"]) == 10
    rest = listed(client, key, content=True, after=page["next_after"])
    assert ([one["id"] for one in rest["conversations"]], rest["next_after"]) == (["c10", "c11"], None)
    monkeypatch.setattr(conversations, "MAX_BYTES", 100)
    assert put(client, key, version=1, name="c00", content={"a": "x" * 100}).status_code == 422
    monkeypatch.setattr(conversations, "MAX_BYTES", 1_000)
    monkeypatch.setattr(conversations, "MAX_ALL_BYTES", 2_000)
    full = put(client, key, version=1, name="c00", content={"a": "x" * 900})
    assert (full.status_code, full.json()["code"]) == (422, "limit_exceeded")
    assert "2,000 (fixed)" in full.json()["detail"]
    monkeypatch.setattr(conversations, "MAX_ALL_BYTES", 100_000)
    with psycopg.connect(own.owner) as owner:
        owner.execute(
            "UPDATE pgask.conversations SET updated_at = now() - interval '31 days' WHERE id <> 'c00'"
        )
    assert put(client, key, version=1, name="c00").status_code == 200
    assert [one["id"] for one in listed(client, key)["conversations"]] == ["c00"]


async def test_a_list_reads_nothing_of_what_is_in_them(own: Database) -> None:
    """Of a hundred of a megabyte each, all was read and unpacked for their names."""
    async with open_pool(own.app, size=1, statement_timeout_s=60) as pool, transaction(pool) as connection:
        content = {"a": "x" * 1_000}
        await conversations.put_conversation(
            connection, "key 1", "c1", None, content=content, size_bytes=1_010, version=None, days=1
        )
        (short,) = await conversations.list_conversations(
            connection, "key 1", after=None, most=9, whole=False
        )
        (whole,) = await conversations.list_conversations(connection, "key 1", after=None, most=9)
    assert (short.content, whole.content, short.size_bytes) == ({}, content, 1_010)


@pytest.mark.parametrize(
    "body",
    [
        b'{"content": {"a": "b\\u0000"}}',
        b'{"content": {"a": NaN}}',
        b'{"content": {"a": 1e999}}',
        b'{"content": {"a": [0.0, {"b": 1e300}]}}',
        b'{"content": {"a": -1e-300}}',
        b'{"content": {"a": "\\ud800"}}',
        b'{"content": []}',
        b'{"content": {}, "owner": "key 1"}',
        b'{"content": ' + b'{"a":' * 5_000 + b"1" + b"}" * 5_000 + b"}",
        b"{}",
    ],
)
def test_what_can_not_be_kept_is_refused(guarded: TestClient, own: Database, body: bytes) -> None:
    headers = bearer(make_key(own, "reader")) | {"Content-Type": "application/json"}
    reply = guarded.put("/conversations/c1", content=body, headers=headers)
    assert reply.status_code in (400, 422), reply.text


def test_without_accounts_they_stay_in_the_browser(
    client: TestClient, own: Database, make_client: MakeClient
) -> None:
    assert client.get("/conversations").json()["code"] == "conversations_off"
    off = make_client(own, auth="keys", conversation_days=0)
    assert off.get("/conversations", headers=bearer(make_key(own, "reader"))).status_code == 404


def test_a_key_that_asks_too_fast_is_told_to_wait(own: Database, make_client: MakeClient) -> None:
    client = make_client(own, auth="keys", requests_per_minute=3)
    ada, bob = make_key(own, "reader", name="Ada"), make_key(own, "reader", name="Bob")
    for _ in range(3):
        assert client.get("/collections", headers=bearer(ada)).status_code == 200
    refused = client.get("/collections", headers=bearer(ada))
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    assert 1 <= int(refused.headers["retry-after"]) <= 20
    openai = client.get("/v1/models", headers=bearer(ada))
    assert (openai.status_code, openai.json()["error"]["code"]) == (429, "rate_limit_exceeded")
    assert client.post("/mcp", headers=bearer(ada), json={}).status_code == 429
    assert client.get("/collections", headers=bearer(bob)).status_code == 200
    assert client.get("/healthz").status_code == 200
    alone = make_client(own, requests_per_minute=1)
    assert [alone.get("/collections").status_code for _ in range(2)] == [200, 429]


def test_the_description_says_what_an_id_may_be(guarded: TestClient) -> None:
    path = guarded.get("/openapi.json").json()["paths"]["/conversations/{conversation_id}"]
    for method in ("get", "put", "delete"):
        assert path[method]["parameters"][0]["schema"]["pattern"] == "^[A-Za-z0-9_-]{1,64}$"
