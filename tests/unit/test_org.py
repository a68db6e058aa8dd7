"""ingest.parsers.org: Org as a reader of the page sees it."""

from __future__ import annotations

import pytest

from app.domain import Document
from ingest.parsers import parse


def org(text: str) -> Document:
    return parse(text.encode(), "text/org", "notes/page.org")


def test_headings_and_title() -> None:
    """F-1103: no Org file had a heading, and its title was "#+TITLE: Kiln log"."""
    document = org(
        "#+TITLE: Kiln log\n#+AUTHOR: Ann\n#+OPTIONS: toc:nil\n\nIntro.\n\n* TODO [#A] 点火 :hot:\n"
        "DEADLINE: <2026-03-04 Wed>\n"
        ":PROPERTIES:\n:ID: 1\n:END:\na\n\n** Cold\nb\n\n* COMMENT Hidden\nno\n\n* End\nc\n"
    )
    assert document.title == "Kiln log"
    assert [section.heading_path for section in document.sections] == [
        ("Kiln log",),
        ("Kiln log", "点火"),
        ("Kiln log", "点火", "Cold"),
        ("Kiln log", "End"),
    ]
    assert document.text == (
        "# Kiln log\n\nIntro.\n\n## 点火\n\nDEADLINE: 2026-03-04\n\na\n\n### Cold\n\nb\n\n## End\n\nc"
    )
    assert document.metadata == {"author": "Ann"}
    assert org("* One\na\n").title == "One"


def test_lists() -> None:
    document = org(
        "- one\n  goes on\n  - inner\n- [X] two\n- term :: meaning\n\nText.\n\n1. a\n2. b\n\nEnd.\n"
    )
    assert document.text == (
        "- one goes on\n  - inner\n- ☑ two\n- term: meaning\n\nText.\n\n1. a\n2. b\n\nEnd."
    )


def test_blocks() -> None:
    document = org(
        "| a | b |\n|---+---|\n| 1 | 2 |\n\n#+BEGIN_SRC python :results out\n* no heading\n,* nor this\n"
        "#+END_SRC\n\n"
        "#+begin_quote\nSaid.\n#+end_quote\n\n: as it\n:  is\n\n#+BEGIN_COMMENT\nhidden\n#+END_COMMENT\n"
        "# hidden\n"
        '#+INCLUDE: "/etc/passwd"\n#+begin_export html\n<b>x</b>\n#+end_export\n\n[fn:1] Note.\n'
    )
    assert document.text == (
        "| a | b |\n| --- | --- |\n| 1 | 2 |\n\n```python\n* no heading\n* nor this\n```\n\n> Said.\n\n"
        "```\nas it\n is\n```\n\n"
        "[1] Note."
    )
    assert document.dropped == {
        "directive": len('#+INCLUDE: "/etc/passwd"<b>x</b>'),
        "comment": len("hidden# hidden"),
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("*b*, /i/, =c=, ~v~, +x+, _u_ and a/b/c, 2*3*4", "b, i, c, v, x, u and a/b/c, 2*3*4"),
        (
            "[[https://x.example][the site]] and [[file:a.org]], 10^{-6} H_{2}O [fn:1]",
            "the site and a.org, 10⁻⁶ H2O [1]",
        ),
        ("温度*很高*，见[[x][手册]]。", "温度很高，见手册。"),
    ],
)
def test_inline(text: str, words: str) -> None:
    assert org(text).text == words


@pytest.mark.parametrize(
    "text",
    [
        "".join(" " * n + "- x\n" for n in range(900)),
        "#+begin_quote\n" * 3_000 + "x",
        "*a " * 50_000,
        ":a:\n" * 30_000 + "x",
    ],
    ids=["lists", "quotes", "stars", "drawers"],
)
def test_hostile_text_is_read(text: str) -> None:
    assert "x" in org(text).text or "a" in org(text).text
