"""GET and DELETE /documents…, GET and POST /collections."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.store.catalog import delete_collection, list_collections
from app.store.connection import Database, connect, transaction
from app.store.connection_pool import open_pool
from app.store.document_counts import MAX_AGE_S, DocumentCounts
from app.store.documents import replace_document
from app.store.duplicates import record_duplicate
from app.store.spaces import find_collection
from tests.integration.api.conftest import MakeClient
from tests.integration.ingesting import (
    counted,
    counters,
    embed_document,
    open_collection,
    orphans,
    version_of,
)

pytestmark = pytest.mark.integration

SOURCES = ["guide/backup.md", "guide/lists.md", "zh/chunking.md"]
NOBODY = "00000000-0000-4000-8000-000000000000"


def ids(client: TestClient) -> dict[str, str]:
    """Source → id."""
    return {item["source"]: item["id"] for item in client.get("/documents").json()["documents"]}


class TestList:
    def test_fields_and_order(self, client: TestClient) -> None:
        found = client.get("/documents").json()
        assert [item["source"] for item in found["documents"]] == SOURCES
        assert found["next_cursor"] is None
        first = found["documents"][1]
        assert list(first) == [
            "id", "source", "title", "media_type", "language", "languages", "status", "reason", "pages", "chars",
            "chunks", "tokens", "updated_at", "readers",
        ]  # fmt: skip
        assert (first["title"], first["language"], first["status"]) == ("Lists", "en", "ready")
        assert first["languages"] == ["en"]
        assert (first["pages"], first["reason"]) == (None, None)
        assert min(first["chars"], first["chunks"], first["tokens"]) > 0

    @pytest.mark.parametrize("limit", [1, 2, 3])
    def test_pages_show_every_document_once(self, client: TestClient, limit: int) -> None:
        seen: list[str] = []
        query: dict[str, Any] = {"limit": limit}
        while True:
            page = client.get("/documents", params=query).json()
            assert len(page["documents"]) <= limit
            seen += [item["source"] for item in page["documents"]]
            if page["next_cursor"] is None:
                break
            query["cursor"] = page["next_cursor"]
        assert seen == SOURCES

    def test_what_comes_and_goes_hides_and_repeats_nothing(
        self, own: Database, make_client: MakeClient
    ) -> None:
        client = make_client(own)
        page = client.get("/documents", params={"limit": 1}).json()
        assert client.delete(f"/documents/{page['documents'][0]['id']}").status_code == 204
        rest = client.get("/documents", params={"cursor": page["next_cursor"]}).json()
        assert [item["source"] for item in rest["documents"]] == SOURCES[1:]

    @pytest.mark.parametrize(
        "cursor",
        ["x", "====", "é", base64.b64encode(b"guide/").decode(), base64.b64encode(b"s:\xff").decode()],
    )
    def test_cursors_that_nobody_gave(self, client: TestClient, cursor: str) -> None:
        reply = client.get("/documents", params={"cursor": cursor})
        assert (reply.status_code, reply.json()["code"]) == (422, "bad_cursor")
        assert "cursor" in reply.json()["detail"]

    def test_no_such_collection(self, client: TestClient) -> None:
        reply = client.get("/documents", params={"collection": "nowhere"})
        assert (reply.status_code, reply.json()["code"]) == (404, "not_found")


class TestDetail:
    def test_metadata_sections_and_sizes(self, client: TestClient) -> None:
        found = client.get(f"/documents/{ids(client)['guide/lists.md']}").json()
        assert found["collection"] == "default"
        assert found["metadata"] == {"lang": "en", "level": 2}
        text = client.get(f"/documents/{found['id']}/text").json()["text"]
        paths = [section["heading_path"] for section in found["sections"]]
        assert ["Lists", "Probes"] in paths
        probes = found["sections"][paths.index(["Lists", "Probes"])]
        assert "Probes say" in text[probes["char_start"] : probes["char_end"]]
        assert found["chars"] == len(text)
        assert (found["page_spans"], found["reason_detail"], found["duplicate_of"]) == ([], None, None)
        assert (found["unknown_tokens"], found["unknown_share"], found["is_unreadable"]) == (0, 0.0, False)

    def test_what_was_dropped_not_read_or_left_out(self, own: Database, make_client: MakeClient) -> None:
        collection = open_collection(own)
        with connect(own.app) as connection:
            embedded = embed_document("Some text.")
            document = replace(embedded.document, dropped={"bidi": 2})
            read = replace(embedded, document=document, unknown_tokens=2, token_count=8)
            replace_document(connection, collection, version_of("unread.txt", "Some text."), read)
            record_duplicate(
                connection,
                collection,
                version_of("copy.txt", "Some text."),
                read.document,
                kept="unread.txt",
                text_sha256="0",
                detail='The same text as "unread.txt".',
            )
        client = make_client(own)
        found = client.get(f"/documents/{ids(client)['unread.txt']}").json()
        assert (found["unknown_share"], found["is_unreadable"]) == (0.25, True)
        assert found["dropped"] == {"bidi": 2}
        copy = client.get(f"/documents/{ids(client)['copy.txt']}").json()
        assert (copy["status"], copy["reason"], copy["duplicate_of"]) == (
            "duplicate",
            "duplicate",
            "unread.txt",
        )
        assert copy["reason_detail"] == 'The same text as "unread.txt".'
        assert (copy["unknown_share"], copy["is_unreadable"], copy["chars"]) == (None, False, 0)

    @pytest.mark.parametrize("path", ["", "/text"])
    @pytest.mark.parametrize("name", [NOBODY, "1", "lists.md", "'; --", "%", "0" * 64])
    def test_ids_of_nothing_are_not_found(self, client: TestClient, name: str, path: str) -> None:
        reply = client.get(f"/documents/{name}{path}")
        assert (reply.status_code, reply.json()["code"]) == (404, "not_found")


class TestText:
    @pytest.mark.parametrize(
        ("start", "end"), [(0, 10), (100, 140), (0, 0), (3, None), (10_000, 10_001), (0, 2**31 - 1), (2**31 - 1, None)]
    )  # fmt: skip
    def test_it_is_a_slice(self, client: TestClient, start: int, end: int | None) -> None:
        document = ids(client)["guide/lists.md"]
        whole = client.get(f"/documents/{document}/text").json()
        assert "🦜" in whole["text"]
        assert (whole["start"], whole["end"], whole["total_chars"]) == (
            0,
            len(whole["text"]),
            len(whole["text"]),
        )
        query = {"start": start} | ({} if end is None else {"end": end})
        part = client.get(f"/documents/{document}/text", params=query).json()
        assert part["text"] == whole["text"][start:end]
        assert part["text"] == whole["text"][part["start"] : part["end"]]

    def test_a_long_one_comes_in_parts(self, database: Database, make_client: MakeClient) -> None:
        text = "".join(f"Word {n} 字🦜. " for n in range(12_000))
        collection = open_collection(database)
        with connect(database.app) as connection:
            replace_document(connection, collection, version_of("long.txt", text), embed_document(text))
        client = make_client(database)
        document = ids(client)["long.txt"]
        parts, start, calls = [], 0, 0
        while start < len(text):
            part = client.get(f"/documents/{document}/text", params={"start": start, "end": len(text)}).json()
            assert len(part["text"]) <= 100_000
            parts.append(part["text"])
            start, calls = part["end"], calls + 1
        assert "".join(parts) == text
        assert calls == 2


class TestDelete:
    def test_gone_means_gone(self, own: Database, make_client: MakeClient) -> None:
        client = make_client(own)
        document = ids(client)["guide/lists.md"]
        assert client.delete(f"/documents/{document}").content == b""
        for path in ("", "/text"):
            assert client.get(f"/documents/{document}{path}").status_code == 404
        assert client.delete(f"/documents/{document}").status_code == 404
        assert "guide/lists.md" not in ids(client)
        body = {"question": "ivfflat lists and probes", "top_k": 50}
        assert {hit["source"] for hit in client.post("/search", json=body).json()["hits"]} == {
            "guide/backup.md",
            "zh/chunking.md",
        }
        with connect(own.app) as connection:
            collection = find_collection(connection, "default")
            assert orphans(connection, collection) == [0, 0, 0]
            assert counters(connection, collection) == counted(connection, collection)

    @pytest.mark.parametrize("name", [NOBODY, "x", "'; DELETE FROM pgask.documents; --"])
    def test_ids_of_nothing(self, client: TestClient, name: str) -> None:
        assert client.delete(f"/documents/{name}").status_code == 404
        assert len(ids(client)) == 3


class TestCollections:
    def test_rename_and_delete(self, own: Database, make_client: MakeClient) -> None:
        client = make_client(own)
        with connect(own.app) as connection:
            default = find_collection(connection, "default")
            assert default is not None
        assert client.post("/collections", json={"name": "other"}).status_code == 201
        taken = client.patch("/collections/other", json={"name": "default"})
        assert (taken.status_code, taken.json()["code"]) == (409, "collection_exists")
        assert client.patch("/collections/other", json={"name": "-"}).status_code == 422
        assert client.patch("/collections/none", json={"name": "x"}).status_code == 404
        assert client.patch("/collections/default", json={"name": "handbook"}).json() == {"name": "handbook"}
        assert len(client.get("/documents", params={"collection": "handbook"}).json()["documents"]) == 3
        described = client.patch("/collections/handbook", json={"description": "规章 for all"}).json()
        assert described == {"name": "handbook", "description": "规章 for all"}
        assert client.patch("/collections/handbook", json={"description": "x" * 1_001}).status_code == 422
        assert client.patch("/collections/none", json={"description": "x"}).status_code == 404
        told = {one["name"]: one["description"] for one in client.get("/collections").json()["collections"]}
        assert told["handbook"] == "规章 for all"
        assert client.delete("/collections/handbook").status_code == 204
        assert client.delete("/collections/handbook").status_code == 404
        with connect(own.app) as connection:
            assert not any(orphans(connection, default))
        assert [one["name"] for one in client.get("/collections").json()["collections"]] == ["other"]

    def test_list(self, client: TestClient) -> None:
        [found] = client.get("/collections").json()["collections"]
        assert list(found) == ["name", "description", "documents", "chunks", "model", "created_at"]
        assert (found["name"], found["documents"], found["model"]) == ("default", 3, "fake")
        assert found["chunks"] >= 3

    @pytest.mark.parametrize("name", ["handbook", "手册 2", "a.b-c_d", "x" * 64])
    def test_create(self, own: Database, make_client: MakeClient, name: str) -> None:
        client = make_client(own)
        made = client.post("/collections", json={"name": name})
        assert (made.status_code, made.json()["name"]) == (201, name)
        assert made.json() in client.get("/collections").json()["collections"]
        assert client.get("/documents", params={"collection": name}).json()["documents"] == []
        again = client.post("/collections", json={"name": name})
        assert (again.status_code, again.json()["code"]) == (409, "collection_exists")

    def test_without_tables_for_the_model_it_says_migrate(
        self, database: Database, make_client: MakeClient
    ) -> None:
        reply = make_client(database).post("/collections", json={"name": "x"})
        assert (reply.status_code, reply.json()["code"]) == (503, "schema_mismatch")
        assert "pgask migrate" in reply.json()["detail"]

    async def test_f_1305_documents_are_counted_where_that_may_have_changed(self, own: Database) -> None:
        """All documents were counted at each return to the page."""
        now = [0.0]
        counts = DocumentCounts(lambda: now[0])
        async with open_pool(own.app, size=1, statement_timeout_s=5) as pool:

            async def listed() -> int:
                async with transaction(pool) as connection:
                    (found,) = await list_collections(connection, counts)
                return found.documents

            assert await listed() == 3
            with connect(own.app) as connection:
                connection.execute(
                    "INSERT INTO pgask.documents (collection_id, source, status, reason)"
                    " SELECT id, 'failed.pdf', 'failed', 'encrypted' FROM pgask.collections"
                )
                assert await listed() == 3  # not counted again
                now[0] += MAX_AGE_S
                assert await listed() == 4
                connection.execute(
                    "DELETE FROM pgask.documents WHERE id = (SELECT document_id FROM pgask.chunks LIMIT 1)"
                )
                assert await listed() == 3  # its chunks went

    async def test_delete_takes_the_documents_along(self, own: Database) -> None:
        async with open_pool(own.app, size=1, statement_timeout_s=5) as pool:
            async with transaction(pool) as connection:
                assert await delete_collection(connection, "default") == 3
            async with transaction(pool) as connection:
                assert await list_collections(connection) == []
        with connect(own.app) as synchronous:
            assert synchronous.execute("SELECT count(*) FROM pgask.postings").fetchone() == (0,)


class TestListQuery:
    """Every sort, filter and count is compared with what Python makes of the whole list."""

    @pytest.fixture
    def many(self, own: Database, make_client: MakeClient) -> TestClient:
        with connect(own.app) as connection:
            connection.execute(
                "INSERT INTO pgask.documents (collection_id, source, status, title, media_type, language, char_count,"
                " pages, updated_at)"
                " SELECT c.id, format('%s/%s%s.%s', (ARRAY['a', 'a/b', 'Ä', 'é_%'])[1 + n % 4], n % 7, n,"
                " (ARRAY['md', 'pdf'])[1 + n % 2]), (ARRAY['ready', 'failed', 'stale'])[1 + n % 3],"
                " CASE WHEN n % 5 = 0 THEN 'Same' ELSE 'Étude ' || n % 11 END,"
                " (ARRAY['text/markdown', 'application/pdf'])[1 + n % 2], (ARRAY['en', 'zh'])[1 + n % 2], n * 997,"
                " CASE WHEN n % 2 = 0 THEN '[]' ELSE '[[1, 0, 1], [2, 1, 2]]' END::jsonb,"
                " now() - make_interval(secs => n % 6)"
                " FROM pgask.collections c, generate_series(1, 60) n WHERE c.name = 'default'"
            )
        return make_client(own)

    @staticmethod
    def all_of(client: TestClient, **query: Any) -> list[dict[str, Any]]:
        """Every page, seven documents each."""
        found: list[dict[str, Any]] = []
        cursor = None
        while True:
            asked = query | {"limit": 7} | ({"cursor": cursor} if cursor else {})
            reply = client.get("/documents", params=asked)
            assert reply.status_code == 200, reply.text
            found += reply.json()["documents"]
            cursor = reply.json()["next_cursor"]
            if cursor is None:
                return found

    def test_each_sort_shows_every_document_once_and_in_order(self, many: TestClient) -> None:
        everything = many.get("/documents", params={"limit": 1_000}).json()["documents"]
        assert len(everything) == 63
        for name in ("source", "title", "media_type", "language", "status", "pages", "chars", "updated_at"):

            def key(one: dict[str, Any], name: str = name) -> tuple[Any, str]:
                value = one[name]
                if name == "title":
                    value = value.lower()
                return (value or 0 if name == "pages" else value), one["source"]

            for sort, backwards in ((name, False), (f"-{name}", True)):
                found = self.all_of(many, sort=sort)
                assert found == sorted(everything, key=key, reverse=backwards), sort

    def test_filters_keep_what_they_say_and_facets_count_it(self, many: TestClient) -> None:
        everything = many.get("/documents", params={"limit": 1_000}).json()["documents"]
        in_a = [one for one in everything if one["source"].startswith("a/")]
        assert self.all_of(many, folder="a/") == self.all_of(many, folder="a") == in_a
        failed = [one for one in in_a if one["status"] in ("failed", "stale") and one["language"] == "zh"]
        asked = {"folder": "a", "status": ["failed", "stale"], "language": "zh"}
        assert failed
        assert self.all_of(many, **asked) == failed
        facets = many.get("/documents", params=asked | {"facets": "true"}).json()["facets"]
        counts = {
            name: {one["value"]: one["count"] for one in counted}
            for name, counted in facets.items()
            if name != "total"
        }
        assert facets["total"] == len(failed)
        # a field's own filter does not count for it
        assert counts["status"] == tallied(one["status"] for one in in_a if one["language"] == "zh")
        assert counts["language"] == tallied(
            one["language"] for one in in_a if one["status"] in ("failed", "stale")
        )
        assert counts["folder"] == tallied("a/b" for one in failed if one["source"].startswith("a/b/"))
        top = many.get("/documents", params={"facets": "true"}).json()["facets"]["folder"]
        assert [one["value"] for one in top] == ["a", "guide", "zh", "Ä", "é_%"]

    def test_words_are_found_in_names_and_titles_whatever_their_form(self, many: TestClient) -> None:
        titled = [one["source"] for one in self.all_of(many, q="E\u0301TUDE 1")]
        assert titled
        assert titled == [one["source"] for one in self.all_of(many, q="étude 1")]
        assert [one["source"] for one in self.all_of(many, q="backup.MD")] == ["guide/backup.md"]
        assert len(self.all_of(many, q="%")) == len(self.all_of(many, q="é_%")) == 15  # no wildcard
        assert self.all_of(many, q="' OR true --") == []

    def test_a_wrong_sort_is_refused_and_a_cursor_of_another_sort_is_none(self, many: TestClient) -> None:
        assert many.get("/documents", params={"sort": "root"}).status_code == 422
        cursor = many.get("/documents", params={"sort": "-chars", "limit": 1}).json()["next_cursor"]
        assert many.get("/documents", params={"sort": "title", "cursor": cursor}).status_code == 200


def tallied(values: Iterable[str]) -> dict[str, int]:
    return dict(Counter(values))
