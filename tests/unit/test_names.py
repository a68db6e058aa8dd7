"""Which document a name means."""

from __future__ import annotations

import pytest

from app.question.names import NameMatch, match_name


@pytest.mark.parametrize("name", ["", "???", "—"])
def test_a_name_of_marks_alone_means_no_document(name: str) -> None:
    assert match_name(name, "notes/—.md", "…") is None


def test_script_and_marks_count_nothing() -> None:
    assert match_name("辦公室須知", "办公室须知.md", "") is NameMatch.WHOLE
