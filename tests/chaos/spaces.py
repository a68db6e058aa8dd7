"""Another embedding model is added, evaluated, switched to, left again and dropped, while questions come all the time.

    .venv/bin/python -m tests.chaos.spaces [--questions-asked N] [--rate N] [--seed S] [--out FOLDER]
        [--model MODEL] [--corpus DIR --set questions.jsonl]

The product's own commands: `pgask serve`, `ingest`, `pgask spaces`. `add` is killed (SIGKILL) in its middle and called
again. Requests leave by the clock, `--rate` a second, whatever the replies do: a search, then an ask (extractive), then
a search, and so on, each the next question of a fixed list. Recall is the share of searches with the gold passage
among ten, over every run of searches as long as the list: each question counts once in each, so that it compares with
what the first model reached before anything began. Every citation is looked up after each step: its words must stand
where it says.

Without a corpus it asks the bundled one, by questions made from its texts, and tries a model of the same weights in
another folder, which finds the same. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx2
import numpy as np
import psycopg

from app.config import Settings
from app.domain import ScoredChunk
from app.store.connection import AsyncConnection, connect, open_database, transaction
from app.store.connection_pool import open_pool
from app.trial.gold import Case, is_hit
from app.trial.known_questions import place_questions
from app.trial.made_questions import make_questions
from app.trial.question_file import load_questions
from tests.chaos.evidence import ROOT, report
from tests.e2e.served import Served, environment
from tests.spare_models import save_cut_model

RATE: Final = 20.0
THREADS: Final = 48
PATIENCE_S: Final = 60.0
WALK_S: Final = 1_800.0  # of one command
_BIN: Final = Path(sys.executable).parent


@dataclass(frozen=True, slots=True)
class Sent:
    """One request: when it left, in which step, its status (0: none), how long it took."""

    at: float
    step: str
    path: str
    question: int
    status: int
    seconds: float
    found: bool = False


@dataclass(slots=True)
class Load:
    """Questions that leave by the clock until `stop`."""

    url: str
    cases: Sequence[Case]
    rate: float
    step: str = "before"
    sent: list[Sent] = field(default_factory=list)
    citations: dict[tuple[str, int, int], str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def running(self) -> Any:
        """Ask until the block ends."""
        clock = threading.Thread(target=self._ask_on)
        clock.start()
        try:
            yield
        finally:
            self.stop.set()
            clock.join()

    def _ask_on(self) -> None:
        began = time.monotonic()
        limits = httpx2.Limits(max_connections=THREADS)
        with (
            ThreadPoolExecutor(THREADS) as threads,
            httpx2.Client(base_url=self.url, timeout=PATIENCE_S, limits=limits) as client,
        ):
            number = 0
            while not self.stop.is_set():
                time.sleep(max(0.0, began + number / self.rate - time.monotonic()))
                threads.submit(self._send, client, number)
                number += 1

    def _send(self, client: httpx2.Client, number: int) -> None:
        path, place = ("/search", "/ask")[number % 2], number // 2 % len(self.cases)
        case, step, began = self.cases[place], self.step, time.monotonic()
        status, found, body = 0, False, {}
        try:
            reply = client.post(
                path, json={"question": case.question, "top_k": 10 if path == "/search" else 6}
            )
            status, body = reply.status_code, reply.json()
        except (httpx2.HTTPError, ValueError) as error:
            body = {"error": f"{type(error).__name__}: {error}"}
        if status != 200:
            self.faults.append(f"{step}: {path} {status} {json.dumps(body)[:300]}")
        elif path == "/search":
            found = any(hits(hit, case) for hit in body["hits"])
        for one in body.get("citations", []):
            self.citations[one["document_id"], one["char_start"], one["char_end"]] = one["quote"]
        self.sent.append(Sent(began, step, path, place, status, time.monotonic() - began, found))

    def searches(self) -> list[Sent]:
        """All searches in the order in which they left."""
        return sorted((one for one in self.sent if one.path == "/search"), key=lambda one: one.at)

    def wait_for_cycles(self, count: float) -> None:
        """Return after so many more searches of each question."""
        wanted = len(self.sent) + 2 * count * len(self.cases)
        while len(self.sent) < wanted:
            time.sleep(0.1)


def hits(hit: dict[str, Any], case: Case) -> bool:
    """Whether a hit of the wire covers a gold passage."""
    gold = case.gold
    if hit["source"] not in gold.sources:
        return False
    return gold.span is None or is_hit((hit["char_start"], hit["char_end"]), gold.span)


def ask_quietly(url: str, cases: Sequence[Case]) -> list[bool]:
    """What the model that answers finds of each question while nothing else happens."""
    with httpx2.Client(base_url=url, timeout=PATIENCE_S) as client:
        replies = [
            client.post("/search", json={"question": one.question, "top_k": 10}).json() for one in cases
        ]
    return [any(hits(hit, case) for hit in reply["hits"]) for reply, case in zip(replies, cases, strict=True)]


def find_unresolved(url: str, citations: dict[tuple[str, int, int], str]) -> list[str]:
    """The citations that don't lead to their words, and what came instead. Who is told to come back does so."""
    unresolved = []
    with httpx2.Client(base_url=url, timeout=PATIENCE_S) as client:
        for (document, start, end), quote in list(citations.items()):
            for wait_s in (0.5, 1.0, 2.0, 4.0, 0.0):
                reply = client.get(f"/documents/{document}/text", params={"start": start, "end": end})
                if reply.status_code not in {429, 503}:
                    break
                time.sleep(wait_s)
            if reply.status_code != 200 or reply.json()["text"] != quote:
                unresolved.append(f"{document} {start}-{end}: {reply.status_code} {reply.text[:200]}")
    return unresolved


def command(home: Path, *words: str, is_json: bool = True) -> Any:
    """Run one of our commands; what it prints. Raises RuntimeError where it fails."""
    done = subprocess.run(
        [str(_BIN / words[0]), *words[1:], *(["--json"] if is_json else [])],
        cwd=home.parent, env=environment(home), capture_output=True, text=True, timeout=WALK_S, check=False,
    )  # fmt: skip
    if done.returncode not in {0, 1}:
        raise RuntimeError(f"{' '.join(words)}: {done.returncode} {done.stdout[-500:]} {done.stderr[-500:]}")
    return json.loads(done.stdout.strip().splitlines()[-1]) if is_json else done.stdout


def add_and_kill(home: Path, owner: psycopg.Connection[Any], model: str, documents: int) -> int:
    """Begin to fill, and kill the command once a third is stored. Returns how many documents were."""
    with (home.parent / "add.log").open("w") as log:
        filling = subprocess.Popen(
            [str(_BIN / "pgask"), "spaces", "add", model, "--json"],
            cwd=home.parent, env=environment(home), stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    stored = 0
    while filling.poll() is None:
        row = owner.execute("SELECT count(*) FROM pgask.documents WHERE copy_of IS NOT NULL").fetchone()
        stored = int(row[0]) if row else 0
        if stored >= documents / 3:
            os.killpg(filling.pid, signal.SIGKILL)
            filling.wait()
        time.sleep(0.02)
    return stored


def wait_for_model(url: str, model: str) -> float:
    """Seconds until the service says that this model answers."""
    began = time.monotonic()
    while True:
        detail = httpx2.get(f"{url}/readyz", timeout=PATIENCE_S).json()["checks"]["embedding"]["detail"]
        if detail.split(",")[0].split(" ")[0] == model.split(" ", maxsplit=1)[0]:
            return time.monotonic() - began
        if time.monotonic() - began > 300:
            raise RuntimeError(f"{model} does not answer: {detail}")
        time.sleep(0.1)


async def read_cases(url: str, asked: int, question_file: Path | None) -> list[Case]:
    """Questions on the collection, spread over the file, else made from its texts."""
    async with open_pool(url, size=1, statement_timeout_s=60) as pool, transaction(pool) as connection:
        return await _read_cases(connection, asked, question_file)


async def _read_cases(connection: AsyncConnection, asked: int, question_file: Path | None) -> list[Case]:
    if question_file is None:
        return await make_questions(connection, "default", asked, _find_nothing)
    questions = load_questions(question_file)
    spread = questions[:: max(1, len(questions) // asked)]
    return (await place_questions(connection, "default", "set", spread))[:asked]


async def _find_nothing(question: str) -> list[ScoredChunk]:
    """Half of the words are withheld, whatever words alone would find: what both models find is to stay found."""
    return []


def lowest_recall(searches: Sequence[Sent], length: int) -> tuple[float, str]:
    """The lowest share of found ones over all runs of `length` searches, and the steps in which that was."""
    found = np.array([one.found for one in searches], dtype=np.float64)
    if found.size < length:
        return float("nan"), ""
    shares = np.convolve(found, np.ones(length) / length, mode="valid")
    at = int(shares.argmin())
    return float(shares[at]), " to ".join(dict.fromkeys((searches[at].step, searches[at + length - 1].step)))


def tell(load: Load, baseline: Sequence[bool], more: dict[str, Any]) -> dict[str, Any]:
    """The figures."""
    steps: dict[str, dict[str, Any]] = {}
    for step in dict.fromkeys(one.step for one in sorted(load.sent, key=lambda one: one.at)):
        ones = [one for one in load.sent if one.step == step]
        searches = [one for one in ones if one.path == "/search"]
        ms = [1000 * one.seconds for one in ones]
        steps[step] = {
            "requests": len(ones),
            "errors": sum(one.status != 200 for one in ones),
            "statuses": dict(Counter(one.status for one in ones)),
            # of the searches that were answered: as many as find less, and more, than the first model before
            "lost": sum(baseline[one.question] and not one.found for one in searches if one.status == 200),
            "gained": sum(one.found and not baseline[one.question] for one in searches if one.status == 200),
            "recall": round(float(np.mean([one.found for one in searches])), 4) if searches else None,
            "p50_ms": round(float(np.percentile(ms, 50))),
            "p95_ms": round(float(np.percentile(ms, 95))),
            "a_second": round(len(ones) / max(1e-9, max(o.at for o in ones) - min(o.at for o in ones)), 1),
        }
    reached = float(np.mean(baseline))
    lowest, where = lowest_recall(load.searches(), len(load.cases))
    errors = sum(step["errors"] for step in steps.values())
    return {
        "questions": len(load.cases), "requests": len(load.sent), "errors": errors, "steps": steps,
        "recall_before": round(reached, 4), "lowest_recall": round(lowest, 4), "lowest_at": where,
        "citations": len(load.citations), "faults": load.faults[:10], **more,
        "passed": not errors and lowest >= reached - 1e-9 and not more["unresolved"],
    }  # fmt: skip


def go_through(load: Load, home: Path, owner: psycopg.Connection[Any], model: str) -> dict[str, Any]:
    """All steps, one after the other, while the load goes on."""
    more: dict[str, Any] = {"seconds": {}}
    unresolved: list[str] = []

    def step(name: str, act: Callable[[], Any]) -> Any:
        load.step, began = name, time.monotonic()
        given = act()
        more["seconds"][name] = round(time.monotonic() - began, 1)
        unresolved.extend(f"{name}: {one}" for one in find_unresolved(load.url, dict(load.citations)))
        return given

    row = owner.execute("SELECT count(*) FROM pgask.documents WHERE chunk_count > 0").fetchone()
    documents = int(row[0]) if row else 0
    load.wait_for_cycles(1)
    more["killed_after"] = step("add, killed", lambda: add_and_kill(home, owner, model, documents))
    added = step("add", lambda: command(home, "pgask", "spaces", "add", model))
    more |= {"documents": documents, "stored_after_the_kill": added["documents_stored"]}
    judged = step("evaluate", lambda: command(home, "pgask", "spaces", "evaluate"))
    more["verdict"], more["sentence"] = judged["verdict"], judged["sentence"]
    force = ["--force"] if judged["verdict"] == "worse" else []
    step("switch", lambda: command(home, "pgask", "spaces", "switch", *force))
    step("switched, not noticed", lambda: wait_for_model(load.url, judged["second"]))
    step("the second answers", lambda: load.wait_for_cycles(1.5))
    step("back", lambda: command(home, "pgask", "spaces", "back"))
    step("back, not noticed", lambda: wait_for_model(load.url, judged["serving"]))
    step("the first answers again", lambda: load.wait_for_cycles(1.2))
    step("drop", lambda: command(home, "pgask", "spaces", "drop", "--yes"))
    step("after", lambda: load.wait_for_cycles(0.5))
    return more | {"unresolved": unresolved}


async def main() -> int:
    """Run from the command line."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--questions-asked", type=int, default=100)
    options.add_argument("--rate", type=float, default=RATE)
    options.add_argument("--model")
    options.add_argument("--corpus", type=Path, default=ROOT / "corpus")
    options.add_argument("--set", type=Path)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--out", type=Path)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="pgask-spaces-") as folder:
        home = Path(folder) / "home"
        model = chosen.model or str(save_cut_model(Path(folder) / "twin-of-english", layers=6))
        command(home, "pgask", "migrate")
        command(home, "ingest", str(chosen.corpus.absolute()))
        served = Served(home)
        settings = Settings(_env_file=None, home=home)  # type: ignore[call-arg]
        with open_database(settings) as database, connect(database.owner) as owner:
            cases = await read_cases(database.app, chosen.questions_asked, chosen.set)
            served.start()
            try:
                served.wait_until_ready()
                baseline = ask_quietly(served.url, cases)
                load = Load(served.url, cases, chosen.rate)
                with load.running():
                    more = go_through(load, home, owner, model)
                told = tell(load, baseline, {"model": chosen.model or "the same in another folder", **more})
            finally:
                served.close()
    return 0 if report("spaces", chosen.seed, told, out=chosen.out) else 1


if __name__ == "__main__":
    import asyncio

    sys.exit(asyncio.run(main()))
