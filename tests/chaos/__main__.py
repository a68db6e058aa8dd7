"""Every crash, rival and hostile input at full size: `make chaos` (tests/integration has the size for every commit).

    .venv/bin/python -m tests.chaos [--seed N] [--scale SHARE] [--only NAME …] [--out FOLDER]

Runs each part as a process of its own, in turn, and goes on after one that fails. Prints what each part says as it
ends, and one JSON object last; exit status 0 if all passed. `--scale 0.1` runs a tenth of each.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from tests.chaos.evidence import ROOT, report

# Name: module and arguments, the number that `--scale` scales being the one in its place of `{}`, and that number.
_PARTS: Final[dict[str, tuple[str, int]]] = {
    "fuzz": ("fuzz_parsers --files {} --corpus corpus", 20_000),  # R27
    "worker": ("kills worker --kills {}", 200),  # R1
    "installed": ("kills worker --installed --files 100 --kills {}", 10),  # R1, by the command and the model
    "everything": ("kills everything --kills {}", 100),  # R2
    "interrupt": ("kills interrupt --files 100 --kills {}", 20),
    "rivals": ("rivals --rounds {}", 50),  # R4
    "services": ("services --notes {}", 10_000),
    "recovery": ("recovery --serve --megabytes {}", 512),  # R3
    "workers": ("workers --faults {}", 1_000),  # R6 to R8
    "deletes": ("deletes --documents {}", 1_000),  # R15
    "unchanged": ("unchanged --files {}", 1_000),  # R5
    "names": ("names --names {}", 1_000),  # R24
    "strings": ("strings --texts {}", 5_000),  # R39
    "slow": ("clients slow --clients {}", 500),  # R35
    "headers": ("clients headers --clients {}", 4),
    "drain": ("clients drain --clients {}", 30),  # R22
    "overload": ("clients overload --clients {}", 160),  # R21
    "streams": ("clients streams --clients {}", 1_000),  # R20
    "hang": ("clients hang --clients {}", 60),  # R7
    "payloads": ("clients payloads --clients {}", 500),  # R29
    "secrets": ("clients secrets --clients {}", 5),  # R37
    "failures": ("clients failures --clients {}", 20),  # R17
    "down": ("clients down --clients {}", 300),  # R18
    "page": ("page --payloads {}", 150),  # R32
    "injected": ("injected --documents {}", 120),  # R33
    "tenants": ("tenants --operations {}", 10_000),  # R30
    "moving": ("moving --questions {}", 500),
    "policies": ("policies --operations {}", 200),  # R30, each policy broken once
    "spaces": ("spaces --questions-asked {}", 100),  # R13
    "upgrade": ("upgrade --postings {}", 5_000_000),  # R12
    "readers": ("tenants --readers --operations {}", 10_000),
    "restore": ("restore --questions {}", 500),  # R14
    "addresses": ("addresses --vectors {}", 120),  # R23
    "planted": ("planted --documents {}", 10_000),  # R34
    "patterns": ("patterns --characters {}", 1_000_000),  # R36
    "packages": ("packages", 1),  # R41; has no number
    "crafted": ("crafted --files {}", 1_000),
    "story": ("story --files {}", 40),
    "bulk": ("bulk --jobs {}", 32),
    "failover": ("failover --rate {}", 50),
    "alerts": ("alerts", 1),  # has no number
    "hour": ("hour --minutes {}", 60),
}
# What has no number: a full disk (R10), bombs and loops (R25, R26), limits of the parser's process (R11).
_TESTS: Final = (
    *("tests/integration/test_disk_full.py", "tests/unit/test_archives.py", "tests/unit/test_pdf_bombs.py"),
    "tests/unit/test_sandbox.py",
)


def run_part(name: str, seed: int, scale: float, out: Path) -> dict[str, Any]:
    """Run one part and return its figures."""
    if name == "tests":
        command = ["-m", "pytest", "-q", *_TESTS]
    else:
        written, number = _PARTS[name]
        module, *arguments = written.format(max(1, round(number * scale))).split()
        command = ["-m", f"tests.chaos.{module}", *arguments, "--seed", str(seed), "--out", str(out)]
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False
    )
    lines = done.stdout.strip().splitlines() or [""]
    figures: dict[str, Any] = {"last_line": lines[-1]}
    if lines[-1].startswith("{"):
        figures = json.loads(lines[-1])
    passed = done.returncode == 0
    return {**figures, "passed": passed, "wall_s": round(time.monotonic() - began, 1)}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; exit status 0 if every part passed."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--scale", type=float, default=1.0)
    options.add_argument("--only", nargs="*", choices=[*_PARTS, "tests"], default=[*_PARTS, "tests"])
    options.add_argument("--out", type=Path, default=Path("test-results/chaos"))
    chosen = options.parse_args(arguments)
    out = chosen.out.absolute()
    out.mkdir(parents=True, exist_ok=True)
    parts: dict[str, dict[str, Any]] = {}
    for name in chosen.only:
        parts[name] = run_part(name, chosen.seed, chosen.scale, out)
        ended = "passed" if parts[name]["passed"] else "FAILED"
        print(f"{name:12} {ended} in {parts[name]['wall_s']} s", file=sys.stderr, flush=True)
    told = {"scale": chosen.scale, "parts": parts, "passed": all(part["passed"] for part in parts.values())}
    return 0 if report("chaos", chosen.seed, told, out=out) else 1


if __name__ == "__main__":
    sys.exit(main())
