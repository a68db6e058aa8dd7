"""The worked examples in the docstrings hold."""

from __future__ import annotations

import doctest
from types import ModuleType

import pytest

from app.trial import gold, question_file, significance
from eval import cli, metrics, report, sweep, tokenization


@pytest.mark.parametrize(
    "module",
    [cli, gold, metrics, question_file, report, significance, sweep, tokenization],
    ids=lambda module: module.__name__,
)
def test_examples(module: ModuleType) -> None:
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0
