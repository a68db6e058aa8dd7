"""Documents for some groups on the real app: what each route shows of them to others of the same tenant. Nothing."""

from __future__ import annotations

import asyncio
import json
import os
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.api import authentication
from app.api.access import ACCESS, allows
from app.main import create_app
from app.server.embedded import EmbeddedPostgres
from app.store import accounts
from app.store.connection import Database, connect, write
from app.store.connection_pool import open_pool
from app.store.tenancy import working_for
from tests.chaos import tenants
from tests.chaos.tenants import AGENT_HEADERS, Tenant, bearer, found_readers, secret_word, send_file
from tests.conftest import TEMPLATE
from tests.fakes import FakeEmbedder
from tests.integration.api.conftest import BASE_URL, settings_for
from tests.integration.api.test_api_tenants import LINES
from tests.integration.uploading import run_jobs

Sides = tuple[Tenant, Tenant]


def _serve(database: Database) -> TestClient:
    return TestClient(create_app(settings_for(auth="keys"), database, FakeEmbedder()), base_url=BASE_URL)


def _found(client: TestClient, database: Database, folder: Path) -> Sides:
    """Who is in no group with what all may read, and who is in `hr` with what that may read. Both sent a file of one
    name: the first one is not seen by the second."""
    outside, inside = found_readers(database, folder)
    inside = send_file(client, database, inside, ["hr"])
    return send_file(client, database, outside), inside


@pytest.fixture
def client(database: Database) -> Iterator[TestClient]:
    with _serve(database) as opened:
        yield opened


@pytest.fixture
def sides(database: Database, client: TestClient, tmp_path: Path) -> Sides:
    return _found(client, database, tmp_path)


@pytest.fixture(scope="module")
def shared(postgres: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """Of tests that leave everything as it was."""
    name = f"readers{os.getpid()}_test"
    urls = postgres.create_database(name, template=TEMPLATE)
    yield Database(owner=urls.owner, app=urls.app)
    postgres.drop_database(name)


@pytest.fixture(scope="module")
def served(
    shared: Database, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[TestClient, Tenant, Tenant]]:
    with _serve(shared) as opened:
        yield opened, *_found(opened, shared, tmp_path_factory.mktemp("readers"))


def _told(
    client: TestClient, outside: Tenant, inside: Tenant, *, harmless: bool = False
) -> list[tuple[str, str, str]]:
    """What routes tell who is in no group of what is kept for one; `harmless`: only those that change nothing of it."""
    marks = [inside.name, *inside.secrets, *inside.ids]
    found = []
    for (method, path), (body, _) in LINES.items():
        if path.startswith("/collections/") or (
            harmless and (method in ("DELETE", "PATCH") or "/retry" in path or "/reingest" in path)
        ):
            continue  # names of collections are no secret within a tenant
        address = path.replace("{document_id}", inside.sent).replace("{job_id}", inside.job)
        address = (
            address.replace("{model:path}", "pgask")
            .replace("{number}", "1")
            .replace("{conversation_id}", "c1")
        )
        address = address.replace("/boxes", "/boxes?start=0&end=5")
        for role, key in outside.keys.items():
            if not allows(role, ACCESS[method, path]):
                continue
            headers = bearer(key) | (AGENT_HEADERS if path == "/mcp" else {})
            reply = client.request(method, address, json=body, headers=headers)
            found += [(method, path, mark) for mark in marks if mark in reply.text and mark not in address]
            if ("{document_id}" in path or "{job_id}" in path) and reply.status_code != 404:
                found.append((method, path, str(reply.status_code)))
    return found


def test_each_route_shows_what_is_kept_to_its_readers_alone(
    served: tuple[TestClient, Tenant, Tenant], shared: Database
) -> None:
    client, outside, inside = served
    assert _told(client, outside, inside) == []
    for path in (f"/documents/{inside.sent}", f"/documents/{inside.sent}/text", f"/jobs/{inside.job}"):
        for role, key in inside.keys.items():
            if path.startswith("/documents") or role != "reader":
                assert client.get(path, headers=bearer(key)).status_code == 200, (path, role)
    original = client.get(f"/documents/{inside.sent}/original", headers=bearer(inside.keys["reader"]))
    assert inside.secrets[-1] in original.text
    assert client.get(f"/documents/{inside.sent}", headers=bearer(outside.keys["reader"])).status_code == 404
    policy = "ALTER POLICY tenant ON pgask.collections USING (tenant_id = pgask.current_tenant(){})"
    with connect(shared.owner) as owner:  # the test finds what it looks for
        owner.execute(policy.format("").encode())
    told = _told(client, outside, inside, harmless=True)
    with connect(shared.owner) as owner:
        owner.execute(policy.format(" AND pgask.may_read(readers)").encode())
    assert len({path for _, path, _ in told}) > 10


def test_counts_lists_and_facets_tell_nothing(served: tuple[TestClient, Tenant, Tenant]) -> None:
    client, outside, inside = served

    def seen(key: str) -> list[Any]:
        headers = bearer(key)
        collections = client.get("/collections", headers=headers).json()["collections"]
        (collection,) = [one for one in collections if one["name"] == "default"]
        listed = client.get("/documents", params={"facets": "true", "limit": "5"}, headers=headers).json()
        asked = client.post(
            "/ask", json={"question": "How many documents are there?"}, headers=headers
        ).json()
        found = client.post(
            "/search", json={"question": "pier 3", "explain": True, "top_k": 50}, headers=headers
        )
        return [
            collection["documents"],
            collection["chunks"],
            listed["facets"]["total"],
            asked["answer"],
            found.json()["explain"]["rows"],
        ]

    own, both = tenants.DOCUMENTS + 1, 2 * (tenants.DOCUMENTS + 1)
    without, within = seen(outside.keys["reader"]), seen(inside.keys["reader"])
    assert (without[0], without[2], within[0], within[2]) == (own, own, both, both)
    assert (without[1], without[4]) == (own, own)
    assert (within[1], within[4]) == (both, both)
    assert str(own) in without[3] and str(both) not in without[3]  # noqa: PT018
    assert str(both) in within[3]
    pages: list[str] = []
    cursor = None
    while True:  # two of one name, one of each side: neither is passed over at the end of a page
        query = {"limit": "1"} | ({"cursor": cursor} if cursor else {})
        page = client.get("/documents", params=query, headers=bearer(inside.keys["reader"])).json()
        pages += [document["id"] for document in page["documents"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert len(pages) == len(set(pages)) == both


def _change_groups(database: Database, tenant: Tenant, key: str, groups: Sequence[str]) -> None:
    async def change() -> None:
        async with open_pool(database.app, size=1, statement_timeout_s=60, otherwise=tenant.scope) as pool:
            await write(pool, lambda connection: accounts.change_groups(connection, key[:12], groups))

    asyncio.run(change())


class TestGroupsOfAKey:
    def test_hold_at_once_and_no_chunk_is_written(
        self, served: tuple[TestClient, Tenant, Tenant], shared: Database
    ) -> None:
        client, outside, inside = served
        key, body = outside.keys["reader"], {"question": inside.texts[3], "top_k": 3}

        def stamps() -> list[Any]:
            with connect(shared.owner) as owner:
                return owner.execute(
                    "SELECT id, xmin::text FROM pgask.chunks UNION ALL SELECT chunk_id, xmin::text FROM pgask.postings"
                    " UNION ALL SELECT chunk_id, xmin::text FROM pgask_vectors.chunk_vectors_1 ORDER BY 1, 2"
                ).fetchall()

        def finds() -> bool:
            return inside.secrets[3] in client.post("/search", json=body, headers=bearer(key)).text

        before = stamps()
        assert not finds()
        _change_groups(shared, outside, key, ["board", "hr"])
        assert finds()
        assert client.get("/session", headers=bearer(key)).json()["groups"] == ["board", "hr"]
        assert client.get(f"/documents/{inside.sent}", headers=bearer(key)).status_code == 200
        _change_groups(shared, outside, key, ["board"])
        assert not finds()
        assert client.get(f"/documents/{inside.sent}", headers=bearer(key)).status_code == 404
        assert stamps() == before
        _change_groups(shared, outside, key, [])

    def test_end_an_open_stream(
        self,
        served: tuple[TestClient, Tenant, Tenant],
        shared: Database,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        client, _, inside = served
        mark = "UPDATE pgask.jobs SET state = %s WHERE id = %s"
        monkeypatch.setattr(authentication, "RECHECK_S", 0.2)
        with connect(shared.owner) as owner:  # a job that nobody works on: its stream stays open
            owner.execute(mark, ["running", inside.job])
        key = inside.keys["writer"]
        later = threading.Timer(0.5, _change_groups, (shared, inside, key, ["board"]))
        later.start()
        began = time.monotonic()
        try:
            with client.stream("GET", f"/jobs/{inside.job}/events", headers=bearer(key)) as reply:
                text = "".join(reply.iter_text())
        finally:
            later.join()
            _change_groups(shared, inside, key, ["hr"])
            with connect(shared.owner) as owner:
                owner.execute(mark, ["succeeded", inside.job])
        assert "event: error" in text
        assert time.monotonic() - began < 60


class TestChanges:
    def test_readers_are_changed_by_who_reads(self, client: TestClient, sides: Sides) -> None:
        outside, inside = sides
        address, writer = f"/documents/{inside.sent}", bearer(inside.keys["writer"])
        changed = client.patch(address, json={"readers": ["board", "hr"]}, headers=writer)
        assert (changed.status_code, changed.json()["readers"]) == (200, ["board", "hr"])
        refused = client.patch(address, json={"readers": ["board"]}, headers=writer)
        assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
        for headers in (bearer(outside.keys["writer"]), bearer(outside.keys["reader"])):
            reply = client.patch(address, json={"readers": []}, headers=headers)
            assert reply.status_code in (403, 404)
        assert client.patch(address, json={"title": "Rules"}, headers=writer).json()["readers"] == [
            "board",
            "hr",
        ]
        opened = client.patch(address, json={"readers": []}, headers=writer)
        assert opened.status_code == 409  # the other side has one of this name
        assert client.delete(f"/documents/{outside.sent}", headers=bearer(outside.keys["writer"])).is_success
        assert client.patch(address, json={"readers": []}, headers=writer).json()["readers"] == []
        shown = client.get(address, headers=bearer(outside.keys["reader"]))
        assert (shown.status_code, shown.json()["readers"]) == (200, [])
        admin = bearer(inside.keys["admin"])  # who keeps documents for others, and reads all
        assert client.patch(address, json={"readers": ["board"]}, headers=admin).json()["readers"] == [
            "board"
        ]
        assert client.get(address, headers=writer).status_code == 404
        assert client.get(address, headers=admin).status_code == 200
        assert inside.secrets[-1] not in json.dumps(
            [client.get("/jobs", headers=writer).json(), client.get("/documents", headers=writer).json()]
        )

    def test_uploads_are_kept_from_the_first_moment_and_replace_nothing_of_others(
        self, client: TestClient, sides: Sides, database: Database
    ) -> None:
        outside, inside = sides
        writer = bearer(inside.keys["writer"])

        def send(headers: dict[str, str], text: str, name: str, *readers: str) -> Any:
            return client.post(
                "/documents",
                files=[("files", (name, text.encode()))],
                data={"readers": readers},
                headers=headers,
            )

        assert send(writer, "x", "a.md", "board").status_code == 403
        assert send(bearer(outside.keys["writer"]), "x", "a.md", "hr").status_code == 403
        job = send(writer, "The quay closes at nine, says zqsecretword.", "quay.md", "board", "hr").json()[
            "job"
        ]
        assert client.get(f"/jobs/{job['id']}", headers=bearer(outside.keys["writer"])).status_code == 404
        with working_for(inside.scope):
            run_jobs(database, settings_for())
        (file,) = client.get(f"/jobs/{job['id']}", headers=writer).json()["files"]
        shown = client.get(f"/documents/{file['document_id']}", headers=writer).json()
        assert (file["state"], shown["readers"]) == ("succeeded", ["board", "hr"])
        again = send(writer, "The quay closes at ten, says zqsecretword.", "quay.md").json()["job"]
        other = send(bearer(outside.keys["writer"]), "Another text of a quay.", "quay.md").json()["job"]
        with working_for(inside.scope):
            run_jobs(database, settings_for())
        (told,) = client.get(f"/jobs/{again['id']}", headers=writer).json()["files"]
        assert (told["state"], told["code"]) == ("failed", "other_readers")
        (made,) = client.get(f"/jobs/{other['id']}", headers=bearer(outside.keys["writer"])).json()["files"]
        assert (made["state"], made["code"]) == ("succeeded", None)
        body = {"question": "When does the quay close?", "top_k": 50}
        assert "zqsecretword" in client.post("/search", json=body, headers=writer).text
        assert (
            "zqsecretword"
            not in client.post("/search", json=body, headers=bearer(outside.keys["writer"])).text
        )

    def test_who_deletes_or_renames_a_collection_does_it_to_what_is_seen(
        self, client: TestClient, sides: Sides
    ) -> None:
        outside, inside = sides
        writer, reader = bearer(outside.keys["writer"]), bearer(inside.keys["reader"])
        assert client.delete("/collections/default", headers=writer).status_code == 204
        assert client.get("/collections", headers=writer).json()["collections"] == []
        assert client.get("/documents", headers=writer).status_code == 404
        found = client.post("/search", json={"question": inside.texts[1]}, headers=reader)
        assert inside.secrets[1] in found.text
        admin = bearer(inside.keys["admin"])
        assert client.patch("/collections/default", json={"name": "moved"}, headers=admin).status_code == 200
        (left,) = client.get("/collections", headers=reader).json()["collections"]
        assert (left["name"], left["documents"]) == ("moved", tenants.DOCUMENTS + 1)
        assert client.delete("/collections/moved", headers=admin).status_code == 204
        assert client.get("/collections", headers=admin).json()["collections"] == []


def test_one_ranking_over_all_shelves(client: TestClient, sides: Sides) -> None:
    """Who reads all gets what they would get if nothing were kept for some; who is outside nothing of it."""
    outside, inside = sides
    admin, reader = bearer(inside.keys["admin"]), bearer(outside.keys["reader"])

    def hits(headers: dict[str, str], number: int) -> list[tuple[str, float]]:
        body = {"question": f"Who is the harbour master of pier {number}?", "top_k": 20}
        found = client.post("/search", json=body, headers=headers).json()["hits"]
        return [(hit["document_id"], round(hit["score"], 9)) for hit in found]

    assert client.delete(f"/documents/{inside.sent}", headers=admin).is_success
    kept, public = ([hits(headers, number) for number in (0, 7)] for headers in (admin, reader))
    for document in inside.ids[:-2]:
        assert client.patch(f"/documents/{document}", json={"readers": []}, headers=admin).is_success
    assert [hits(admin, number) for number in (0, 7)] == kept
    assert {one for found in kept for one, _ in found} & set(inside.ids)
    assert not {one for found in public for one, _ in found} & set(inside.ids)
    reply = client.post("/search", json={"question": outside.texts[7]}, headers=reader)
    assert secret_word("attacker", 7) in reply.text


def test_hostile_requests_get_nothing_of_what_is_kept(database: Database, tmp_path: Path) -> None:
    """At the size for every commit; `make chaos` tries 10,000."""
    seed = int(os.environ.get("PGASK_CHAOS_SEED", "20261130"))
    figures = tenants.run(database, tmp_path, count=120, timed=0, seed=seed, readers=True)
    print(json.dumps(asdict(figures)))
    assert figures.leaks == []
    assert figures.passed(), figures
