"""What a connection may send and how slowly, and how answers end with the service: on real sockets."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import httpx2
import pytest

from app.api.http_server import MAX_HEAD_BYTES, MAX_HEADERS
from app.api.middleware import CONTENT_SECURITY_POLICY
from app.main import create_app
from app.store.connection import Database
from tests.fakes import FakeEmbedder, ScriptedLlm
from tests.integration.api.conftest import settings_for
from tests.integration.api.serving import Running, serve

pytestmark = pytest.mark.integration

QUESTION = {"question": "How many ivfflat lists should I choose?"}
TIMEOUT_S = 0.6
SLOTS = 2
Reply = tuple[int, dict[str, str], bytes]


@pytest.fixture(scope="module")
def running(filled: Database) -> Iterator[Running]:
    settings = settings_for(request_timeout_s=TIMEOUT_S, max_concurrent_asks=SLOTS)
    with serve(create_app(settings, filled, FakeEmbedder()), settings, stalled_s=0.3) as server:
        yield server


def connect(running: Running) -> socket.socket:
    return socket.create_connection(running.address, timeout=10)


def read(connection: socket.socket) -> Reply:
    """The reply, read until the server closes the connection."""
    raw = b""
    while piece := connection.recv(65_536):
        raw += piece
    head, _, body = raw.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return int(status.split()[1]), headers, body


def exchange(running: Running, *pieces: bytes) -> Reply:
    with connect(running) as connection:
        for piece in pieces:
            connection.sendall(piece)
        return read(connection)


def assert_problem(reply: Reply, status: int, code: str) -> None:
    got, headers, body = reply
    problem = json.loads(body)
    assert (got, problem["status"], problem["code"]) == (status, status, code), body
    assert headers["content-type"] == "application/problem+json"
    assert headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert problem["request_id"] == headers["x-request-id"]


def get(path: str = "/healthz", *, version: str = "1.1", host: str = "127.0.0.1", more: str = "") -> bytes:
    head = f"GET {path} HTTP/{version}\r\nHost: {host}\r\nConnection: close\r\n{more}\r\n"
    return head.encode("latin-1")


def post(body: dict[str, Any], *, length: int | None = None) -> bytes:
    raw = json.dumps(body).encode()
    head = "POST /ask HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nConnection: close\r\n"
    return f"{head}Content-Length: {length or len(raw)}\r\n\r\n".encode() + raw


class TestSlowClients:
    def test_f_1201_bodies_that_trickle_in_hold_no_place(self, running: Running) -> None:
        """F-1201: 32 of them had every question refused; none was ever closed."""
        slow = [connect(running) for _ in range(4 * SLOTS)]
        try:
            for connection in slow:
                connection.sendall(post(QUESTION, length=5_000))
            assert httpx2.post(running.url + "/ask", json=QUESTION).status_code == 200
            replies = [read(connection) for connection in slow]
        finally:
            for connection in slow:
                connection.close()
        for reply in replies:
            assert_problem(reply, 408, "request_timeout")

    def test_a_body_may_come_in_pieces(self, running: Running) -> None:
        whole = post(QUESTION)
        with connect(running) as connection:
            connection.sendall(whole[:-20])
            time.sleep(TIMEOUT_S / 3)
            connection.sendall(whole[-20:])
            assert read(connection)[0] == 200

    @pytest.mark.parametrize(
        "sent", [b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: ", b"GE", b"\r\n\r\n", b""]
    )
    def test_a_head_has_to_come_in_time(self, running: Running, sent: bytes) -> None:
        """One that has begun is told; a connection that says nothing is closed."""
        with connect(running) as connection:
            began = time.monotonic()
            connection.sendall(sent)
            if sent.strip():
                assert_problem(read(connection), 408, "request_timeout")
            else:
                assert connection.recv(1) == b""
            assert time.monotonic() - began < 10 * TIMEOUT_S

    def test_a_second_request_has_its_own_time(self, running: Running) -> None:
        with connect(running) as connection:
            connection.sendall(get().replace(b"Connection: close\r\n", b""))
            assert connection.recv(65_536).startswith(b"HTTP/1.1 200")
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHo")
            assert_problem(read(connection), 408, "request_timeout")

    def test_what_follows_a_refused_body_is_read_for_a_while_only(self, running: Running) -> None:
        with connect(running) as connection:
            connection.sendall(
                b"POST /ask HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 99999999999\r\n\r\nx"
            )
            assert_problem(read(connection), 413, "body_too_large")  # reads until it is closed


def test_a_client_that_takes_nothing_is_cut(running: Running) -> None:
    asked, size = 80, len(httpx2.get(running.url + "/openapi.json").content)
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        connection.connect(running.address)
        connection.settimeout(10)
        connection.sendall(get("/openapi.json").replace(b"Connection: close\r\n", b"") * asked)
        time.sleep(1)
        received = 0
        with suppress(ConnectionResetError):
            while piece := connection.recv(1_000_000):
                received += len(piece)
    assert received < asked * size / 2


LONG = [
    pytest.param([get(more=f"X-A: {'a' * MAX_HEAD_BYTES}\r\n")], id="one long header"),
    pytest.param([get(more=f"X-A: {'a' * 1_000}\r\n" * 70)], id="many headers"),
    pytest.param([get(more="a: b\r\n" * (MAX_HEADERS + 1))], id="too many headers"),
    pytest.param([get("/healthz?" + "a" * MAX_HEAD_BYTES)], id="a long address"),
    pytest.param([get()[:-2] + b"X-A: ", *[b"a" * 30_000] * 10], id="a header without end"),
    pytest.param([b"GET /", *[b"a" * 30_000] * 10], id="an address without end"),
    pytest.param([get()[:-2], *[b"X-A: " + b"a" * 30_000 + b"\r\n"] * 10], id="headers without end"),
]


class TestHeads:
    @pytest.mark.parametrize("pieces", LONG)
    def test_f_1202_headers_have_a_limit(self, running: Running, pieces: list[bytes]) -> None:
        """F-1202: 371 MB of them were a 200, and stayed in memory."""
        assert_problem(exchange(running, *pieces), 431, "headers_too_large")

    def test_f_1202_the_limit_itself_passes(self, running: Running) -> None:
        """F-1202: one just below it, and a body behind a long head."""
        assert exchange(running, get(more=f"X-A: {'a' * (MAX_HEAD_BYTES - 200)}\r\n"))[0] == 200
        asked = post(QUESTION).replace(b"Connection", b"X-A: " + b"a" * 60_000 + b"\r\nConnection", 1)
        assert exchange(running, asked)[0] == 200

    def test_requests_in_a_row_are_no_long_head(self, running: Running) -> None:
        """Pipelined, in pieces that end anywhere: each is answered, in order."""
        one = get().replace(b"Connection: close\r\n", b"X-A: " + b"a" * 4_000 + b"\r\n")
        raw = one * 40 + get()
        with connect(running) as connection:
            for start in range(0, len(raw), 30_000):
                connection.sendall(raw[start : start + 30_000])
            received = b""
            while piece := connection.recv(65_536):
                received += piece
        assert received.count(b"HTTP/1.1 200") == 41

    @pytest.mark.parametrize(
        ("raw", "status", "code"),
        [
            (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 tls\r\n\r\n", 400, "bad_request"),
            (b"GET /healthz\r\n\r\n", 505, "http_version"),
            (b"GET /a\x00b HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 400, "bad_request"),
            (get(version="2.0"), 505, "http_version"),
            (get(version="0.9"), 505, "http_version"),
            (get(more="Host: 127.0.0.1\r\n"), 400, "bad_request"),
            (get(more="Host: evil.example\r\n"), 400, "bad_request"),
            (b"GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n", 400, "bad_request"),
            (get("http://evil.example/healthz"), 421, "bad_host"),
            (get("http://evil.example"), 421, "bad_host"),
            (get(host="evil.example"), 421, "bad_host"),
            (get("evil.example:80"), 400, "bad_request"),
        ],
    )
    def test_f_1215_corners_of_http(self, running: Running, raw: bytes, status: int, code: str) -> None:
        """F-1214, F-1215: two hosts, a foreign absolute address and HTTP/2.0 passed; malformed HTTP was plain text."""
        assert_problem(exchange(running, raw), status, code)

    @pytest.mark.parametrize(
        "raw",
        [
            get("http://localhost:80/healthz?x", host="evil.example"),  # the address counts (RFC 9112, 3.2.2)
            get(version="1.0"),
            b"GET /healthz HTTP/1.0\r\n\r\n",
            get(more="Upgrade: websocket\r\nConnection: upgrade\r\n"),
        ],
    )
    def test_f_1215_what_is_allowed_passes(self, running: Running, raw: bytes) -> None:
        """F-1215: an absolute address of this host, HTTP/1.0, and an upgrade that is not taken."""
        host_needed = raw.startswith(b"GET /healthz HTTP/1.0\r\n\r\n")
        status, _, body = exchange(running, raw)
        assert status == (421 if host_needed else 200), body


def test_f_1203_answers_have_time_to_end_and_what_is_cut_says_so(filled: Database) -> None:
    """F-1203: after 5 s streams ended without `done` or `error`, and plain answers were a bare 500."""
    with ScriptedLlm("Take the square root of the number of rows [1]. " * 5) as llm:
        settings = settings_for(llm_base_url=llm.base_url, shutdown_timeout_s=0.5)
        llm.next_modes.extend(["answer", "hang_mid_stream", "hang_mid_stream"])
        llm.token_delay_s = 0.004
        asked = [QUESTION | {"stream": True}, QUESTION | {"stream": True}, QUESTION]
        with (
            ThreadPoolExecutor(3) as pool,
            serve(create_app(settings, filled, FakeEmbedder()), settings) as running,
        ):
            replies = []
            for body in asked:
                replies.append(pool.submit(httpx2.post, running.url + "/ask", json=body, timeout=20))
                assert llm.arrived.acquire(timeout=10)
            began = time.monotonic()
            running.terminate()
            finished, broken, cut = (reply.result() for reply in replies)
        assert time.monotonic() - began < 10
    assert finished.text.rpartition("event: ")[2].startswith("done\n")
    name, _, data = broken.text.rpartition("event: ")[2].partition("\ndata: ")
    assert (name, json.loads(data)["code"], "event: token" in broken.text) == ("error", "shutting_down", True)
    assert (cut.status_code, cut.json()["code"]) == (503, "shutting_down")
    assert int(cut.headers["retry-after"]) > 0
    assert cut.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
