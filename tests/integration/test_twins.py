"""A second embedding space beside the first: filled, switched to, and back, while questions are asked all the time."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest
from fastapi.testclient import TestClient

from app.embedding import Embedder, EmbeddingSpace
from app.errors import InvalidRequestError, NotFoundError
from app.index.maintenance import maintain
from app.index.manifest import IndexSettings
from app.main import create_app
from app.store.connection import Connection, Database, connect, see
from app.store.partitions import arrange_partitions
from app.store.spaces import Collection, chunk_table, ensure_collection, ensure_space, find_collection
from app.store.tenancy import DEFAULT, NOBODY, Scope, open_scope, working_for
from app.store.tenant_list import create_tenant, delete_tenant
from app.store.twins import (
    drop,
    ensure_twin,
    find_second,
    list_missing,
    list_originals,
    list_states,
    read_chosen,
    switch,
)
from ingest import preparing
from ingest.filling import fill_space
from tests.fakes import FakeEmbedder
from tests.integration.api.conftest import BASE_URL, settings_for
from tests.integration.ingesting import FAKE, SMALL, ingest, random_text, write_corpus
from tests.integration.searching import Corpus

pytestmark = pytest.mark.integration

OTHER: Final = FakeEmbedder("other", dimension=32, window_tokens=24)
QUESTION: Final = "vector index list probe recall"


def add(database: Database, embedder: Embedder = OTHER, *, most: int | None = None) -> int:
    """What `pgask spaces add` does; where `most` is given, it ends after so many documents as if it was killed."""

    class KilledError(Exception):
        pass

    def count(done: int, total: int) -> None:
        if most is not None and done >= most:
            raise KilledError

    with connect(database.owner) as owner:
        space_id = ensure_space(owner, embedder.space)
        try:
            fill_space(owner, space_id, embedder, SMALL, group_tokens=1, watch=lambda name: count)
        except KilledError:
            return space_id
        maintain(owner, space_id, IndexSettings())
    return space_id


def go_to(database: Database, space_id: int) -> bool:
    with connect(database.owner) as owner:
        return switch(owner, space_id)


def count_rows(owner: Connection, twin: Collection) -> int:
    row = owner.execute("SELECT count(*) FROM pgask.documents WHERE collection_id = %s", [twin.id]).fetchone()
    assert row is not None
    return int(row[0])


@contextmanager
def asking(client: TestClient) -> Iterator[list[tuple[int, Any]]]:
    """Ask one question after the other until the block ends."""
    stop, replies = threading.Event(), []

    def ask() -> None:
        while not stop.is_set():
            for path in ("/search", "/ask", "/readyz"):
                body = {"question": QUESTION, "top_k": 3}
                reply = client.get(path) if path == "/readyz" else client.post(path, json=body)
                replies.append((reply.status_code, reply.json()))

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield replies
    finally:
        stop.set()
        thread.join()


@pytest.fixture
def client(database: Database, tmp_path: Path) -> Iterator[TestClient]:
    ingest(database, write_corpus(tmp_path, 12, sentences=8))
    models = {OTHER.space: OTHER, FAKE.space: FAKE}

    def load(space: EmbeddingSpace) -> Embedder:
        return models[space]

    with TestClient(create_app(settings_for(), database, FAKE, load_model=load), base_url=BASE_URL) as opened:
        yield opened


def wait_for_model(client: TestClient, model: str) -> None:
    deadline = time.monotonic() + 20
    while client.get("/readyz").json()["checks"]["embedding"]["detail"].split()[0] != model:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_no_request_fails_while_a_space_is_added_switched_to_and_left_again(
    client: TestClient, database: Database
) -> None:
    first = client.post("/search", json={"question": QUESTION, "top_k": 3}).json()["hits"]
    assert client.get("/status").json()["second_space"] is None
    with asking(client) as replies:
        add(database, most=5)
        assert client.get("/status").json()["second_space"] == {
            "model": "other",
            "documents": 12,
            "filled": 5,
        }
        other = add(database)
        assert go_to(database, other)
        wait_for_model(client, "other")
        then = client.post("/search", json={"question": QUESTION, "top_k": 3}).json()["hits"]
        with connect(database.owner) as owner:
            former = find_second(list_states(owner))
        assert former is not None
        assert go_to(database, former.id)
        wait_for_model(client, "fake")
        again = client.post("/search", json={"question": QUESTION, "top_k": 3}).json()["hits"]
        status = client.get("/status").json()
        assert status["encoder"]["documents"] == 12  # and not their copies, too
        assert status["second_space"] == {"model": "other", "documents": 12, "filled": 12}
    assert {status for status, _ in replies} == {200}
    assert {hit["collection"] for _, reply in replies for hit in reply.get("hits", [])} == {"default"}
    assert [hit["source"] for hit in again] == [hit["source"] for hit in first]
    assert [hit["document_id"] for hit in again] == [hit["document_id"] for hit in first]
    assert {hit["document_id"] for hit in then}.isdisjoint(hit["document_id"] for hit in first)
    for hit in (*first, *then):  # a citation of each answer still leads to its words
        reply = client.get(
            f"/documents/{hit['document_id']}/text",
            params={"start": hit["char_start"], "end": hit["char_end"]},
        )
        assert reply.json()["text"] == hit["text"]
        shown = client.get(f"/documents/{hit['document_id']}").json()
        assert (shown["collection"], shown["source"]) == ("default", hit["source"])
    assert [one["name"] for one in client.get("/collections").json()["collections"]] == ["default"]


def test_a_killed_fill_goes_on_and_takes_in_what_changed(database: Database, tmp_path: Path) -> None:
    folder = write_corpus(tmp_path, 9, sentences=6)
    ingest(database, folder)
    space_id = add(database, most=4)
    with connect(database.owner) as owner:
        (original,) = list_originals(owner, space_id)
        twin = ensure_twin(owner, original, space_id)
        assert len(list_missing(owner, twin)) == 5
        with pytest.raises(InvalidRequestError) as refused:
            switch(owner, space_id)
        assert refused.value.code == "space_not_filled"
    assert add(database) == space_id
    gone, changed = sorted(folder.rglob("*.md"))[:2]
    gone.unlink()
    changed.write_text("# Changed\n\nA new text about probes.\n", "utf-8")
    ingest(database, folder, options=replace(SMALL, prune=True))
    with connect(database.owner) as owner:
        assert [one.source for one in list_missing(owner, twin)] == [str(changed.relative_to(folder))]
        assert count_rows(owner, twin) == 8  # what was deleted took its copy along
        assert not switch(owner, space_id)
        assert find_collection(owner, "default").id == original.id
    add(database)
    assert go_to(database, space_id)
    with connect(database.owner) as owner:
        assert read_chosen(owner) == OTHER.space
        assert find_collection(owner, "default").id == twin.id
    # and the files are known: nothing is read anew
    report = ingest(database, folder, embedder=OTHER, options=replace(SMALL, prune=True))
    assert (report.new, report.changed, report.unchanged) == (0, 0, 8)


def test_chunks_follow_the_new_model_and_its_vectors_are_those_of_an_ingest(
    database: Database, tmp_path: Path
) -> None:
    folder = write_corpus(tmp_path, 3, sentences=12)
    ingest(database, folder)
    space_id = add(database)
    assert go_to(database, space_id)
    with connect(database.owner) as owner, connect(database.app) as app:
        ensure_collection(app, "plain", space_id)
        ingest(database, folder, embedder=OTHER, collection="plain")
        rows = [
            owner.execute(
                f"SELECT d.source, k.char_start, k.char_end, k.token_count, v.embedding::text"
                f" FROM pgask.chunks k JOIN pgask.documents d ON d.id = k.document_id"
                f" JOIN {chunk_table(space_id).as_string(owner)} v ON v.chunk_id = k.id"
                f" JOIN pgask.collections c ON c.id = d.collection_id WHERE c.name = %s ORDER BY 1, 2".encode(),
                [name],
            ).fetchall()
            for name in ("default", "plain")
        ]
    assert len(rows[0]) > 3
    assert rows[0] == rows[1]


def test_a_dropped_space_leaves_its_citations_and_nothing_else(
    client: TestClient, database: Database
) -> None:
    (hit,) = client.post("/search", json={"question": QUESTION, "top_k": 1}).json()["hits"]
    with connect(database.owner) as owner:
        former = ensure_space(owner, FAKE.space)
        with pytest.raises(InvalidRequestError) as refused:
            drop(owner, former)
        assert refused.value.code == "space_in_use"
        owner.execute(
            "INSERT INTO pgask.originals (tenant_id, document_id, name, sha256, size_bytes)"
            " VALUES (1, %s, 'a.md', 'x', 0)",
            [hit["document_id"]],
        )
    other = add(database)
    assert go_to(database, other)
    wait_for_model(client, "other")
    Corpus(database, "beside").fill(1, seed=100)
    with connect(database.owner) as owner:
        assert arrange_partitions(owner, former, 2) == 1  # of the former one, too
        owner.execute(
            "DELETE FROM pgask.documents d USING pgask.collections c WHERE c.id = d.collection_id AND c.name = 'beside'"
        )
        owner.execute("DELETE FROM pgask.collections WHERE name = 'beside'")
        assert drop(owner, former) > 0
        left = owner.execute(
            "SELECT count(*) FROM pg_class WHERE relkind IN ('r', 'p') AND relname LIKE 'chunk\\_vectors\\_%'"
        )
        assert left.fetchone() == (2,)
        assert [state.id for state in list_states(owner)] == [other]
        with pytest.raises(NotFoundError):
            drop(owner, former)
    reply = client.get(
        f"/documents/{hit['document_id']}/text", params={"start": hit["char_start"], "end": hit["char_end"]}
    )
    assert reply.json()["text"] == hit["text"]
    for part in ("pages", "original"):
        assert client.get(f"/documents/{hit['document_id']}/{part}").status_code == 200, part
    changed = client.patch(f"/documents/{hit['document_id']}", json={"title": "Another title"})
    assert changed.json()["title"] == "Another title"
    assert client.post("/search", json={"question": QUESTION}).status_code == 200


def test_what_the_second_model_could_not_take_in_is_whole_after_the_way_back(
    client: TestClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    (hit,) = client.post("/search", json={"question": QUESTION, "top_k": 1}).json()["hits"]
    read = client.get(f"/documents/{hit['document_id']}/text").json()["text"]
    monkeypatch.setattr(preparing, "MAX_TOKENS", len(OTHER.tokenize(read)) - 1)
    other = add(database)
    monkeypatch.undo()
    assert go_to(database, other)
    wait_for_model(client, "other")
    assert client.get(f"/documents/{hit['document_id']}").json()["status"] == "failed"
    with connect(database.owner) as owner:
        former = find_second(list_states(owner))
        assert former is not None
        (original,) = list_originals(owner, former.id)
        assert list_missing(owner, ensure_twin(owner, original, former.id)) == []
    assert go_to(database, former.id)
    wait_for_model(client, "fake")
    assert client.get(f"/documents/{hit['document_id']}/text").json()["text"] == read
    (again,) = client.post("/search", json={"question": QUESTION, "top_k": 1}).json()["hits"]
    assert again["document_id"] == hit["document_id"]
    with connect(database.owner) as owner:
        assert count_rows(owner, find_collection(owner, "default")) == 12


def test_an_ingest_that_began_before_the_switch_is_told(database: Database, tmp_path: Path) -> None:
    folder = write_corpus(tmp_path, 3)
    ingest(database, folder)
    space_id = add(database)
    assert go_to(database, space_id)
    (folder / "new.md").write_text("New.\n", "utf-8")
    with pytest.raises(Exception, match="another embedding"):
        ingest(database, folder, embedder=FAKE)


# What refers to a collection or a document by its number. `_swap` (app/store/twins.py) moves jobs, originals and
# former_documents along; the others are made for each of both, and stay.
REFERENCES: Final = {
    ("collections", "background_windows"), ("collections", "collections"), ("collections", "documents"),
    ("collections", "jobs"),
    ("documents", "background_windows"), ("documents", "chunks"), ("documents", "document_facts"),
    ("documents", "document_texts"), ("documents", "documents"), ("documents", "former_documents"),
    ("documents", "originals"), ("documents", "page_lines"), ("documents", "signature_bands"),
}  # fmt: skip


def test_a_switch_knows_every_table_that_refers_to_collections_and_documents(database: Database) -> None:
    with connect(database.owner) as owner:
        rows = owner.execute(
            "SELECT r.relname, t.relname FROM pg_constraint f JOIN pg_class t ON t.oid = f.conrelid"
            " JOIN pg_class r ON r.oid = f.confrelid WHERE f.contype = 'f'"
            " AND t.relnamespace = 'pgask'::regnamespace AND r.relname IN ('collections', 'documents')"
        ).fetchall()
    assert set(rows) == REFERENCES


ROWS: Final = """
SELECT d.source, d.metadata, d.signature IS NOT NULL,
       ARRAY(SELECT fact FROM pgask.document_facts f WHERE f.document_id = d.id AND f.collection_id = c.id ORDER BY 1),
       ARRAY(SELECT band FROM pgask.signature_bands b WHERE b.document_id = d.id AND b.collection_id = c.id ORDER BY 1),
       (SELECT string_agg(p.text, '' ORDER BY p.part) FROM pgask.document_texts p
         WHERE p.document_id = d.id AND p.collection_id = c.id),
       ARRAY(SELECT lines FROM pgask.page_lines l WHERE l.document_id = d.id AND l.collection_id = c.id)
  FROM pgask.documents d JOIN pgask.collections c ON c.id = d.collection_id
 WHERE c.name = 'default' AND c.space_id = %s ORDER BY 1"""


def test_each_tenant_has_its_own_twin_with_all_that_its_documents_have(
    database: Database, tmp_path: Path
) -> None:
    with connect(database.owner) as owner:
        create_tenant(owner, "other")
    with connect(database.app) as app:
        scopes = (DEFAULT, open_scope(app, "other"))
    for seed, (scope, words) in enumerate(zip(scopes, ("heron", "crane"), strict=True)):
        folder = tmp_path / words
        folder.mkdir()
        text = random_text(seed, 20)
        (folder / "bird.md").write_text(f"---\nkind: {words}\n---\n# Bird\n\n{text}\n", "utf-8")
        (folder / "broken.pdf").write_bytes(b"%PDF-1.7 nothing")
        with working_for(scope):
            ingest(database, folder)
    with connect(database.owner) as owner:
        owner.execute(
            "INSERT INTO pgask.page_lines (collection_id, document_id, page, width, height, lines)"
            " SELECT collection_id, id, 1, 9, 9, '{0,3,1,1,2,2}' FROM pgask.documents WHERE chunk_count > 0"
        )

    def rows_of(scope: Scope, space_id: int) -> list[tuple[Any, ...]]:
        with connect(database.app) as app:
            see(app, scope)
            return app.execute(ROWS, [space_id]).fetchall()

    with connect(database.owner) as owner:
        first = ensure_space(owner, FAKE.space)
    before = [rows_of(scope, first) for scope in scopes]
    second = add(database)
    assert go_to(database, second)
    assert [rows_of(scope, second) for scope in scopes] == before
    assert [rows_of(scope, first) for scope in scopes] == [[], []]
    assert rows_of(NOBODY, second) == []
    for bird in (mine[0] for mine in before):  # nothing to compare would be no test
        assert all(bird[1:]), bird
    with connect(database.owner) as owner:
        assert delete_tenant(owner, "other") == 2
        left = owner.execute("SELECT count(DISTINCT tenant_id), count(*) FROM pgask.collections").fetchone()
    assert left == (1, 2)


def test_who_sees_a_collection_by_name_sees_its_twin_and_it_is_renamed_and_deleted_with_it(
    client: TestClient, database: Database
) -> None:
    space_id = add(database)

    def names(*seen: str) -> list[str]:
        with connect(database.app) as app:
            see(app, Scope(1, seen))
            return sorted(row[0] for row in app.execute("SELECT name FROM pgask.collections").fetchall())

    assert names("default") == [f"@{space_id}:default", "default"]
    assert names("handbook") == []
    assert client.patch("/collections/default", json={"name": "handbook"}).status_code == 200
    assert names("handbook") == [f"@{space_id}:handbook", "handbook"]
    assert names("default") == []
    assert client.delete("/collections/handbook").status_code == 204
    with connect(database.owner) as owner:
        assert owner.execute("SELECT count(*) FROM pgask.collections").fetchone() == (0,)
        assert owner.execute("SELECT count(*) FROM pgask.postings").fetchone() == (0,)
