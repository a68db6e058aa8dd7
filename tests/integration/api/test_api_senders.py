"""Who sent a document, and what that changes: no one sender has all places of an answer, and all of it goes at once."""

from __future__ import annotations

import gzip
import io
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.domain import Role
from app.main import create_app
from app.store import catalog
from app.store.connection import Database, connect
from app.store.exporting import export_collection
from tests.chaos.hostile import fact, question
from tests.chaos.planted import EACH, planted
from tests.fakes import FakeEmbedder
from tests.integration.api.conftest import BASE_URL, settings_for
from tests.integration.api.test_api_access import bearer, in_database, make_key
from tests.integration.ingesting import ingest, random_text
from tests.integration.test_twins import add, go_to
from tests.integration.uploading import run_jobs

pytestmark = pytest.mark.integration

SENT = b"# Leave\n\nEvery employee has thirty days of leave.\n"
TRUE = 3  # of the operator's documents


def said(reply: dict[str, Any]) -> tuple[str, list[tuple[str, str, int]]]:
    """An answer and where its citations stand; scores change with the sample that cosines are measured by."""
    return reply["answer"], [(one["source"], one["quote"], one["char_start"]) for one in reply["citations"]]


class Service:
    """The app with PGASK_AUTH=keys; an account is made when it is first named."""

    def __init__(self, client: TestClient, database: Database) -> None:
        self.client, self.database = client, database
        self._keys: dict[str, str] = {}

    def of(self, name: str, role: Role = "writer") -> dict[str, str]:
        if name not in self._keys:
            self._keys[name] = make_key(self.database, role, name=name)
        return bearer(self._keys[name])

    def send(self, name: str, files: dict[str, bytes]) -> None:
        """Upload as this account, and have it taken in."""
        sent = self.client.post(
            "/documents", files=[("files", pair) for pair in files.items()], headers=self.of(name)
        )
        assert sent.status_code == 202, sent.text
        run_jobs(self.database, settings_for())

    def document(self, name: str, source: str, role: Role = "writer") -> dict[str, Any]:
        """What this account is told of a document."""
        listed = self.client.get("/documents", headers=self.of(name, role)).json()["documents"]
        (number,) = (one["id"] for one in listed if one["source"] == source)
        found: dict[str, Any] = self.client.get(f"/documents/{number}", headers=self.of(name, role)).json()
        return found

    def ask(self, path: str, **body: Any) -> dict[str, Any]:
        reply = self.client.post(path, json=body, headers=self.of("rita", "reader"))
        assert reply.status_code == 200, reply.text
        found: dict[str, Any] = reply.json()
        return found


@pytest.fixture
def service(database: Database) -> Iterator[Service]:
    app = create_app(settings_for(auth="keys"), database, FakeEmbedder())
    with TestClient(app, base_url=BASE_URL) as client:
        yield Service(client, database)


@pytest.fixture
def harbours(database: Database, tmp_path: Path) -> Database:
    """What the operator took in: a fact a document."""
    for number in range(12):
        text = random_text(number, 20, chinese=number % 2 == 1)
        (tmp_path / f"true{number}.md").write_text(
            f"# Harbour {number}\n\n{text}\n\n{fact(number)}\n", "utf-8"
        )
    assert ingest(database, tmp_path).new == 12
    return database


def test_a_document_is_whose_bytes_it_was_made_of(service: Service, harbours: Database) -> None:
    service.send("ann", {"leave.md": SENT})
    assert service.document("bob", "leave.md")["sender"] == "ann"
    assert service.document("rita", "leave.md", "reader")["sender"] is None
    assert service.document("bob", "true1.md")["sender"] is None

    service.send("bob", {"leave.md": SENT})  # nothing of it is new
    assert service.document("ann", "leave.md")["sender"] == "ann"
    service.send("bob", {"leave.md": SENT.replace(b"thirty", b"forty")})
    found = service.document("ann", "leave.md")
    assert found["sender"] == "bob"

    changed = service.client.patch(
        f"/documents/{found['id']}", json={"title": "Leave"}, headers=service.of("ann")
    )
    assert changed.json()["sender"] == "bob"
    again = service.client.post(f"/documents/{found['id']}/reingest", headers=service.of("ann"))
    assert again.status_code == 202, again.text
    run_jobs(harbours, settings_for())
    assert service.document("ann", "leave.md")["sender"] == "bob"

    service.send("ann", {"leave.md": b"\0\0\0\0"})  # can't be read: bob's text goes on answering
    found = service.document("ann", "leave.md")
    assert (found["status"], found["sender"]) == ("stale", "bob")
    service.send("ann", {"copy.md": SENT.replace(b"thirty", b"forty"), "broken.pdf": b"%PDF-1.7 nothing"})
    assert service.document("bob", "copy.md")["status"] == "duplicate"
    assert service.document("bob", "copy.md")["sender"] == "ann"
    assert service.document("bob", "broken.pdf")["sender"] == "ann"


def test_a_second_model_s_copy_has_the_same_sender_and_an_export_none(
    service: Service, harbours: Database
) -> None:
    service.send("ann", {"leave.md": SENT, "copy.md": SENT, "broken.pdf": b"%PDF-1.7 nothing"})
    sent = (
        "SELECT d.source, d.sender FROM pgask.documents d JOIN pgask.collections c ON c.id = d.collection_id"
        " WHERE c.twin_of IS NULL AND (d.sender IS NOT NULL OR d.source !~ '^true') ORDER BY d.source"
    )
    with connect(harbours.app) as connection:
        before = connection.execute(sent).fetchall()
        assert before == [("broken.pdf", "ann"), ("copy.md", "ann"), ("leave.md", "ann")]
        stream = io.BytesIO()
        export_collection(connection, "default", stream)
    assert b'"ann"' not in gzip.decompress(stream.getvalue())
    assert go_to(harbours, add(harbours))
    with connect(harbours.app) as connection:
        assert connection.execute(sent).fetchall() == before


def test_without_accounts_nobody_sent_it(harbours: Database) -> None:
    app = create_app(settings_for(), harbours, FakeEmbedder())
    with TestClient(app, base_url=BASE_URL) as client:
        assert client.post("/documents", files=[("files", ("leave.md", SENT))]).status_code == 202
        run_jobs(harbours, settings_for())
    with connect(harbours.app) as connection:
        assert connection.execute(
            "SELECT sender FROM pgask.documents WHERE source = 'leave.md'"
        ).fetchall() == [(None,)]


@pytest.mark.parametrize("number", [TRUE, TRUE + 1])
def test_r34_what_one_account_plants_leaves_a_place_to_others_and_goes_at_once(
    service: Service, harbours: Database, number: int
) -> None:
    asked, rng = {"question": question(number)}, random.Random(number)
    before = service.ask("/ask", **asked)
    assert before["citations"][0]["source"] == f"true{number}.md"
    service.send(
        "mallory",
        {f"planted{variant}.md": planted(number, variant, rng).encode() for variant in range(EACH)},
    )
    found = service.ask("/search", **asked, top_k=6, explain=True)
    assert [hit["source"].startswith("planted") for hit in found["hits"]] == [True] * 4 + [False] * 2
    assert f"true{number}.md" in [hit["source"] for hit in found["hits"][4:]]
    capped = [one for one in found["explain"]["candidates"] if one["dropped"] == "sender_cap"]
    assert [one["source"].startswith("planted") for one in capped] == [True, True]
    assert all("sender" not in hit for hit in found["hits"])

    assert (
        in_database(harbours, lambda connection: catalog.delete_sent(connection, "default", "mallory"))
        == EACH
    )
    after = service.ask("/ask", **asked)
    assert said(after) == said(before)
    assert in_database(harbours, lambda connection: catalog.delete_sent(connection, "default", "ann")) == 0
