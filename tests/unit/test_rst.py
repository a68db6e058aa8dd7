"""ingest.parsers.rst: reStructuredText as a reader of the page sees it, Sphinx's directives and roles included."""

from __future__ import annotations

import pytest

from app.domain import Document
from app.errors import DocumentError
from app.sentences import split_sentences
from ingest.parsers import parse

RST = "text/x-rst"


def rst(text: str, source: str = "docs/page.rst") -> Document:
    return parse(text.encode(), RST, source)


def paths(document: Document) -> list[tuple[str, ...]]:
    return [section.heading_path for section in document.sections]


def test_headings_and_title() -> None:
    """F-1103: no reStructuredText file had a heading, and its title was what the first line held."""
    document = rst(
        ":orphan:\n\n.. _start:\n\n=======\n窑炉手册\n=======\n\n.. contents::\n\nOne\n---\n\na\n\nTwo\n~~~\n\n"
        "b\n\nEnd\n---\n\nc\n"
    )
    assert document.title == "窑炉手册"
    assert paths(document) == [
        ("窑炉手册",),
        ("窑炉手册", "One"),
        ("窑炉手册", "One", "Two"),
        ("窑炉手册", "End"),
    ]
    assert document.text == "# 窑炉手册\n\n## One\n\na\n\n### Two\n\nb\n\n## End\n\nc"


@pytest.mark.parametrize(
    "text",
    ["====\n\nWords of a page.\n", ".. _label:\n\nWords of a page.\n", ":orphan:\n\nWords of a page.\n"],
)
def test_marks_are_no_title(text: str) -> None:
    """F-1103: titles were "====", ".. _label:" and ":orphan:"."""
    assert rst(text).title == "page"
    assert parse(text.encode(), "text/plain", "page.txt").title == "Words of a page."


def test_an_underline_of_tildes_is_no_fence() -> None:
    """F-1104: every line after one was a sentence of its own."""
    text = rst("Boiler\n~~~~~~\n\nThe valve is opened when the\npressure is high. Then it is\nclosed.\n").text
    assert [text[a:b] for a, b in split_sentences(text)] == [
        "# Boiler",
        "The valve is opened when the pressure is high.",
        "Then it is closed.",
    ]


def test_directives_that_point_elsewhere_are_left_out_and_counted() -> None:
    """F-1105: ".. autofunction:: stream_with_context" was an answer."""
    document = rst(
        "Streaming\n=========\n\n.. currentmodule:: flask\n\n.. autofunction:: stream_with_context\n\n"
        ".. toctree::\n   :maxdepth: 2\n\n   other\n\n.. include:: /etc/passwd\n\n.. raw:: html\n\n"
        "   <b>x</b>\n\nText.\n"
    )
    assert document.text == "# Streaming\n\nText."
    assert document.dropped["directive"] > 100


def test_files_are_never_read() -> None:
    for directive in (
        ".. csv-table::\n   :file: /etc/passwd\n",
        ".. csv-table::\n   :url: http://localhost/\n",
        ".. literalinclude:: /etc/passwd\n",
        ".. include:: /etc/passwd\n   :literal:\n",
        ".. figure:: /etc/passwd\n   :figwidth: image\n",
    ):
        assert "root" not in rst(f"Text.\n\n{directive}\n").text


def test_what_sphinx_adds_keeps_its_text() -> None:
    document = rst(
        "API\n===\n\n.. py:function:: load(path)\n   :module: app\n\n   Loads a file.\n\n"
        "   :param str path: the file's path\n\n"
        "   .. versionadded:: 2.0\n      Also from URLs.\n\n.. tab-set::\n\n"
        "   .. tab-item:: Linux\n      :sync: l\n\n      Use apt.\n\n"
        ".. mystery:: Two words\n   :opt: 1\n\n   Its content.\n\n.. only:: html\n\n   Seen.\n\n"
        ".. code-block:: sh\n   :linenos:\n\n"
        "   run --fast\n\n.. seealso:: The manual.\n"
    )
    assert document.text == (
        "# API\n\n## load(path)\n\nLoads a file.\n\n- path: the file's path\n\n"
        "New in version 2.0: Also from URLs.\n\n"
        "Linux: Use apt.\n\nTwo words: Its content.\n\nSeen.\n\n```sh\nrun --fast\n```\n\n"
        "See also: The manual."
    )


def test_roles_are_their_words() -> None:
    text = ":ref:`the guide <guide>`, :doc:`/a/intro`, :func:`~flask.url_for`, :class:`!Plain`, :pep:`8`, :issue:`12`"
    assert rst(text).text == "the guide, intro, url_for, Plain, PEP 8, 12"
    marks = "*a* **b** ``c*`` `d` 10\\ :sup:`-6` H\\ :sub:`2`\\ O `e <https://x.example>`_ |v| [1]_\n\n"
    marks += ".. |v| replace:: *f*\n"
    assert rst(f"{marks}\n.. [1] Note.\n").text == "a b c* d 10⁻⁶ H2O e f [1]\n\n[1] Note."


def test_blocks() -> None:
    document = rst(
        "term\n   Meaning.\n\n-v, --verbose  Be loud.\n\n| one\n| two\n\n#. first\n#. second\n\n"
        "   * inner\n\n>>> 1\n1\n\n"
        "quoted::\n\n   code\n\nSaid:\n\n   A quote.\n\n.. warning:: Hot.\n\n.. admonition:: 注意\n\n   小心。\n"
    )
    assert document.text == (
        "- term: Meaning.\n- -v, --verbose: Be loud.\n\none\ntwo\n\n1. first\n2. second\n   - inner\n\n"
        "```\n>>> 1\n1\n```\n\n"
        "quoted:\n\n```\ncode\n```\n\nSaid:\n\n> A quote.\n\nWarning: Hot.\n\n注意: 小心。"
    )


def test_labels_are_in_the_language_of_the_text() -> None:
    assert rst("学习率调度器的用法。\n\n.. warning:: 小心。\n").text == "学习率调度器的用法。\n\n警告：小心。"


def test_tables() -> None:
    grid = "+---+---+\n| a | b |\n+===+===+\n| c | d |\n+   +---+\n|   | e |\n+---+---+\n"
    assert rst(grid).text == "| a | b |\n| --- | --- |\n| c | d |\n| c | e |"
    listed = ".. list-table:: Limits\n   :header-rows: 1\n\n   * - Model\n     - bar\n   * - A1\n     - 40\n"
    assert rst(listed).text == "Limits\n\n| Model | bar |\n| --- | --- |\n| A1 | 40 |"
    ragged = "+---+---+\n| a | b |\n+---+---+\n| c  |\n+---+---+\n"
    assert rst(ragged).text == f"```\n{ragged.strip()}\n```"


def test_meta_becomes_metadata() -> None:
    document = rst(".. meta::\n   :description: How to fire a kiln.\n\nText.\n")
    assert document.metadata == {"description": "How to fire a kiln."}
    assert document.text == "How to fire a kiln.\n\nText."


def test_directives_alone_are_empty() -> None:
    with pytest.raises(DocumentError) as raised:
        rst(".. toctree::\n\n   a\n")
    assert raised.value.code == "empty"


@pytest.mark.parametrize(
    "text",
    [
        "".join(" " * depth + "x\n\n" for depth in range(600)),
        "x " * 30_000,
        ".. |a| replace:: " + "x" * 5_000 + "\n\n" + "|a| " * 300,
        "".join(f".. |s{n}| replace:: |s{n + 1}| |s{n + 1}|\n" for n in range(40)) + "\n|s0| end\n",
        "+" + "---+" * 100 + "\n" + ("|" + "   |" * 100 + "\n+" + "---+" * 100 + "\n") * 10 + "\ntext\n",
        "".join("   " * depth + ".. note::\n\n" for depth in range(200)) + "text",
    ],
    ids=["quotes", "line", "substitution", "chain", "table", "notes"],
)
def test_hostile_text_is_read_or_refused(text: str) -> None:
    assert 0 < len(rst(text).text) < 2_000_000


def test_what_the_configuration_of_a_site_defines_keeps_its_marks() -> None:
    assert rst("Release v\\ |version|, |today|.\n").text.strip() == "Release v|version|, |today|."
