"""ingest.parsers.adoc: AsciiDoc as a reader of the page sees it."""

from __future__ import annotations

import pytest

from app.domain import Document
from app.errors import DocumentError
from ingest.parsers import parse


def adoc(text: str) -> Document:
    return parse(text.encode(), "text/asciidoc", "docs/page.adoc")


def test_headings_and_title() -> None:
    """F-1103: no AsciiDoc file had a heading, and its title was "= Operator guide"."""
    document = adoc(
        "// note\n= 操作手册 for *operators*\nAnn Lee <ann@x.example>\n:toc:\n:description: How to \\\n"
        "  start.\n\nIntro.\n\n"
        "== Start\n\na\n\n=== Cold\n\nb\n\nOld title\n---------\n\nc\n"
    )
    assert document.title == "操作手册 for operators"
    assert [section.heading_path[1:] for section in document.sections] == [
        (),
        ("Start",),
        ("Start", "Cold"),
        ("Old title",),
    ]
    assert document.metadata == {"author": "Ann Lee", "description": "How to start."}
    assert document.text.startswith(
        "How to start.\n\n# 操作手册 for operators\n\nAnn Lee <ann@x.example>\n\nIntro.\n\n## Start"
    )


def test_lists() -> None:
    document = adoc(
        "* one\ngoes on\n** inner\n* [x] two\n+\n----\ncode\n----\n\n* three\n\nText.\n\n. first\n"
        ". second\n\nText.\n\n"
        "CPU:: The brain.\nDisk::\nKeeps all.\n"
    )
    assert document.text == (
        "- one goes on\n  - inner\n- ☑ two\n\n  ```\n  code\n  ```\n- three\n\nText.\n\n1. first\n"
        "2. second\n\nText.\n\n"
        "- CPU: The brain.\n- Disk: Keeps all."
    )


def test_blocks() -> None:
    document = adoc(
        ".Prepare\n[source,bash]\n----\n== not a heading\n----\n\n[WARNING]\n====\nHot.\n\nVery.\n====\n"
        "\nTIP: Short.\n\n"
        "[quote, Ann]\n____\nSaid.\n____\n\n....\nas is\n....\n\n////\nhidden\n////\n\n line kept\n\n"
        "[.lead]\nOne +\ntwo.\n"
    )
    assert document.text == (
        "Prepare\n\n```bash\n== not a heading\n```\n\nWarning: Hot.\n\nVery.\n\nTip: Short.\n\n> Said.\n"
        "\n> — Ann\n\n"
        "```\nas is\n```\n\n```\n line kept\n```\n\nOne\ntwo."
    )


def test_what_points_elsewhere_is_left_out_and_counted() -> None:
    document = adoc(
        "Text.\n\ninclude::/etc/passwd[]\n\n++++\n<b>x</b>\n++++\n\nimage::kiln.png[A kiln, 200]\n\ntoc::[]\n"
    )
    assert document.text == "Text.\n\nA kiln"
    assert document.dropped == {"directive": len("include::/etc/passwd[]toc::[]"), "markup": len("<b>x</b>")}


def test_conditions_hold() -> None:
    assert adoc("ifdef::env[]\nSeen.\nendif::[]\n\nifndef::a[Seen too.]\n").text == "Seen.\n\nSeen too."


def test_tables() -> None:
    spans = '[cols="1,2,1"]\n|===\n|A |B |C\n\n2+|wide |x\n.2+|tall |y |z\na|\n* v |w\n|===\n'
    assert adoc(spans).text == (
        "| A | B | C |\n| --- | --- | --- |\n| wide | wide | x |\n| tall | y | z |\n| tall | * v | w |"
    )
    assert adoc("|===\n|A |B\n\n|1\n|2 \\| 3\n|===\n").text == "| A | B |\n| --- | --- |\n| 1 | 2 \\| 3 |"
    assert (
        adoc('[%header,format=csv]\n|===\na,b\n1,"2, 3"\n|===\n').text
        == "| a | b |\n| --- | --- |\n| 1 | 2, 3 |"
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("*b*, _i_, `c`, #m#, b**ol**d and snake_case_name * 2", "b, i, c, m, bold and snake_case_name * 2"),
        (
            "link:x.html[the link], https://x.example[site^], <<sec,Section>>, xref:a.adoc[A]",
            "the link, site, Section, A",
        ),
        (
            "kbd:[Ctrl+C], menu:File[Save], 10^-6^ H~2~O footnote:[Note.]",
            "Ctrl+C, File > Save, 10⁻⁶ H2O  [Note.]",
        ),
        ("[[id]]Text {product} {unknown} \\*kept*", "Text Zeta {unknown} *kept*"),
    ],
)
def test_inline(text: str, words: str) -> None:
    assert adoc(f":product: Zeta\n\n{text}\n").text == " ".join(words.split())


@pytest.mark.parametrize(
    "text",
    [
        ":a: " + "x" * 499 + "\n\n" + "{a}" * 100_000,
        "|===\n" + "200*|x " * 60_000 + "\n|===\n",
        "|===\n" + ".999+|x " * 20_000 + "\n|===\n",
    ],
    ids=["attributes", "cells", "spans"],
)
def test_what_unfolds_beyond_measure_is_refused(text: str) -> None:
    with pytest.raises(DocumentError) as raised:
        adoc(text)
    assert raised.value.code == "too_large"


@pytest.mark.parametrize(
    "text",
    [
        "".join("=" * (4 + n) + "\n" for n in range(300)) + "x",
        "*a " * 50_000,
        "a" * 200_000 + "::",
        "ifdef::a[" * 2_000 + "x",
    ],
    ids=["blocks", "stars", "term", "conditions"],
)
def test_hostile_text_is_read(text: str) -> None:
    assert adoc(text).text
