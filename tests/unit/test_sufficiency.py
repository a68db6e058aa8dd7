"""Evidence judged on what would be said: a near miss is below a half, the same question that is answered above."""

from __future__ import annotations

import math
from collections.abc import Collection

import pytest

from app.generation import sufficiency as module
from app.generation.extractive import extract
from app.generation.sufficiency import sufficiency
from tests.hits import hits_of
from tests.unit.test_extractive import material_of

LENIENCE = module.LENIENCE
EVIDENCE = 0.7  # of the hits: as high as where all words stand somewhere


@pytest.fixture(autouse=True)
def _without_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """The costs alone, without the bound by the hits' evidence."""
    monkeypatch.setattr(module, "LENIENCE", 0.0)


def score(question: str, page: str, unknown: Collection[str] = (), **weights: float) -> float:
    material = material_of(question, hits_of(page), **weights)
    extraction = extract(material, None)
    assert extraction is not None
    return sufficiency(EVIDENCE, material, extraction.said, unknown)


def logit(value: float) -> float:
    return math.log(value / (1 - value))


COLUMNS = (
    "# Desks\n\n| Item | Height | Price |\n|---|---|---|\n| Desk |  | 300 EUR |\n| Chair | 80 cm | 90 EUR |\n"
)
COLUMNS_ZH = (
    "# 家具\n\n| 名称 | 高度 | 价格 |\n|---|---|---|\n| 书桌 | - | 300元 |\n| 椅子 | 80厘米 | 90元 |\n"
)


@pytest.mark.parametrize(
    ("question", "page", "twin", "twin_page", "cost"),
    [
        (
            *("Why is the trial six months?", "The trial is six months.\n"),
            *(
                "Why is the trial six months?",
                "The trial is six months because training is long.\n",
                "NO_REASON",
            ),
        ),
        (
            *("为什么试用期是六个月？", "试用期是六个月。\n"),
            *("为什么试用期是六个月？", "试用期是六个月，因为培训时间长。\n", "NO_REASON"),
        ),
        (
            *("How much is the permit?", "The permit is at the desk.\n"),
            *("How much is the permit?", "The permit is EUR 30.\n", "NO_VALUE"),
        ),
        (
            *("停車證多少錢？", "停车证在前台办理。\n"),
            *("停車證多少錢？", "停车证每月30元。\n", "NO_VALUE"),
        ),
        ("What is the height of the desk?", COLUMNS, "What is the height of the chair?", COLUMNS, "NO_CELL"),
        ("书桌的高度是多少？", COLUMNS_ZH, "椅子的高度是多少？", COLUMNS_ZH, "NO_CELL"),
    ],
)
def test_no_value_of_the_kind_that_is_asked_for(
    question: str, page: str, twin: str, twin_page: str, cost: str
) -> None:
    """F-701: an empty cell, a price list where a reason is asked, a place where a price is; nothing else differs."""
    miss, hit = score(question, page), score(twin, twin_page)
    assert miss < 0.5 < hit
    assert logit(hit) - logit(miss) == pytest.approx(getattr(module, cost))


@pytest.mark.parametrize(
    ("question", "miss", "hit"),
    [
        (
            "What does error 503 mean?",
            "Error 404 means that a page is missing.\n",
            "Error 503 means a busy server.\n",
        ),
        ("错误503是什么意思？", "错误404表示页面不存在。\n", "错误503表示服务器繁忙。\n"),
    ],
)
def test_another_number_of_a_thing(question: str, miss: str, hit: str) -> None:
    """The number is missing as a term as well."""
    assert score(question, miss) < 0.5 < score(question, hit)
    assert logit(score(question, hit)) - logit(score(question, miss)) == pytest.approx(
        module.NO_NUMBER + module.MISSING
    )


def test_another_name() -> None:
    hit = score("What is the phone number of Ada?", "The phone number of Ada is 8021.\n")
    miss = score("What is the phone number of Ada?", "The phone number of Bob is 8021.\n")
    assert hit > 0.5
    assert logit(hit) - logit(miss) == pytest.approx(module.NO_NAME + module.MISSING)


@pytest.mark.parametrize(
    ("question", "miss", "hit", "term"),
    [
        (
            "How long is the trial of teachers?",
            "The trial of drivers is six months.\n",
            "The trial of teachers is six months.\n",
            "teacher",
        ),
        ("教师的试用期多长？", "司机的试用期为六个月。\n", "教师的试用期为六个月。\n", "教师"),
    ],
)
def test_another_thing_that_the_collection_lacks(question: str, miss: str, hit: str, term: str) -> None:
    """By the heaviest missing term, and by the share of what the whole collection lacks."""
    assert score(question, miss, {term}, **{term: 3.0}) < 0.5 < score(question, hit, {term}, **{term: 3.0})
    alone = logit(score(question, miss, (), **{term: 3.0}))
    assert logit(score(question, hit)) - alone == pytest.approx(module.MISSING)
    weights = material_of(question, hits_of(miss), **{term: 3.0}).weights
    share = weights[term] / sum(weights.values())
    assert alone - logit(score(question, miss, {term}, **{term: 3.0})) == pytest.approx(
        module.UNKNOWN * share
    )


@pytest.mark.parametrize(
    ("question", "page"),
    [
        ("How long is the warranty?", "The warranty covers the motor. It lasts two years.\n"),
        ("质保多久？", "质保包括电机。质保期为两年。\n"),
        ("How long is the bridge?", "The bridge is 330 metres long.\n"),
        ("Who approves leave?", "Leave is approved by the manager.\n"),
        ("What are the heights of the items?", COLUMNS),
        ("How many steps are there?", "# Steps\n\n1. Stop.\n2. Go.\n"),
        ("Does the salary include lunch?", "The salary does include lunch.\n"),
    ],
)
def test_what_costs_nothing(question: str, page: str) -> None:
    """A value right beside, a kind of value that no pattern knows for certain, a count, a whole table, yes or no."""
    assert logit(score(question, page)) == pytest.approx(
        module.INTERCEPT + module.EVIDENCE * logit(EVIDENCE), abs=0.2
    )


def test_nothing_said_is_no_evidence() -> None:
    material = material_of("Why?", hits_of("The trial is six months.\n"))
    assert sufficiency(1.0, material, ()) == 0.0
    low, high = (sufficiency(evidence, material, material.units[:1]) for evidence in (0.1, 1.0))
    assert 0 < low < high < 1


def test_a_perfect_choice_from_hits_without_evidence_does_not_suffice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Chinese passages of other documents hold a question's words more often than one would think."""
    monkeypatch.setattr(module, "LENIENCE", LENIENCE)
    material = material_of("How long is the trial?", hits_of("The trial is six months.\n"))
    assert (
        sufficiency(0.3, material, material.units[:1]) < 0.5 < sufficiency(0.9, material, material.units[:1])
    )


@pytest.mark.parametrize(
    ("question", "right", "wrong"),
    [
        ("11号水泵的容量是多少升？", "# 11号水泵\n", "# 9号水泵\n\n9号水泵的容量是1333升。\n"),
        ("How many seats has hall 3?", "# Hall 3\n", "# Hall 1\n\nHall 1 has 90 seats.\n"),
    ],
)
def test_another_numbers_value_never_suffices(question: str, right: str, wrong: str) -> None:
    material = material_of(question, hits_of(right, wrong))
    extraction = extract(material, None)
    assert extraction is not None
    assert sufficiency(0.99, material, extraction.said) == 0
