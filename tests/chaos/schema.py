"""Requests made of /openapi.json, with keys of every role (R28): none is a fault of the service's, and each reply is as
described.

    .venv/bin/python -m tests.chaos.schema [--cases N] [--seed S] [--st PROGRAM] [--out FOLDER]

`st` is schemathesis 4, which is no dependency of pgask: an environment of its own holds it (pip install schemathesis).
Per operation it makes up to N requests, right and wrong ones, and stateful chains of them; its phase `coverage`, which
makes tens of thousands of /ask and /search alone, is left to `--phases`. Statuses and times are those of the service's
own log. A fault, a slow reply, and a reply that differs from the description fail the run. Whether all that is told of
is accepted is not asked: JSON Schema can't say that `end` is not before `start`. The events of jobs are left out: no
worker runs, so they go on for ever.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from app.domain import Role
from app.server.embedded import EmbeddedPostgres
from app.store.connection import Database
from tests.chaos.evidence import report
from tests.chaos.served import Service
from tests.chaos.tenants import make_key

ROLES: Final[tuple[Role, ...]] = ("reader", "writer", "admin")
CHECKS: Final = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
    "response_schema_conformance,negative_data_rejection,unsupported_method"
)
MOST_S: Final = 10.0
_FAILURE: Final = re.compile(
    r"^(?:_+ (?P<operation>[^_\n]+(?:_[^_\n]+)*) _+|- (?P<kind>ST\d+ [^\n]*))$", re.MULTILINE
)
# Names in letters of any script are taken; \w of JSON Schema's patterns knows ASCII's alone
KNOWN: Final = frozenset(
    f"{operation}: ST201 Schema-violating request accepted"
    for operation in ("POST /collections", "PATCH /collections/{name}")
)


@dataclass(slots=True)
class Figures:
    """What was sent, and what came of it."""

    requests: dict[str, int] = field(default_factory=dict)  # by role
    statuses: dict[str, int] = field(default_factory=dict)
    routes: int = 0
    slowest_s: float = 0.0
    failures: dict[str, int] = field(default_factory=dict)  # what st reports that differs, by kind
    faults: list[str] = field(default_factory=list)

    def passed(self) -> bool:
        """Tell whether no reply was a fault, and none took too long."""
        return (
            not self.faults
            and not self.failures
            and self.slowest_s <= MOST_S
            and all(self.requests.get(role) for role in ROLES)
        )


def run(folder: Path, *, cases: int, seed: int, st: str, phases: str) -> Figures:
    """Serve a few documents, and send what st makes up."""
    figures, failures = Figures(), Counter[str]()
    with Service(folder / "home", auth="keys", audit_days=1, log_level="info") as service:
        with EmbeddedPostgres(folder / "home") as server:
            urls = server.start()
            database = Database(owner=urls.owner, app=urls.app)
            keys = {role: make_key(database, 1, role) for role in ROLES}
        seen = 0
        for role, key in keys.items():
            done = subprocess.run(
                [
                    *(st, "run", service.url("/openapi.json"), "-H", f"Authorization: Bearer {key}"),
                    *("-n", str(cases), "--seed", str(seed), "--checks", CHECKS, "--continue-on-failure"),
                    *(
                        "--phases",
                        phases,
                        "--request-timeout",
                        "20",
                        "--exclude-path-regex",
                        "/events$",
                        "--max-failures",
                        "1000",
                        "--no-color",
                    ),
                ],
                cwd=folder,
                capture_output=True,
                text=True,
                check=False,
            )
            (folder / f"{role}.txt").write_text(done.stdout + done.stderr, "utf-8")
            failures.update(failures_of(done.stdout))
            count = _judge(service, figures)
            figures.requests[role], seen = count - seen, count
    figures.failures = dict(failures)
    return figures


def failures_of(told: str) -> list[str]:
    """What st tells of, as "operation: kind", but for what is KNOWN."""
    found, operation = [], ""
    for match in _FAILURE.finditer(told):
        operation = match["operation"] or operation
        if match["kind"]:
            found.append(f"{operation}: {match['kind']}")
    return [failure for failure in found if failure not in KNOWN]


def _judge(service: Service, figures: Figures) -> int:
    """Read the service's log so far; how many requests it tells of."""
    statuses, routes, faults, slowest = Counter[str](), set[str](), [], 0.0
    for line in service.log.read_text("utf-8").splitlines():
        if '"event": "request"' not in line:
            if '"level": "error"' in line:
                faults.append(line[:300])
            continue
        told: dict[str, Any] = json.loads(line)
        statuses[str(told["status"])] += 1
        routes.add(f"{told['method']} {told['route']}")
        slowest = max(slowest, told["ms"] / 1000)
        if told["status"] >= 500:
            faults.append(line[:300])
    figures.statuses, figures.routes, figures.slowest_s, figures.faults = (
        dict(statuses),
        len(routes),
        slowest,
        faults[:50],
    )
    return statuses.total()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; exit status 0 if the run passed."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--cases", type=int, default=100)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--st", default="st")
    options.add_argument("--phases", default="examples,fuzzing,stateful")
    options.add_argument("--out", type=Path)
    chosen = options.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="pgask-schema-") as made:
        folder = Path(made)
        figures = run(folder, cases=chosen.cases, seed=chosen.seed, st=chosen.st, phases=chosen.phases)
        if chosen.out is not None:
            chosen.out.mkdir(parents=True, exist_ok=True)
            for role in ROLES:
                (chosen.out / f"schema-{role}.txt").write_bytes((folder / f"{role}.txt").read_bytes())
            log = next(folder.glob("served-*.log"))
            (chosen.out / "schema.log").write_bytes(log.read_bytes())
    told = asdict(figures) | {"passed": figures.passed()}
    return 0 if report("schema", chosen.seed, told, out=chosen.out) else 1


if __name__ == "__main__":
    sys.exit(main())
