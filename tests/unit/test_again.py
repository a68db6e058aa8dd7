"""What follows an answer that was not enough: more of its section, or its source and what else is said (F-744)."""

from __future__ import annotations

from collections.abc import Sequence

from app.domain import Answer, ScoredChunk
from app.generation.again import tell_more, tell_source
from app.generation.candidates import Material
from app.generation.reply import Voice
from tests.hits import hits_of
from tests.unit.test_extractive import answer as extracted
from tests.unit.test_extractive import material_of

ENGLISH, CHINESE, TRADITIONAL = Voice(False), Voice(True), Voice(True, True)
LEAVE = (
    "# Leave\n\n## Parental leave\n\nParental leave lasts 14 months. It is asked for eight weeks ahead."
    " Part-time work is possible. The place is kept.\n\n## Sick leave\n\nCall before nine. A note is needed.\n"
)
OLD = "# Leave 2020\n\nThis document is superseded.\n\nParental leave lasts 12 months.\n"
QUESTION = "How long does parental leave last?"


def told(question: str, hits: Sequence[ScoredChunk]) -> tuple[Answer, Material]:
    extraction = extracted(question, hits)
    answer = Answer(
        extraction.text, False, "extractive", extraction.citations, question, claims=extraction.claims
    )
    return answer, material_of(question, hits)


def assert_exact(answer: Answer, hits: Sequence[ScoredChunk]) -> None:
    by_id = {hit.chunk_id: hit for hit in hits}
    for citation in answer.citations:
        hit = by_id[citation.chunk_id]
        assert (
            hit.text[citation.char_start - hit.char_start : citation.char_end - hit.char_start]
            == citation.quote
        )
    for claim in answer.claims:
        marker = answer.citations[claim.citations[0]].marker
        assert answer.text[claim.mark_start : claim.mark_end] == f"[{marker}]"


def test_more_is_the_rest_of_the_section_and_nothing_that_was_said() -> None:
    hits = hits_of(LEAVE)
    first, material = told(QUESTION, hits)
    more = tell_more(material.units, first, first.text, ENGLISH)
    assert "14 months" not in more.text
    assert more.text.endswith(
        "Part-time work is possible. The place is kept. [1]"
    )  # neighbours are one quote
    assert "Call before nine" not in more.text
    assert_exact(more, hits)


def test_after_the_section_comes_the_next_one_with_its_heading_and_then_an_end() -> None:
    hits = hits_of(LEAVE)
    first, material = told(QUESTION, hits)
    said = first.text
    more = tell_more(material.units, first, said, ENGLISH)
    said += more.text
    further = tell_more(material.units, first, said, CHINESE)
    assert further.text.startswith("同一文档“Sick leave”一节：")
    assert "Call before nine." in further.text
    assert_exact(further, hits)
    end = tell_more(material.units, first, said + further.text, TRADITIONAL)
    assert (end.text, end.kind, end.claims) == (
        "文件中沒有更多相關內容。您還想了解什麼？",
        "chat",
        (),
    ) or end.text.startswith("文檔中沒有更多")


def test_rows_come_as_lines() -> None:
    hits = hits_of("# Rates\n\n| Country | Limit |\n|---|---|\n| Spain | 90 EUR |\n| France | 140 EUR |\n")
    first, material = told("What is the limit in Spain?", hits)
    assert "140" not in first.text
    more = tell_more(material.units, first, first.text, ENGLISH)
    assert more.text == "- France: Limit: 140 EUR [1]"
    assert_exact(more, hits)


def test_an_objection_names_the_source_and_what_else_is_said() -> None:
    hits = hits_of(LEAVE, OLD)
    first, material = told(QUESTION, hits)
    source = tell_source(material, first, first.text, ENGLISH)
    assert "Leave (d1.md): Parental leave lasts 14 months. [1]" in source.text
    assert "superseded" in source.text
    assert "12 months" in source.text
    assert source.text.endswith("please name the thing, the year or the document.")
    assert_exact(source, hits)


def test_an_objection_to_the_only_passage_says_that_it_is_the_only_one() -> None:
    hits = hits_of("# 年假\n\n員工每年有十二天年假。\n")
    first, material = told("年假有多少天？", hits)
    source = tell_source(material, first, first.text, TRADITIONAL)
    assert "年假（d1.md）：員工每年有十二天年假。 [1]" in source.text
    assert "沒有找到其他不同的說法。" in source.text
    assert_exact(source, hits)
