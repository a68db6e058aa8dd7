"""What a parser leaves out stands in `dropped` by kind, with its size; what was to be read makes a document lossy."""

from __future__ import annotations

import json
from email.message import EmailMessage

import pytest

from app.losses import NOTEWORTHY_SHARE, lost_share
from ingest.parsers import epub, ipynb, message, org, parse, pdf, rst, subtitles, xlsx
from ingest.parsers.adoc import MEDIA_TYPE as ADOC
from ingest.parsers.latex import MEDIA_TYPE as LATEX
from tests.office import build_epub, build_xlsx, row
from tests.pdfs import build_pdf

UNSEEN = "\u200b"


def notebook(*outputs: dict[str, object]) -> bytes:
    cell = {"cell_type": "code", "source": "run()", "outputs": list(outputs)}
    return json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4}).encode()


def html_message(body: str) -> bytes:
    made = EmailMessage()
    made["Subject"] = "Rates"
    made.set_content(body, subtype="html")
    return made.as_bytes()


@pytest.mark.parametrize(
    ("media_type", "content", "dropped"),
    [
        (rst.MEDIA_TYPE, f"Title\n=====\n\nTe{UNSEEN}xt.\n\n.. a remark\n", {"zero_width": 1, "comment": 8}),
        (ADOC, f"= Title\n\nTe{UNSEEN}xt.\n// aside\n\n////\nmore\n////\n", {"zero_width": 1, "comment": 12}),
        (
            org.MEDIA_TYPE,
            f"* Title\n:LOG:\nsecret\n:END:\nTe{UNSEEN}xt.\n# aside\n* COMMENT Old\ngone\n",
            {"zero_width": 1, "hidden": 6, "comment": 7 + 11 + 4},
        ),
        (
            LATEX,
            f"\\section{{A}}\nTe{UNSEEN}xt.\n\\begin{{comment}}\nold\n\\end{{comment}}\n",
            {"zero_width": 1, "comment": 5},
        ),
        (
            subtitles.VTT_MEDIA_TYPE,
            f"WEBVTT\n\nNOTE by me\n\n00:01.000 --> 00:02.000\nHel{UNSEEN}lo there.\n",
            {"zero_width": 1, "comment": 10},
        ),
        (
            ipynb.MEDIA_TYPE,
            notebook(
                {"output_type": "stream", "text": "x" * 2_300},
                {
                    "output_type": "display_data",
                    "data": {"image/png": "AA", "text/plain": "<Figure size 1x1>"},
                },
                {"output_type": "error", "ename": "KeyError", "evalue": "a", "traceback": ["line 1"]},
            ),
            {"output": 300, "drawing": 1, "hidden": 6},
        ),
        (
            epub.MEDIA_TYPE,
            build_epub({"a.xhtml": "<p>Shown.</p><p style='display:none'>Not shown.</p>"}),
            {"hidden": 10},
        ),
        (
            message.MEDIA_TYPE,
            html_message("<p>Shown.</p><p style='display:none'>Not shown.</p>"),
            {"hidden": 10},
        ),
        (
            xlsx.MEDIA_TYPE,
            build_xlsx(
                {"A": row("name", "price") + row("desk", 5)},
                after='<headerFooter><oddHeader>&amp;L&amp;"Arial"Internal&amp;P</oddHeader></headerFooter>',
            ),
            {"page_furniture": 8},
        ),
        (
            pdf.MEDIA_TYPE,
            build_pdf([["Ten letters"], None, ["Ten letters"], None]),
            {"scanned_page": 22},
        ),
    ],
    ids=lambda value: value.rpartition("/")[2] if isinstance(value, str) and "/" in value else "",
)
def test_what_is_left_out_is_counted(media_type: str, content: str | bytes, dropped: dict[str, int]) -> None:
    document = parse(content.encode() if isinstance(content, str) else content, media_type, "a")
    assert document.dropped == dropped


def test_scanned_pages_among_others_are_named_and_make_a_document_lossy() -> None:
    document = parse(build_pdf([["Ten letters"], None, ["Ten letters"], []]), pdf.MEDIA_TYPE, "a.pdf")
    assert document.metadata["scanned_pages"] == "2"  # an empty page loses nothing
    assert lost_share(document.dropped, len(document.text)) > NOTEWORTHY_SHARE


def test_outputs_without_a_plain_form_are_shown() -> None:
    placeholder = "<IPython.core.display.HTML object>"
    table = "<table><tr><th>Site</th><th>Rate</th></tr><tr><td>Kiel</td><td>4</td></tr></table>"
    outputs: list[dict[str, object]] = [
        {"output_type": "display_data", "data": {"text/plain": placeholder, "text/html": table}},
        {"output_type": "display_data", "data": {"text/markdown": "The *rate* is 4."}},
    ]
    text = parse(notebook(*outputs), ipynb.MEDIA_TYPE, "a.ipynb").text
    assert "| Kiel | 4 |" in text
    assert "The *rate* is 4." in text
    assert "IPython" not in text


def test_what_no_reader_sees_makes_no_document_lossy() -> None:
    assert lost_share({"zero_width": 500, "comment": 500, "hidden": 500}, 100) == 0
    assert lost_share({"attachment": 25}, 75) == 0.25
    assert lost_share({}, 0) == 0
