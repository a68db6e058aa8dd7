"""Two tenants on the real app: what each route shows of one of them to the other. Nothing."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.api.access import ACCESS, allows
from app.main import create_app
from app.store.connection import Database
from tests.chaos import tenants
from tests.chaos.tenants import (
    AGENT_HEADERS,
    OWN_NAME,
    ROLES,
    Tenant,
    agent,
    bearer,
    found_tenant,
    secret_word,
    send_file,
)
from tests.fakes import FakeEmbedder
from tests.integration.api.conftest import BASE_URL, settings_for

Line = tuple[Any, bool]
NAMED = {"model": "pgask", "messages": [{"role": "user", "content": "Who is the harbour master of pier 3?"}]}

# For each route of the API what is asked of a tenant's (`{id}`: a document of it), and whether the tenant itself gets
# words or ids that are its own. A route without a line fails.
LINES: Mapping[tuple[str, str], Line] = {
    ("GET", "/healthz"): (None, False),
    ("GET", "/readyz"): (None, False),
    ("GET", "/openapi.json"): (None, False),
    ("POST", "/session"): ({"key": "pgask_wrong"}, False),
    ("GET", "/session"): (None, True),
    ("DELETE", "/session"): (None, False),
    ("POST", "/ask"): ({"question": "Who is the harbour master of pier 3?"}, True),
    ("POST", "/search"): ({"question": "Who is the harbour master of pier 3?", "explain": True}, True),
    ("POST", "/feedback"): ({"request_id": "0" * 32, "rating": "up"}, False),
    ("GET", "/feedback"): (None, False),
    ("GET", "/conversations"): (None, False),
    ("DELETE", "/conversations"): (None, False),
    ("GET", "/conversations/{conversation_id}"): (None, False),
    ("PUT", "/conversations/{conversation_id}"): ({}, False),
    ("DELETE", "/conversations/{conversation_id}"): (None, False),
    ("GET", "/v1/models"): (None, False),
    ("GET", "/v1/models/{model:path}"): (None, False),
    ("GET", "/v1/models/"): (None, False),
    ("POST", "/v1/chat/completions"): (NAMED, True),
    ("POST", "/v1/chat/completions/"): (NAMED, True),
    ("GET", "/ask/{stream_id}"): (None, False),
    ("DELETE", "/ask/{stream_id}"): (None, False),
    ("GET", "/collections"): (None, False),
    ("POST", "/collections"): ({"name": "made"}, False),
    ("PATCH", "/collections/{name}"): ({"name": "renamed"}, False),
    ("DELETE", "/collections/{name}"): (None, False),
    ("GET", "/documents"): (None, True),
    ("POST", "/documents"): (None, False),
    ("POST", "/documents/plan"): ({"files": [{"name": "a.md", "size_bytes": 9}]}, False),
    ("POST", "/documents/reingest"): ({"documents": ["00000000-0000-4000-8000-000000000000"]}, False),
    ("POST", "/documents/{document_id}/reingest"): (None, False),
    ("GET", "/documents/{document_id}"): (None, True),
    ("PATCH", "/documents/{document_id}"): ({"title": "Renamed"}, False),
    ("GET", "/documents/{document_id}/original"): (None, False),
    ("GET", "/documents/{document_id}/pages"): (None, False),
    ("GET", "/documents/{document_id}/pages/{number}.png"): (None, False),
    ("GET", "/documents/{document_id}/pages/{number}/lines"): (None, False),
    ("GET", "/documents/{document_id}/boxes"): (None, False),
    ("GET", "/documents/{document_id}/text"): (None, True),
    ("DELETE", "/documents/{document_id}"): (None, False),
    ("POST", "/mcp"): (agent("search", {"question": "Who is the harbour master of pier 3?"}), True),
    ("GET", "/jobs"): (None, True),
    ("GET", "/jobs/{job_id}"): (None, True),
    ("GET", "/jobs/{job_id}/events"): (None, True),
    ("POST", "/jobs/{job_id}/retry"): (None, False),
    ("POST", "/jobs/{job_id}/cancel"): (None, False),
    ("GET", "/metrics"): (None, False),
    ("GET", "/status"): (None, False),
}


@pytest.fixture
def client(database: Database) -> Iterator[TestClient]:
    with TestClient(
        create_app(settings_for(auth="keys"), database, FakeEmbedder()), base_url=BASE_URL
    ) as opened:
        yield opened


@pytest.fixture
def two(database: Database, client: TestClient, tmp_path: Path) -> tuple[Tenant, Tenant]:
    """Two tenants whose documents have the same names, each with words of its own."""
    attacker, victim = (
        send_file(client, database, found_tenant(database, tmp_path, name)) for name in ("attacker", "victim")
    )
    return attacker, victim


def test_each_route_shows_a_tenant_its_own_and_nothing_of_the_other(
    client: TestClient, two: tuple[Tenant, Tenant]
) -> None:
    assert set(LINES) == set(ACCESS), "a route without a line in LINES"
    attacker, victim = two
    marks = {tenant.name: [tenant.name, *tenant.secrets, *tenant.ids] for tenant in two}
    for (method, path), (body, is_own) in LINES.items():
        for role in ROLES:
            for one, other in ((attacker, victim), (victim, attacker)):
                where = (method, path, role, one.name)
                for asked_for in (one, other) if "_id}" in path else (victim,):
                    address = path.replace("{document_id}", asked_for.sent).replace("{job_id}", asked_for.job)
                    address = address.replace("{model:path}", OWN_NAME).replace("{name}", OWN_NAME)
                    address = (
                        address.replace("{number}", "1")
                        .replace("{conversation_id}", "c1")
                        .replace("/boxes", "/boxes?start=0&end=5")
                    )
                    if (
                        method in ("DELETE", "PATCH") or "/retry" in path or "/reingest" in path
                    ) and asked_for is one:
                        continue  # it goes, as it should
                    headers = bearer(one.keys[role]) | (AGENT_HEADERS if path == "/mcp" else {})
                    reply = client.request(method, address, json=body, headers=headers)
                    told = [mark for mark in marks[other.name] if mark in reply.text and mark not in address]
                    assert told == [], where
                    needed = ACCESS[method, path]
                    if not allows(role, needed) or needed == "operator":
                        assert reply.status_code == 403, where
                    elif asked_for is other and "{" in path and method != "PUT":
                        assert reply.status_code == 404, where
                    elif is_own:
                        assert any(mark in reply.text for mark in marks[one.name]), where
    assert client.get("/documents", headers=bearer(victim.keys["reader"])).json()["documents"]


def test_the_other_tenant_s_presence_changes_nothing(client: TestClient, two: tuple[Tenant, Tenant]) -> None:
    """Not the scores either: how rare a word is, what cosines are like and how many there are is each tenant's own."""
    attacker, victim = two
    for number in (0, 5, 11):
        replies = []
        for tenant in (attacker, victim):
            body = {"question": f"Who is the harbour master of pier {number}?", "top_k": 5}
            hits = client.post("/search", json=body, headers=bearer(tenant.keys["reader"])).json()["hits"]
            replies.append(
                [(hit["source"], hit["text"].replace(secret_word(tenant.name, number), "")) for hit in hits]
            )
            assert secret_word(tenant.name, number) in str(hits)
        assert len(replies[0]) == len(replies[1]) > 0
    listed = [
        client.get("/collections", headers=bearer(one.keys["reader"])).json()["collections"] for one in two
    ]
    assert [[(c["name"], c["documents"]) for c in found] for found in listed] == [
        [("default", tenants.DOCUMENTS + 1)],
        [("default", tenants.DOCUMENTS + 1), (OWN_NAME, tenants.DOCUMENTS)],
    ]
    made = client.post("/collections", json={"name": OWN_NAME}, headers=bearer(attacker.keys["writer"]))
    assert made.status_code == 201  # a name that another tenant has is free


def test_a_key_for_some_collections_sees_no_other(client: TestClient, two: tuple[Tenant, Tenant]) -> None:
    victim = two[1]
    headers = bearer(victim.narrowed)
    seen = client.get("/collections", headers=headers).json()["collections"]
    assert [one["name"] for one in seen] == ["default"]
    for name in (OWN_NAME, "nobodys"):
        assert client.get("/documents", params={"collection": name}, headers=headers).status_code == 404
        asked = client.post("/search", json={"question": "pier", "collection": name}, headers=headers)
        assert asked.status_code == 404


def test_hostile_requests_of_one_tenant_get_nothing_of_the_other(database: Database, tmp_path: Path) -> None:
    """R30 at the size for every commit; `make chaos` tries 10,000, and times them."""
    seed = int(os.environ.get("PGASK_CHAOS_SEED", "20261129"))
    figures = tenants.run(database, tmp_path, count=500, timed=0, seed=seed)
    print(json.dumps(asdict(figures)))
    assert figures.leaks == []
    assert figures.passed(), figures
