"""Addresses in every place that can hold one, and a canary behind them: nothing is ever fetched (R23).

    .venv/bin/python -m tests.chaos.addresses [--vectors N] [--seed S] [--out FOLDER]

pgask takes no addresses to fetch; what is shown is that none is fetched where one stands: in fields and headers of
requests, names of files, and documents of each format that can refer to others. Canaries listen on both loopback
addresses; whatever this process connects to or looks up is seen by an audit hook (PostgreSQL's driver, which has no
part in this, connects by its own library). Parsers run in their children as ever, with the canaries to see them.
Prints one JSON object.
"""

from __future__ import annotations

import argparse
import io
import itertools
import random
import socket
import sys
import tempfile
import threading
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from fastapi.testclient import TestClient

from app.config import Settings
from app.logs import configure_logs
from app.main import create_app
from app.server.embedded import EmbeddedPostgres
from app.store.connection import Database
from app.store.migrate import migrate
from tests.chaos.evidence import report
from tests.fakes import FakeEmbedder
from tests.integration.ingesting import ingest
from tests.integration.uploading import run_jobs

SCHEMES: Final = ("http://", "https://", "ftp://", "gopher://", "//", "http:\\\\", "jar:http://", "http:///")
HOSTS: Final = (
    "127.0.0.1", "localhost", "127.1", "0177.0.0.1", "0x7f.1", "2130706433", "0x7f000001", "0", "0.0.0.0", "[::1]",
    "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[64:ff9b::7f00:1]", "[fd00::1]", "[fe80::1%25lo]",
    "127.0.0.1.nip.io", "localtest.me", "me@127.0.0.1", "example.org@127.0.0.1", "127.0.0.1#@example.org",
    "127.0.0.1\\@example.org", "①②⑦.⓪.⓪.①", "127。0。0。1", "LOCALHOST.", "169.254.169.254", "metadata.google.internal",
    "100.64.0.1", "10.0.0.1", "xn--lcalhost-54a",
)  # fmt: skip
HEADERS: Final = (
    "Origin",
    "Referer",
    "X-Forwarded-Host",
    "X-Forwarded-For",
    "Forwarded",
    "Link",
    "traceparent",
)


def addresses(port: int, count: int, seed: int) -> list[str]:
    """Addresses that lead, or may be thought to lead, to the canary or to what a service can reach alone."""
    every = [f"{scheme}{host}:{port}/canary" for scheme, host in itertools.product(SCHEMES, HOSTS)]
    every += [
        "file:///etc/passwd",
        "file://localhost/etc/passwd",
        f"\\\\127.0.0.1@{port}\\canary",
        "data:,canary",
    ]
    random.Random(seed).shuffle(every)
    return every[:count]


def documents(url: str) -> dict[str, bytes]:
    """A file of each format that may refer to another, with an address wherever it may."""
    pictures = f'<img src="{url}"><link rel="stylesheet" href="{url}"><script src="{url}"></script>'
    page = f'<html><head><base href="{url}"><meta http-equiv="refresh" content="0;url={url}"></head><body>{pictures}'
    frames = f'<iframe src="{url}"></iframe><object data="{url}"></object><video poster="{url}"></video>'
    entity = f'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY e SYSTEM "{url}">]><a>&e; words</a>'
    external = f'<Relationship Id="r1" Type="image" Target="{url}" TargetMode="External"/>'
    return {
        "a.md": f"---\nsource: {url}\n---\n# A\n\n![i]({url}) <{url}> [l]: {url}\n\n{pictures}\n".encode(),
        "a.html": f"{page}{frames}<p>words</p></body></html>".encode(),
        "a.xml": entity.encode(),
        "a.svg": f'<svg xmlns="http://www.w3.org/2000/svg"><image href="{url}"/><text>words</text></svg>'.encode(),
        "a.rst": f"A\n=\n\n.. include:: {url}\n\n.. image:: {url}\n\n.. csv-table:: T\n   :url: {url}\n".encode(),
        "a.adoc": f"= A\n\nwords\n\ninclude::{url}[]\n\nimage::{url}[]\n".encode(),
        "a.org": f"* A\nwords\n#+INCLUDE: {url}\n#+SETUPFILE: {url}\n[[{url}]]\n".encode(),
        "a.tex": f"\\section{{A}} words \\input{{{url}}} \\includegraphics{{{url}}}".encode(),
        "a.json": f'{{"$ref": "{url.encode("unicode_escape").decode()}"}}'.encode(),
        "a.docx": _docx(external),
    }


def _docx(relationship: str) -> bytes:
    word = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    relations = "http://schemas.openxmlformats.org/package/2006/relationships"
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        file.writestr("[Content_Types].xml", "<Types/>")
        file.writestr(
            "word/document.xml",
            f'<w:document xmlns:w="{word}"><w:body><w:p><w:r><w:t>words</w:t></w:r></w:p></w:body></w:document>',
        )
        file.writestr(
            "word/_rels/document.xml.rels",
            f'<Relationships xmlns="{relations}">{relationship}</Relationships>',
        )
    return stream.getvalue()


def requests(url: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """A request for each field that can hold an address."""
    ask = {"question": f"What stands at {url}?"}
    yield (
        "POST",
        "/ask",
        {
            "json": ask
            | {"history": [{"role": "user", "content": url}, {"role": "assistant", "content": url}]}
        },
    )
    yield "POST", "/search", {"json": ask | {"collection": "default", "filter": {"source_prefix": url}}}
    yield (
        "POST",
        "/search",
        {"json": {"question": "words", "filter": {"field": "source", "op": "eq", "value": url}}},
    )
    yield (
        "POST",
        "/v1/chat/completions",
        {"json": {"model": url, "messages": [{"role": "user", "content": url}]}},
    )
    parts = [{"type": "image_url", "image_url": {"url": url}}, {"type": "text", "text": "What is it?"}]
    yield (
        "POST",
        "/v1/chat/completions",
        {"json": {"model": "pgask/default", "messages": [{"role": "user", "content": parts}]}},
    )
    yield "GET", "/documents", {"params": {"q": url, "collection": url}}
    yield "POST", "/collections", {"json": {"name": url}}
    yield (
        "POST",
        "/documents/plan",
        {"json": {"collection": "default", "files": [{"name": url, "size_bytes": 5}]}},
    )
    yield (
        "POST",
        "/documents",
        {"files": [("files", (url[:200], b"# words"))], "data": {"folder": url, "readers": url}},
    )
    for header in HEADERS:
        yield (
            "POST",
            "/search",
            {"json": {"question": "words"}, "headers": {header: url.encode("ascii", "replace")}},
        )


@contextmanager
def watching() -> Iterator[tuple[int, list[str]]]:
    """Canaries on one port, and what reached them or was reached for, until the block ends."""
    seen: list[str] = []
    four, six = socket.create_server(("127.0.0.1", 0)), None
    port = four.getsockname()[1]
    if socket.has_dualstack_ipv6():
        six = socket.create_server(("::1", port), family=socket.AF_INET6)
    listeners = [one for one in (four, six) if one is not None]

    def listen(listener: socket.socket) -> None:
        while True:
            try:
                accepted, address = listener.accept()
            except OSError:
                return
            accepted.close()
            seen.append(f"canary from {address}")

    for listener in listeners:
        threading.Thread(target=listen, args=(listener,), daemon=True).start()
    _watched.append(seen)
    try:
        yield port, seen
    finally:
        _watched.remove(seen)
        for listener in listeners:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()


_watched: Final[list[list[str]]] = []


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if _watched and event in {"socket.connect", "socket.getaddrinfo", "socket.gethostbyname"}:
        if event == "socket.connect" and isinstance(arguments[1], str | bytes):
            return  # a file's name: no network
        for seen in _watched:
            seen.append(f"{event} {arguments[-1] if event == 'socket.connect' else arguments[0]}")


def run(database: Database, folder: Path, count: int, seed: int) -> dict[str, Any]:
    """Ask, send and take in; a hook stays in the process from the first call on."""
    if not _hooked:
        sys.addaudithook(_audit)
        _hooked.append(True)
    settings = Settings(_env_file=None, abstain_threshold=0.0, index_check_minutes=0)  # type: ignore[call-arg]
    statuses: dict[int, int] = {}
    asked = files = 0
    with (
        watching() as (port, seen),
        TestClient(
            create_app(settings, database, FakeEmbedder()),
            base_url="http://127.0.0.1",
            raise_server_exceptions=False,
        ) as client,
    ):
        vectors = addresses(port, count, seed)
        for number, url in enumerate(vectors):
            place = folder / str(number)
            place.mkdir(parents=True)
            for name, content in documents(url).items():
                (place / name).write_bytes(content)
                files += 1
        taken = ingest(database, folder)
        for url in vectors:
            for method, path, given in requests(url):
                reply = client.request(method, path, **given)
                statuses[reply.status_code] = statuses.get(reply.status_code, 0) + 1
                asked += 1
        run_jobs(database, settings)
        # the watch itself is seen to work: one that looks at nothing would hold as well
        reached = list(seen)
        with socket.create_connection(("127.0.0.1", port)):
            pass
        works = any("socket.connect" in one for one in seen[len(reached) :])
    return {
        "vectors": count, "requests": asked, "files": files, "documents": taken.new, "statuses": statuses,
        "reached": sorted(set(reached))[:20], "watch_works": works,
        "passed": not reached and works and not any(status >= 500 for status in statuses),
    }  # fmt: skip


_hooked: Final[list[bool]] = []


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; exit status 0 if nothing was reached for."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--vectors", type=int, default=120)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--out", type=Path)
    chosen = options.parse_args(arguments)
    configure_logs("ERROR")
    with (
        tempfile.TemporaryDirectory(prefix="pgask-chaos-") as made,
        EmbeddedPostgres(Path(made) / "home") as server,
    ):
        urls = server.start()
        database = Database(owner=urls.owner, app=urls.app)
        migrate(database)
        found = run(database, Path(made) / "documents", chosen.vectors, chosen.seed)
    return 0 if report("addresses", chosen.seed, found, out=chosen.out) else 1


if __name__ == "__main__":
    sys.exit(main())
