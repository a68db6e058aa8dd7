"""app.file_names: whatever a stranger calls a file, its document has a harmless name."""

from __future__ import annotations

import doctest
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import file_names
from app.file_names import MAX_PART_BYTES, clean_name

_CHARACTERS = st.characters() | st.sampled_from("./\\: \0\u202e．／*CONaux\u0301")


def test_examples() -> None:
    assert doctest.testmod(file_names).failed == 0


@given(st.text(_CHARACTERS, max_size=400))
def test_names_lead_nowhere_and_hide_nothing(name: str) -> None:
    cleaned = clean_name(name)
    for part in cleaned.split("/") if cleaned else ():
        assert part
        assert unicodedata.normalize("NFKC", part).strip(". ")
        assert part == part.rstrip(". ")
        assert part.isprintable()
        assert not set(part) & set('<>:"|?*\\')
        assert len(part.encode()) <= MAX_PART_BYTES
    assert clean_name(cleaned) == cleaned


@pytest.mark.parametrize(
    ("name", "cleaned"),
    [
        ("folder/a b.md", "folder/a b.md"),
        ("合同/第1版.docx", "合同/第1版.docx"),
        ("e\u0301tude.md", "étude.md"),
        ("C:\\Users\\ada\\plan.md", "Users/ada/plan.md"),
        ("\\\\server\\share\\plan.md", "server/share/plan.md"),
        ("/etc/passwd", "etc/passwd"),
        ("a/./../b.md", "a/b.md"),
        ("．．/．/b.md", "b.md"),
        ("a\uff0fb.md", "a_b.md"),
        ("LPT1", "_LPT1"),
        ("com7.tar.gz", "_com7.tar.gz"),
        ("console.md", "console.md"),
        ("", ""),
        ("x" * 300 + ".md", "x" * 252 + ".md"),
        ("名" * 100 + ".md", "名" * 84 + ".md"),
    ],
)
def test_names_by_hand(name: str, cleaned: str) -> None:
    assert clean_name(name) == cleaned
