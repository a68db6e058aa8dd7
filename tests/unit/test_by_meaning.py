"""Where a question's words do not suffice: a sentence near enough by meaning, with what any wording would have."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.generation.sufficiency import answerability_by_meaning
from tests.hits import hits_of
from tests.unit.test_extractive import material_of


def judge(question: str, page: str, near: float) -> float:
    """The first sentence of a page as the answer, it and its hit being so near to the question."""
    hits = [replace(hit, standard=near) for hit in hits_of(page)]
    material = material_of(question, hits)
    return answerability_by_meaning(material.units[:1], near, material)


def test_the_nearer_the_surer() -> None:
    assert judge("입장권 값은?", "입장료는 팔천 원입니다.", 3.0) < 0.5
    assert judge("입장권 값은?", "입장료는 팔천 원입니다.", 5.0) > 0.5


@pytest.mark.parametrize(
    ("question", "page"),
    [
        ("What does the FM-40 weigh?", "The FM-40 costs 1,290 EUR."),  # firm-234: its price list row was near
        ("What is the hotel limit in France?", "The hotel limit is 130 EUR in all of Germany."),
        ("What was decided on 25 April 2026?", "On 24 April 2026 the board raised all prices."),
        ("Which alarms does gate 4 raise?", "Gate 7 raises alarms of heat and smoke."),
        ("How long is the trial?", "The trial ends with a talk."),
        ("试用期多长？", "试用期结束时有一次面谈。"),
    ],
    ids=["code", "name", "date", "number", "value", "value-zh"],
)
def test_what_any_wording_has_must_be_there(question: str, page: str) -> None:
    assert judge(question, page, 9.0) == 0.0


def test_nothing_said_is_no_answer() -> None:
    material = material_of("How is extra work paid?", hits_of("Overtime is paid."))
    assert answerability_by_meaning((), 9.0, material) == 0.0
