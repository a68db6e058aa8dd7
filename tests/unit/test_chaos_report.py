"""The report of what holds: rows, the parts that show them, and what is told of one that failed or was not run."""

from __future__ import annotations

import ast
import json
import os
import tomllib
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest

from tests.chaos import __main__ as chaos
from tests.chaos.evidence import ROOT
from tests.chaos.report import ROWS, main, page, read_checks, read_rows, read_tests

WHERE = {"commit": "abc1234", "machine": "a machine"}


def write(folder: Path, name: str, seed: int = 1, at: int = 0, **figures: Any) -> None:
    path = folder / f"{name}-{seed}.json"
    path.write_text(json.dumps({"check": name, "seed": seed, **WHERE, **figures}), "utf-8")
    os.utime(path, (at, at))


def names_of_checks() -> set[str]:
    """The names that the parts report by, with "*" for what an f-string fills in."""
    names = {"tests"}
    for path in (ROOT / "tests/chaos").glob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        named = [node.args[0] for node in ast.walk(tree) if isinstance(node, ast.Call)
                 and isinstance(node.func, ast.Name) and node.func.id == "report" and node.args]  # fmt: skip
        named += [node.value for node in ast.walk(tree) if isinstance(node, ast.Assign)
                  and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "name"]  # fmt: skip
        for node in named:
            parts = [node.body, node.orelse] if isinstance(node, ast.IfExp) else [node]
            for part in parts:
                pieces = part.values if isinstance(part, ast.JoinedStr) else [part]
                written = [piece.value if isinstance(piece, ast.Constant) else "*" for piece in pieces]
                names.add("".join(map(str, written)))
    return names


def test_rows_are_all_there_and_name_what_exists() -> None:
    rows = tomllib.loads(ROWS.read_text("utf-8"))
    assert list(rows) == [f"R{number}" for number in range(1, 43)]
    names = names_of_checks() - {"*"}
    assert {"rivals", "readers", "clients-*", "kills-**"} <= names
    for row, told in rows.items():
        assert set(told) <= {"text", "checks", "tests", "absent", "lacks"}, row
        shown = bool(told.get("checks") or told.get("tests"))
        assert ("absent" in told) != (shown or "lacks" in told), row
        for check in told.get("checks", ()):
            assert any(fnmatch(check, name) for name in names), (row, check)
        assert all((ROOT / test).is_file() for test in told.get("tests", ())), row


def test_each_part_of_make_chaos_is_a_module() -> None:
    for written, _ in chaos._PARTS.values():
        assert (ROOT / f"tests/chaos/{written.split()[0]}.py").is_file(), written


def test_the_newest_of_each_check_is_told(tmp_path: Path) -> None:
    write(tmp_path, "rivals", seed=1, at=100, passed=False, rounds=5)
    write(tmp_path, "rivals", seed=2, at=200, passed=True, rounds=50)
    write(tmp_path, "kills-worker", passed=True)
    write(tmp_path, "workers", passed=False, faults=["<one> was lost"])
    write(tmp_path, "chaos", passed=True, parts={"tests": {"passed": True, "last_line": "9 passed"}})
    (tmp_path / "broken-1.json").write_text("{")
    (tmp_path / "other.json").write_text("[]")
    rows = {
        row.id: row
        for row in read_rows(read_checks(tmp_path), {"tests/integration/test_filtered_recall.py": True})
    }
    told = {name: row.state for name, row in rows.items()}
    assert (told["R4"], told["R6"], told["R1"]) == ("held", "not held", "in part")
    assert (told["R31"], told["R25"], told["R5"], told["R19"]) == (
        "held",
        "held",
        "not run",
        "no such feature",
    )
    (four,) = rows["R4"].shown
    assert (four.figures, four.where) == ({"rounds": 50}, "seed 2, abc1234, a machine")
    shown = page(list(rows.values()), "head")
    assert "&lt;one&gt; was lost" in shown
    assert "<one>" not in shown
    assert shown.index(">Not held (") < shown.index(">Held (") < shown.index(">Not run (")


def test_what_pytest_wrote_is_told_by_file(tmp_path: Path) -> None:
    named = ["tests/integration/test_a.py", "tests/integration/test_b.py", "tests/integration/test_c.py"]
    (tmp_path / "tests.xml").write_text(
        '<testsuites><testsuite><testcase classname="tests.integration.test_a" name="one"/>'
        '<testcase classname="tests.integration.test_a.TestOf" name="two"><failure/></testcase>'
        '<testcase classname="tests.integration.test_b" name="one"/>'
        '<testcase classname="tests.integration.test_c" name="one"><skipped/></testcase></testsuite></testsuites>'
    )
    assert read_tests(tmp_path / "tests.xml", named) == {named[0]: False, named[1]: True}


def test_a_page_and_json_are_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, "rivals", passed=True)
    assert main(["--results", str(tmp_path), "--out", str(tmp_path / "out")]) == 0
    told = json.loads((tmp_path / "out/chaos-report.json").read_text("utf-8"))
    assert {"at", "commit", "machine", "rows"} == set(told)
    assert (tmp_path / "out/chaos-report.html").read_text("utf-8").startswith("<!doctype html>")
    write(tmp_path, "rivals", seed=2, at=2**31, passed=False)
    assert main(["--results", str(tmp_path), "--out", str(tmp_path / "out")]) == 1
    assert "R4   not held" in capsys.readouterr().out
