"""Every regular expression of pgask on texts made to hurt it: time grows as the text does (R36).

    .venv/bin/python -m tests.chaos.patterns [--characters N] [--seed S] [--out FOLDER]

Imports all modules of `app` and `ingest` and takes the compiled patterns that they hold, in tables too. Each is used on
texts of its own structure (tests/chaos/pattern_texts.py) and on some by chance. One that is slow on 2,000 characters is
looked at again: superlinear is what takes over 24 times as long, or over a second, on 8 times the text; in proportion
it would be 8 times, squared 64. Those that are quick are then tried on N characters. BOUNDED names what is given short
text alone, how long at most, and by what. Prints one JSON object. tests/unit/test_patterns.py does the first part.
"""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import random
import re
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import app
import ingest
from tests.chaos.evidence import report
from tests.chaos.pattern_texts import ALPHABET, END, pieces

# Superlinear, and never given a text of more characters than this.
BOUNDED: Final[Mapping[str, int]] = {
    "app.question.acronyms._IN_BRACKETS": 80,  # what _BRACKETS finds
    "app.question.padding._SIGNED": 200,
    "ingest.parsers.cells._TOKEN": 256,  # _MAX_FORMAT_CHARS
    "ingest.parsers.lines._ENDS_ENTRY": 40,  # _ENTRY_END_CHARS
    "ingest.parsers.ooxml._MADE_BY_PROGRAM": 80,  # _MARK_CHARS
}
# How those are used that are asked by another name: in a table, or a slice of a text beside it.
OTHER_USES: Final[Mapping[str, str]] = {
    "app.generation.version_marks._MARKS": "fullmatch",  # by a loop
    "ingest.cleaning._SET_APART": "match",  # searched for in three characters
}
SMALL, LARGE, TIMES = 250, 1_000, 8
STEEP: Final = 24.0
GIVEN_UP_S: Final = 1.0
QUICK_S: Final = 0.0008  # for SMALL * TIMES characters: some 400 ns each
LEAST_S: Final = 0.00002  # what the clock tells apart
ALLOWED_S: Final = 0.1  # for a million characters


def patterns() -> dict[str, re.Pattern[str]]:
    """All compiled patterns of text that a module holds, by `module.name` (and its place in a table)."""
    found: dict[str, re.Pattern[str]] = {}
    for package in (app, ingest):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if module.name.endswith("__main__"):
                continue
            try:
                held = vars(importlib.import_module(module.name))
            except ImportError:  # of an extra that is not installed
                continue
            for name, value in held.items():
                for place, pattern in _within(value):
                    found.setdefault(f"{module.name}.{name}{place}", pattern)
    unique: dict[re.Pattern[str], str] = {}
    for name, pattern in found.items():  # imported names stand for the same
        unique.setdefault(pattern, name)
    return {name: pattern for pattern, name in unique.items()}


def _within(value: object, place: str = "", depth: int = 0) -> Iterator[tuple[str, re.Pattern[str]]]:
    if isinstance(value, re.Pattern):
        if isinstance(value.pattern, str):
            yield place, value
    elif depth < 3 and isinstance(value, Mapping):
        for key, one in value.items():
            yield from _within(one, f"{place}[{key!r}]", depth + 1)
    elif depth < 3 and isinstance(value, list | tuple | frozenset):
        for number, one in enumerate(value):
            yield from _within(one, f"{place}[{number}]", depth + 1)


def by_chance(pattern: re.Pattern[str], rng: random.Random, count: int) -> list[tuple[str, str]]:
    """What a text begins with, and what is repeated in it, of letters and words that the pattern names."""
    letters = "".join(dict.fromkeys(c for c in pattern.pattern if c.isprintable())) + ALPHABET
    words = [word for word in re.findall(r"\w{2,}", pattern.pattern) if not word.startswith("x")][:20]
    return [
        (
            rng.choice(["", *letters, *words]),
            "".join(rng.choice([*letters, *words]) for _ in range(rng.choice((1, 2, 2, 3, 4)))),
        )
        for _ in range(count)
    ]


def uses() -> dict[str, str]:
    """How each pattern is used, by `module.name`: "match" or "fullmatch" where that alone is asked of it, at one place
    of a text; else "finditer", which stands for all that look everywhere. A public name is asked by any module."""
    asked: dict[str, set[str]] = {}
    for package in (app, ingest):
        root = Path(package.__path__[0])
        for path in root.rglob("*.py"):
            module = ".".join((package.__name__, *path.relative_to(root).with_suffix("").parts))
            for name, method in _ASKED.findall(path.read_text("utf-8")):
                asked.setdefault(f"{module}.{name}" if name.startswith("_") else name, set()).add(method)
    found = {
        name: next(iter(methods)) if methods in ({"match"}, {"fullmatch"}) else "finditer"
        for name, methods in asked.items()
    }
    return {**found, **OTHER_USES}


def use_of(name: str, used: Mapping[str, str]) -> str:
    """The use of a pattern by the name that `patterns` gives it."""
    name = name.partition("[")[0]
    return used.get(name) or used.get(name.rpartition(".")[2], "finditer")


_ASKED: Final = re.compile(
    r"\b(_?[A-Z][A-Z0-9_]*)(?:\[[^\]]*\])?\.(match|fullmatch|search|finditer|findall|sub|subn|split)\b"
)


class _TooLongError(Exception):
    """A search that is given up."""


def _give_up(*_: object) -> None:
    raise _TooLongError


def time_of(pattern: re.Pattern[str], text: str, use: str, runs: int = 1) -> float:
    """The least processor time in seconds of some uses of the pattern; each is given up after GIVEN_UP_S, for which
    the engine looks every few thousand steps. In the main thread alone."""
    least = GIVEN_UP_S
    for _ in range(runs):
        began = time.thread_time()
        before = signal.signal(signal.SIGPROF, _give_up)
        signal.setitimer(signal.ITIMER_PROF, GIVEN_UP_S)
        try:
            for _ in pattern.finditer(text) if use == "finditer" else (getattr(pattern, use)(text),):
                pass
        except _TooLongError:
            return GIVEN_UP_S
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.signal(signal.SIGPROF, before)
        least = min(least, time.thread_time() - began)
    return max(least, LEAST_S)


def steepest(pattern: re.Pattern[str], use: str, made: Sequence[tuple[str, str]]) -> str | None:
    """The piece by which a pattern's time grows faster than its text; None where none does."""
    for begin, repeated in made:

        def of(characters: int, begin: str = begin, repeated: str = repeated) -> str:
            return begin + repeated * (characters // len(repeated)) + END

        large = of(SMALL * TIMES)
        if (took := time_of(pattern, large, use)) < QUICK_S:
            continue
        if took < GIVEN_UP_S and min(took, time_of(pattern, large, use, 3)) < max(
            QUICK_S, STEEP * time_of(pattern, of(SMALL), use, 5)
        ):
            continue
        if took >= GIVEN_UP_S:
            return repr((begin, repeated))
        most = time_of(pattern, of(LARGE * TIMES), use, 2)
        if most >= GIVEN_UP_S or most > STEEP * time_of(pattern, of(LARGE), use, 3):
            return repr((begin, repeated))
    return None


def run(most: int, seed: int, count: int) -> dict[str, Any]:
    """Hurt all of them."""
    rng, steep, slow = random.Random(seed), {}, {}
    found, used = patterns(), uses()
    for name, pattern in found.items():
        if name in BOUNDED:
            continue
        use, made = use_of(name, used), pieces(pattern) + by_chance(pattern, rng, count)
        if (at_fault := steepest(pattern, use, made)) is not None:
            steep[name] = at_fault
            continue
        begin, repeated = max(
            made,
            key=lambda one: time_of(pattern, one[0] + one[1] * (2_000 // len(one[1])) + END, use),
            default=("", "a"),
        )
        took = time_of(pattern, begin + repeated * (most // len(repeated)) + END, use)
        if took * 1_000_000 / most > ALLOWED_S:
            slow[name] = (
                round(took * 1_000_000 / most, 2) if took < GIVEN_UP_S else f"over {1_000_000 / most:.0f}"
            )
    return {
        "patterns": len(found),
        "texts_by_chance_each": count,
        "characters": most,
        "superlinear": steep,
        "over_100_ms_a_million": slow,
        "bounded": dict(BOUNDED),
        "passed": not steep,
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; exit status 0 if none is superlinear."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--characters", type=int, default=1_000_000)
    options.add_argument("--texts", type=int, default=40)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--out", type=Path)
    chosen = options.parse_args(arguments)
    figures = run(chosen.characters, chosen.seed, chosen.texts)
    return 0 if report("patterns", chosen.seed, figures, out=chosen.out) else 1


if __name__ == "__main__":
    sys.exit(main())
