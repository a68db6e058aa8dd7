"""Every regular expression of pgask on texts made to hurt it: time grows as the text does (R36).

    .venv/bin/python -m tests.chaos.patterns [--characters N] [--seed S] [--out FOLDER]

Imports all modules of `app` and `ingest` and takes the compiled patterns that they hold, in tables too. The texts of
each are made of its own letters: runs of one, of two in turn, and runs that end in what does not fit. Each is searched
in texts of 1,000, 2,000, … up to N characters, while it is quick. Superlinear: twice the text takes over 2.5 times as
long, three times in a row, where that can be measured. BOUNDED names those that are given short text alone, and by
what. Prints one JSON object.
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

# Superlinear, and never given a text of more characters than this.
BOUNDED: Final[Mapping[str, int]] = {}
LETTERS: Final = "ab1 \n\t-_.,:;()[]{}<>|*`#\"'/\\一的。，"
MEASURABLE_S: Final = 0.004
GIVEN_UP_S: Final = 1.0
QUICK_S: Final = 0.15  # a longer search ends the doubling
STEEP: Final = 2.5
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


def pieces(pattern: re.Pattern[str], rng: random.Random, count: int) -> list[tuple[str, str, str]]:
    """What a text of this pattern is made of: its beginning, what is repeated, and its end."""
    own = "".join(dict.fromkeys(c for c in pattern.pattern if c.isprintable()))
    letters = own + LETTERS
    words = [word for word in re.findall(r"\w{2,}", pattern.pattern) if not word.startswith("x")][:20]
    made = [("", letter, "\0") for letter in dict.fromkeys(letters)]
    while len(made) < count:
        repeated = "".join(rng.choice([*letters, *words]) for _ in range(rng.choice((1, 2, 2, 3, 4))))
        made.append((rng.choice(["", *letters, *words]), repeated, rng.choice(["", "\0", "!", *letters])))
    rng.shuffle(made)
    return made[:count]


def uses() -> dict[str, str]:
    """How each name of a pattern is used: "match" or "fullmatch" where that alone is called on it, at one place of a
    text; else "finditer", which stands for all that look everywhere."""
    called: dict[str, set[str]] = {}
    for package in (app, ingest):
        for path in Path(package.__path__[0]).rglob("*.py"):
            for name, method in _CALLED.findall(path.read_text("utf-8")):
                called.setdefault(name, set()).add(method)
    return {
        name: next(iter(methods)) if methods in ({"match"}, {"fullmatch"}) else "finditer"
        for name, methods in called.items()
    }


_CALLED: Final = re.compile(
    r"\b(_?[A-Z][A-Z0-9_]*)(?:\[[^\]]*\])?\.(match|fullmatch|search|finditer|findall|sub|subn|split)\("
)


class _TooLongError(Exception):
    """A search that is given up."""


def _give_up(*_: object) -> None:
    raise _TooLongError


def time_of(pattern: re.Pattern[str], text: str, use: str) -> float:
    """Seconds of the processor that a `use` of the pattern takes; it is given up after GIVEN_UP_S, for which
    the engine looks every few thousand steps."""
    began = time.process_time()
    signal.setitimer(signal.ITIMER_VIRTUAL, GIVEN_UP_S)
    try:
        for _ in pattern.finditer(text) if use == "finditer" else (getattr(pattern, use)(text),):
            pass
    except _TooLongError:
        pass
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    return time.process_time() - began


def hurt(
    pattern: re.Pattern[str], most: int, rng: random.Random, count: int, use: str = "finditer"
) -> tuple[float, str | None]:
    """The longest time for a million characters, as far as was searched, and the piece by which it is superlinear."""
    worst, at_fault = 0.0, None
    for begin, repeated, end in pieces(pattern, rng, count):
        before, steep, characters = 0.0, 0, 1_000
        while characters <= most:
            text = begin + repeated * (characters // len(repeated)) + end
            took = time_of(pattern, text, use)
            steep = steep + 1 if before > MEASURABLE_S / 4 and took > STEEP * before else 0
            if (steep >= 2 and took > MEASURABLE_S) or took >= GIVEN_UP_S:
                at_fault = at_fault or repr((begin, repeated, end))
            worst = max(worst, took * 1_000_000 / characters)
            if took > QUICK_S:
                break
            before, characters = took, 2 * characters
    return worst, at_fault


def run(most: int, seed: int, count: int = 12) -> dict[str, Any]:
    """Hurt all of them."""
    rng, steep, slow = random.Random(seed), {}, {}
    found, used = patterns(), uses()
    signal.signal(signal.SIGVTALRM, _give_up)
    for name, pattern in found.items():
        use = used.get(name.rpartition(".")[2].partition("[")[0], "finditer")
        worst, at_fault = hurt(pattern, min(most, BOUNDED.get(name, most)), rng, count, use)
        if at_fault is not None:
            steep[name] = at_fault
        elif worst > ALLOWED_S:
            slow[name] = round(worst, 3)
    return {
        "patterns": len(found),
        "texts_each": count,
        "characters": most,
        "superlinear": steep,
        "over_100_ms_a_million": dict(sorted(slow.items(), key=lambda one: -one[1])),
        "bounded": dict(BOUNDED),
        "passed": not steep,
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; exit status 0 if none is superlinear."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--characters", type=int, default=1_000_000)
    options.add_argument("--texts", type=int, default=12)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--out", type=Path)
    chosen = options.parse_args(arguments)
    return (
        0
        if report("patterns", chosen.seed, run(chosen.characters, chosen.seed, chosen.texts), out=chosen.out)
        else 1
    )


if __name__ == "__main__":
    sys.exit(main())
