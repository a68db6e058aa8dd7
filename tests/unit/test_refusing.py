"""Refusals: which passages come nearest, and why they are no answer, in both languages and scripts."""

from __future__ import annotations

from app.generation.refusing import MOST_NEAREST, REASONS, near_misses
from app.generation.reply import Voice
from app.question.standalone import Standalone, alone
from tests.hits import hits_of
from tests.unit.test_extractive import material_of

ENGLISH, CHINESE, TRADITIONAL = Voice(False), Voice(True), Voice(True, True)
PUMPS = "# Pumps\n\nThe LX-200 pump needs a torque of 25 Nm.\n"
TAPS = "# Taps\n\nThe tap needs no torque.\n"


def whys(
    question: str, *documents: str, standalone: Standalone | None = None, voice: Voice = ENGLISH
) -> list[tuple[str, str]]:
    hits = hits_of(*documents)
    near = near_misses(hits, material_of(question, hits), standalone or alone(question), voice)
    assert [miss.hit for miss in near] == [hit for hit in hits if hit in [miss.hit for miss in near]]
    return [(miss.code, miss.why) for miss in near]


def test_a_name_that_no_document_has_is_told() -> None:
    """F-811: a refusal says what comes nearest and why that does not suffice."""
    found = whys("What torque does the LX-900 need?", PUMPS, TAPS)
    assert found == [("name_not_found", "No document names LX-900.")] * 2


def test_a_passage_about_another_thing_is_told() -> None:
    found = whys("What torque does the LX-200 need?", PUMPS, TAPS)
    assert found[1] == ("other_subject", "It does not name LX-200.")


def test_a_passage_that_holds_a_part_is_told_in_the_language_of_the_question() -> None:
    text = "# 年假\n\n员工每年有十二天年假。\n"
    assert whys("年假怎么折算工资？", text, voice=CHINESE) == [("too_little", "其中只有问题的一部分内容。")]
    assert whys("年假怎麼折算工資？", text, voice=TRADITIONAL) == [
        ("too_little", "其中只有問題的一部分內容。")
    ]
    assert whys("Which pump is blue?", PUMPS) == [("too_little", "It holds only a part of what you ask.")]


def test_a_follow_up_s_thing_and_reason_are_told() -> None:
    """F-743: the value of another country is near, and is not the answer."""
    hotels = "# Hotels\n\nThe hotel limit in France is 140 EUR.\n"
    question = "What is the hotel limit in Spain?"
    spain = Standalone(question, question, "Spain", True)
    assert whys(question, hotels, standalone=spain) == [("name_not_found", "No document names Spain.")]
    why = Standalone("When does the move take place? Why?", "Why?", wants_reason=True)
    move = "# Move\n\nThe move takes place in June.\n"
    assert whys(why.text, move, standalone=why) == [("no_reason", "It gives no reason for that.")]


def test_passages_that_hold_nothing_are_not_near_and_few_are_shown() -> None:
    assert whys("Who plays the trumpet?", PUMPS, TAPS) == []
    assert len(whys("torque", *[f"# T{n}\n\nThe torque is {n}.\n" for n in range(6)])) == MOST_NEAREST


def test_other_reasons_are_sentences_in_both_languages() -> None:
    """F-812: an empty filter does not look like a missing answer."""
    for english, chinese in REASONS.values():
        assert english.endswith(".")
        assert chinese.endswith("。")
    assert TRADITIONAL.word(REASONS["no_document_matches_filter"]).startswith("沒有文件") or TRADITIONAL.word(
        REASONS["no_document_matches_filter"]
    ).startswith("沒有文檔")
