"""Peak memory of `ingest` on a corpus of any size, for eval/bench/ingest.py.

The corpus is made from real files: each copy has other words at every tenth place, so that no two are near duplicates.
The real command runs as a process of its own (with constant vectors where the encoder is stubbed), and /proc is read
while it works.
"""

from __future__ import annotations

import json
import random
import re
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from app.config import load_settings
from app.store.connection import open_database
from app.store.migrate import migrate

_POLL_S: Final = 0.2
_POINTS: Final = 10
_WORD: Final = re.compile(r"\w+")


def altered(text: str, seed: int) -> str:
    """`text` with every tenth word taken from elsewhere in it."""
    words = _WORD.findall(text)
    chosen = random.Random(seed)  # noqa: S311 - no secret
    return _WORD.sub(lambda match: chosen.choice(words) if chosen.random() < 0.1 else match.group(), text)


def make_corpus(files: Sequence[Path], folder: Path, size_bytes: int) -> int:
    """Fill `folder` with altered copies of `files` up to `size_bytes`; how many were written."""
    texts = [file.read_text("utf-8") for file in files]
    written, number = 0, 0
    while written < size_bytes:
        text = altered(texts[number % len(texts)], number)
        target = folder / f"{number // 1000:04}" / f"{number:06}.md"
        target.parent.mkdir(exist_ok=True)
        written += target.write_text(f"Copy {number}\n\n{text}", "utf-8")
        number += 1
    return number


def processes_of(parent: int) -> Iterator[tuple[int, int]]:
    """(pid, resident bytes) of a process and its children, those that any of its threads started; what ends meanwhile
    is left out."""
    children: list[int] = []
    for thread in Path(f"/proc/{parent}/task").glob("*/children"):
        with suppress(FileNotFoundError, ProcessLookupError):
            children += map(int, thread.read_text().split())
    for pid in [parent, *children]:
        with suppress(FileNotFoundError, ProcessLookupError):
            for line in Path(f"/proc/{pid}/status").read_text().splitlines():
                if line.startswith("VmRSS:"):
                    yield pid, int(line.split()[1]) * 1024


def measure_memory(corpus: Path, home: Path, *, megabytes: int, stub: bool, limit_s: float) -> dict[str, Any]:
    """Take in a made corpus and watch: peaks, and the resident size at tenths of the time, in MB (10^6)."""
    files = sorted(path for path in corpus.rglob("*") if path.suffix in {".md", ".txt"})
    settings = load_settings(home=home)
    with open_database(settings) as database, tempfile.TemporaryDirectory(prefix="pgask-memory-") as made:
        migrate(database)
        count = make_corpus(files, Path(made), megabytes * 1_000_000)
        setup = {
            "stub": stub,
            "url": database.app,
            "owner_url": database.owner,
            "settings": {"home": str(home)},
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "eval.bench.ingest_ours"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            print(json.dumps(setup), file=process.stdin, flush=True)
            process.stdout.readline()
            samples, reply = _watch(process, made, limit_s)
        finally:
            process.kill()
            process.wait()
    own = [sample[1] for sample in samples]
    places = [min(len(samples) - 1, len(samples) * point // _POINTS) for point in range(1, _POINTS + 1)]
    return {
        "files": count,
        "megabytes": megabytes,
        "finished": reply is not None,
        "seconds": round(samples[-1][0], 1),
        "peak_mb": round(max(own) / 1e6),
        "peak_child_mb": round(max(sample[2] for sample in samples) / 1e6),
        "at_tenths_mb": [round(max(own[max(0, place - 25) : place + 1]) / 1e6) for place in places],
        "reply": reply,
    }


def _watch(
    process: subprocess.Popen[str], folder: str, limit_s: float
) -> tuple[list[tuple[float, int, int]], dict[str, Any] | None]:
    """(seconds, bytes of the process, bytes of its children) until it answers, or `limit_s` is over: then no reply."""
    assert process.stdin is not None
    assert process.stdout is not None
    print(json.dumps({"folder": folder}), file=process.stdin, flush=True)
    started, samples = time.monotonic(), []
    while time.monotonic() - started < limit_s:
        sizes = dict(processes_of(process.pid))
        own = sizes.pop(process.pid, 0)
        samples.append((time.monotonic() - started, own, max(sizes.values(), default=0)))
        if select.select([process.stdout], [], [], _POLL_S)[0]:
            line = process.stdout.readline()
            if not line:
                raise SystemExit(f"ingest ended with {process.wait()}; its messages are above")
            return samples, json.loads(line)
    return samples, None
