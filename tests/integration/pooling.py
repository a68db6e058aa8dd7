"""A pooler before PostgreSQL, as PgBouncer is one: clients share real backends, by transaction or by session."""

from __future__ import annotations

import os
import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Literal

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

_NO_STARTUP = {80877103, 80877104}  # SSL and GSS encryption are asked for
_CANCEL = 80877102


class Pooler:
    """Use as a context manager; `url` leads through it, with a password or without. Free backends are lent out the last
    one first, as PgBouncer does it."""

    def __init__(
        self, url: str, folder: Path, mode: Literal["transaction", "session"], size: int = 2
    ) -> None:
        self._mode = mode
        self._backends = [psycopg.connect(url, autocommit=True) for _ in range(size)]
        self._free = [socket.socket(fileno=os.dup(backend.fileno())) for backend in self._backends]
        for free in self._free:
            free.setblocking(True)
        self._open = list(self._free)
        self._threads: list[threading.Thread] = []
        self._turn = threading.Condition()
        port = str(conninfo_to_dict(url).get("port", "5432"))
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(folder / f".s.PGSQL.{port}"))
        self._listener.listen(64)
        self.url = make_conninfo(url, host=str(folder))

    def __enter__(self) -> Pooler:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        for one in (self._listener, *self._open):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(timeout=5)
        for one in (self._listener, *self._open):
            one.close()
        for backend in self._backends:
            backend.close()

    def _accept(self) -> None:
        with suppress(OSError):
            for number in range(1, 1_000):
                client, _ = self._listener.accept()
                self._open.append(client)
                self._start(self._serve, client, number)

    def _start(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _serve(self, client: socket.socket, number: int) -> None:
        backend: socket.socket | None = None
        try:
            if not self._welcome(client, number):
                return
            while batch := _read_batch(client):
                if backend is None:
                    with self._turn:
                        self._turn.wait_for(lambda: self._free)
                        backend = self._free.pop()
                backend.sendall(batch)
                kind, status = b"", b""
                while kind != b"Z":
                    kind, body = _read_message(backend)
                    client.sendall(kind + struct.pack("!i", len(body) + 4) + body)
                    status = body[:1]
                if self._mode == "transaction" and status == b"I":
                    self._give_back(backend)
                    backend = None
        except OSError:
            pass
        finally:
            if backend is not None and self._mode == "session":
                _reset(backend)
            self._give_back(backend)
            client.close()

    def _give_back(self, backend: socket.socket | None) -> None:
        if backend is not None:
            with self._turn:
                self._free.append(backend)
                self._turn.notify()

    def _welcome(self, client: socket.socket, number: int) -> bool:
        while (code := struct.unpack("!i", _read_sized(client)[:4])[0]) in _NO_STARTUP:
            client.sendall(b"N")
        if code == _CANCEL:
            return False
        told = b"R" + struct.pack("!ii", 8, 0)
        for name in (
            b"server_version",
            b"client_encoding",
            b"standard_conforming_strings",
            b"integer_datetimes",
        ):
            value = name + b"\0" + (self._backends[0].pgconn.parameter_status(name) or b"") + b"\0"
            told += b"S" + struct.pack("!i", len(value) + 4) + value
        client.sendall(told + b"K" + struct.pack("!iii", 12, number, 0) + b"Z" + struct.pack("!i", 5) + b"I")
        return True


def _reset(backend: socket.socket) -> None:
    """Leave nothing of the session that ends, as server_reset_query does."""
    with suppress(OSError):
        statement = b"DISCARD ALL\0"
        backend.sendall(b"Q" + struct.pack("!i", len(statement) + 4) + statement)
        while _read_message(backend)[0] != b"Z":
            pass


def _read_batch(client: socket.socket) -> bytes:
    """Messages up to one that the server answers with ReadyForQuery; empty where the client leaves."""
    batch, kind = b"", b""
    while kind not in (b"Q", b"S"):
        kind, body = _read_message(client)
        if kind in (b"", b"X"):
            return b""
        batch += kind + struct.pack("!i", len(body) + 4) + body
    return batch


def _read_message(source: socket.socket) -> tuple[bytes, bytes]:
    kind = _read(source, 1)
    return (kind, _read_sized(source)) if kind else (b"", b"")


def _read_sized(source: socket.socket) -> bytes:
    (size,) = struct.unpack("!i", _read(source, 4))
    return _read(source, size - 4)


def _read(source: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size:
        piece = source.recv(size - len(found))
        if not piece:
            if found or size != 1:
                raise ConnectionError("cut off")
            return b""
        found += piece
    return found
