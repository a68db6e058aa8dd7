"""Load for eval/bench/search.py: so many clients that each ask, wait for the reply and ask again."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

Ask = Callable[[int], Awaitable[object]]

_MOST_SECONDS: Final = 120

# wrk's own script language. Each thread starts at another question, and all go round.
_WRK_SCRIPT: Final = """
local bodies = {}
for line in io.lines("BODIES") do bodies[#bodies + 1] = line end
local threads = 0
function setup(thread) thread:set("first", threads * 97); threads = threads + 1 end
function init(args) place = first end
function request()
  place = place + 1
  return wrk.format("POST", "/search", {["Content-Type"] = "application/json"}, bodies[place % #bodies + 1])
end
function done(summary, latency, requests)
  local e = summary.errors
  print(string.format('JSON{"p50_ms": %.3f, "p99_ms": %.3f, "requests": %d, "us": %d, "errors": %d}',
    latency:percentile(50) / 1000, latency:percentile(99) / 1000, summary.requests, summary.duration,
    e.connect + e.read + e.write + e.status + e.timeout))
end
"""


@dataclass(frozen=True, slots=True)
class Load:
    """What a way of searching did under so many clients."""

    p50_ms: float
    p99_ms: float
    per_second: float

    @classmethod
    def of(cls, latencies_ms: Sequence[float], seconds: float) -> Load:
        """Percentiles of all that was answered."""
        p50, p99 = np.percentile(np.array(latencies_ms), [50, 99]).tolist()
        return cls(round(p50, 3), round(p99, 3), round(len(latencies_ms) / seconds, 1))


async def measure(ask: Ask, *, clients: int, seconds: float) -> Load:
    """Ask from `clients` tasks of this loop. `ask` gets the question's number; all questions are asked in turn."""
    latencies: list[float] = []
    started = time.perf_counter()
    end = started + seconds

    async def client(number: int) -> None:
        place = number
        while (asked := time.perf_counter()) < end:
            await ask(place)
            latencies.append(1_000 * (time.perf_counter() - asked))
            place += clients

    await asyncio.gather(*(client(number) for number in range(clients)))
    return Load.of(latencies, time.perf_counter() - started)


def measure_http(url: str, bodies: Sequence[str], *, clients: int, seconds: float) -> Load:
    """The same by wrk over HTTP, POST /search with these bodies. Raises RuntimeError where a reply is no success."""
    with tempfile.TemporaryDirectory(prefix="pgask-wrk-") as folder:
        lines = Path(folder) / "bodies"
        lines.write_text("\n".join(bodies) + "\n", "utf-8")
        script = Path(folder) / "search.lua"
        script.write_text(_WRK_SCRIPT.replace("BODIES", str(lines)), "utf-8")
        said = subprocess.run(  # noqa: S603 - fixed
            [
                shutil.which("wrk") or "wrk", "-t1", f"-c{clients}", f"-d{seconds:g}s", "--timeout", "30s",
                "-s", str(script), url,
            ],
            capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
    found = json.loads(said.split("JSON", 1)[1].splitlines()[0])
    if found["errors"] or seconds > _MOST_SECONDS:
        raise RuntimeError(f"{url}: {said}")
    if found["requests"] < clients:  # slower than the time it was given
        return measure_http(url, bodies, clients=clients, seconds=4 * seconds)
    return Load(found["p50_ms"], found["p99_ms"], round(found["requests"] / found["us"] * 1e6, 1))
