"""Whoever renames, deletes or looks up collections while a second embedding space is made, filled or switched to."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import pytest
from fastapi.testclient import TestClient

from app.errors import NotFoundError
from app.main import create_app
from app.store.connection import Database, connect
from app.store.exporting import export_collection
from app.store.spaces import ensure_space, find_collection
from app.store.twins import ensure_twin, hidden_name, list_originals, switch, switch_when_filled
from tests.integration.api.conftest import BASE_URL, settings_for
from tests.integration.ingesting import FAKE, ingest, write_corpus
from tests.integration.test_twins import OTHER, QUESTION, add

pytestmark = pytest.mark.integration

WAITING: Final = """
SELECT count(*) FROM pg_locks WHERE NOT granted
   AND pid IN (SELECT pid FROM pg_stat_activity WHERE datname = current_database())"""
# Names that belong to no user's collection, and documents of twins that are copies of nothing that is there.
STRAYS: Final = """
SELECT count(*) FROM pgask.collections t LEFT JOIN pgask.collections o ON o.id = t.twin_of
 WHERE t.name IS DISTINCT FROM CASE WHEN t.twin_of IS NULL THEN regexp_replace(t.name, '^@', '')
                               ELSE '@' || t.space_id || ':' || o.name END
    OR EXISTS (SELECT FROM pgask.documents d LEFT JOIN pgask.documents k ON k.id = d.copy_of
                WHERE d.collection_id = t.id AND (t.twin_of IS NOT NULL) <> (k.collection_id IS NOT NULL)
                   OR d.collection_id = t.id AND k.collection_id IS DISTINCT FROM t.twin_of)"""


@pytest.fixture
def client(database: Database, tmp_path: Path) -> Iterator[TestClient]:
    ingest(database, write_corpus(tmp_path, 6, sentences=6))
    with TestClient(create_app(settings_for(), database, FAKE), base_url=BASE_URL) as opened:
        yield opened


class Rival:
    """Somebody who acts in a thread, and by now waits for a lock that another one holds."""

    def __init__(self, database: Database, act: Callable[[], Any]) -> None:
        self._given: list[Any] = []
        self._thread = threading.Thread(target=lambda: self._given.append(act()))
        self._thread.start()
        deadline = time.monotonic() + 20
        with connect(database.owner) as watch:
            while watch.execute(WAITING).fetchone() == (0,):
                assert time.monotonic() < deadline, "nobody waits"
                assert self._thread.is_alive(), self._given
                time.sleep(0.01)

    def end(self) -> Any:
        """What the act gave, once the lock was let go."""
        self._thread.join()
        return self._given[0]


def names(database: Database) -> set[str]:
    with connect(database.owner) as owner:
        return {row[0] for row in owner.execute("SELECT name FROM pgask.collections").fetchall()}


def assert_whole(database: Database) -> None:
    with connect(database.owner) as owner:
        assert owner.execute(STRAYS).fetchone() == (0,)


def test_a_collection_that_is_renamed_while_all_are_switched_takes_its_twin_along(
    client: TestClient, database: Database
) -> None:
    space_id = add(database)
    with connect(database.owner) as owner:
        first = find_collection(owner, "default").space_id
        with owner.transaction():
            assert switch(owner, space_id)
            rival = Rival(database, lambda: client.patch("/collections/default", json={"name": "handbook"}))
        assert rival.end().status_code == 200
    assert names(database) == {"handbook", hidden_name("handbook", first)}
    assert_whole(database)


def test_a_collection_that_is_deleted_while_all_are_switched_is_gone(
    client: TestClient, database: Database
) -> None:
    space_id = add(database)
    with connect(database.owner) as owner:
        with owner.transaction():
            assert switch(owner, space_id)
            rival = Rival(database, lambda: client.delete("/collections/default"))
        assert rival.end().status_code == 204
        assert owner.execute("SELECT count(*) FROM pgask.documents").fetchone() == (0,)
        assert owner.execute("SELECT count(*) FROM pgask.former_documents").fetchone() == (0,)
    assert names(database) == set()


def test_a_collection_that_is_renamed_while_its_twin_is_made_takes_it_along(
    client: TestClient, database: Database
) -> None:
    with connect(database.owner) as owner:
        space_id = ensure_space(owner, OTHER.space)
        (original,) = list_originals(owner, space_id)
        with owner.transaction():
            ensure_twin(owner, original, space_id)
            rival = Rival(database, lambda: client.patch("/collections/default", json={"name": "handbook"}))
        assert rival.end().status_code == 200
        assert names(database) == {"handbook", hidden_name("handbook", space_id)}
        assert client.patch("/collections/handbook", json={"name": "wiki"}).status_code == 200
        ensure_twin(owner, original, space_id)  # by the name that it had when the fill began
    assert names(database) == {"wiki", hidden_name("wiki", space_id)}


def test_who_renames_and_deletes_while_spaces_are_added_and_switched_leaves_no_half_state(
    client: TestClient, database: Database, tmp_path: Path
) -> None:
    stop = threading.Event()
    statuses: list[int] = []
    errors: list[str] = []
    folder = tmp_path / "rivals"
    folder.mkdir()
    write_corpus(folder, 6, sentences=4)

    def rename_and_delete() -> None:
        rng = random.Random(7)
        name = "default"
        while not stop.is_set():
            new = f"name{rng.randrange(100)}"
            listed = client.get("/documents", params={"collection": name, "limit": 5}).json()["documents"]
            replies = [client.patch(f"/collections/{name}", json={"name": new})]
            name = new if replies[0].status_code == 200 else name
            if len(listed) > 3:
                replies.append(client.delete(f"/documents/{listed[0]['id']}"))
            statuses.extend(reply.status_code for reply in replies)

    def make_and_delete() -> None:
        while not stop.is_set():
            try:
                ingest(database, folder, collection="brief")
            except Exception as error:  # noqa: BLE001 - judged below
                errors.append(str(error))
            statuses.append(client.delete("/collections/brief").status_code)

    threads = [threading.Thread(target=act) for act in (rename_and_delete, make_and_delete)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(4):
            add_and_switch(database)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert set(statuses) <= {200, 204, 404}, statuses
    assert all("another embedding" in error or "deleted meanwhile" in error for error in errors), errors
    assert_whole(database)


def add_and_switch(database: Database) -> None:
    """The other one of both models fills its space again, and answers."""
    with connect(database.owner) as owner:
        spaces = {ensure_space(owner, one.space): one for one in (OTHER, FAKE)}
        originals = [one for space in spaces for one in list_originals(owner, space)]
        second = next((space for space in spaces if originals and originals[0].space_id != space), None)
    if second is not None:
        add(database, spaces[second])
        with connect(database.owner) as owner:
            switch_when_filled(owner, second, lambda: add(database, spaces[second]))


HIDDEN: Final = "@{}:default"


def test_no_route_and_no_reader_takes_the_name_of_a_twin(client: TestClient, database: Database) -> None:
    hidden = HIDDEN.format(add(database))
    for method, path, given in (
        ("POST", "/search", {"json": {"question": QUESTION, "collection": hidden}}),
        ("POST", "/search", {"json": {"question": QUESTION, "collections": [hidden, "default"]}}),
        ("POST", "/ask", {"json": {"question": QUESTION, "collection": hidden}}),
        ("POST", "/v1/chat/completions", {"json": {
            "model": f"pgask/{hidden}", "messages": [{"role": "user", "content": QUESTION}]}}),
        ("GET", "/documents", {"params": {"collection": hidden}}),
        ("GET", "/documents/facets", {"params": {"collection": hidden}}),
        ("POST", "/documents", {"params": {"collection": hidden}, "files": {"file": ("a.md", b"# A\n\nText.\n")}}),
        ("POST", "/collections", {"json": {"name": hidden}}),
        ("PATCH", f"/collections/{hidden}", {"json": {"name": "mine"}}),
        ("PATCH", "/collections/default", {"json": {"name": hidden}}),
        ("DELETE", f"/collections/{hidden}", {}),
        ("GET", "/jobs", {"params": {"collection": hidden}}),
    ):  # fmt: skip
        reply = client.request(method, path, **given)
        assert reply.status_code in {404, 422, 400}, (method, path, reply.status_code, reply.text)
    with connect(database.owner) as owner:
        with pytest.raises(NotFoundError):
            find_collection(owner, hidden)
        with pytest.raises(NotFoundError):
            export_collection(owner, hidden, BytesIO())
    assert names(database) == {"default", hidden}
