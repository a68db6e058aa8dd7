"""ingest.ignoring: the grammar of ignore files, and what is wanted of a folder."""

from __future__ import annotations

import pytest

from ingest.ignoring import Selection, decide, parse_rules


@pytest.mark.parametrize(
    ("lines", "path", "expected"),
    [
        ("*.log", "a.log", True),
        ("*.log", "deep/er/a.log", True),
        ("*.log", "a.log.md", None),
        ("/a.md", "a.md", True),
        ("/a.md", "deep/a.md", None),
        ("docs/*.md", "docs/a.md", True),
        ("docs/*.md", "docs/en/a.md", None),
        ("docs/*.md", "old/docs/a.md", None),
        ("docs/**/*.md", "docs/a.md", True),
        ("docs/**/*.md", "docs/en/new/a.md", True),
        ("**/私密", "部门/私密", True),
        ("docs/**", "docs/en/a.md", True),
        ("docs/**", "docs", None),
        ("build/", "x/build/", True),
        ("build/", "x/build", None),
        ("[ab]?.md", "a1.md", True),
        ("[!ab]?.md", "a1.md", None),
        ("[^ab]?.md", "c1.md", True),
        (r"\#notes", "#notes", True),
        (r"\!notes", "!notes", True),
        (r"what\?", "whats", None),
        ("# notes\n\n  \n", "# notes", None),
        ("*.md\n!keep.md", "keep.md", False),
        ("!keep.md\n*.md", "keep.md", True),
        ("a[", "a[", True),
        ("/", "a", None),
    ],
)
def test_lines_fit_as_in_git(lines: str, path: str, expected: bool | None) -> None:
    names = path.strip("/").split("/")
    assert decide(parse_rules(lines.splitlines()), names, is_folder=path.endswith("/")) is expected


def test_stars_without_end_take_no_time() -> None:
    """Steps grow with the line, not with its powers: a pattern that goes back would never end here."""
    (rule,) = parse_rules(["*a" * 60 + "b"])
    assert not rule.fits(["a" * 250], is_folder=False)


def test_only_what_is_included_and_not_excluded() -> None:
    selection = Selection.from_globs(["*.md", "papers/"], ["draft*", "old/"])
    files = ["a.md", "en/b.md", "a.txt", "papers/deep/c.pdf", "papers/draft.pdf", "draft.md"]
    wanted = [path for path in files if not selection.leaves_out(path.split("/"), is_folder=False)]
    assert wanted == ["a.md", "en/b.md", "papers/deep/c.pdf"]
    assert selection.leaves_out(["old"], is_folder=True)
    assert not selection.leaves_out(["en"], is_folder=True)  # something in it may be included
