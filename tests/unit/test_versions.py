"""What an answer says where documents of several versions were found (F-751)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.generation.candidates import Material
from app.generation.evidence import weigh_question
from app.generation.extractive import extract
from app.generation.standing import read_standing
from app.generation.units import read_units
from app.question.content import read_question
from app.question.kinds import read_wanted
from tests.hits import hits_of, weights_of

OLD = "# Travel 2024\n\nTrips abroad are approved by the head of department. Pets cost 12 EUR a day.\n"
NEW = "# Travel 2026\n\nTrips abroad are approved by the director. The train is in second class.\n"
DRAFT = "# Travel 2027\n\nNot approved.\n\nTrips abroad are approved by nobody.\n"
BASE = "# Agreement with Falk Druck\n\nPayment takes 30 days. The notice period is 3 months.\n"
CHANGE = "# Amendment to the agreement with Falk Druck\n\nPayment takes 45 days.\n"
OLD_ZH = "# 差旅办法（2023年版）\n\n本办法已废止。\n\n出差补贴为每天90元。洗衣费每次20元。\n"
NEW_ZH = "# 差旅办法（2026年版）\n\n出差补贴为每天130元。\n"


def answer(question: str, *texts: str, sources: tuple[str, ...] = ()) -> str:
    """The answer from documents whose files are named as their titles, or as `sources`."""
    hits = [
        replace(hit, source=sources[place] if sources else f"{hit.title}.md")
        for place, hit in enumerate(hits_of(*texts))
    ]
    asked = read_question(question)
    weights = {term: weight for term, weight in weights_of(question).items() if term in asked.terms}
    standings = {hit.document_id: read_standing(hit.title, hit.source, hit.text) for hit in hits}
    material = Material(
        asked,
        read_wanted(question),
        read_units(hits),
        weigh_question(asked, weights, frozenset()),
        standings,
    )
    extraction = extract(material, None)
    assert extraction is not None
    return extraction.text


@pytest.mark.parametrize(
    ("question", "texts", "says"),
    [
        (
            "Who approves trips abroad?",
            (OLD, NEW, DRAFT),
            "Travel 2026: Trips abroad are approved by the director. [1]\n\n"
            "Travel 2024: Trips abroad are approved by the head of department. [2]",
        ),
        (
            "What do pets cost?",
            (NEW, OLD),
            "Travel 2024: Pets cost 12 EUR a day. [1]\n\n"
            "Nothing on this was found in the version in force, Travel 2026.",
        ),
        (
            "Who approved trips abroad in 2024?",
            (NEW, OLD),
            "Travel 2024: Trips abroad are approved by the head of",
        ),
        (
            "Who approves trips abroad?",
            (DRAFT,),
            "Travel 2027 (draft): Trips abroad are approved by nobody. [1]\n\nNo document in force",
        ),
        (
            "出差补贴多少？",
            (OLD_ZH, NEW_ZH),
            "差旅办法（2026年版）：出差补贴为每天130元。 [1]\n\n"
            "差旅办法（2023年版）（已废止）：出差补贴为每天90元。 [2]",
        ),
        (
            "洗衣费多少？",
            (OLD_ZH, NEW_ZH),
            "差旅办法（2023年版）（已废止）：洗衣费每次20元。 [1]\n\n现行的《差旅办法（2026年版）》中未找到相关内容。",
        ),
    ],
)
def test_the_valid_one_answers_first_and_an_old_one_says_so(
    question: str, texts: tuple[str, ...], says: str
) -> None:
    """F-751: a stray sentence of the valid one came before the answer of the old one; a draft stood beside the valid
    one instead of the version before it; versions that differ in a name and not in a number were not told apart."""
    assert answer(question, *texts).startswith(says)


def test_the_record_of_a_day_stays_true() -> None:
    """F-751: older minutes were said to hold what is not in force."""
    january = "# Board 2026-01-14\n\nThe summer party is on 20 June.\n"
    february = "# Board 2026-02-11\n\nThe budget is 65 EUR.\n"
    says = "Board 2026-01-14: The summer party is on 20 June. [1]"
    assert answer("When is the summer party?", february, january) == says


def test_versions_of_one_title_are_told_apart_by_their_files() -> None:
    """F-751: both values stood behind one and the same name."""
    texts = ("# Leave\n\nAnnual leave is 24 days.\n", "# Leave\n\nAnnual leave is 27 days.\n")
    assert answer("How long is annual leave?", *texts, sources=("leave v1.md", "leave v2.md")) == (
        "Leave, v2: Annual leave is 27 days. [1]\n\nLeave, v1: Annual leave is 24 days. [2]"
    )


def test_an_amendment_comes_first_only_in_what_it_changes() -> None:
    """F-751: the whole contract counted as old."""
    assert answer("How long does payment take?", BASE, CHANGE).startswith(
        "Amendment to the agreement with Falk Druck: Payment takes 45 days. [1]\n\nAgreement with Falk Druck: "
    )
    assert (
        answer("What is the notice period with Falk Druck?", CHANGE, BASE)
        == "The notice period is 3 months. [1]"
    )
