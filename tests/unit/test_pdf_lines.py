"""Line ends of printed pages: which hyphens and line breaks are only layout."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from ingest.parsers import parse, pdf
from ingest.parsers.lines import LineJoiner
from tests.pdfs import build_pdf

# 458 breaks, drawn at random (at most 14 a document) from 340 PDFs of TeX, R and Debian documentation, not looked at
# while the rules were made, but for a few parts of compounds that were added later (full-, long-, -term); judged by
# word lists, and by hand where these do not have the joined word.
JUDGED = Path(__file__).parents[1] / "fixtures" / "line_end_hyphens.tsv"
# So that a document's language is told as that of the whole one was.
FILLER = {"en": "the size of the page", "fr": "les pages des livres", "de": "und die Seite der Bücher"}


def join_line(page: str, *elsewhere: str) -> str:
    return LineJoiner([*elsewhere, page]).paragraphs(page)


def test_judged_line_ends() -> None:
    """F-1101: at most 1 % of judged breaks come out wrong, by the function that the parser calls."""
    documents = defaultdict(list)
    for row in JUDGED.read_text(encoding="utf-8").splitlines()[1:]:
        language, document, *pair = row.split("\t")
        documents[language, document].append(pair)
    wrong, total = [], 0
    for (language, _), pairs in documents.items():
        elsewhere = [FILLER[language], *(words for *_, words in pairs)]
        pages = [f"{end}\x02{start}" for end, start, *_ in pairs]
        joiner = LineJoiner([*elsewhere, *pages])
        joined = map(joiner.paragraphs, pages)
        wrong += [got for got, (_, _, right, _) in zip(joined, pairs, strict=True) if got != right]
        total += len(pairs)
    assert total > 400
    assert len(wrong) <= 0.01 * total, wrong


def test_the_halves_of_a_broken_word_prove_nothing() -> None:
    """F-1101: "instal" and "lation" stand in the document because it was broken, not because they are words."""
    text = "The manual says that the instal\x02lation of the meter, a long\x02term task, ends in May."
    assert join_line(text, "The long road and the short term.") == text.replace("l\x02l", "ll").replace(
        "\x02", "-"
    )


def test_hyphens_at_line_ends() -> None:
    for mark in ("\x02", "\ufffe", "-\n"):
        words = "the self, publishing information"
        assert join_line(f"some infor{mark}mation", words) == "some information"
        assert join_line(f"about self{mark}publishing", words) == "about self-publishing"
    assert join_line("COVID\ufffe19 and pre\ufffeUnix") == "COVID-19 and pre-Unix"


def test_compounds_keep_their_hyphens() -> None:
    """F-1101: usual parts, chains, acronyms, addresses and what is left out for a later word."""
    assert (
        join_line("a long\x02term lease of the self\x02service bar")
        == "a long-term lease of the self-service bar"
    )
    assert join_line("the state-\nof-the-art plant", "the best of the city") == "the state-of-the-art plant"
    assert join_line("a DIN\x02based part of the kit") == "a DIN-based part of the kit"
    assert join_line("see https://example.org/over\x02view") == "see https://example.org/over-view"
    assert join_line("die Vor\x02und Nachteile der Sache") == "die Vor- und Nachteile der Sache"
    assert (
        join_line("IT IS PROVIDED WITHOUT WAR\x02RANTY OF ANY KIND")
        == "IT IS PROVIDED WITHOUT WARRANTY OF ANY KIND"
    )


def test_a_parsed_file_has_its_words_whole() -> None:
    """F-1101: what is stored, from the file's bytes on."""
    lines = ["The specification says that the instal-", "lation must be verified within thirty days."]
    text = parse(build_pdf([lines]), pdf.MEDIA_TYPE, "a.pdf").text
    assert text == "The specification says that the installation must be verified within thirty days."


def test_lines_become_paragraphs() -> None:
    page = """A Heading
This first line of a paragraph fills the column and
goes on in the second, which ends here.
The next paragraph says something else and it is
long too. Short end.
• An item of a list
• Another item of the list that is very long and so
it wraps"""
    assert join_line(page).split("\n") == [
        "A Heading",
        "",
        "This first line of a paragraph fills the column and goes on in the second, which ends here.",
        "The next paragraph says something else and it is long too. Short end.",
        "• An item of a list",
        "• Another item of the list that is very long and so it wraps",
    ]


def test_entries_of_a_list_of_contents_are_lines() -> None:
    page = (
        "1 Introduction "
        + ". " * 40
        + "1\n2.1 ASN.1 syntax"
        + ". " * 38
        + "2\n2.2 Naming"
        + "." * 60
        + " iv\n"
        "A line of text that fills the column as wide as the others of the page, so that it goes\non here"
    )
    lines = LineJoiner([page]).paragraphs(page).split("\n")
    assert [line.split()[0] for line in lines if line] == ["1", "2.1", "2.2", "A"]
