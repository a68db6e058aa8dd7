"""The revisions of the schema: which this code knows, which it works on, and which older code does.

A revision of kind "pre" adds, so code of before it goes on; "post" takes away what the code of its version no longer
needs, so that code works before and after it (migrations/online.py, ADR 0044). While services of two versions run, each
asks here whether it works on the schema that it finds, also on one of a later version: how far back code may be for
that, `pgask migrate` writes beside the revision, as the comment of alembic's table. The same says what a schema lacks
that was past the first "post" before a later "pre" was put in front of that: a later "post" gives it what is missing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

MIGRATIONS: Final = Path(__file__).parents[2] / "migrations"
# The revision, and the oldest one that code must know to work on it; no row without a schema.
FOUND: Final = """
SELECT version_num, obj_description('pgask.alembic_version'::regclass, 'pg_class') FROM pgask.alembic_version"""


_SAID: Final = re.compile(r'^(revision|down_revision|KIND) = "(\w+)"', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class _Revision:
    revision: str
    kind: str | None


@lru_cache(maxsize=1)
def _chain() -> tuple[_Revision, ...]:
    """From the first revision to the head, as the files say. Each start of a command asks for it: alembic takes half a
    second to load and runs all of them."""
    after = {}
    for file in (MIGRATIONS / "versions").glob("[0-9]*.py"):
        said = dict(_SAID.findall(file.read_text("utf-8")))
        after[said.get("down_revision")] = _Revision(said["revision"], said.get("KIND"))
    chain = [after[None]]
    while chain[-1].revision in after:
        chain.append(after[chain[-1].revision])
    return tuple(chain)


def known_revisions() -> list[str]:
    """All that this code knows, oldest first."""
    return [one.revision for one in _chain()]


def head_revision() -> str:
    """The revision that `pgask migrate` leads to."""
    return known_revisions()[-1]


def kind_of(revision: str) -> str | None:
    """ "pre" or "post"; None of those from before there were kinds, which all code of before stops at."""
    return _chain()[known_revisions().index(revision)].kind


def needed_revision() -> str:
    """The least that this code works on: the last one that is not "post"."""
    return _before_posts(known_revisions())


def oldest_code(revision: str) -> str:
    """The oldest revision that code must know to work on a schema at this one."""
    known = known_revisions()
    known = known[: known.index(revision) + 1]
    while kind_of(known[-1]) == "pre" and len(known) > 1:
        known.pop()
    return _before_posts(known)


def last_before_post(found: str | None) -> str:
    """How far a schema at `found` can go with services of the version before running."""
    known = known_revisions()
    start = known.index(found) + 1 if found in known else 0
    for place in range(start, len(known)):
        if kind_of(known[place]) == "post":
            return known[place - 1]
    return known[-1]


def is_whole(found: str | None) -> bool:
    """Whether a schema has nothing of kind "post" left to do, so that no code of the version before works on it."""
    known = known_revisions()
    start = known.index(found) + 1 if found in known else len(known)
    return all(kind_of(revision) != "post" for revision in known[start:])


def works_on(found: str | None, oldest: str | None) -> bool:
    """Whether this code works on a schema at `found`, beside which `oldest` is written."""
    known = known_revisions()
    if found is not None and found in known:
        # A "post" says which was the last "pre" when it ran; those that were put in front of it since are not there
        had = oldest if kind_of(found) == "post" and oldest in known else found
        return known.index(had) >= known.index(needed_revision())
    return found is not None and oldest in known


def oldest_to_write(revision: str, before: str | None, oldest_before: str | None) -> str:
    """What to write beside a revision that follows `before`, beside which `oldest_before` was written: what that one
    lacks is there once all is done."""
    oldest, known = oldest_code(revision), known_revisions()
    is_between = before in known and kind_of(before) == "post" and revision != known[-1]
    if is_between and oldest_before in known and known.index(oldest_before) < known.index(oldest):
        return oldest_before
    return oldest


def left_to_do(found: str | None) -> str | None:
    """The revision that `pgask migrate` leads on to from a schema that this code works on; None where there is none."""
    known = known_revisions()
    return known[-1] if found in known and found != known[-1] else None


def _before_posts(known: list[str]) -> str:
    return next(revision for revision in reversed(known) if kind_of(revision) != "post")
