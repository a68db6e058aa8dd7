"""ingest.parsers.inline_html: Markdown with HTML in it, as a reader of the rendered page sees it."""

from __future__ import annotations

import pytest

from app.errors import DocumentError
from ingest.parsers import parse
from ingest.parsers.inline_html import without_html


def test_html_in_markdown_is_what_it_shows() -> None:
    """F-1132: tables and comments of HTML in Markdown stayed raw in quotes."""
    text = (
        '<h1 align="center">Limits</h1>\n\n<!-- hidden <b>note</b> -->\n\n'
        "<table><tr><th>Model</th><th>Max</th></tr>\n"
        "<tr><td>A1</td><td>40 bar</td></tr></table>\n\n<details><summary>Why?</summary>\n\n"
        "It **softens**.\n\n</details>\n\n"
        '<p align="center"><img src="x" alt="logo"></p>\n\n<ul><li>one</li><li>two</li></ul>\n\n'
        "H<sub>2</sub>O<br>end.\n"
    )
    document = parse(text.encode(), "text/markdown", "a.md")
    assert document.title == "Limits"
    assert document.text == (
        "# Limits\n\n| Model | Max |\n| --- | --- |\n| A1 | 40 bar |\n\nWhy?\n\nIt **softens**.\n\n"
        "logo\n\n- one\n- two\n\n"
        "H2O end.\n"
    )
    assert document.dropped == {"comment": len("<!-- hidden <b>note</b> -->")}


@pytest.mark.parametrize(
    "text",
    [
        "cp <source> <name> and a < b, List<String>, <https://x.example>\n",
        "`<b>` and ``<table>`` and \\<b>\n",
        "```html\n<!-- kept -->\n<table></table>\n```\n",
        "Text:\n\n    <div>an indented\n    <b>example</b></div>\n",
        "<!-- never closed\n",
        "No HTML.\n\n\n\n# A\n",
    ],
)
def test_what_is_no_html_stays(text: str) -> None:
    counts: dict[str, int] = {}
    assert (without_html(text, counts), counts) == (text, {})


@pytest.mark.parametrize(
    "text",
    [
        "<b" * 100_000,
        "<!--" * 100_000,
        "<h1>" * 50_000,
        "<a href='" * 50_000,
        "<table>x</table>" * 3_000,
        "`" * 100_000,
        "<i>x" * 50_000,
    ],
    ids=["open", "comments", "headings", "quotes", "tables", "ticks", "tags"],
)
def test_hostile_html_is_read(text: str) -> None:
    shown = without_html(f"begin {text} end\n", {})
    assert shown.startswith("begin")
    assert shown.endswith("end\n")


def test_comments_alone_are_empty() -> None:
    with pytest.raises(DocumentError) as raised:
        parse(b"<!-- only -->\n", "text/markdown", "a.md")
    assert raised.value.code == "empty"
