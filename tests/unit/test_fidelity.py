"""A share of the fidelity set (eval/fidelity): what files of real programs must come to. All: eval.bench.fidelity."""

from __future__ import annotations

import dataclasses

import pytest

from app.domain import Document, Section
from app.errors import DocumentError
from eval.fidelity.corpus import make_samples
from eval.fidelity.sample import Sample, judge, shown_text
from ingest.parsers import parse
from ingest.parsers.media_types import SNIFFED_BYTES, media_type_of

SAMPLES = list(make_samples())
# Files that once came out wrong, a kind each.
MENDED = {
    "html/no-body.html",
    "html/no-body-meta.html",
    "md/long-table.md",
    "txt/freezer-iso2022_jp.txt",
    "txt/archive-koi8_r.txt",
    "txt/greek-cp1253.txt",
    "txt/market-cp1256.txt",
    "rst/notes.rst",
    "tex/slides.tex",
    "tex/latex-bakery.tex",
    "pdf/word-guide.pdf",
    "pdf/chrome-policy.pdf",
    "pdf/latex-ferry.pdf",
    "pdf/powerpoint-move.pdf",
    "pdf/sap-invoice.pdf",
    "pptx/wps-library.pptx",
    "xlsx/excel-rich.xlsx",
    "odt/libreoffice-policy.odt",
    "odt/libreoffice-lease.odt",
    "ods/libreoffice-values.ods",
    "ipynb/jupyter-outputs.ipynb",
    "ipynb/ipython-old.ipynb",
    "eml/attached-octets.eml",
    "eml/attached-misnamed.eml",
    "eml/becky-freezer.eml",
    "eml/gbk-as-gb2312.eml",
    "html/wechat.html",
    "html/asciidoctor.html",
    "html/katex.html",
    "docx/word-dropcap.docx",
    "md/jekyll-liquid.md",
    "md/hugo-shortcodes.md",
    "md/wiki-notes.md",
    "mdx/tabs-cards.mdx",
    "tex/thesis.tex",
    "tex/cv.tex",
    "ipynb/jupyter-rich.ipynb",
    "srt/messy.srt",
    "pdf/word-manual.pdf",
}


def share() -> list[Sample]:
    """What was mended, and one file of each format that is not among it."""
    seen = {name.partition("/")[0] for name in MENDED}
    chosen = [sample for sample in SAMPLES if sample.name in MENDED]
    for sample in SAMPLES:
        if sample.format not in seen:
            seen.add(sample.format)
            chosen.append(sample)
    return chosen


def test_the_set_holds_enough_files_of_every_format() -> None:
    formats = {sample.format for sample in SAMPLES}
    assert len(SAMPLES) >= 250
    assert len({sample.name for sample in SAMPLES}) == len(SAMPLES)
    assert len(formats) >= 28
    assert sum(sample.format == "xlsx" for sample in SAMPLES) >= 60
    assert {sample.name for sample in SAMPLES} >= MENDED


def test_the_set_is_the_same_each_time() -> None:
    assert [sample.content for sample in make_samples()] == [sample.content for sample in SAMPLES]


@pytest.mark.parametrize("sample", share(), ids=lambda sample: sample.name)
def test_a_file_comes_to_what_it_shows(sample: Sample) -> None:
    reason = ""
    document: Document | None = None
    try:
        media_type = media_type_of(sample.name, sample.content[:SNIFFED_BYTES])
        document = parse(sample.content, media_type, sample.name)
    except DocumentError as error:
        reason = error.code
    finding = judge(sample, document, reason)
    assert finding.is_right, finding


# The judgement itself


def document_of(text: str, title: str = "", *headings: str) -> Document:
    sections = tuple(Section(at, at + 1, (heading,)) for at, heading in enumerate(headings))
    return Document(text, title, "text/plain", "en", sections)


ASKED = Sample(
    "txt/a.txt", b"", ("one", "1,250.50 €", "two"), ("secret", "1067"), "Title", ("First", "Second")
)


def test_what_is_right_is_right() -> None:
    found = document_of("| one | 1,250.50 € |\n| --- | --- |\n| two | 01067 |", "Title", "First", "Second")
    assert judge(ASKED, found, "").is_right


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"missing": ("two",)}, "one 1,250.50 € twos"),
        ({"order": False}, "two one 1,250.50 €"),
        ({"shown": ("secret",)}, "one 1,250.50 € two secret"),
        ({"shown": ("1067",)}, "one 1,250.50 € two 1067"),
    ],
)
def test_what_lacks_or_shows_too_much_is_wrong(change: dict[str, object], text: str) -> None:
    right = judge(ASKED, document_of("one 1,250.50 € two", "Title", "First", "Second"), "")
    found = judge(ASKED, document_of(text, "Title", "First", "Second"), "")
    assert found == dataclasses.replace(right, **change)  # type: ignore[arg-type]
    assert not found.is_right


def test_titles_and_headings_count() -> None:
    text = "one 1,250.50 € two"
    assert judge(ASKED, document_of(text, "Other", "First", "Second"), "").title is False
    assert judge(ASKED, document_of(text, "Title", "Second", "First"), "").missing_headings == ("Second",)
    refused = judge(ASKED, None, "empty")
    assert (refused.missing, refused.told) == (ASKED.must, "empty")


def test_a_refusal_that_is_right_is_told_by_its_code() -> None:
    asked = Sample("txt/a.txt", b"", (), reason="bad_encoding")
    assert judge(asked, None, "bad_encoding").is_right
    assert not judge(asked, None, "empty").is_right
    assert not judge(asked, document_of("otevøena"), "").is_right


def test_marks_and_white_space_do_not_count() -> None:
    assert shown_text("a\\_b\n\n |  c\u200b |\n|:--|--:|\n") == "a_b c"
