"""What a figure needs to be believed and made again: the seed, the commit, the machine (R42)."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[2]


def commit() -> str:
    """The commit that is checked out, with "+" where tracked files differ from it; "unknown" outside of a clone."""
    described = subprocess.run(
        ["git", "describe", "--always", "--dirty=+", "--exclude=*"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return described.stdout.strip() or "unknown"


def machine() -> str:
    """Processor, cores, memory, system, Python."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        named = [line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        model = named[0].partition(":")[2].strip() if named else model
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{model}, {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()}, Python {platform.python_version()}"


def report(name: str, seed: int, figures: Mapping[str, Any], *, out: Path | None = None) -> bool:
    """Print the figures as one JSON object, last on the standard output, and write it below `out`. Returns whether
    they passed: their key `passed`."""
    told = {"check": name, "seed": seed, "commit": commit(), "machine": machine(), **figures}
    line = json.dumps(told, ensure_ascii=False)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        (out / f"{name}-{seed}.json").write_text(line + "\n", "utf-8")
    print(line)
    sys.stdout.flush()
    return bool(figures["passed"])
