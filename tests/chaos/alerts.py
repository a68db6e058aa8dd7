"""Each alert of deploy/prometheus, fired in a real Prometheus by real faults of a real service, and silent without.

    .venv/bin/python -m tests.chaos.alerts [--seed S] [--out FOLDER]

Needs root (a small file system of its own) and `prometheus`, `prometheus-node-exporter`,
`prometheus-blackbox-exporter`, `nginx` and `openssl` on the PATH. A primary and a replica, `pgask serve` with the
bundled model and a scripted language model, and Prometheus with both rule files, whose times alone are shorter: a
minute is FASTER_THAN_LIFE times as short, and so are the seconds that ages are held against. Then the faults, some
at once. Each query of the dashboard has to have had a value once. Prints one JSON object.

Not fired: PgaskRecallBelowTarget and PgaskIndexUnwatched (no fault from outside makes them in minutes) and
PgaskIndexFault (an index that somebody drops is built anew before it is told of).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Final

import httpx2
import psycopg

from app.server.cluster import OWNER_ROLE
from app.store.connection import Database
from app.store.migrate import migrate
from tests.chaos.evidence import ROOT, report
from tests.fakes import ScriptedLlm
from tests.integration.ingesting import random_text
from tests.integration.replication import make_primary, make_replica

FASTER_THAN_LIFE: Final = 40
_DAY_S: Final = 150  # what a day ago is: longer than an hour is here
_WELL_S: Final = 120.0
_ASKED_A_SECOND: Final = 1.0
_DOCUMENTS: Final = 1_100  # enough for a vector index
_UNITS: Final = {"m": 60, "h": 3_600}
_SECONDS: Final = (900, 30, 3_600)  # which ages are held against
_NOT_FIRED: Final = {"PgaskIndexFault", "PgaskIndexUnwatched", "PgaskRecallBelowTarget"}
_INVENTED: Final = "The Volkov bridge was finished by 9,471 carpenters in 1702 [1]."
_QUESTIONS: Final = [f"What is the code of station {number}?" for number in range(20)]
_PATIENCE_S: Final = 150.0


def shortened(rules: str) -> str:
    """Rules whose times are shorter, and nothing else.

    >>> shortened("expr: rate(x[5m]) offset 1d > 900\\nfor: 15m")
    'expr: rate(x[7500ms]) offset 150s > 22\\nfor: 22500ms'
    """
    rules = rules.replace("offset 1d", f"offset {_DAY_S}s")
    rules = re.sub(
        r"\b(\d+)([mh])\b",
        lambda found: f"{int(found[1]) * _UNITS[found[2]] * 1000 // FASTER_THAN_LIFE}ms",
        rules,
    )
    for seconds in _SECONDS:
        rules = re.sub(rf"> {seconds}\b", f"> {max(1, seconds // FASTER_THAN_LIFE)}", rules)
    return rules


def free_port() -> int:
    """One that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(command: Sequence[str], log: Path, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """A program for the block."""
    with log.open("ab") as written:
        process = subprocess.Popen(
            command, cwd=ROOT, env=os.environ | environment, stdout=written, stderr=written, start_new_session=True
        )  # fmt: skip
    try:
        yield process
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(20)
        process.kill()


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A file system of 16 MB."""
    image, mounted = folder / "disk.img", folder / "disk"
    mounted.mkdir()
    with image.open("wb") as file:
        file.truncate(16 << 20)
    subprocess.run(["mkfs.ext4", "-q", "-m", "0", image], check=True)
    subprocess.run(["mount", "-o", "loop", image, mounted], check=True)
    try:
        yield mounted
    finally:
        subprocess.run(["umount", "-l", mounted], check=False)


def certificate(folder: Path, days: int) -> None:
    """One that ends after so many days."""
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=127.0.0.1"),
            *("-days", str(days), "-keyout", folder / "key.pem", "-out", folder / "cert.pem"),
        ],
        check=True, capture_output=True,
    )  # fmt: skip


class Watched:
    """All of it. The service is at `port`, with TLS by nginx at `tls_port`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port, self.tls_port, self.prometheus_port = free_port(), free_port(), free_port()
        self.stack = ExitStack()
        self.llm = self.stack.enter_context(ScriptedLlm("The code of the station is in the text [1]."))
        self.disk = self.stack.enter_context(small_disk(folder))

    def start(self) -> None:
        """All that is watched, and what watches."""
        folder = self.folder
        for name in ("primary", "replica", "documents"):
            (folder / name).mkdir()
        self.primary = make_primary(folder / "primary")
        self.stack.callback(self.primary.stop)
        database = Database(owner=self.primary.url(OWNER_ROLE), app=self.primary.url())
        migrate(database)
        for number in range(_DOCUMENTS):
            text = f"The code of station {number} is {number * 7919 % 10_000}. {random_text(number, 3)}"
            (folder / f"documents/station{number}.md").write_text(f"# Station {number}\n\n{text}\n", "utf-8")
        self.environment = {
            "PGASK_DATABASE_URL": database.app, "PGASK_OWNER_DATABASE_URL": database.owner, "PGASK_WORKERS": "0",
            "PGASK_PORT": str(self.port), "PGASK_LLM_BASE_URL": self.llm.base_url, "PGASK_LLM_CONCURRENCY": "2",
            "PGASK_INDEX_MIN_ROWS": "1000", "PGASK_INDEX_CHECK_MINUTES": "0.05", "PGASK_LLM_MODEL": self.llm.model,
            "PGASK_MAX_CONCURRENT_ASKS": "40", "PYTHONPATH": str(ROOT),
        }  # fmt: skip
        programs = Path(sys.executable).parent
        done = subprocess.run(
            [programs / "ingest", folder / "documents", "--quiet"],
            cwd=ROOT, env=os.environ | self.environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        self.replica = make_replica(self.primary, folder / "replica")
        self.stack.callback(self.replica.stop)
        self.environment["PGASK_READ_DATABASE_URL"] = self.replica.url()
        self.service = self.stack.enter_context(
            running([str(programs / "pgask"), "serve"], folder / "service.log", **self.environment)
        )
        self._watch()

    def _watch(self) -> None:
        folder, node, blackbox = self.folder, free_port(), free_port()
        certificate(folder, 90)
        (folder / "nginx.conf").write_text(
            f"daemon off; pid {folder}/nginx.pid; error_log stderr; events {{}}\nhttp {{ access_log off; server {{\n"
            f"listen 127.0.0.1:{self.tls_port} ssl; ssl_certificate {folder}/cert.pem;\n"
            f"ssl_certificate_key {folder}/key.pem; location / {{ proxy_pass http://127.0.0.1:{self.port}; }} }} }}\n"
        )
        (folder / "blackbox.yml").write_text(
            "modules: {tls: {prober: http, timeout: 4s, http: {tls_config: {insecure_skip_verify: true}}}}\n"
        )
        for name in ("pgask.rules.yml", "exporters.rules.yml"):
            text = (ROOT / "deploy/prometheus" / name).read_text("utf-8")
            (folder / name).write_text(shortened(text), "utf-8")
        scrape = {
            "global": {"scrape_interval": "2s", "scrape_timeout": "2s", "evaluation_interval": "1s"},
            "rule_files": ["pgask.rules.yml", "exporters.rules.yml"],
            "scrape_configs": [
                {"job_name": "pgask", "static_configs": [{"targets": [f"127.0.0.1:{self.port}"]}]},
                {
                    "job_name": "node", "static_configs": [{"targets": [f"127.0.0.1:{node}"]}],
                    "metric_relabel_configs": [
                        {"source_labels": ["mountpoint"], "regex": str(self.disk), "action": "keep"}
                    ],
                },
                {
                    "job_name": "certificates", "metrics_path": "/probe", "params": {"module": ["tls"]},
                    "scrape_interval": "5s", "scrape_timeout": "5s",
                    "static_configs": [{"targets": [f"https://127.0.0.1:{self.tls_port}/healthz"]}],
                    "relabel_configs": [
                        {"source_labels": ["__address__"], "target_label": "__param_target"},
                        {"source_labels": ["__param_target"], "target_label": "instance"},
                        {"target_label": "__address__", "replacement": f"127.0.0.1:{blackbox}"},
                    ],
                },
            ],
        }  # fmt: skip
        (folder / "prometheus.yml").write_text(json.dumps(scrape))
        for command in (
            ["nginx", "-c", str(folder / "nginx.conf"), "-p", str(folder)],
            [
                *("prometheus-node-exporter", f"--web.listen-address=127.0.0.1:{node}"),
                *("--collector.disable-defaults", "--collector.filesystem"),
            ],
            [
                *("prometheus-blackbox-exporter", f"--web.listen-address=127.0.0.1:{blackbox}"),
                f"--config.file={folder}/blackbox.yml",
            ],
            [
                *("prometheus", f"--config.file={folder}/prometheus.yml"),
                *(
                    f"--storage.tsdb.path={folder}/tsdb",
                    f"--web.listen-address=127.0.0.1:{self.prometheus_port}",
                ),
            ],
        ):
            program = shutil.which(command[0], path=f"{os.environ.get('PATH', '')}:/usr/sbin")
            assert program is not None, f"{command[0]} is not installed"
            self.stack.enter_context(running([program, *command[1:]], folder / f"{command[0]}.log"))

    def close(self) -> None:
        """End all."""
        self.stack.close()


class Story:
    """What happens, and when which alert fired after it."""

    def __init__(self, watched: Watched) -> None:
        self.watched = watched
        self.client = httpx2.AsyncClient(base_url=f"http://127.0.0.1:{watched.port}", timeout=30)
        self.prometheus = httpx2.AsyncClient(
            base_url=f"http://127.0.0.1:{watched.prometheus_port}", timeout=10
        )
        self.fired: dict[str, float] = {}  # seconds after its fault
        self.missed: list[str] = []
        self.without_fault: list[str] = []
        self.began: dict[str, float] = {}
        self.panels: dict[str, bool] = {}

    async def firing(self) -> set[str]:
        """The alerts that fire now."""
        reply = await self.prometheus.get("/api/v1/alerts")
        return {
            one["labels"]["alertname"] for one in reply.json()["data"]["alerts"] if one["state"] == "firing"
        }

    def fault(self, *names: str) -> None:
        """It begins now, and is to fire these."""
        self.began |= dict.fromkeys(names, time.monotonic())

    async def note(self) -> None:
        """What fires and why."""
        for name in await self.firing():
            if name in self.began:
                self.fired.setdefault(name, round(time.monotonic() - self.began[name], 1))
            elif name not in self.without_fault:
                self.without_fault.append(name)

    async def until(self, *names: str) -> None:
        """Wait for alerts."""
        deadline = time.monotonic() + _PATIENCE_S
        while not set(names) <= set(self.fired) and time.monotonic() < deadline:
            await self.note()
            await asyncio.sleep(0.5)
        self.missed += [name for name in names if name not in self.fired]
        print({name: self.fired.get(name) for name in names}, file=sys.stderr, flush=True)

    async def look_at_panels(self) -> None:
        """Ask each query of the dashboard."""
        board = json.loads((ROOT / "deploy/grafana/pgask.json").read_text("utf-8"))
        for panel in board["panels"]:
            for target in panel["targets"]:
                asked = target["expr"].replace("$instance", ".*").replace("$__rate_interval", "15s")
                reply = await self.prometheus.get(
                    "/api/v1/query", params={"query": asked.replace("$__range", "5m")}
                )
                found = reply.json().get("data", {}).get("result", [])
                has_value = any(not math.isnan(float(one["value"][1])) for one in found)
                name = f"{panel['title']} {target['refId']}"
                self.panels[name] = self.panels.get(name, False) or has_value

    async def ask(self, number: int) -> None:
        """One question of a reader; one in ten is about what nobody wrote of."""
        asked = (
            _QUESTIONS[number % len(_QUESTIONS)] if number % 10 else "Who won the regatta of 1931 in Sydney?"
        )
        with suppress(httpx2.HTTPError):
            await self.client.post("/ask" if number % 2 else "/search", json={"question": asked})
            await self.client.post("/ask", json={"question": asked})

    @asynccontextmanager
    async def readers(self) -> AsyncIterator[None]:
        """Questions by the clock for the block."""
        asked: set[asyncio.Task[None]] = set()

        async def go_on() -> None:
            for number in range(1_000_000):
                task = asyncio.create_task(self.ask(number))
                asked.add(task)
                task.add_done_callback(asked.discard)
                await asyncio.sleep(1 / _ASKED_A_SECOND)

        clock = asyncio.create_task(go_on())
        try:
            yield
        finally:
            clock.cancel()
            await asyncio.gather(clock, *asked, return_exceptions=True)

    async def ready(self) -> None:
        """Wait until the service is."""
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            with suppress(httpx2.HTTPError):
                if (await self.client.get("/readyz")).status_code == 200:
                    return
            await asyncio.sleep(0.3)
        raise RuntimeError((self.watched.folder / "service.log").read_text()[-2_000:])

    async def run(self) -> None:
        """All of it."""
        await self.ready()
        async with self.readers():
            await asyncio.sleep(_WELL_S)
            await self.look_at_panels()
            self.without_fault = sorted(await self.firing())
            print("while all is well:", self.without_fault, self.panels, file=sys.stderr, flush=True)
            await self._slow_ones()
            await self._model()
            await self.until(
                "PgaskQueueOld",
                "PgaskReplicaLags",
                "PgaskDiskFillsUp",
                "PgaskCertificateEnds",
            )
            await self._load()
            self.fault("PgaskRefusalsRising")
            self.watched.primary.execute("DELETE FROM pgask.documents")
            await self.until("PgaskRefusalsRising")
        await self.look_at_panels()
        self.fault("PgaskPrimaryAway", "PgaskErrors")
        self.watched.primary.stop()
        async with self._changing():
            await self.until("PgaskPrimaryAway", "PgaskErrors")
        self.fault("PgaskDown")
        self.watched.service.kill()
        await self.until("PgaskDown")

    async def _slow_ones(self) -> None:
        """What takes longest to be told of goes on beside the rest."""
        watched = self.watched
        self.fault("PgaskQueueOld", "PgaskReplicaLags", "PgaskDiskFillsUp", "PgaskCertificateEnds")
        for _ in range(2):  # nobody works on the second one either
            files = [("files", ("new.md", b"# New\n\nThe new one.\n", "text/markdown"))]
            assert (await self.client.post("/documents", files=files)).status_code == 202
        watched.replica.execute("SELECT pg_wal_replay_pause()")
        watched.primary.execute("CREATE TABLE public.written (n int)")
        with suppress(OSError), (watched.disk / "full").open("wb") as file:
            for _ in range(64):
                file.write(bytes(1 << 20))
        certificate(watched.folder, 3)
        os.kill(int((watched.folder / "nginx.pid").read_text()), 1)  # SIGHUP: it reads the certificate anew

    async def _model(self) -> None:
        llm = self.watched.llm
        self.fault("PgaskUnsupportedClaims")
        llm.answer = _INVENTED
        await self.until("PgaskUnsupportedClaims")
        self.fault("PgaskModelQueueLong", "PgaskModelAway", "PgaskModelServerAway")
        llm.mode = "slow_first_token"
        many = [asyncio.create_task(self.ask(2 * number + 1)) for number in range(15)]
        await self.until("PgaskModelQueueLong")
        for task in many:
            task.cancel()
        llm.mode = "error_500"
        await self.until("PgaskModelAway", "PgaskModelServerAway")

    async def _load(self) -> None:
        """A statement that holds a table, and more callers than there is room for."""
        self.fault("PgaskSlow", "PgaskDatabaseConnectionsExhausted", "PgaskRefusesRequests", "PgaskErrors")
        stop = asyncio.Event()

        async def call(number: int) -> None:
            while not stop.is_set():
                with suppress(httpx2.HTTPError):
                    if number % 2:
                        await self.client.post("/search", json={"question": _QUESTIONS[0]})
                    else:  # which waits for no turn at the processors, and holds a connection
                        await self.client.get("/documents")

        def hold() -> None:
            with psycopg.connect(self.watched.primary.url("postgres"), autocommit=False) as connection:
                connection.execute("LOCK TABLE pgask.chunks, pgask.documents IN ACCESS EXCLUSIVE MODE")
                time.sleep(3)
                connection.rollback()

        callers = [asyncio.create_task(call(number)) for number in range(120)]
        wanted = {"PgaskSlow", "PgaskDatabaseConnectionsExhausted", "PgaskRefusesRequests"}
        deadline = time.monotonic() + 90
        while not wanted <= set(self.fired) and time.monotonic() < deadline:
            holding = asyncio.create_task(asyncio.to_thread(hold))
            while not holding.done():
                await self.note()
                await asyncio.sleep(0.5)
            await holding
        stop.set()
        await asyncio.gather(*callers, return_exceptions=True)
        await self.until(*sorted(wanted))

    @asynccontextmanager
    async def _changing(self) -> AsyncIterator[None]:
        """Somebody lists documents, which the primary alone tells."""

        async def go_on() -> None:
            while True:
                with suppress(httpx2.HTTPError):
                    await self.client.get("/documents")
                await asyncio.sleep(0.3)

        task = asyncio.create_task(go_on())
        try:
            yield
        finally:
            task.cancel()


def alert_names() -> set[str]:
    """Of both files."""
    found: set[str] = set()
    for name in ("pgask.rules.yml", "exporters.rules.yml"):
        found |= set(re.findall(r"alert: (\w+)", (ROOT / "deploy/prometheus" / name).read_text("utf-8")))
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; exit status 0 if every alert fired by its fault and none without."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--out", type=Path)
    chosen = options.parse_args(arguments)
    folder = Path(tempfile.mkdtemp(prefix="pgask-alerts-"))
    folder.chmod(0o755)
    watched = Watched(folder)
    try:
        watched.start()
        story = Story(watched)
        asyncio.run(story.run())
    finally:
        watched.close()
        shutil.rmtree(folder, ignore_errors=True)
    empty = sorted(name for name, has_value in story.panels.items() if not has_value)
    missed = sorted(alert_names() - set(story.fired) - _NOT_FIRED)
    told = {
        "fired_after_s": story.fired, "missed": missed, "not_tried": sorted(_NOT_FIRED),
        "without_fault": story.without_fault, "panels": len(story.panels), "panels_without_value": empty,
        "passed": not (missed or story.without_fault or empty),
    }  # fmt: skip
    return 0 if report("alerts", chosen.seed, told, out=chosen.out) else 1


if __name__ == "__main__":
    sys.exit(main())
