"""Rules of CONTRIBUTING.md that no linter holds."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

TESTS: Final = Path(__file__).parents[1]
PATCHES: Final = frozenset({"setattr", "delattr", "setitem", "delitem"})

# Names that two files may have, and what both are about: the same subject in two layers, or what the name says.
SHARED_NAMES: Final = {
    "__main__.py": "what `python -m` runs",
    "candidates.py": "what may be shown: chunks in the search, parts of them in an answer",
    "catalog.py": "documents and collections: commands, table",
    "cli.py": "a command line",
    "documents.py": "documents: addresses, tables",
    "duplicates.py": "duplicates: found, kept",
    "filters.py": "filters: as they are sent, as SQL",
    "jobs.py": "jobs: addresses, commands, table",
    "metrics.py": "figures: of the service at /metrics, of an evaluation",
    "pages.py": "pages: addresses, table",
    "search.py": "search: the address, its bench",
    "sources.py": "sources: files, rows",
    "watch.py": "what looks again by itself: at indexes, at folders",
}

# Migrations that lock what they change: from before a service could go on while one ran.
MIGRATIONS: Final = tuple((TESTS.parent / "migrations/versions").glob("[0-9]*.py"))
KIND: Final = re.compile('^KIND = "(pre|post)"$', re.MULTILINE)
OF_BEFORE_KINDS: Final = {*(f"{number:04}" for number in range(1, 24) if number not in (10, 22))}

# By file, what is replaced there beside constants, and why nothing else does it.
ALLOWED: Final = {
    "integration/test_cli.py": {"stdin"},  # what a person types
    "integration/test_roots.py": {"open"},  # counts the files that are opened, and opens them
    "unit/test_openvino.py": {"calibration_windows", "quantize"},  # quantizing in full takes a minute
}


def patched(source: str) -> Iterator[str]:
    """The names that a test replaces by `monkeypatch`, whatever it calls it: constants in capitals left out.

    >>> list(patched('m.setattr(a, "LIMIT", 1); m.setattr("a.b.run", f); m.setenv("X", "1"); m.setattr(a, name, f)'))
    ['run', 'name']
    """
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or not node.args:
            continue
        if node.func.attr not in PATCHES:
            continue
        first, *others = node.args
        is_path = isinstance(first, ast.Constant) and isinstance(first.value, str)
        named = first if is_path or not others else others[0]
        name = named.value if isinstance(named, ast.Constant) else ast.unparse(named)
        last = str(name).rsplit(".", 1)[-1]
        if not last.strip("_").isupper():
            yield last


def test_f_1403_nothing_is_patched() -> None:
    """But constants in capitals and what stands above; `unittest.mock` is banned by ruff."""
    for path in TESTS.rglob("*.py"):
        found, file = set(patched(path.read_text("utf-8"))), path.relative_to(TESTS).as_posix()
        assert found == ALLOWED.get(file, set()), file
    assert all((TESTS / file).is_file() for file in ALLOWED)


def test_no_two_files_have_one_name_with_two_meanings() -> None:
    files = (path for top in ("app", "ingest", "eval") for path in (TESTS.parent / top).rglob("*.py"))
    counts = Counter(path.name for path in files if path.name != "__init__.py")
    assert {name for name, count in counts.items() if count > 1} <= SHARED_NAMES.keys()


def test_no_unit_test_reads_a_clock() -> None:
    """A loaded machine would fail it, and a tenfold slowdown would not: tests/growth.py counts instead."""
    clocks = {
        "perf_counter",
        "monotonic",
        "process_time",
        "perf_counter_ns",
        "monotonic_ns",
        "process_time_ns",
    }
    for path in (TESTS / "unit").rglob("*.py"):
        found = {
            node.attr
            for node in ast.walk(ast.parse(path.read_text("utf-8")))
            if isinstance(node, ast.Attribute)
        }
        assert not found & clocks, path.name


def test_a_migration_states_its_kind() -> None:
    """Those of before there were kinds have none; what each kind is, and why: migrations/online.py."""
    assert {
        path.name[:4] for path in MIGRATIONS if not KIND.search(path.read_text("utf-8"))
    } == OF_BEFORE_KINDS
