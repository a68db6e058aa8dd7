"""Which units may answer a follow-up: those of the thing it names, and those that give a reason (F-743)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.generation.narrowing import EARLIER, gives_reason, narrow
from app.question.kinds import read_wanted
from app.question.standalone import Standalone, alone
from tests.hits import hits_of
from tests.unit.test_extractive import material_of

HOTELS = "# Hotels\n\nThe limit in France is 140 EUR. The limit in Spain is 90 EUR.\n"


def kept(
    standalone: Standalone, text: str = HOTELS, *, unknown: frozenset[str] = frozenset(), mended: bool = False
) -> list[str]:
    material = material_of(standalone.text, hits_of(text))
    narrowed = narrow(material, standalone, unknown, mended=mended)
    return [unit.text for unit in narrowed.units if unit.is_answer]


def test_only_what_tells_of_the_thing_may_answer() -> None:
    question = "What is the limit in Spain?"
    assert kept(Standalone(question, question, "Spain", True)) == ["The limit in Spain is 90 EUR."]
    assert len(kept(alone(question))) == 2


def test_a_name_that_nothing_tells_of_leaves_nothing_and_a_word_leaves_all() -> None:
    question = "What is the limit in Portugal?"
    assert kept(Standalone(question, question, "Portugal", True)) == []
    assert len(kept(Standalone(question, question, "guests", False))) == 2
    assert kept(Standalone(question, question, "guests", False), unknown=frozenset({"guest"})) == []
    assert len(kept(Standalone(question, question, "Portugal", True), mended=True)) == 2  # it may be misspelt


def test_a_reason_has_to_be_given() -> None:
    text = "# Move\n\nThe move takes place in June. The move was put off because the racks come late.\n"
    why = Standalone("When does the move take place? Why?", "Why?", wants_reason=True)
    assert kept(why, text) == ["The move was put off because the racks come late."]
    assert kept(why, "# Move\n\nThe move takes place in June. Rain falls because of clouds.\n") == []


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("It waits, as the racks come late.", True),
        ("因为夏季客流增加", True),
        ("因應展覽，開放時間延長，以便參觀", True),
        ("As of May it costs 3 EUR.", False),
        ("Its square root is a good choice, for example 100.", False),
        ("It waits, for the racks come late.", True),
        ("Open since 2020.", False),
        ("推迟到5月10日", False),
        ("因此", True),
        ("因素很多", False),
    ],
)
def test_words_of_reason(text: str, reason: bool) -> None:
    assert gives_reason(text) is reason


def test_a_thing_put_behind_the_question_before_is_what_the_answer_tells_of() -> None:
    """F-746: "And what about probes?" repeated what was said of lists, word for word."""
    text = (
        "# Lists and probes\n\n## Lists\n\n"
        "Choose the number of lists by the rows.\n\nProbes are the lists that a query reads.\n"
    )
    before = "How do I choose the number of lists?"
    standalone = Standalone(f"{before} And what about probes?", before, "probes", False)
    assert kept(standalone, text) == ["Probes are the lists that a query reads."]
    weights = narrow(material_of(standalone.text, hits_of(text)), standalone, (), mended=False).weights
    assert weights["choos"] == EARLIER * weights["probe"]
    heading = "# Lists\n\nChoose them by the rows.\n\n# Probes\n\nTake the square root of them.\n"
    assert kept(standalone, heading) == ["Take the square root of them."]  # its heading names it


def test_what_a_follow_up_asks_itself_weighs_more() -> None:
    standalone = Standalone("What torque does the pump need? How is it calibrated?", "How is it calibrated?")
    material = material_of(
        standalone.text, hits_of("# Pump\n\nThe pump needs 25 Nm. It is calibrated yearly.\n")
    )
    weights = narrow(material, standalone, (), mended=False).weights
    assert weights["pump"] == EARLIER * weights["calibr"]


def test_a_follow_up_that_names_nothing_wants_a_value_of_its_kind() -> None:
    """F-744: never the old answer again."""
    text = "# Bikes\n\nThe E-40 is inspected every 300 km. Each inspection takes 40 minutes.\n"
    form = "How long does that take?"
    standalone = Standalone(f"How often is the E-40 inspected? {form}", form)
    material = replace(material_of(standalone.text, hits_of(text)), wanted=read_wanted(form))
    kept_units = narrow(material, standalone, (), mended=False).units
    assert [unit.text for unit in kept_units] == ["Each inspection takes 40 minutes."]
