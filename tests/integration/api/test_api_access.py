"""Keys, roles, sessions, proxies, and the record of who did what, on the real app and database."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import httpx2
import psycopg
import pytest
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from starlette.routing import Route

from app.api import authentication, unknown_keys
from app.api.access import ACCESS
from app.api.auditing import Record
from app.api.authentication import COOKIE, PAGE, TOKEN_HEADER
from app.api.rates import LOGINS
from app.domain import Role
from app.errors import InvalidRequestError
from app.main import create_app
from app.store import accounts
from app.store.accounts import Deed
from app.store.connection import AsyncConnection, Database, connect, write
from app.store.connection_pool import open_pool
from app.store.shelves import ensure_shelf
from app.store.spaces import find_collection
from tests.fakes import FakeEmbedder
from tests.integration.api.conftest import MakeClient, settings_for
from tests.integration.api.serving import serve
from tests.integration.processes import wait_until

T = TypeVar("T")
ROLES: tuple[Role, ...] = ("reader", "writer", "admin")
JSON_BODIES: Mapping[tuple[str, str], Any] = {
    ("POST", "/ask"): {"question": "How many lists?"},
    ("POST", "/search"): {"question": "How many lists?"},
    ("POST", "/v1/chat/completions"): {"model": "pgask", "messages": [{"role": "user", "content": "Lists?"}]},
    ("POST", "/v1/chat/completions/"): {
        "model": "pgask",
        "messages": [{"role": "user", "content": "Lists?"}],
    },
    ("POST", "/collections"): {"name": "made"},
    ("PATCH", "/documents/{document_id}"): {"title": "Handbook"},
    ("PATCH", "/collections/{name}"): {"name": "made"},
    ("POST", "/session"): {"key": "pgask_wrong"},
    ("PUT", "/conversations/{conversation_id}"): {"content": {}},
    ("POST", "/feedback"): {"request_id": "unknown-request", "rating": "up"},
    ("POST", "/mcp"): {"jsonrpc": "2.0", "id": 1, "method": "tools/list"},
}
PLACES = {
    "{name}": "nobody",
    "{conversation_id}": "c1",
    "{document_id}": "00000000-0000-4000-8000-000000000000",
    "{number}": "1",
    "{job_id}": "00000000-0000-4000-8000-000000000000",
    "{model:path}": "pgask",
}


def in_database(database: Database, work: Callable[[AsyncConnection], Any]) -> Any:
    async def run() -> Any:
        async with open_pool(database.app, size=1, statement_timeout_s=60) as pool:
            return await write(pool, work)

    return asyncio.run(run())


def make_key(database: Database, role: Role, *, name: str = "", lasts: timedelta | None = None) -> str:
    key, _ = in_database(
        database, lambda connection: accounts.create_key(connection, name or role, role, lasts=lasts)
    )
    return str(key)


def revoke(database: Database, key: str) -> None:
    in_database(database, lambda connection: accounts.revoke_key(connection, key[:12]))


ACCEPTED: Mapping[str, str] = {"Accept": "application/json, text/event-stream"}


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def recorded(database: Database) -> list[tuple[Any, ...]]:
    """(actor, role, action, target, status) of the record, the oldest first."""
    with psycopg.connect(database.owner) as connection:
        return connection.execute(
            "SELECT actor, role, action, target, status FROM pgask.audit ORDER BY id"
        ).fetchall()


@pytest.fixture
def guarded(own: Database, make_client: MakeClient) -> TestClient:
    return make_client(own, auth="keys")


def routes_of(client: TestClient) -> Iterator[tuple[str, str]]:
    for route in client.app.state.routes:  # type: ignore[attr-defined]
        if isinstance(route, APIRoute | Route) and route.name != PAGE:
            for method in (route.methods or set()) - {"HEAD"}:
                yield method, route.path


def test_every_route_has_a_line_in_the_table_and_every_line_a_route(guarded: TestClient) -> None:
    assert set(routes_of(guarded)) == set(ACCESS)


def test_each_route_lets_in_who_it_says(
    own: Database, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unknown_keys, "LOGINS", 10_000)  # wrong keys, all from one address
    guarded = make_client(own, auth="keys")
    keys = {role: make_key(own, role) for role in ROLES}

    def status(route: tuple[str, str], headers: Mapping[str, str]) -> tuple[int, str]:
        method, path = route
        for place, value in PLACES.items():
            path = path.replace(place, value)
        reply = guarded.request(method, path, headers=headers, json=JSON_BODIES.get(route))
        body = reply.json() if "json" in reply.headers.get("content-type", "") else {}
        error = body.get("error")
        return reply.status_code, (error if isinstance(error, dict) else body).get("code", "")

    for route, needed in ACCESS.items():
        if needed == "anyone":
            assert status(route, {})[0] != 403, route
            assert status(route, {}) == status(route, bearer("pgask_of_nobody")), route
            continue
        for headers in (
            {},
            bearer("pgask_of_nobody"),
            {"Authorization": "Basic YTpi"},
            {"Authorization": ""},
        ):
            assert status(route, headers)[0] == 401, (route, headers)
        for role, key in keys.items():
            found, code = status(route, bearer(key))
            if needed == "known" or ROLES.index(role) >= ROLES.index(
                "admin" if needed == "operator" else needed
            ):
                assert found not in (401, 403), (route, role)
            else:
                assert (found, code) == (403, "forbidden"), (route, role)


def test_strangers_are_told_how_to_get_in_and_nothing_else(guarded: TestClient) -> None:
    reply = guarded.get("/documents", headers={"Accept-Language": "zh"})
    assert reply.json()["code"] == "unauthenticated"
    assert "密钥" in reply.json()["detail"]
    assert reply.headers["www-authenticate"] == "Bearer"
    openai = guarded.post("/v1/chat/completions", json={})
    assert openai.json()["error"] | {"message": ""} == {
        "message": "",
        "type": "authentication_error",
        "param": None,
        "code": "invalid_api_key",
    }
    assert guarded.get("/no/such/thing").status_code == 404


def test_a_body_is_not_read_for_strangers(guarded: TestClient) -> None:
    reply = guarded.post("/ask", content=b"x" * 2_000_000, headers={"Content-Type": "application/json"})
    assert reply.status_code == 401  # not 413


def test_off_tells_nobody_apart_and_records_nothing(own: Database, make_client: MakeClient) -> None:
    client = make_client(own)
    told = client.get("/session").json()
    assert (told["auth"], told["role"], told["token"]) == ("off", "admin", None)
    assert client.post("/session", json={"key": "pgask_x"}).status_code == 404
    assert client.post("/ask", json={"question": "How many lists?"}).status_code == 200
    assert recorded(own) == []


class TestKeys:
    def test_expired_and_revoked_ones_are_nobodys(self, guarded: TestClient, own: Database) -> None:
        expired = make_key(own, "admin", lasts=timedelta(seconds=-1))
        good = make_key(own, "admin", name="good")
        assert guarded.get("/documents", headers=bearer(expired)).status_code == 401
        assert guarded.get("/documents", headers=bearer(good)).status_code == 200
        revoke(own, good)
        assert guarded.get("/documents", headers=bearer(good)).status_code == 401

    def test_only_a_digest_is_kept(self, own: Database) -> None:
        key = make_key(own, "reader")
        with psycopg.connect(own.owner) as connection:
            row = str(connection.execute("SELECT * FROM pgask.api_keys").fetchone())
        assert key not in row
        assert key[len(accounts.KEY_PREFIX) + 6 :] not in row

    def test_use_is_noted_to_the_hour(self, guarded: TestClient, own: Database) -> None:
        key = make_key(own, "reader")
        for _ in range(2):
            guarded.get("/documents", headers=bearer(key))
        (row,) = in_database(own, accounts.list_keys)
        assert row.last_used_at is not None
        assert (row.last_used_at.minute, row.last_used_at.second) == (0, 0)

    def test_a_name_that_two_keys_have_revokes_neither(self, own: Database) -> None:
        for _ in range(2):
            make_key(own, "reader", name="Ada")
        with pytest.raises(InvalidRequestError, match="2 keys are called 'Ada'"):
            in_database(own, lambda connection: accounts.revoke_key(connection, "Ada"))
        assert [key.state for key in in_database(own, accounts.list_keys)] == ["active", "active"]

    @pytest.mark.parametrize("name", ["", "  ", "x" * 101, "a\nb", "\x1b[31m"])
    def test_a_bad_name_is_refused(self, own: Database, name: str) -> None:
        with pytest.raises(InvalidRequestError, match="A key's name"):
            make_key(own, "reader", name=name or " ")


class TestSessions:
    def log_in(self, client: TestClient, key: str) -> str:
        """The token for changes; the client has the cookie."""
        reply = client.post("/session", json={"key": key})
        assert reply.status_code == 200
        cookie = reply.headers["set-cookie"].lower()
        assert cookie.startswith(f"{COOKIE}=")
        assert {"httponly", "samesite=strict", "path=/"} <= set(cookie.replace(" ", "").split(";"))
        assert key not in cookie
        return str(reply.json()["token"])

    def test_the_cookie_reads_and_changes_need_the_token(self, guarded: TestClient, own: Database) -> None:
        token = self.log_in(guarded, make_key(own, "writer", name="Ada"))
        told = guarded.get("/session").json()
        assert told.pop("conversations_of").startswith("key ")
        assert told == {
            "auth": "keys",
            "name": "Ada",
            "role": "writer",
            "tenant": "default",
            "groups": [],
            "token": token,
        }
        body = {"name": "made"}
        for headers in ({}, {TOKEN_HEADER: "wrong"}, {TOKEN_HEADER: "词"}):
            sent = {name.encode(): value.encode() for name, value in headers.items()}
            reply = guarded.post("/collections", json=body, headers=sent)
            assert (reply.status_code, reply.json()["code"]) == (403, "forbidden")
        assert guarded.post("/collections", json=body, headers={TOKEN_HEADER: token}).status_code == 201

    def test_logging_out_ends_it(self, guarded: TestClient, own: Database) -> None:
        token = self.log_in(guarded, make_key(own, "reader"))
        cookie = guarded.cookies[COOKIE]
        assert guarded.delete("/session", headers={TOKEN_HEADER: token}).status_code == 204
        assert COOKIE not in guarded.cookies
        assert guarded.get("/documents", headers={"Cookie": f"{COOKIE}={cookie}"}).status_code == 401

    def test_it_ends_with_its_key(self, guarded: TestClient, own: Database) -> None:
        key = make_key(own, "reader")
        self.log_in(guarded, key)
        revoke(own, key)
        assert guarded.get("/documents").status_code == 401

    def test_another_sessions_token_does_not_do(self, guarded: TestClient, own: Database) -> None:
        key = make_key(own, "writer")
        first = self.log_in(guarded, key)
        self.log_in(guarded, key)
        reply = guarded.post("/collections", json={"name": "made"}, headers={TOKEN_HEADER: first})
        assert reply.status_code == 403


class TestProxy:
    @pytest.fixture
    def proxied(self, own: Database) -> Iterator[str]:
        settings = settings_for(auth="proxy", trusted_proxies="127.0.0.1", shutdown_timeout_s=1)
        with serve(create_app(settings, own, FakeEmbedder()), settings) as running:
            yield running.url

    def test_a_user_reads_and_groups_give_roles(self, proxied: str, own: Database) -> None:
        def post(**headers: str) -> int:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            return httpx2.post(f"{proxied}/collections", json={"name": "made"}, headers=named).status_code

        assert httpx2.get(f"{proxied}/documents").status_code == 401
        told = httpx2.get(
            f"{proxied}/session", headers={"X-Forwarded-User": "ada", "X-Forwarded-Groups": "hr, board"}
        ).json()
        assert (told["name"], told["role"], told["groups"]) == ("ada", "reader", ["hr", "board"])
        assert post(x_forwarded_user="ada") == 403
        writers = {"x_forwarded_user": "ada", "x_forwarded_groups": "hr,pgask-writers"}
        assert post(**writers, sec_fetch_site="cross-site") == 403
        assert post(**writers, sec_fetch_site="same-origin") == 201
        wait_until(lambda: len(recorded(own)) == 4)
        assert recorded(own)[-1] == ("ada", "writer", "POST /collections", "/collections", 201)

    def test_groups_read_what_is_kept_for_them(self, proxied: str, own: Database) -> None:
        with connect(own.app) as app:
            main = find_collection(app, "default")
            shelf = ensure_shelf(app, "default", main.space_id, ("hr",))
            app.execute(
                "SELECT pgask.move_document(id, %s) FROM pgask.documents WHERE source = 'guide/backup.md'",
                [shelf.id],
            )

        def count(groups: str, user: str = "ada") -> int:
            headers = {"X-Forwarded-User": user, "X-Forwarded-Groups": groups}
            return len(httpx2.get(f"{proxied}/documents", headers=headers).json()["documents"])

        everything = count("pgask-admins")
        assert [
            count(groups) - everything for groups in ("board, hr", "hr", "", "board", "HR", "pgask-writers")
        ] == [*(0, 0, -1, -1, -1, -1)]
        assert count("", user="hr") == everything - 1  # a user's name is no group

    def test_headers_of_others_are_not_believed(self, own: Database, make_client: MakeClient) -> None:
        client = make_client(own, auth="proxy", trusted_proxies="10.0.0.0/8")
        reply = client.get("/documents", headers={"X-Forwarded-User": "ada", "X-Forwarded-For": "10.0.0.1"})
        assert reply.status_code == 401

    @pytest.mark.parametrize(
        "headers",
        [
            [("X-Forwarded-User", "ada"), ("X-Forwarded-User", "root")],
            [
                ("X-Forwarded-User", "ada"),
                ("X-Forwarded-Groups", "hr"),
                ("X-Forwarded-Groups", "pgask-admins"),
            ],
            [("X_Forwarded_User", "ada")],
            [("X-Forwarded-User", "a\tb")],
        ],
        ids=["two users", "two lines of groups", "underscores", "a control character"],
    )
    def test_who_is_named_twice_or_otherwise_is_nobody(
        self, proxied: str, headers: list[tuple[str, str]]
    ) -> None:
        assert httpx2.get(f"{proxied}/session", headers=headers).status_code == 401

    def test_underscores_add_no_group(self, proxied: str) -> None:
        headers = [("X-Forwarded-User", "ada"), ("X_Forwarded_Groups", "pgask-admins")]
        assert httpx2.get(f"{proxied}/session", headers=headers).json()["role"] == "reader"

    def test_names_may_be_chinese(self, proxied: str) -> None:
        headers = {b"X-Forwarded-User": "张伟".encode(), b"X-Forwarded-Groups": "人事,财务".encode()}
        told = httpx2.get(f"{proxied}/session", headers=headers).json()
        assert (told["name"], told["groups"]) == ("张伟", ["人事", "财务"])
        headers = {b"X-Forwarded-User": "Zoë".encode("latin-1")}
        assert httpx2.get(f"{proxied}/session", headers=headers).json()["name"] == "Zoë"

    @pytest.mark.parametrize("proxies", ["127.0.0.1", "10.0.0.0/8"], ids=["the proxy", "a stranger"])
    def test_who_sent_a_request_is_told_by_no_header(self, own: Database, proxies: str) -> None:
        """A proxy on the same machine says for whom it asks; a stranger there that it were a proxy."""
        settings = settings_for(auth="proxy", trusted_proxies=proxies, shutdown_timeout_s=1)
        named = {"X-Forwarded-User": "ada", "X-Forwarded-Groups": "pgask-admins"}
        with serve(create_app(settings, own, FakeEmbedder()), settings) as running:
            found = [
                httpx2.get(f"{running.url}/session", headers=named | {"X-Forwarded-For": told}).status_code
                for told in ("10.0.0.1", "::ffff:10.0.0.1", "203.0.113.9, 127.0.0.1", "nonsense")
            ]
        assert set(found) == {200 if proxies == "127.0.0.1" else 401}


class TestRecord:
    def test_changes_questions_logins_and_refusals(self, guarded: TestClient, own: Database) -> None:
        reader = make_key(own, "reader", name="Ada")
        question = "a secret question about lists"
        guarded.post("/ask", json={"question": question}, headers=bearer(reader))
        guarded.get("/documents", headers=bearer(reader))
        guarded.post("/collections", json={"name": "made"}, headers=bearer(reader))
        guarded.post("/session", json={"key": "pgask_wrong"})
        guarded.get("/documents")
        wait_until(lambda: len(recorded(own)) == 4)
        assert recorded(own) == [
            ("Ada", "reader", "POST /ask", "/ask", 200),
            ("Ada", "reader", "POST /collections", "/collections", 403),
            ("unknown", None, "POST /session", "/session", 401),
            ("unknown", None, "GET /documents", "/documents", 401),
        ]
        with psycopg.connect(own.owner) as connection:
            assert "secret" not in str(connection.execute("SELECT * FROM pgask.audit").fetchall())

    def test_who_is_refused_again_and_again_writes_two_lines(self, own: Database) -> None:
        deed = Deed(datetime.now(UTC), "unknown", "GET /documents", "/documents", 401, address="192.0.2.1")

        async def refuse() -> None:
            async with (
                open_pool(own.app, size=1, statement_timeout_s=60) as pool,
                Record(pool, 90).writing() as record,
            ):
                for _ in range(500):
                    record.add(deed)

        asyncio.run(refuse())
        with psycopg.connect(own.owner) as connection:
            lines = connection.execute(
                "SELECT (detail->>'requests')::int FROM pgask.audit ORDER BY id"
            ).fetchall()
        assert lines == [(None,), (499,)]

    def test_old_lines_go(self, own: Database, make_client: MakeClient) -> None:
        with psycopg.connect(own.owner) as connection:
            connection.execute(
                "INSERT INTO pgask.audit (tenant_id, at, actor, action, target, status) VALUES"
                " (1, now() - interval '31 days', 'old', 'x', 'x', 200), (1, now(), 'new', 'x', 'x', 200)"
            )
        make_client(own, auth="keys", audit_days=30)
        wait_until(lambda: [line[0] for line in recorded(own)] == ["new"])


def test_logins_of_an_address_are_limited(guarded: TestClient, own: Database) -> None:
    """With a limit of requests or without one; keys that are known are let in as ever."""
    known = make_key(own, "reader", name="known")
    assert guarded.get("/documents", headers=bearer(known)).status_code == 200
    for _ in range(LOGINS):
        assert guarded.post("/session", json={"key": "pgask_wrong"}).status_code == 401
    for number in range(LOGINS):  # one more a second is let in
        refused = guarded.post("/session", json={"key": make_key(own, "reader", name=f"late {number}")})
        if refused.status_code != 200:
            break
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert guarded.get("/documents", headers=bearer(known)).status_code == 200
    assert guarded.post("/session", json={"key": known}).status_code == 200
    assert guarded.get("/session").status_code == 200
    wait_until(lambda: ("unknown", None, "POST /session", "/session", 429) in recorded(own))


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/documents"), ("POST", "/ask"), ("POST", "/v1/chat/completions"), ("POST", "/mcp")],
)
def test_wrong_keys_of_an_address_are_limited(
    guarded: TestClient, own: Database, method: str, path: str
) -> None:
    """Beyond the limit no key that is not known is looked up, whichever door it is shown at; the record tells of it
    in two lines a minute of a kind."""

    def show(key: str) -> httpx2.Response:
        headers = {**bearer(key), **ACCEPTED}
        return guarded.request(method, path, headers=headers, json=JSON_BODIES.get((method, path)))

    known, key = make_key(own, "reader", name="known"), make_key(own, "reader")
    assert guarded.get("/documents", headers=bearer(known)).status_code == 200
    assert {show(f"pgask_wrong{number}").status_code for number in range(LOGINS)} == {401}
    pool = guarded.app.state.components.pool  # type: ignore[attr-defined]
    before = pool.get_stats()["requests_num"]
    replies = [show(f"pgask_more{number}") for number in range(200)]
    refused = [reply for reply in replies if reply.status_code == 429]
    looked_up = len(replies) - len(refused)  # one more a second
    assert {reply.status_code for reply in replies} <= {401, 429}
    assert looked_up < 100
    record_lines = 40
    assert pool.get_stats()["requests_num"] - before <= looked_up + record_lines
    body = refused[-1].json()
    told = body["error"]["message"] if path.startswith("/v1") else body["detail"]
    assert "unknown keys" in told
    assert 1 <= int(refused[-1].headers["retry-after"]) <= 60
    assert show(key).status_code in (429, 200)  # 200 in the moment in which there is one look more
    assert guarded.get("/documents", headers=bearer(known)).status_code == 200
    wait_until(lambda: len(recorded(own)) >= 1)
    assert (
        len([line for line in recorded(own) if line[0] == "unknown"]) <= 8
    )  # 401 and 429, within two minutes


@contextmanager
def waiting_model() -> Iterator[tuple[str, threading.Event]]:
    """A model's server that begins an answer and then waits for the event."""
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    go_on = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._send(json.dumps({"object": "list", "data": [{"id": "m", "object": "model"}]}).encode())

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            if "chat" not in self.path:
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            for number in range(1_000):
                choice = {"index": 0, "delta": {"content": f"Word {number}. "}, "finish_reason": None}
                piece: dict[str, Any] = {
                    "id": "1",
                    "object": "chat.completion.chunk",
                    "created": 1,
                    "model": "m",
                }
                piece["choices"] = [choice]
                try:
                    self.wfile.write(f"data: {json.dumps(piece)}\n\n".encode())
                    self.wfile.flush()
                except OSError:
                    return
                if go_on.wait(0.2):
                    return

        def _send(self, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/v1", go_on
        finally:
            go_on.set()
            server.shutdown()


class Holding:
    """Requests that are held open at once, each in a thread, and how each of them ended."""

    def __init__(self, url: str, count: int) -> None:
        self._url = url
        self._begun = threading.Barrier(count + 1)
        self._threads: list[threading.Thread] = []
        self.go_on = threading.Event()
        self.ended: dict[str, str] = {}

    def add(self, name: str, method: str, path: str, waits_for: str, **sent: Any) -> None:
        """Hold one that has begun once the words it waits for have come; with "" as it is sent."""
        self._threads.append(threading.Thread(target=self._hold, args=(name, method, path, waits_for, sent)))
        self._threads[-1].start()

    def wait(self) -> None:
        """Return once all have begun."""
        self._begun.wait(60)

    def end(self) -> None:
        """Read those that wait to go on, and return once all have ended."""
        self.go_on.set()
        for thread in self._threads:
            thread.join(60)

    def _hold(self, name: str, method: str, path: str, waits_for: str, sent: Mapping[str, Any]) -> None:
        read = b""
        if not waits_for:
            self.wait()
        try:
            with httpx2.stream(method, f"{self._url}{path}", timeout=60, **sent) as reply:
                pieces = reply.iter_bytes()
                while waits_for.encode() not in read:
                    read += next(pieces)
                if waits_for:
                    self.wait()
                if name == "download":  # what the lines between hold comes all the same
                    self.go_on.wait(60)
                for piece in pieces:
                    read += piece
        except httpx2.TransportError as error:  # cut
            self.ended[name] = type(error).__name__
            return
        self.ended[name] = "done" if b"event: done" in read or b"[DONE]" in read else read[-400:].decode()


def upload_for_a_document(own: Database, url: str, key: str) -> tuple[str, str]:
    """A job that waits, and a document with an original that no line between holds."""
    files = {"files": ("big.txt", b"x" * 24_000_000)}
    job = httpx2.post(f"{url}/documents", headers=bearer(key), files=files).json()["job"]
    with connect(own.owner) as owner:
        document = owner.execute(
            "UPDATE pgask.originals SET document_id = (SELECT id FROM pgask.documents ORDER BY source LIMIT 1)"
            " RETURNING document_id"
        ).fetchone()
    assert document is not None
    return str(job["id"]), str(document[0])


def test_a_revoked_key_ends_what_it_holds_open_on_every_path(
    own: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """R38: bearer, cookie, /v1, an agent, a job's events and a download, each in its middle, by one key."""
    monkeypatch.setattr(authentication, "RECHECK_S", 0.2)
    key = make_key(own, "writer")
    admin, question = bearer(make_key(own, "admin")), "How many lists does ivfflat have?"
    asked = {"question": question, "stream": True}
    chat = {"model": "pgask", "messages": [{"role": "user", "content": question}], "stream": True}
    tool = {"name": "ask", "arguments": {"question": question}}
    agent = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": tool}
    with waiting_model() as (model, _):
        settings = settings_for(auth="keys", llm_base_url=model, shutdown_timeout_s=1)
        with serve(create_app(settings, own, FakeEmbedder()), settings) as running:
            job, document = upload_for_a_document(own, running.url, key)
            cookie = httpx2.post(f"{running.url}/session", json={"key": key}).cookies[COOKIE]
            session = {"Cookie": f"{COOKIE}={cookie}", TOKEN_HEADER: authentication.token_of(cookie)}
            held, by_key = Holding(running.url, 6), bearer(key)
            held.add("bearer", "POST", "/ask", "event: token", json=asked, headers=by_key)
            held.add("cookie", "POST", "/ask", "event: token", json=asked, headers=session)
            held.add("/v1", "POST", "/v1/chat/completions", "Word 1", json=chat, headers=by_key)
            held.add("agent", "POST", "/mcp", "", json=agent, headers={**by_key, **ACCEPTED})
            held.add("events", "GET", f"/jobs/{job}/events", "queued", headers=by_key)
            held.add("download", "GET", f"/documents/{document}/original", "x", headers=by_key)
            held.wait()
            url = f"{running.url}/metrics"
            wait_until(lambda: "pgask_questions_in_flight 4.0" in httpx2.get(url, headers=admin).text)
            revoke(own, key)
            wait_until(lambda: len(held.ended) == 5)
            held.end()
    ended = held.ended
    for name in ("bearer", "cookie", "events"):
        assert "event: error" in ended[name], name
        assert '"unauthenticated"' in ended[name], name
    assert '"invalid_api_key"' in ended["/v1"]
    assert '"status":401' in ended["agent"]
    assert ended["download"] == "RemoteProtocolError"  # cut: a part of a file is no file
    assert "unexpected error" not in capsys.readouterr().out
