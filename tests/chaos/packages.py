"""What is installed with pgask: locked, of known licences, and without known holes where somebody can be asked (R41).

    .venv/bin/python -m tests.chaos.packages [--seed S] [--out FOLDER] [--sbom FILE]

Every package of constraints.txt is pinned, installed in that version, and of a licence that ALLOWED or SEEN (with who
looked and at what) names. `pip-audit` is asked where it is installed and reaches its database; else that row says so.
--sbom writes the list as CycloneDX 1.5. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any, Final

from tests.chaos.evidence import ROOT, report

# By SPDX, or a classifier's or a field's words; LGPL and MPL are weak copyleft, of packages used unchanged.
ALLOWED: Final = re.compile(
    r"\b(?:MIT|Apache|BSD|0BSD|ISC|PSF|Python Software Foundation|HPND|Unlicense|Zlib|CC0|MPL|Mozilla|LGPL|Lesser|"
    r"PostgreSQL|BSL-1\.0|CNRI|Public Domain|WTFPL)\b",
    re.IGNORECASE,
)
REFUSED: Final = re.compile(
    r"\b(?:AGPL|Affero|GPL|General Public|SSPL|BUSL|Commons Clause|proprietary)\b", re.IGNORECASE
)
WEAK: Final = re.compile(r"\bLGPL\b|Lesser", re.IGNORECASE)
SEEN: Final[Mapping[str, str]] = {
    "docutils": "COPYING.rst: public domain but for some files; GPL is the mode for Emacs, which no wheel holds",
}


def pins() -> dict[str, str]:
    """Name → version of constraints.txt. Raises ValueError for a line that pins nothing."""
    found = {}
    for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            name, equals, version = line.partition("==")
            if not equals or not version:
                raise ValueError(f"not pinned: {line}")
            found[name] = version
    return found


def licence_of(found: Distribution) -> str:
    """What its metadata says: the SPDX expression, else classifiers, else the first line of the licence's field."""
    told = found.metadata
    (expression,) = told.get_all("License-Expression") or [""]
    classified = [
        one.rpartition("::")[2].strip() for one in told.get_all("Classifier") or [] if "License ::" in one
    ]
    said = (told.get_all("License") or [""])[0].strip().partition("\n")[0][:100]
    return expression or "; ".join(classified) or said or "not said"


def is_allowed(name: str, licence: str) -> bool:
    """Whether one of its licences is allowed and none of those that would bind pgask is."""
    if name in SEEN:
        return True
    alternatives = re.split(r"\s+OR\s+", licence)
    return any(
        bool(ALLOWED.search(one)) and (not REFUSED.search(one) or bool(WEAK.search(one)))
        for one in alternatives
    )


def audit() -> dict[str, Any]:
    """What pip-audit says of the packages that are pinned."""
    tool = shutil.which("pip-audit") or shutil.which("pip-audit", path=str(Path(sys.executable).parent))
    if tool is None:
        return {"asked": False, "why": "pip-audit is not installed"}
    done = subprocess.run(
        [tool, "--disable-pip", "--no-deps", "-r", str(ROOT / "constraints.txt"), "-f", "json"],
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    try:
        told = json.loads(done.stdout)
    except ValueError:
        return {"asked": False, "why": (done.stderr.strip().splitlines() or ["no reply"])[-1][:200]}
    skipped = [one["name"] for one in told["dependencies"] if "skip_reason" in one]  # it calls these no holes
    holes = {
        one["name"]: [hole["id"] for hole in one["vulns"]] for one in told["dependencies"] if one.get("vulns")
    }
    return {"asked": not skipped, "skipped": len(skipped), "holes": holes}


def run(sbom: Path | None = None) -> dict[str, Any]:
    """Look at all of them."""
    licences: dict[str, str] = {}
    missing, others = [], []
    for name, version in pins().items():
        try:
            found = distribution(name)
        except PackageNotFoundError:
            missing.append(name)
            continue
        licences[name] = licence_of(found)
        if found.version.partition("+")[0] != version:
            others.append(f"{name} {found.version}")
    unknown = {name: licence for name, licence in licences.items() if not is_allowed(name, licence)}
    if sbom is not None:
        sbom.write_text(json.dumps(_sbom(licences), indent=1) + "\n", "utf-8")
    audited = audit()
    return {
        "packages": len(pins()),
        "not_installed_here": missing,
        "of_another_version": others,
        "licences_not_known": unknown,
        "seen_by_hand": dict(SEEN),
        "audit": audited,
        "passed": not unknown and not audited.get("holes"),
    }


def _sbom(licences: Mapping[str, str]) -> dict[str, Any]:
    components = [
        {
            "type": "library",
            "name": name,
            "version": version,
            "purl": f"pkg:pypi/{name}@{version}",
            "licenses": [{"license": {"name": licences.get(name, "not said")}}],
        }
        for name, version in pins().items()
    ]
    return {"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1, "components": components}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; exit status 0 if all are known."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--sbom", type=Path)
    options.add_argument("--out", type=Path)
    chosen = options.parse_args(arguments)
    return 0 if report("packages", chosen.seed, run(chosen.sbom), out=chosen.out) else 1


if __name__ == "__main__":
    sys.exit(main())
