"""Clients that are slow, many, hostile or simply there when the service has to end; and a database that hangs.

    .venv/bin/python -m tests.chaos.clients PART [--clients N] [--seed S] [--out FOLDER]

PART: slow (R35), headers, drain (R22), overload (R21), streams (R20), hang (R7), payloads (R29), secrets (R37),
failures (R17), down (R18). Each runs the service as a process of its own (tests/chaos/served.py) and prints one JSON
object with its figures.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
import resource
import signal
import socket
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, get_args

import psycopg

from app.server.embedded import EmbeddedPostgres
from app.store.connection import see
from app.store.tenancy import DEFAULT
from tests.chaos.evidence import report
from tests.chaos.served import Service
from tests.fakes import Body, Mode, ScriptedLlm

QUESTION: Final = "Which vector index has the list?"
HEADERS: Final = "Content-Type: application/json\r\nConnection: close\r\n"
PATIENCE_S: Final = 120.0


@dataclass(slots=True)
class Reply:
    """What came back, and how long it took; status 0: nothing."""

    status: int = 0
    head: str = ""
    body: str = ""
    seconds: float = 0.0
    first_s: float = 0.0  # until the first byte

    def event(self) -> str:
        """The last event of a stream."""
        return self.body.rpartition("event: ")[2].partition("\n")[0]


@dataclass(slots=True)
class Figures:
    """What a part found."""

    figures: dict[str, Any] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def hold(self, what: str, holds: bool) -> None:
        if not holds:
            self.faults.append(what)


async def send(service: Service, path: str, body: Any = None, *, more: str = "") -> Reply:
    """One request on a connection of its own."""
    began, reply = time.monotonic(), Reply()
    raw = b"" if body is None else json.dumps(body).encode("utf-8", "surrogatepass")
    method = "GET" if body is None else "POST"
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{HEADERS}{more}Content-Length: {len(raw)}\r\n\r\n"
    with suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
        async with asyncio.timeout(PATIENCE_S):
            reader, writer = await asyncio.open_connection(*service.address)
            writer.write(head.encode() + raw)
            raw = await reader.read(65_536)
            reply.first_s = time.monotonic() - began
            found = (raw + await reader.read(-1)).decode("utf-8", "replace")
            writer.close()
            reply.head, _, reply.body = found.partition("\r\n\r\n")
            reply.status = int(reply.head.split()[1]) if reply.head else 0
    reply.seconds = time.monotonic() - began
    return reply


async def ask(service: Service, question: str = QUESTION, **more: Any) -> Reply:
    return await send(service, "/ask", {"question": question} | more)


def p95(replies: Sequence[Reply]) -> float:
    """In milliseconds."""
    ordered = sorted(reply.seconds for reply in replies)
    return round(1000 * ordered[int(0.95 * (len(ordered) - 1))], 1)


async def in_turn(service: Service, number: int) -> list[Reply]:
    return [await ask(service) for _ in range(number)]


async def slow(clients: int, seed: int, home: Path, found: Figures) -> None:
    """Heads and bodies a byte at a time: others' p95 at most twice what it was, and all of them closed."""
    kinds = [
        "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: ",
        f"POST /ask HTTP/1.1\r\nHost: 127.0.0.1\r\n{HEADERS}Content-Length: 5000\r\n\r\n",
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\n{HEADERS}Content-Length: 5000\r\n\r\n",
        "",
    ]
    with Service(home) as service:
        await in_turn(service, 20)
        before = await in_turn(service, 100)
        closed = 0

        async def trickle(number: int) -> None:
            nonlocal closed
            reader, writer = await asyncio.open_connection(*service.address)
            writer.write(kinds[number % len(kinds)].encode())
            leaving = asyncio.create_task(reader.read(-1))
            with suppress(OSError):
                while not leaving.done():
                    if number % len(kinds) != 3:
                        writer.write(b"a")
                        await writer.drain()
                    await asyncio.wait({leaving}, timeout=1.0)
            await asyncio.gather(leaving, return_exceptions=True)
            closed += 1
            writer.close()

        tasks = [asyncio.create_task(trickle(number)) for number in range(clients)]
        await asyncio.sleep(2)
        during = await in_turn(service, 100)
        await asyncio.wait(tasks, timeout=40)
        for task in tasks:
            task.cancel()
    statuses = Counter(str(reply.status) for reply in during)
    found.figures |= {"clients": clients, "closed": closed, "statuses": dict(statuses)}
    found.figures |= {"p95_before_ms": p95(before), "p95_during_ms": p95(during)}
    found.hold("every question is answered", statuses == {"200": len(during)})
    found.hold("p95 at most doubles", p95(during) <= 2 * p95(before))
    found.hold("slow clients are closed", closed == clients)


async def headers(clients: int, seed: int, home: Path, found: Figures) -> None:
    """`clients` times 300 MB of header lines: 431 or a cut, and no memory for them."""
    line = b"X-A: " + b"a" * 65_000 + b"\r\n"
    with Service(home) as service:
        before, highest, told = service.rss_mb(), 0.0, 0

        async def pour() -> None:
            nonlocal highest, told
            reader, writer = await asyncio.open_connection(*service.address)
            reading = asyncio.create_task(reader.read(2_000))
            writer.write(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n")
            with suppress(OSError):
                for _ in range(4_600):
                    writer.write(line)
                    await writer.drain()
                    highest = max(highest, service.rss_mb())
            with suppress(OSError):
                told += b" 431 " in await reading

        await asyncio.gather(*(pour() for _ in range(clients)))
        found.hold("it lives", (await send(service, "/healthz")).status == 200)
    found.figures |= {"clients": clients, "told_431": told, "rss_before_mb": round(before)}
    found.figures |= {"rss_highest_mb": round(highest)}
    found.hold("memory stays", highest < before + 30)


async def drain(clients: int, seed: int, home: Path, found: Figures) -> None:
    """SIGTERM while a slow model answers: every stream ends in `done` or `error`, every plain request in 200 or 503."""
    with ScriptedLlm("The list is in the index [1]. " * 12) as llm:
        llm.token_delay_s = 0.25
        for _ in range(max(1, clients // 5)):
            llm.next_modes.extend(["answer", "answer", "hang_mid_stream", "answer", "answer"])
        limits = {"llm_concurrency": 1_000, "llm_idle_timeout_s": 100, "max_concurrent_asks": 1_000}
        with Service(home, llm_base_url=llm.base_url, **limits) as service:
            asked = [asyncio.create_task(ask(service, stream=number % 3 != 0)) for number in range(clients)]
            for _ in range(clients):
                await asyncio.to_thread(llm.arrived.acquire, timeout=60)
            began = time.monotonic()
            service.process.send_signal(signal.SIGTERM)
            replies = await asyncio.gather(*asked)
            await asyncio.to_thread(service.process.wait, 60)
            ended_s = time.monotonic() - began
    streams = Counter(reply.event() for number, reply in enumerate(replies) if number % 3)
    plain = Counter(str(reply.status) for number, reply in enumerate(replies) if not number % 3)
    found.figures |= {
        "clients": clients,
        "ended_s": round(ended_s, 1),
        "streams": dict(streams),
        "plain": dict(plain),
    }
    found.hold("drained within 30 s", ended_s <= 30)
    found.hold("streams end in done or error", set(streams) <= {"done", "error"})
    found.hold("plain ones end in 200 or 503", set(plain) <= {"200", "503"})
    for reply in replies:
        found.hold("503 has Retry-After", reply.status != 503 or "retry-after" in reply.head.lower())
    found.hold("no traceback", "Traceback" not in service.log.read_text())


async def overload(clients: int, seed: int, home: Path, found: Figures) -> None:
    """More clients than turns: goodput at least 80 % of the peak, waits of 5 s, the rest 429; then as before."""

    async def load(service: Service, number: int, seconds: float) -> list[Reply]:
        replies: list[Reply] = []
        ends = time.monotonic() + seconds

        async def client(name: int) -> None:
            while time.monotonic() < ends:
                replies.append(await ask(service, f"{QUESTION} {name}"))
                if replies[-1].status == 429:
                    await asyncio.sleep(1.0)

        await asyncio.gather(*(client(name) for name in range(number)))
        return replies

    with Service(home) as service:
        await load(service, 4, 3)
        alone = await in_turn(service, 30)
        peak = await load(service, 6, 15)
        crowd = await load(service, clients, 30)
        after = await in_turn(service, 30)
    good = [reply for reply in crowd if reply.status == 200]
    goodput, best = len(good) / 30, sum(reply.status == 200 for reply in peak) / 15
    statuses = Counter(str(reply.status) for reply in crowd)
    found.figures |= {
        "clients": clients,
        "peak_a_second": round(best, 1),
        "goodput_a_second": round(goodput, 1),
    }
    found.figures |= {
        "statuses": dict(statuses),
        "p95_ms": p95(good),
        "longest_ms": round(1000 * max(r.seconds for r in good)),
    }
    found.figures |= {"p95_alone_ms": p95(alone), "p95_after_ms": p95(after)}
    found.hold("goodput is at least 80 % of the peak", goodput >= 0.8 * best)
    found.hold("nothing but 200 and 429", set(statuses) <= {"200", "429"})
    refused = [reply for reply in crowd if reply.status == 429]
    found.hold("429 has Retry-After", all("retry-after" in reply.head.lower() for reply in refused))
    found.hold("p95 of answers within 5 s of waiting and one of work", p95(good) <= 6_000)
    found.hold("normal afterwards", p95(after) <= 2 * p95(alone) + 20)


async def streams(clients: int, seed: int, home: Path, found: Figures) -> None:
    """So many streams at once over a scripted model: each has its own answer, refusals are 429 or 503 alone."""

    def echo(body: Body) -> str:
        said = re.findall(r"nonce(\d+)", body["messages"][-1]["content"])
        return f"The list is in the index [1]. This is nonce{said[-1] if said else '?'}."

    with ScriptedLlm(echo) as llm, Service(home, llm_base_url=llm.base_url, llm_concurrency=64) as service:
        mixed, statuses, first = 0, Counter[str](), []

        async def user(name: int) -> None:
            nonlocal mixed
            await asyncio.sleep(random.Random(seed + name).uniform(0, 20))
            reply = await ask(service, f"{QUESTION} nonce{name}", stream=True)
            statuses[str(reply.status)] += 1
            if reply.status == 200:
                first.append(reply)
                said = set(re.findall(r"This is nonce(\d+|\?)", reply.body))
                mixed += bool(said - {str(name)})

        await asyncio.gather(*(user(name) for name in range(clients)))
        pool = (await send(service, "/metrics")).body
    opened = re.search(r'pgask_pool_connections\{state="open"\} (\d+)', pool)
    found.figures |= {"clients": clients, "statuses": dict(statuses), "mixed": mixed, "p95_ms": p95(first)}
    waited = sorted(reply.first_s for reply in first)
    found.figures["p99_first_event_ms"] = round(1000 * waited[int(0.99 * (len(waited) - 1))], 1)
    found.figures |= {"connections": int(opened[1]) if opened else None}
    found.hold("no answer to another's question", mixed == 0)
    found.hold("nothing but 200, 429 and 503", set(statuses) <= {"200", "429", "503"})
    found.hold("at most 10 connections", opened is not None and int(opened[1]) <= 10)


async def hang(clients: int, seed: int, home: Path, found: Figures) -> None:
    """SIGSTOP of every process of PostgreSQL: nobody waits longer than the time limits; then it goes on."""
    with Service(home) as service:
        await in_turn(service, 10)
        stopped = service.database_pids()
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        try:
            calls: list[Callable[[], Awaitable[Reply]]] = [
                lambda: send(service, "/readyz"),
                lambda: send(service, "/healthz"),
                lambda: send(service, "/documents"),
                lambda: send(service, "/search", {"question": QUESTION}),
                lambda: ask(service),
            ]
            names = ("readyz", "healthz", "documents", "search", "ask")
            asked = [call() for _ in range(max(1, clients // len(calls))) for call in calls]
            replies = await asyncio.gather(*asked)
        finally:
            for pid in stopped:
                os.kill(pid, signal.SIGCONT)
        began = time.monotonic()
        while (await send(service, "/readyz")).status != 200 and time.monotonic() < began + 60:
            pass
        back_s = time.monotonic() - began
        found.hold("it goes on", (await ask(service)).status == 200)
    longest = {
        name: max(reply.seconds for reply in replies[place :: len(names)]) for place, name in enumerate(names)
    }
    found.figures |= {
        "clients": len(replies),
        "longest_s": {name: round(s, 2) for name, s in longest.items()},
    }
    found.figures |= {
        "statuses": dict(Counter(str(reply.status) for reply in replies)),
        "back_s": round(back_s, 2),
    }
    found.hold("readyz within 2 s", longest["readyz"] <= 2)
    found.hold("others within 13 s", max(longest.values()) <= 13)  # a connection, its check, a statement
    found.hold("back within 30 s", back_s <= 30)


def _payloads(seed: int, number: int) -> list[str]:
    """Texts that end, comment out, join or time a statement."""
    rng = random.Random(seed)
    heads = [
        "'",
        "''",
        '"',
        "')",
        "'))",
        "$$",
        "\\'",
        "';",
        "%s",
        "{}",
        "{0}",
        "1",
        "NULL",
        "\u02bc",
        "％＇",
        "E'\\'",
    ]
    tails = [
        " OR 1=1", " OR '1'='1", "; DROP TABLE pgask.documents", "; DELETE FROM pgask.documents",
        " UNION SELECT version()", " UNION ALL SELECT NULL,NULL,NULL", " AND pg_sleep(9) IS NOT NULL",
        "; SELECT pg_sleep(9)", "; SET ROLE pgask_owner", "; COPY pgask.documents TO PROGRAM 'id'",
        " || (SELECT string_agg(text,'') FROM pgask.document_texts)", "; TRUNCATE pgask.chunks", "::int",
        " IN (SELECT 1)",
    ]  # fmt: skip
    ends = ["", "--", "-- -", "/*", "#", ";", "\\", "'", '"', "$$"]
    made = [f"{head}{tail}{end}" for head in heads for tail in tails for end in ends]
    rng.shuffle(made)
    return made[:number]


async def payloads(clients: int, seed: int, home: Path, found: Figures) -> None:
    """`clients` injections in every string field: no 5xx, no wait, and the documents stay as they were."""
    with Service(home) as service:
        control = (await send(service, "/search", {"question": QUESTION})).body
        statuses: Counter[str] = Counter()
        longest = 0.0
        for payload in _payloads(seed, clients):
            ask_for = {"question": QUESTION}
            tree = {"field": f"metadata.{payload}", "op": "equal", "value": payload}
            for path, body in (
                ("/search", {"question": payload}),
                ("/search", ask_for | {"collection": payload}),
                ("/search", ask_for | {"filter": {"source_prefix": payload}}),
                ("/search", ask_for | {"filter": {"metadata": {payload: payload, "a": [payload]}}}),
                ("/search", ask_for | {"filter": tree}),
                ("/search", ask_for | {"filter": {"field": payload, "op": "exists"}}),
                ("/collections", {"name": payload}),
                (f"/documents?cursor={_quoted(payload)}&collection={_quoted(payload)}", None),
                (f"/documents/{_quoted(payload)}", None),
            ):
                reply = await send(service, path, body)
                statuses[str(reply.status)] += 1
                longest = max(longest, reply.seconds)
        again = (await send(service, "/search", {"question": QUESTION})).body
        with (
            EmbeddedPostgres(home) as server,
            psycopg.connect(server.start().app, autocommit=True) as connection,
        ):
            see(connection, DEFAULT)
            row = connection.execute("SELECT count(*) FROM pgask.documents").fetchone()
            with suppress(psycopg.errors.InsufficientPrivilege):
                connection.execute("CREATE TABLE pgask.made (a int)")
                found.hold("the service's role makes no table", False)
    found.figures |= {"payloads": clients, "statuses": dict(statuses), "longest_s": round(longest, 2)}
    found.hold("no 5xx", all(status[0] in "24" for status in statuses))
    found.hold("nothing sleeps", longest < 5)
    found.hold("documents stay", row is not None and row[0] == 30)
    # Not their scores: upkeep samples the collection meanwhile, which cosines are measured against
    hits = [{(hit["chunk_id"], hit["text"]) for hit in json.loads(body)["hits"]} for body in (control, again)]
    found.hold("results stay", hits[0] == hits[1] != set())


def _quoted(text: str) -> str:
    from urllib.parse import quote

    return quote(text, safe="")


async def secrets(clients: int, seed: int, home: Path, found: Figures) -> None:
    """Canaries in every place that holds a secret, at log level debug and with a model that fails: none comes out."""
    base = "http://canaryUser:canaryPassword@127.0.0.1:9/v1?api_key=canaryParameter"
    canary = f"canary{seed}"
    more = f"Authorization: Bearer {canary}Bearer\r\nCookie: s={canary}Cookie\r\nX-Api-Key: {canary}Key\r\n"
    with Service(home, llm_base_url=base, llm_api_key="canaryLlmKey", log_level="debug") as service:
        replies = []
        for _ in range(clients):
            replies += [
                await send(service, "/ask", {"question": f"{QUESTION} {canary}Question"}, more=more),
                await send(service, "/search", {"question": QUESTION, f"{canary}Field": 1}, more=more),
                await send(service, f"/{canary}Path", more=more),
                await send(service, "/metrics", more=more),
                await send(service, "/openapi.json", more=more),
                await send(service, "/readyz", more=more),
            ]
        for pid in service.database_pids()[:1]:
            os.kill(pid, signal.SIGKILL)
        replies.append(await send(service, "/search", {"question": QUESTION}, more=more))
    log = service.log.read_text()
    lines = [line for line in log.splitlines() if not line.startswith("{")]
    told = (
        "".join(reply.body + reply.head for reply in replies)
        .replace(f"{canary}Question", "")
        .replace(f"{canary}Field", "")
    )
    found.figures |= {"log_lines": log.count("\n"), "not_json": len(lines)}
    found.hold("none in the log", "canary" not in log)
    found.hold("none in a reply but what was asked", "canary" not in told)
    found.hold("the log is JSON", not lines)


async def failures(clients: int, seed: int, home: Path, found: Figures) -> None:
    """Every way a model can fail, `clients` questions each, half of them streams: each ends within the time limits in
    an extractive answer that says why."""
    limits = {"llm_first_token_timeout_s": 1.5, "llm_idle_timeout_s": 1.0, "llm_total_timeout_s": 5.0}
    modes = sorted(set(get_args(Mode)) - {"answer", "no_done"})
    by_mode: dict[str, Any] = {}
    with ScriptedLlm() as llm:
        for mode in modes:  # a service each: after five failures it would leave the model alone
            llm.mode = mode
            replies = []
            with Service(home, llm_base_url=llm.base_url, llm_concurrency=1_000, **limits) as service:
                for _ in range(0, clients, 4):
                    asked = [ask(service, stream=number % 2 == 0) for number in range(4)]
                    replies += await asyncio.gather(*asked)
                    await asyncio.sleep(0)
            ends = Counter(_ending(reply) for reply in replies)
            by_mode[mode] = {
                "p95_ms": p95(replies),
                "longest_ms": round(1000 * max(r.seconds for r in replies)),
            }
            found.hold(
                f"{mode}: every answer is extractive and says why: {dict(ends)}", set(ends) == {"degraded"}
            )
            found.hold(f"{mode}: within the limits", max(reply.seconds for reply in replies) < 8)
    found.figures |= {"clients": clients, "limits": limits, "modes": by_mode}


def done_of(reply: Reply) -> str:
    """The data of a stream's last event, `done`."""
    return reply.body.rpartition("event: done\ndata: ")[2].partition("\n")[0]


def _ending(reply: Reply) -> str:
    """`degraded`, or what a reply is instead."""
    raw = done_of(reply) if "event: " in reply.body else reply.body
    with suppress(ValueError, AttributeError):
        told = json.loads(raw)
        if reply.status == 200 and told["degraded"] and told["degraded_reason"].startswith("llm_"):
            return (
                "degraded" if told["generator"] == "extractive" and told["citations"] else "without sources"
            )
    return f"{reply.status} {reply.event()}"


async def down(clients: int, seed: int, home: Path, found: Figures) -> None:
    """A model that is not there, found so by the breaker, against a service without one, in turn: p95 within 10 %."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # nobody listens: connections are refused
        address = f"http://127.0.0.1:{unused.getsockname()[1]}/v1"
        with Service(home) as alone, Service(home, llm_base_url=address) as without:
            for service in (alone, without):
                await in_turn(service, 20)  # five of them open the breaker
            ours, theirs = list[Reply](), list[Reply]()
            for _ in range(clients):  # in turn, so that both have the same machine
                theirs.append(await ask(alone))
                ours.append(await ask(without))
    ends = Counter(_ending(reply) for reply in ours)
    median = [sorted(r.seconds for r in replies)[clients // 2] for replies in (theirs, ours)]
    found.figures |= {"clients": clients, "p95_without_ms": p95(theirs), "p95_down_ms": p95(ours)}
    found.figures |= {
        "median_without_ms": round(1000 * median[0], 1),
        "median_down_ms": round(1000 * median[1], 1),
    }
    found.hold("every answer is extractive and says why", set(ends) == {"degraded"})
    found.hold("the median is within 10 % and 1 ms", median[1] <= 1.1 * median[0] + 0.001)
    found.hold("p95 within 10 % and 3 ms", p95(ours) <= 1.1 * p95(theirs) + 3)


PARTS: Final = {
    "slow": (slow, 500), "headers": (headers, 4), "drain": (drain, 30), "overload": (overload, 160),
    "streams": (streams, 1_000), "hang": (hang, 60), "payloads": (payloads, 500), "secrets": (secrets, 5),
    "failures": (failures, 20), "down": (down, 300),
}  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; exit status 0 if the part passed."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("part", choices=PARTS)
    options.add_argument("--clients", type=int)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--out", type=Path)
    chosen = options.parse_args(arguments)
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 65_536), most))
    run, usual = PARTS[chosen.part]
    found = Figures()
    with tempfile.TemporaryDirectory(prefix="pgask-chaos-") as scratch:
        asyncio.run(run(chosen.clients or usual, chosen.seed, Path(scratch) / "home", found))
    told = {**found.figures, "faults": found.faults, "passed": not found.faults}
    return 0 if report(f"clients-{chosen.part}", chosen.seed, told, out=chosen.out) else 1


if __name__ == "__main__":
    sys.exit(main())
