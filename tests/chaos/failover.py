"""What deploy/ha loses when its parts do: a primary, a replica, a worker, and each service in turn, under questions and
uploads.

    .venv/bin/python -m tests.chaos.failover [--rate 50] [--units 20] [--seed 1] [--only PHASE …] [--out FOLDER]

Starts deploy/ha in a folder of its own (needs etcd, HAProxy, PgBouncer and nginx) and ends it. Units have codes that
change with each version of their document, in every sentence: an answer with another unit's code is wrong, one with
two versions of a document is mixed, an older version than its own uploader was told of breaks its promise. Questions
come by the clock, whatever became of those before; first, without uploads, at more and more a second, until the set-up
does not keep up: it is then asked at the last rate that it kept, or at --rate. What keeps it from more is told by the
processor time of each program a question. An outage lasts from the first refused request to the last.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

import httpx2

from tests.chaos.evidence import ROOT, report

_PORT: Final = 8300
_CODE: Final = re.compile(r"\b([A-Z][a-z]+)-(\d{1,6})-([0-9a-f]{8})\b")
_SENTENCES: Final = 60  # several chunks
_PATIENCE_S: Final = 15.0
_AWAY_S: Final = 12.0  # for how long a lost part stays away
_FAILOVER_S: Final = 120.0
_STEPS: Final = (0.2, 0.4, 0.6, 0.8, 1.0)  # of the rate
_STEP_S: Final = 5.0
_KEPT_MS: Final = 1_000.0  # a rate is kept where 99 of 100 replies take no longer, and none fails
_TICKS: Final = os.sysconf("SC_CLK_TCK")


@dataclass
class Tally:
    """What became of the requests of one kind in one phase; times are of the clock `time.monotonic`."""

    sent: int = 0
    failed: dict[str, int] = field(default_factory=dict)
    failed_at: list[float] = field(default_factory=list)
    wrong: int = 0
    mixed: int = 0
    older: int = 0
    took_ms: list[float] = field(default_factory=list)

    def fail(self, why: str) -> None:
        self.failed[why] = self.failed.get(why, 0) + 1
        self.failed_at.append(time.monotonic())

    def told(self) -> dict[str, Any]:
        """For the report."""
        took = sorted(self.took_ms)
        outage = max(self.failed_at) - min(self.failed_at) if self.failed_at else 0.0
        return {
            "sent": self.sent,
            "failed": sum(self.failed.values()),
            "why": self.failed,
            "outage_s": round(outage, 2),
            "wrong": self.wrong,
            "mixed": self.mixed,
            "older_than_told": self.older,
            "p50_ms": round(took[len(took) // 2], 1) if took else None,
            "p99_ms": round(took[int(len(took) * 0.99)], 1) if took else None,
        }


class Machines:
    """deploy/ha by its command."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._environment = os.environ | {
            "PGASK_HA_HOME": str(home), "PGASK_HA_PORT": str(_PORT), "PGASK_ABSTAIN_THRESHOLD": "0",
            "PYTHONPATH": str(ROOT),
        }  # fmt: skip

    def do(self, *words: str) -> str:
        done = subprocess.run(
            [sys.executable, "deploy/ha/cluster.py", *words], cwd=ROOT, env=self._environment, check=True,
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        return done.stdout

    async def ado(self, *words: str) -> str:
        return await asyncio.to_thread(self.do, *words)

    def processor_s(self) -> dict[str, float]:
        """Seconds of the processor so far by kind of program, this one's too; of what has ended, nothing."""
        spent: dict[str, float] = defaultdict(float)
        times = os.times()
        spent["client"] = times.user + times.system
        files = [*self._home.glob("run/*.pid"), *self._home.glob("node*/data/postmaster.pid")]
        for file in files:
            if file.name == "nginx.own.pid":
                continue
            kind = "postgres" if file.name == "postmaster.pid" else file.stem.rstrip("123")
            with suppress(OSError, ValueError, IndexError):
                for pid in _family(int(file.read_text().split()[0])):
                    spent[kind] += _spent_s(pid)
        return spent

    async def primary(self) -> str:
        return (await self.ado("status", "nginx")).rpartition("primary: ")[2].strip()


def _family(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(one for child in children for one in _family(int(child)))]


def _spent_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


class Units:
    """The documents, and what is known of them: the version that was sent last, and that its uploader was told of."""

    def __init__(self, count: int, seed: int) -> None:
        letters, rng = "bdfgklmnprstvz", random.Random(seed)
        self._rng = rng
        self.names: list[str] = []
        self._words = [
            "".join(rng.choice(letters) + rng.choice("aeiou") for _ in range(3)) for _ in range(500)
        ]
        while len(self.names) < count:
            name = "".join(rng.choice(letters) + rng.choice("aeiou") for _ in range(4)).title()
            if name not in self.names:
                self.names.append(name)
        self.sent = dict.fromkeys(self.names, 0)
        self.told = dict.fromkeys(self.names, 0)

    def text(self, name: str) -> str:
        """The next version of a unit's document."""
        self.sent[name] += 1
        code = f"{name}-{self.sent[name]}-{self._rng.randrange(16**8):08x}"
        lines = [  # with words of its own, or one would be a near duplicate of another
            f"The code of unit {name} is {code} {' '.join(self._rng.choices(self._words, k=5))}."
            for _ in range(_SENTENCES)
        ]
        return f"# Unit {name}\n\n" + " ".join(lines) + "\n"

    def judge(self, name: str, reply: dict[str, Any], tally: Tally, least: int) -> None:
        """Count what is wrong with the hits for a question after a unit."""
        hits = reply["hits"]
        best = {found[0] for found in _CODE.findall(hits[0]["text"])} if hits else set()
        tally.wrong += best != {name}
        by_document: dict[str, set[str]] = {}
        for hit in hits:
            found = _CODE.findall(hit["text"])
            by_document.setdefault(hit["source"], set()).update(version for _, version, _ in found)
            tally.wrong += {one for one, _, _ in found} != {Path(hit["source"]).stem}
        tally.mixed += any(len(versions) > 1 for versions in by_document.values())
        own = by_document.get(f"{name}.md", {"0"})
        tally.older += max(map(int, own), default=0) < least


class Load:
    """Questions by the clock, and one upload after another, each followed by its uploader's question."""

    def __init__(self, units: Units, rate: float, seed: int) -> None:
        self._units, self._rng = units, random.Random(seed)
        self.rate = rate
        self.questions, self.uploads, self.own = Tally(), Tally(), Tally()
        self._asked: set[asyncio.Task[None]] = set()

    def fresh(self) -> tuple[Tally, Tally, Tally]:
        """The tallies so far, and new ones from here on."""
        ended = self.questions, self.uploads, self.own
        self.questions, self.uploads, self.own = Tally(), Tally(), Tally()
        return ended

    @asynccontextmanager
    async def running(self, *, uploads: bool = True) -> AsyncIterator[None]:
        async with _client() as asking, _client() as uploading:
            tasks = [asyncio.create_task(self._ask_by_the_clock(asking))]
            if uploads:
                tasks.append(asyncio.create_task(self._upload(uploading)))
            try:
                yield
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, *self._asked, return_exceptions=True)

    async def _ask_by_the_clock(self, client: httpx2.AsyncClient) -> None:
        following = time.monotonic()
        while True:
            following += 1 / self.rate
            await asyncio.sleep(max(0.0, following - time.monotonic()))
            name = self._rng.choice(self._units.names)
            task = asyncio.create_task(self.ask(client, name, self.questions, least=1))
            self._asked.add(task)
            task.add_done_callback(self._asked.discard)

    async def ask(self, client: httpx2.AsyncClient, name: str, tally: Tally, *, least: int) -> None:
        tally.sent += 1
        began = time.monotonic()
        try:
            reply = await client.post("/search", json={"question": f"Code of {name}?", "top_k": 3})
        except httpx2.HTTPError as error:
            tally.fail(type(error).__name__)
            return
        if reply.status_code != 200:
            tally.fail(
                f"{reply.status_code} {reply.json().get('code')}"
                if _is_ours(reply)
                else str(reply.status_code)
            )
            return
        tally.took_ms.append((time.monotonic() - began) * 1000)
        self._units.judge(name, reply.json(), tally, least)

    async def _upload(self, client: httpx2.AsyncClient) -> None:
        while True:
            name = self._rng.choice(self._units.names)
            await self.upload(client, [name])
            await asyncio.sleep(0.2)

    async def upload(self, client: httpx2.AsyncClient, names: Sequence[str]) -> bool:
        """Send units' next versions, wait until they are in, and ask for each; whether all of it came to that."""
        self.uploads.sent += 1
        began, last = time.monotonic(), {name: self._units.sent[name] + 1 for name in names}
        files = [
            ("files", (f"{name}.md", self._units.text(name).encode(), "text/markdown")) for name in names
        ]
        try:
            sent = await client.post("/documents", files=files)
            if sent.status_code != 202:
                self.uploads.fail(f"{sent.status_code}")
                return False
            address = f"/jobs/{sent.json()['job']['id']}"
            job = await _ended(client, address)
        except httpx2.HTTPError as error:
            self.uploads.fail(type(error).__name__)
            return False
        if job["state"] != "succeeded":
            self.uploads.fail(job["state"])
            return False
        self.uploads.took_ms.append((time.monotonic() - began) * 1000)
        for name, version in last.items():
            self._units.told[name] = version
            await self.ask(client, name, self.own, least=version)
        return True


async def _ended(client: httpx2.AsyncClient, address: str) -> dict[str, Any]:
    """A job that has ended."""
    while True:
        job = await _get_on(client, address)
        if job["state"] not in ("queued", "running"):
            return job
        await asyncio.sleep(0.2)


async def _get_on(client: httpx2.AsyncClient, address: str) -> dict[str, Any]:
    """A job, asked for until somebody answers: it goes on meanwhile."""
    deadline = time.monotonic() + _FAILOVER_S
    while True:
        try:
            reply = await client.get(address)
            if reply.status_code == 200:
                found: dict[str, Any] = reply.json()
                return found
        except httpx2.HTTPError:
            pass
        if time.monotonic() > deadline:
            raise httpx2.ReadTimeout(f"{address}: nobody answers")
        await asyncio.sleep(0.2)


def _is_ours(reply: httpx2.Response) -> bool:
    return reply.headers.get("content-type", "").startswith("application/problem+json")


def _client() -> httpx2.AsyncClient:
    return httpx2.AsyncClient(base_url=f"http://127.0.0.1:{_PORT}", timeout=_PATIENCE_S)


async def _until(holds: Callable[[], Any], what: str) -> float:
    began = time.monotonic()
    while not await holds():
        if time.monotonic() - began > _FAILOVER_S:
            raise RuntimeError(f"{what}: not after {_FAILOVER_S:.0f} s")
        await asyncio.sleep(0.3)
    return round(time.monotonic() - began, 1)


async def _ready(client: httpx2.AsyncClient, port: int) -> bool:
    try:
        return (await client.get(f"http://127.0.0.1:{port}/readyz")).status_code == 200
    except httpx2.HTTPError:
        return False


async def _lose_primary(machines: Machines, load: Load) -> dict[str, Any]:
    lost = await machines.primary()
    await machines.ado("kill", lost)

    async def is_replaced() -> bool:
        return await machines.primary() not in (lost, "nodeNone")

    promoted_s = await _until(is_replaced, "another primary")
    before = len(load.uploads.took_ms)

    async def is_written() -> bool:
        return len(load.uploads.took_ms) > before

    written_s = await _until(is_written, "an upload")
    await machines.ado("start", lost)
    return {"promoted_after_s": promoted_s, "uploads_again_after_s": round(promoted_s + written_s, 1)}


async def _lose_replica(machines: Machines, _: Load) -> dict[str, Any]:
    primary = await machines.primary()
    lost = next(f"node{node}" for node in (1, 2, 3) if f"node{node}" != primary)
    await machines.ado("kill", lost)
    await asyncio.sleep(_AWAY_S)
    await machines.ado("start", lost)
    return {}


async def _lose_worker(machines: Machines, _: Load) -> dict[str, Any]:
    await machines.ado("kill", "worker1")
    await asyncio.sleep(3 * _AWAY_S)  # a lost worker's job is given to another after 35 s at most
    await machines.ado("start", "worker1")
    return {}


async def _restart_services(machines: Machines, load: Load) -> dict[str, Any]:
    """At half the rate, since one service has to do for two, beside a start that takes the same processors."""
    load.rate /= 2
    async with _client() as client:
        for number in (1, 2):
            await machines.ado("stop", f"service{number}")
            await machines.ado("start", f"service{number}")
            await _until(partial(_ready, client, _PORT + number), f"service{number}")
    load.rate *= 2
    return {}


async def _undisturbed(_: Machines, __: Load) -> dict[str, Any]:
    await asyncio.sleep(_AWAY_S)
    return {}


_PHASES: Final = {
    "undisturbed": _undisturbed,
    "rolling restart": _restart_services,
    "a replica lost": _lose_replica,
    "a worker lost": _lose_worker,
    "the primary lost": _lose_primary,
}


async def _rate_kept(machines: Machines, wanted: float, units: Units, seed: int) -> dict[str, Any]:
    """How many questions a second are answered in time while nothing else is done, up to `wanted`."""
    kept, steps = 0.0, []
    for rate in (share * wanted for share in _STEPS):
        load, before = Load(units, rate, seed), machines.processor_s()
        async with load.running(uploads=False):
            await asyncio.sleep(_STEP_S)
            asked = load.questions
            await asyncio.sleep(1)
        told = asked.told()
        spent = _a_question(machines, before, asked.sent)
        steps.append({"rate": rate, **told, "processor_ms_a_question": spent})
        if told["failed"] or told["p99_ms"] is None or told["p99_ms"] > _KEPT_MS:
            break
        kept = rate
    return {"kept": kept, "steps": steps}


def _a_question(machines: Machines, before: dict[str, float], questions: int) -> dict[str, float]:
    """Milliseconds of the processor by program, of a phase, shared out over its questions."""
    after = machines.processor_s()
    spent = {
        kind: (seconds - before.get(kind, 0.0)) * 1000 / max(1, questions) for kind, seconds in after.items()
    }
    return {kind: round(ms, 1) for kind, ms in sorted(spent.items()) if ms >= 0.05}


async def _run(
    machines: Machines, rate: float, units: Units, seed: int, only: Sequence[str]
) -> dict[str, Any]:
    phases: dict[str, Any] = {}
    async with _client() as client:
        first = Load(units, rate, seed)
        assert await first.upload(client, units.names), first.uploads.failed
        ramp = await _rate_kept(machines, rate, units, seed)
        print(f"without uploads: {ramp}", file=sys.stderr, flush=True)
        rate = max(1.0, ramp["kept"])
        load = Load(units, rate, seed)
        async with load.running():
            for name in only or _PHASES:
                before = machines.processor_s()
                extra = await _PHASES[name](machines, load)
                await asyncio.sleep(5)
                questions, uploads, own = load.fresh()
                phases[name] = extra | {
                    "questions": questions.told(), "uploads": uploads.told(), "own_questions": own.told(),
                    "processor_ms_a_question": _a_question(machines, before, questions.sent),
                }  # fmt: skip
                print(f"{name}: {phases[name]}", file=sys.stderr, flush=True)
        lost = Tally()
        for name in units.names:
            await load.ask(client, name, lost, least=units.told[name])
    return {"rate": rate, "ramp": ramp, "phases": phases, "in_the_end": lost.told()}


def judge(figures: dict[str, Any]) -> bool:
    """Nothing wrong, mixed, older or lost; no question failed but while a primary was lost."""
    tallies = [phase[kind] for phase in figures["phases"].values() for kind in ("questions", "own_questions")]
    tallies.append(figures["in_the_end"])
    is_right = all(tally["wrong"] == tally["mixed"] == tally["older_than_told"] == 0 for tally in tallies)
    failed = {name: phase["questions"]["failed"] for name, phase in figures["phases"].items()}
    return is_right and not any(count for name, count in failed.items() if name != "the primary lost")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; exit status 0 if it passed."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--rate", type=float, default=50.0, help="questions a second")
    options.add_argument("--units", type=int, default=20)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--only", nargs="*", default=(), choices=[*_PHASES], metavar="PHASE")
    options.add_argument("--out", type=Path)
    chosen = options.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="pgask-ha-") as folder:
        machines = Machines(Path(folder))
        try:
            print(machines.do("up"), file=sys.stderr)
            figures = asyncio.run(
                _run(machines, chosen.rate, Units(chosen.units, chosen.seed), chosen.seed, chosen.only)
            )
        finally:
            machines.do("down")
    told = {"wanted_rate": chosen.rate, **figures, "passed": judge(figures)}
    return 0 if report("failover", chosen.seed, told, out=chosen.out) else 1


if __name__ == "__main__":
    sys.exit(main())
