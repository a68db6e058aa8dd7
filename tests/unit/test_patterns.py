"""No regular expression of pgask takes more than in proportion to its text (R36). The texts are made of each one's own
structure, so that a new pattern is hurt without being named here."""

from __future__ import annotations

import re

import pytest

from tests.chaos.pattern_texts import pieces
from tests.chaos.patterns import BOUNDED, patterns, steepest, use_of, uses


def test_each_pattern_takes_time_in_proportion_to_its_text() -> None:
    used = uses()
    steep = {
        name: piece
        for name, pattern in patterns().items()
        if name not in BOUNDED and (piece := steepest(pattern, use_of(name, used), pieces(pattern)))
    }
    assert steep == {}, "possessive repetitions, a look behind the first one, or a bound mend it"


def test_what_is_bounded_is_there() -> None:
    assert set(BOUNDED) <= set(patterns())


@pytest.mark.parametrize(
    ("pattern", "use"),
    [
        (r"[ \t]+\n", "finditer"),  # begins at each place of a run
        (r"\[.*?\]", "finditer"),  # its beginning, again and again
        (r"^\s*a?\s*b", "match"),  # two repetitions share out one run
        (r"(\w+,?)+;", "match"),  # in every way
        (r"<!--.*?-->", "finditer"),
        (r"(?:ab)+c", "finditer"),
        (r"\d+(?:\.\d+)*x", "finditer"),
    ],
)
def test_what_is_superlinear_is_found(pattern: str, use: str) -> None:
    assert steepest(re.compile(pattern), use, pieces(re.compile(pattern))) is not None


@pytest.mark.parametrize(
    ("pattern", "use"),
    [
        (r"(?<![ \t])[ \t]+\n", "finditer"),
        (r"\[[^\[\]]*\]", "finditer"),
        (r"^\s*+a?\s*b", "match"),
        (r"[ \t]{1,40}\n", "finditer"),
        (r"(\w+),(\w+)", "match"),
    ],
)
def test_what_is_linear_is_not_told_of(pattern: str, use: str) -> None:
    assert steepest(re.compile(pattern), use, pieces(re.compile(pattern))) is None
