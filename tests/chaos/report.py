"""One page of all that is held whatever happens: each row of requirements.toml with its figure, or that it is not held.

    .venv/bin/python -m tests.chaos.report [--results FOLDER] [--out FOLDER] [--run-tests]

Reads the JSON that the parts of `make chaos` wrote (the newest of each) and, with --run-tests, runs the rows' tests of
pytest. Writes chaos-report.json and chaos-report.html. Exit status 1 where a row is not held; a row that was not run
is told and fails nothing: a report of some parts is one too.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from html import escape
from pathlib import Path
from typing import Any, Final, Literal
from xml.etree import ElementTree

from tests.chaos.evidence import ROOT, commit, machine

ROWS: Final = Path(__file__).with_name("requirements.toml")
UNTOLD: Final = frozenset(
    {"check", "seed", "commit", "machine", "passed", "scale", "parts"}
)  # told elsewhere, or long
MOST_FIGURES: Final = 12

State = Literal["held", "not held", "in part", "not run", "no such feature"]
SHOWN: Final[tuple[State, ...]] = ("not held", "in part", "held", "no such feature", "not run")


@dataclass(frozen=True, slots=True)
class Shown:
    """What one check or one test of a row came to. `passed` is None where it was not run. `where` has seed, commit and
    machine of a check."""

    name: str
    passed: bool | None
    figures: Mapping[str, Any]
    where: str


@dataclass(frozen=True, slots=True)
class Row:
    """One requirement and all that shows it. `absent` says what pgask has not got, `lacks` what nobody measures yet."""

    id: str
    text: str
    shown: tuple[Shown, ...]
    absent: str | None = None
    lacks: str | None = None

    @property
    def state(self) -> State:
        """Not held where anything failed; held where all passed and nothing is lacking."""
        if self.absent is not None:
            return "no such feature"
        ends = {one.passed for one in self.shown}
        if False in ends:
            return "not held"
        if ends == {True}:
            return "held" if self.lacks is None else "in part"
        return "in part" if True in ends else "not run"


def read_checks(folder: Path) -> dict[str, dict[str, Any]]:
    """The newest JSON of each check below a folder, by the check's name. The tests of `make chaos`, which write none
    of their own, are those of its last object."""
    found: dict[str, dict[str, Any]] = {}
    for path in sorted(folder.glob("*.json"), key=lambda path: path.stat().st_mtime):
        try:
            told = json.loads(path.read_text("utf-8"))
        except ValueError:
            continue
        if not isinstance(told, dict) or not isinstance(told.get("check"), str):
            continue
        found[told["check"]] = told
        tests = told.get("parts", {}).get("tests")
        if tests is not None:
            found["tests"] = {**tests, **{key: told[key] for key in ("seed", "commit", "machine")}}
    return found


def read_rows(checks: Mapping[str, Mapping[str, Any]], tests: Mapping[str, bool]) -> list[Row]:
    """Every row with what is known of it. `tests` says of each file of tests whether all of it passed."""
    rows = []
    for name, row in tomllib.loads(ROWS.read_text("utf-8")).items():
        shown = [_check(check, checks.get(check)) for check in row.get("checks", ())]
        shown += [Shown(test, tests.get(test), {}, "") for test in row.get("tests", ())]
        rows.append(Row(name, row["text"], tuple(shown), row.get("absent"), row.get("lacks")))
    return rows


def _check(name: str, told: Mapping[str, Any] | None) -> Shown:
    if told is None:
        return Shown(name, None, {}, "")
    figures = {key: value for key, value in told.items() if key not in UNTOLD}
    where = f"seed {told.get('seed')}, {told.get('commit')}, {told.get('machine')}"
    return Shown(name, bool(told["passed"]), figures, where)


def run_tests(out: Path) -> dict[str, bool]:
    """Run the tests that rows name, the long ones too, and say of each file whether all of it passed."""
    named = sorted(
        {test for row in tomllib.loads(ROWS.read_text("utf-8")).values() for test in row.get("tests", ())}
    )
    result = out / "tests.xml"
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", f"--junitxml={result}", *named],
        cwd=ROOT,
        stdout=sys.stderr,
        check=False,
    )
    return read_tests(result, named)


def read_tests(result: Path, named: Sequence[str]) -> dict[str, bool]:
    """The same of what pytest wrote. A file of which no test ran has no entry, unless it can't be read."""
    ended: dict[str, bool] = {}
    for case in ElementTree.parse(result).iter("testcase"):
        module = (case.get("classname") or case.get("name") or "").replace(".", "/")
        file = next((test for test in named if module.startswith(test.removesuffix(".py"))), None)
        if file is not None and case.find("skipped") is None:
            failed = case.find("failure") is not None or case.find("error") is not None
            ended[file] = ended.get(file, True) and not failed
    return ended


def page(rows: Sequence[Row], head: str) -> str:
    """The report for people: what is not held first, what was not run last; no script, nothing from elsewhere."""
    by_state = {state: [row for row in rows if row.state == state] for state in SHOWN}
    told = ", ".join(f"{len(found)} {state}" for state, found in by_state.items() if found)
    tables = "\n".join(_table(state, found) for state, found in by_state.items() if found)
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>pgask: what holds</title>
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; padding: 0 1rem; max-width: 75rem; color: #1b1b1b }}
h2 {{ padding: .2rem .6rem; border-left: .5rem solid #999 }} table {{ border-collapse: collapse; width: 100% }}
td, th {{ border-top: 1px solid #ccc; padding: .4rem .6rem; text-align: left; vertical-align: top }}
th {{ width: 3rem }} td:nth-child(2) {{ width: 24rem }} small {{ color: #555 }}
dl {{ display: grid; grid-template-columns: fit-content(40%) 1fr; gap: 0 .8rem; margin: 0 0 .3rem; font-size: 13px }}
dt {{ color: #555 }} dd {{ margin: 0; overflow-wrap: anywhere }} .failed {{ color: #a4161a }}
@media (max-width: 45rem) {{ td, th, td:nth-child(2) {{ display: block; width: auto }} td {{ border: 0 }} }}
.held {{ border-color: #2d8a3e }} .not-held {{ border-color: #c1121f }} .in-part {{ border-color: #d99000 }}
</style>
<h1>What holds</h1><p>{escape(head)}</p><p>{len(rows)} rows: {escape(told)}.</p>
{tables}</html>
"""


def _table(state: State, rows: Sequence[Row]) -> str:
    lines = "".join(map(_row, rows))
    return f'<h2 class="{state.replace(" ", "-")}">{state.capitalize()} ({len(rows)})</h2>\n<table>{lines}</table>'


def _row(row: Row) -> str:
    noted = [f"<div>{escape(note)}</div>" for note in (row.absent, row.lacks) if note]
    said = "".join([*noted, *map(_shown, row.shown)])
    return f"<tr><th>{escape(row.id)}<td>{escape(row.text)}<td>{said}</tr>\n"


def _shown(one: Shown) -> str:
    if one.passed is None:
        return f"<div>{escape(one.name)} <small>not run</small></div>"
    ended = "passed" if one.passed else '<span class="failed">failed</span>'
    figures = "".join(f"<dt>{escape(name)}<dd>{escape(value)}" for name, value in _figures(one.figures))
    return (
        f"<div><b>{escape(one.name)}</b> {ended} <small>{escape(one.where)}</small></div><dl>{figures}</dl>"
    )


def _figures(figures: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The first of them, each cut where it is long: all stand in the JSON."""
    for name, value in list(figures.items())[:MOST_FIGURES]:
        text = json.dumps(value, ensure_ascii=False)
        yield name.replace("_", " "), text if len(text) <= 160 else text[:159] + "…"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; exit status 1 where a row is not held."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--results", type=Path, default=Path("test-results/chaos"))
    options.add_argument("--out", type=Path, default=Path("test-results"))
    options.add_argument("--run-tests", action="store_true")
    chosen = options.parse_args(arguments)
    chosen.out.mkdir(parents=True, exist_ok=True)
    rows = read_rows(read_checks(chosen.results), run_tests(chosen.out) if chosen.run_tests else {})
    made = {
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "commit": commit(),
        "machine": machine(),
    }
    told = {**made, "rows": [asdict(row) | {"state": row.state} for row in rows]}
    (chosen.out / "chaos-report.json").write_text(
        json.dumps(told, ensure_ascii=False, indent=1) + "\n", "utf-8"
    )
    head = f"Made {made['at']} at {made['commit']} on {made['machine']}."
    (chosen.out / "chaos-report.html").write_text(page(rows, head), "utf-8")
    for row in rows:
        print(f"{row.id:4} {row.state:16} {row.text}")
    print(chosen.out / "chaos-report.html")
    return 1 if any(row.state == "not held" for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
