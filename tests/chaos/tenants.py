"""Two tenants in one service (R30): whatever one of them asks, nothing of the other one comes back.

    .venv/bin/python -m tests.chaos.tenants [--readers] [--operations N] [--timed N] [--seed S] [--out FOLDER]

With `--readers` the other one is a group of the same tenant, whose documents lie in the same collection for it alone.

Both have collections, sources and titles of the same names, in one embedding space. With keys of every role one asks
for what the other has: its ids on every route, its texts word for word, its names, sources and metadata in filters and
cursors. A leak is a reply that holds a word or an id of the other one that was not asked with, or that differs from
the reply to the same request about something that nobody has. With `--timed`, replies about what the other one has and
about what nobody has are timed in turn: their medians differ by less than MOST_MS. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import random
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from fastapi.testclient import TestClient
from psycopg import sql

from app.domain import Role
from app.logs import configure_logs
from app.main import create_app
from app.server.embedded import EmbeddedPostgres
from app.store import accounts
from app.store.connection import Database, connect, write
from app.store.connection_pool import open_pool
from app.store.migrate import migrate
from app.store.shelves import ensure_shelf
from app.store.tenancy import Scope, working_for
from app.store.tenant_list import create_tenant
from tests.chaos.evidence import report
from tests.fakes import FakeEmbedder
from tests.integration.api.conftest import BASE_URL, settings_for
from tests.integration.ingesting import ingest
from tests.integration.uploading import run_jobs

MOST_MS: Final = 5.0
DOCUMENTS: Final = 12  # of each tenant and collection
OWN_NAME: Final = "plans"  # a collection that only the victim has
AGENT_HEADERS: Final = {"Accept": "application/json", "MCP-Protocol-Version": "2025-11-25"}
TIMED: Final = ("document", "text", "delete", "list", "search elsewhere", "filter")
ROLES: Final[tuple[Role, ...]] = ("reader", "writer", "admin")
_UUID: Final = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Tenant:
    """What is known of a tenant: its keys by role, documents' ids and texts, and the words that only it has."""

    name: str
    number: int
    keys: Mapping[Role, str]
    narrowed: str  # a reader's key that sees `default` alone
    ids: Sequence[str]
    chunk_ids: Sequence[str]
    texts: Sequence[str]
    secrets: Sequence[str]
    job: str = ""  # of a file that it sent, the last of its documents
    sent: str = ""
    reply: str = ""  # the id of one that it may rate
    talk: str = ""  # of a conversation that it keeps

    @property
    def scope(self) -> Scope:
        """All that it has."""
        return Scope(self.number, groups=None)


@dataclass(frozen=True, slots=True)
class Operation:
    """A request; `about` is what it asks for of the other one's, to be replaced by what nobody has."""

    method: str
    path: str
    body: Any = None
    about: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)

    def elsewhere(self, nobody: str) -> Operation:
        """The same about something that nobody has."""
        told = json.dumps([self.path, self.body, dict(self.parameters)]).replace(
            json.dumps(self.about)[1:-1], json.dumps(nobody)[1:-1]
        )
        path, body, parameters = json.loads(told)
        return Operation(self.method, path, body, nobody, parameters)


@dataclass(slots=True)
class Figures:
    """What a run found."""

    operations: int = 0
    statuses: dict[str, int] = field(default_factory=dict)
    by_kind: dict[str, int] = field(default_factory=dict)
    own_found: int = 0  # of questions about its own, so that a service that finds nothing does not pass
    medians_ms: dict[str, tuple[float, float]] = field(default_factory=dict)  # the other one's, nobody's
    # What should be empty.
    leaks: list[str] = field(default_factory=list)
    slower: list[str] = field(default_factory=list)

    def passed(self) -> bool:
        """Tell whether nothing leaked."""
        return not self.leaks and not self.slower and self.operations > 0 < self.own_found


def write_texts(folder: Path, tenant: str, stem: str = "pier") -> list[str]:
    """The files of a tenant: names and subjects alike, words of its own."""
    texts = []
    for number in range(DOCUMENTS):
        secret = secret_word(tenant, number)
        text = (
            f"---\nowner: {secret}\nlevel: {number % 3}\n---\n# Harbour rules {number}\n\nThe harbour master of pier"
            f" {number} is called {secret}. Ships moor at pier {number} before noon."
            f" 第{number}号码头的负责人是{secret}。\n"
        )
        (folder / f"{stem}{number:02}.md").write_text(text, "utf-8")
        texts.append(text.split("\n\n")[1].strip())
    return texts


def secret_word(tenant: str, number: int) -> str:
    """A word that only one document of one tenant has."""
    digits = "".join("bdfgklmnpr"[int(digit)] + "aeiou"[int(digit) % 5] for digit in f"{number:03}")
    return f"zq{tenant}x{digits}"


def found_tenant(database: Database, folder: Path, name: str) -> Tenant:
    """Make a tenant with its documents and keys."""
    with connect(database.owner) as owner:
        create_tenant(owner, name)
        row = owner.execute("SELECT id FROM pgask.tenants WHERE name = %s", [name]).fetchone()
    assert row is not None
    home = folder / name / "files"
    home.mkdir(parents=True)
    texts = write_texts(home, name)
    with working_for(Scope(row[0])):
        ingest(database, home)
        if name == "victim":
            ingest(database, home, collection=OWN_NAME)
    keys = {role: make_key(database, row[0], role) for role in ROLES}
    narrowed = make_key(database, row[0], "reader", ["default"])
    secrets = [secret_word(name, number) for number in range(DOCUMENTS)]
    ids, chunks = _ids(database, Scope(row[0]), "%")
    return Tenant(name, row[0], keys, narrowed, ids, chunks, texts, secrets)


def found_readers(database: Database, folder: Path) -> tuple[Tenant, Tenant]:
    """One tenant, and as if it were two: what all may read there, with keys of no group, and what some documents of the
    same collection hold for the group `hr` alone."""
    attacker = found_tenant(database, folder, "attacker")
    home = folder / "victim" / "quays"
    home.mkdir(parents=True)
    texts = write_texts(home, "victim", "quay")
    with working_for(attacker.scope):
        ingest(database, home)
        with connect(database.app) as app:
            row = app.execute("SELECT space_id FROM pgask.collections").fetchone()
            assert row is not None
            shelf = ensure_shelf(app, "default", row[0], ("hr",))
            app.execute(
                "SELECT pgask.move_document(id, %s) FROM pgask.documents WHERE source LIKE 'quay%%'",
                [shelf.id],
            )
    keys = {role: make_key(database, attacker.number, role, groups=["hr"]) for role in ROLES}
    narrowed = make_key(database, attacker.number, "reader", ["default"], groups=["hr"])
    secrets = [secret_word("victim", number) for number in range(DOCUMENTS)]
    ids, chunks = _ids(database, attacker.scope, "quay%")
    victim = Tenant("victim", attacker.number, keys, narrowed, ids, chunks, texts, secrets)
    outside: dict[Role, str] = {role: key for role, key in attacker.keys.items() if role != "admin"}
    return replace(attacker, keys=outside), victim


def _ids(database: Database, scope: Scope, sources: str) -> tuple[list[str], list[str]]:
    """Of the documents that are called so, and of their chunks."""
    with working_for(scope), connect(database.app) as app:
        documents = app.execute(
            "SELECT id::text FROM pgask.documents WHERE source LIKE %s ORDER BY source, id", [sources]
        ).fetchall()
        chunks = app.execute(
            "SELECT k.id::text FROM pgask.chunks k JOIN pgask.documents d ON d.id = k.document_id"
            " WHERE d.source LIKE %s ORDER BY k.id",
            [sources],
        ).fetchall()
    return [found for (found,) in documents], [found for (found,) in chunks]


def send_file(client: TestClient, database: Database, tenant: Tenant, readers: Sequence[str] = ()) -> Tenant:
    """Let a tenant send a file to the service, and a worker take it in."""
    secret = secret_word(tenant.name, DOCUMENTS)
    content = f"# Night rules\n\nAt night the harbour is watched by {secret}.\n".encode()
    reply = client.post(
        "/documents",
        files=[("files", ("night.md", content))],
        data={"readers": list(readers)},
        headers=bearer(tenant.keys["writer"]),
    )
    job = reply.raise_for_status().json()["job"]["id"]
    with working_for(tenant.scope):
        run_jobs(database, settings_for())
    files = client.get(f"/jobs/{job}", headers=bearer(tenant.keys["writer"])).json()["files"]
    sent = files[0]["document_id"]
    asked = client.post("/ask", json={"question": tenant.texts[0]}, headers=bearer(tenant.keys["reader"]))
    reply, talk = asked.raise_for_status().json()["request_id"], f"talk-{secret}"
    kept = client.put(
        f"/conversations/{talk}",
        json={"name": secret, "content": {"turns": [{"answer": secret}]}},
        headers=bearer(tenant.keys["reader"]),
    )
    kept.raise_for_status()
    return replace(
        tenant,
        job=job,
        sent=sent,
        reply=reply,
        talk=talk,
        ids=[*tenant.ids, sent, job],
        secrets=[*tenant.secrets, secret],
    )


def make_key(
    database: Database,
    tenant: int,
    role: Role,
    collections: Sequence[str] | None = None,
    *,
    groups: Sequence[str] = (),
) -> str:
    """A key of a tenant."""

    async def make() -> str:
        async with open_pool(database.app, size=1, statement_timeout_s=60, otherwise=Scope(tenant)) as pool:
            key, _ = await write(
                pool,
                lambda connection: accounts.create_key(
                    connection, role, role, collections=collections, groups=groups
                ),
            )
        return key

    return asyncio.run(make())


def _cursor(source: str) -> str:
    return base64.urlsafe_b64encode(f"s:{source}".encode()).decode("ascii")


def operations(victim: Tenant) -> Mapping[str, Callable[[random.Random], Operation]]:
    """What is tried, by kind."""

    def document(rng: random.Random) -> str:
        return rng.choice(victim.ids)

    def question(rng: random.Random) -> str:
        return rng.choice(
            [*victim.texts, *victim.secrets, f"Who is {rng.choice(victim.secrets)}?", "Who is it?"]
        )

    def filtered(rng: random.Random) -> Operation:
        secret = rng.choice(victim.secrets)
        wanted: Any = rng.choice(
            [
                {"metadata": {"owner": secret}},
                {"where": {"field": "metadata.owner", "op": "=", "value": secret}},
                {"where": {"field": "metadata.owner", "op": "prefix", "value": secret[:-1]}},
                {"source_prefix": f"files/{secret}"},
            ]
        )
        filters = wanted.get("where") or wanted
        return Operation(
            "POST", "/search", {"question": "Who is the harbour master?", "filter": filters}, secret
        )

    def cursor(rng: random.Random) -> Operation:
        return Operation(
            "GET",
            "/documents",
            parameters={"cursor": _cursor(f"files/pier{rng.randrange(DOCUMENTS):02}"), "limit": "5"},
        )

    def elsewhere_asked(path: str) -> Callable[[random.Random], Operation]:
        return lambda rng: Operation(
            "POST", path, {"question": question(rng), "collection": OWN_NAME, "explain": True}, OWN_NAME
        )

    return {
        "document": lambda rng: Operation("GET", f"/documents/{(one := document(rng))}", about=one),
        "text": lambda rng: Operation(
            "GET",
            f"/documents/{(one := document(rng))}/text",
            about=one,
            parameters={"start": str(rng.randrange(50))},
        ),
        "delete": lambda rng: Operation("DELETE", f"/documents/{(one := document(rng))}", about=one),
        "chunk id": lambda rng: Operation(
            "GET", f"/documents/{(one := rng.choice(victim.chunk_ids))}", about=one
        ),
        "list": lambda _: Operation("GET", "/documents", about=OWN_NAME, parameters={"collection": OWN_NAME}),
        "cursor": cursor,
        "collections": lambda _: Operation("GET", "/collections"),
        "search": lambda rng: Operation(
            "POST", "/search", {"question": question(rng), "explain": rng.random() < 0.5, "top_k": 50}
        ),
        "search elsewhere": elsewhere_asked("/search"),
        "ask": lambda rng: Operation(
            "POST", "/ask", {"question": question(rng), "explain": rng.random() < 0.5}
        ),
        "ask elsewhere": elsewhere_asked("/ask"),
        "stream": lambda rng: Operation("POST", "/ask", {"question": question(rng), "stream": True}),
        "filter": filtered,
        "follow-up": lambda rng: Operation(
            "POST",
            "/ask",
            {
                "question": "And who else?",
                "history": [
                    {"role": "user", "content": question(rng)},
                    {"role": "assistant", "content": "It is written in pier03.md. [1]"},
                ],
            },
        ),
        "about": lambda rng: Operation(
            "POST",
            "/ask",
            {"question": rng.choice(["How many documents are there?", "What is in here?", "有哪些文档？"])},
        ),
        "chat": lambda rng: Operation(
            "POST",
            "/v1/chat/completions",
            {"model": "pgask", "messages": [{"role": "user", "content": question(rng)}]},
        ),
        "chat elsewhere": lambda rng: Operation(
            "POST",
            "/v1/chat/completions",
            {"model": OWN_NAME, "messages": [{"role": "user", "content": question(rng)}]},
            OWN_NAME,
        ),
        "original": lambda _: Operation("GET", f"/documents/{victim.sent}/original", about=victim.sent),
        "pages": lambda _: Operation("GET", f"/documents/{victim.sent}/pages", about=victim.sent),
        "picture": lambda _: Operation("GET", f"/documents/{victim.sent}/pages/1.png", about=victim.sent),
        "lines": lambda _: Operation("GET", f"/documents/{victim.sent}/pages/1/lines", about=victim.sent),
        "boxes": lambda _: Operation(
            "GET",
            f"/documents/{victim.sent}/boxes",
            about=victim.sent,
            parameters={"start": "0", "end": "40"},
        ),
        "rate": lambda _: Operation(
            "POST", "/feedback", {"request_id": victim.reply, "rating": "up"}, victim.reply
        ),
        "ratings": lambda _: Operation("GET", "/feedback"),
        "conversation": lambda _: Operation("GET", f"/conversations/{victim.talk}", about=victim.talk),
        "conversations": lambda _: Operation("GET", "/conversations"),
        "forget": lambda _: Operation("DELETE", f"/conversations/{victim.talk}", about=victim.talk),
        "change": lambda rng: Operation(
            "PATCH", f"/documents/{(one := document(rng))}", {"title": "Mine"}, one
        ),
        "jobs": lambda _: Operation("GET", "/jobs"),
        "job": lambda _: Operation("GET", f"/jobs/{victim.job}", about=victim.job),
        "job's events": lambda _: Operation("GET", f"/jobs/{victim.job}/events", about=victim.job),
        "retry": lambda _: Operation("POST", f"/jobs/{victim.job}/retry", about=victim.job),
        "again": lambda _: Operation("POST", f"/documents/{victim.sent}/reingest", about=victim.sent),
        "several again": lambda _: Operation(
            "POST", "/documents/reingest", {"documents": [victim.sent]}, about=victim.sent
        ),
        "cancel": lambda _: Operation("POST", f"/jobs/{victim.job}/cancel", about=victim.job),
        "status": lambda _: Operation("GET", "/status"),
        "agent": lambda rng: Operation("POST", "/mcp", agent("search", {"question": question(rng)})),
        "agent elsewhere": lambda rng: Operation(
            "POST", "/mcp", agent("ask", {"question": question(rng), "collection": OWN_NAME}), OWN_NAME
        ),
        "agent reads": lambda rng: Operation(
            "POST", "/mcp", agent("read", {"document_id": (one := document(rng))}), one
        ),
        "agent's resource": lambda rng: Operation(
            "POST",
            "/mcp",
            {
                "jsonrpc": "2.0",
                "id": 1,
                "method": "resources/read",
                "params": {"uri": f"pgask://documents/{(one := document(rng))}"},
            },
            one,
        ),
        "agent lists": lambda _: Operation("POST", "/mcp", agent("list_collections", {})),
        "rename": lambda _: Operation("PATCH", f"/collections/{OWN_NAME}", {"name": "renamed"}, OWN_NAME),
        "delete all": lambda _: Operation("DELETE", f"/collections/{OWN_NAME}", about=OWN_NAME),
        "find": lambda rng: Operation(
            "GET",
            "/documents",
            about=(one := rng.choice(victim.secrets)),
            parameters={"q": one, "facets": "true"},
        ),
        "models": lambda _: Operation("GET", "/v1/models"),
        "model": lambda _: Operation("GET", f"/v1/models/{OWN_NAME}", about=OWN_NAME),
        "metrics": lambda _: Operation("GET", "/metrics"),
        "session": lambda _: Operation("GET", "/session"),
        "log in": lambda rng: Operation(
            "POST",
            "/session",
            {"key": (key := victim.keys[rng.choice(ROLES)])[: rng.randrange(12, len(key))]},
        ),
        "ready": lambda _: Operation("GET", "/readyz"),
        "no id": lambda rng: Operation("GET", f"/documents/{document(rng)[:-1]}"),
    }


# About a collection that only the victim has: of one tenant all see all names.
_OF_TENANTS: Final = frozenset(
    (
        "list",
        "search elsewhere",
        "ask elsewhere",
        "chat elsewhere",
        "agent elsewhere",
        "model",
        "rename",
        "delete all",
    )
)


def run(
    database: Database,
    folder: Path,
    *,
    count: int,
    timed: int,
    seed: int,
    breaks: sql.Composed | None = None,
    readers: bool = False,
) -> Figures:
    """Make two tenants in a migrated database, or `readers` of one and others, and try so many operations. `breaks` is
    done by the owner before."""
    rng = random.Random(seed)
    if readers:
        attacker, victim = found_readers(database, folder)
    else:
        attacker, victim = (
            found_tenant(database, folder, "attacker"),
            found_tenant(database, folder, "victim"),
        )
    app = create_app(settings_for(auth="keys", abstain_threshold=0.0), database, FakeEmbedder())
    figures = Figures()
    with TestClient(app, base_url=BASE_URL) as client:
        # Two of one name, which is free: the second one does not see the first
        victim = send_file(client, database, victim, ["hr"] if readers else [])
        attacker = send_file(client, database, attacker)
        if breaks is not None:
            with connect(database.owner) as owner:
                owner.execute(breaks)
        tried = operations(victim)
        kinds = {kind: made for kind, made in tried.items() if not readers or kind not in _OF_TENANTS}
        before = listed(client, attacker)
        attack = _Attack(client, attacker, victim, figures, rng)
        for number in range(count):
            kind = rng.choice(list(kinds)) if number >= len(kinds) else list(kinds)[number]
            attack.attempt(kind, kinds[kind](rng))
        if listed(client, attacker) != before:
            figures.leaks.append("what the attacker sees of its own has changed")
        for number in range(DOCUMENTS):
            body = {"question": attacker.texts[number]}
            reply = client.post("/search", json=body, headers=bearer(attacker.keys["reader"]))
            figures.own_found += attacker.secrets[number] in reply.text
        for kind in [kind for kind in TIMED if timed and kind in kinds]:
            attack.time(kind, kinds[kind], timed)
    with working_for(victim.scope), connect(database.app) as connection:
        left = connection.execute(
            "SELECT count(*) FROM pgask.documents WHERE id::text = ANY(%s)", [list(victim.ids)]
        ).fetchone()
    if left != (len(victim.ids) - 1,):  # one is the job's
        figures.leaks.append(f"of {len(victim.ids) - 1} documents of the victim {left} are left")
    return figures


def listed(client: TestClient, tenant: Tenant) -> Any:
    """What a tenant sees in lists."""
    headers = bearer(tenant.keys["reader"])
    return [client.get(path, headers=headers).json() for path in ("/collections", "/documents", "/v1/models")]


def bearer(key: str) -> dict[str, str]:
    """The header of a key."""
    return {"Authorization": f"Bearer {key}"}


def agent(tool: str, arguments: Mapping[str, Any]) -> Any:
    """What an agent sends to call a tool."""
    named = {"name": tool, "arguments": dict(arguments)}
    return {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": named}


def send(client: TestClient, operation: Operation, key: str) -> Any:
    """The reply to a request."""
    return client.request(
        operation.method,
        operation.path,
        params=dict(operation.parameters),
        json=operation.body,
        headers=bearer(key) | (AGENT_HEADERS if operation.path == "/mcp" else {}),
    )


@dataclass(frozen=True, slots=True)
class _Attack:
    """Who tries it on whom, and where it is told."""

    client: TestClient
    attacker: Tenant
    victim: Tenant
    figures: Figures
    rng: random.Random

    def attempt(self, kind: str, operation: Operation) -> None:
        """Send it by any of the keys, and look at the reply."""
        key = self.rng.choice([*self.attacker.keys.values(), self.attacker.narrowed])
        self.figures.operations += 1
        _count(self.figures.by_kind, kind)
        reply = send(self.client, operation, key)
        _count(self.figures.statuses, str(reply.status_code))
        asked = json.dumps([operation.path, operation.body, dict(operation.parameters)], ensure_ascii=False)
        known = [*self.victim.secrets, *self.victim.ids, self.victim.name, OWN_NAME]
        told = [word for word in known if word in reply.text and word not in asked]
        if told or reply.status_code >= 500:
            self.figures.leaks.append(f"{kind}: {reply.status_code} {asked[:200]} tells {told}")
        if operation.about:
            nobody = self.nobody(operation)
            other = send(self.client, operation.elsewhere(nobody), key)
            if _plain(reply, operation.about) != _plain(other, nobody):
                self.figures.leaks.append(f"{kind}: {asked[:200]} differs from what nobody has")

    def nobody(self, operation: Operation) -> str:
        """Something of the kind that it asks for, which nobody has."""
        if _UUID.fullmatch(operation.about):
            return str(UUID(int=self.rng.getrandbits(128), version=4))
        return str(10**12 + self.rng.randrange(10**6)) if operation.about.isdigit() else "nobodys"

    def time(self, kind: str, ask: Callable[[random.Random], Operation], times: int) -> None:
        """Time what the other one has against what nobody has, in turn."""
        spent: tuple[list[float], list[float]] = ([], [])
        for _ in range(times):
            operation = ask(self.rng)
            tried = [(0, operation), (1, operation.elsewhere(self.nobody(operation)))]
            self.rng.shuffle(tried)
            for place, one in tried:
                began = time.perf_counter()
                send(self.client, one, self.attacker.keys["writer"])
                spent[place].append((time.perf_counter() - began) * 1000)
        theirs, nobodys = (round(statistics.median(each), 3) for each in spent)
        self.figures.medians_ms[kind] = (theirs, nobodys)
        if abs(theirs - nobodys) >= MOST_MS:
            self.figures.slower.append(kind)


def _count(counts: dict[str, int], name: str) -> None:
    counts[name] = counts.get(name, 0) + 1


def _plain(reply: Any, about: str) -> tuple[int, str]:
    """A reply without what differs from one request to the next."""
    text = reply.text.replace("\\", "").replace(about, "…")  # an agent gets JSON as text of JSON
    text = re.sub(r'"(request_id|id)":\s*"[^"]*"', "", text)
    return reply.status_code, re.sub(
        r'"(timings_ms|created|score|total|[a-z_]+_ms)":\s*(\{[^}]*\}|[\d.e-]+)', "", text
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; exit status 0 if nothing leaked."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--operations", type=int, default=10_000)
    options.add_argument("--timed", type=int, default=200)
    options.add_argument("--readers", action="store_true", help="of one tenant, in place of two tenants")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--out", type=Path)
    chosen = options.parse_args(arguments)
    configure_logs("ERROR")
    with (
        tempfile.TemporaryDirectory(prefix="pgask-tenants-") as made,
        EmbeddedPostgres(Path(made) / "home") as server,
    ):
        urls = server.start()
        database = Database(owner=urls.owner, app=urls.app)
        migrate(database)
        figures = run(
            database,
            Path(made),
            count=chosen.operations,
            timed=chosen.timed,
            seed=chosen.seed,
            readers=chosen.readers,
        )
    told = asdict(figures) | {"passed": figures.passed()}
    name = "readers" if chosen.readers else "tenants"
    return 0 if report(name, chosen.seed, told, out=chosen.out) else 1


if __name__ == "__main__":
    sys.exit(main())
