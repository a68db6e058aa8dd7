"""Words that ask for the same thing: price and cost, 质保 and 保修. Pure; the groups are in alternatives.txt."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from app.lexicon import terms


def alternatives_of(term: str) -> frozenset[str]:
    """The terms that may stand in for `term`, without itself."""
    return _groups().get(term, frozenset())


@cache
def _groups() -> dict[str, frozenset[str]]:
    lines = (files("app.question") / "alternatives.txt").read_text("utf-8").splitlines()
    groups: dict[str, frozenset[str]] = {}
    for line in lines:
        if line.startswith("#"):
            continue
        # Of a Chinese word the whole: its pairs are other words' pairs too.
        group = frozenset(found[0] for word in line.split() if (found := terms(word)))
        for term in group:
            groups[term] = groups.get(term, frozenset()) | (group - {term})
    return groups
