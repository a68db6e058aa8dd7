"""ingest.reasons: the table, its page in the docs and the codes that are raised agree."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from app.errors import DocumentError
from ingest.reasons import REASONS, SKIPPED

ROOT = Path(__file__).parents[2]


def raised_codes() -> Iterator[str]:
    """Yield the reason codes in ingest/: of DocumentError calls, and of failures that sources.py reports."""
    for path in (ROOT / "ingest").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            called = node.func
            name = called.id if isinstance(called, ast.Name) else getattr(called, "attr", "")
            if name == "DocumentError":
                code = next((keyword.value for keyword in node.keywords if keyword.arg == "code"), None)
                if path.name != "wire.py":  # which passes on what the child raised, checked against the table
                    yield DocumentError.default_code if code is None else ast.literal_eval(code)
            elif name == "too_large":
                yield name
            elif name == "fail":
                yield ast.literal_eval(node.args[1])


def test_the_codes_that_are_raised_are_those_in_the_table() -> None:
    recorded = {"duplicate", "name_taken", "worker_lost", "no_progress"}  # not raised
    recorded |= {"other_readers", "bad_readers"}  # not raised there
    codes = set(raised_codes()) | recorded
    assert codes == set(REASONS) | {"picture"}  # which is no failure


def test_the_page_in_the_docs_is_the_same_table() -> None:
    lines = (ROOT / "docs/reason-codes.md").read_text(encoding="utf-8").splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| `")]
    assert rows == [
        [f"`{code}`", reason.sentence_en, reason.way_out_en, reason.sentence_zh, reason.way_out_zh]
        for code, reason in REASONS.items()
    ]
    kinds = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    for code, kind in SKIPPED.items():
        assert [code, kind.sentence_en, kind.sentence_zh] in kinds
