"""Another thing in the place of one of its kind (F-743), English and both scripts of Chinese."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.question.replacing import is_name, replace_thing


@pytest.mark.parametrize(
    ("question", "thing", "replaced"),
    [
        ("How much is an LX-300-D?", "the TK-120", "How much is an TK-120?"),
        ("What is the hotel limit in France?", "in Spain", "What is the hotel limit in Spain?"),
        ("what's the hotel limit in france?", "in spain", "what's the hotel limit in spain?"),
        ("Who is the manager of the Ghent station?", "Porto", "Who is the manager of the Porto station?"),
        ("How many days of annual leave do I have?", "sick leave", "How many days of sick leave do I have?"),
        ("What does a red light mean?", "a green one", "What does a green light mean?"),
        ("What does level 2 mean?", "level 3", "What does level 3 mean?"),
        ("What was sold in 2025?", "2026", "What was sold in 2026?"),
        ("When is the shop open on Monday?", "on Friday", "When is the shop open on Friday?"),
        ("年假由谁审批？", "病假", "病假由谁审批？"),
        ("杭州店的店长是谁？", "成都店", "成都店的店长是谁？"),
        ("北京的住宿标准是多少？", "上海", "上海的住宿标准是多少？"),
        ("周一几点开门？", "周六", "周六几点开门？"),
        ("攝影講座費用多少？", "書法講座", "書法講座費用多少？"),
    ],
)
def test_what_was_asked_is_asked_of_the_other_thing(question: str, thing: str, replaced: str) -> None:
    found = replace_thing(question, thing)
    assert found is not None
    assert found.text == replaced


@pytest.mark.parametrize(
    ("question", "thing"),
    [
        ("How do I choose lists?", "probes"),
        ("What does a parking space cost?", "for visitors"),
        ("打印机卡纸怎么办？", "墨盒"),
        ("How long is the probation period?", "TK-120"),
    ],
)
def test_without_a_thing_of_its_kind_nothing_is_replaced(question: str, thing: str) -> None:
    assert replace_thing(question, thing) is None


def test_names() -> None:
    for thing in ("TK-120", "in Porto", "广州", "2026", "週六"):
        assert is_name(thing), thing
    for thing in ("visitors", "病假", "long ones", "墨盒"):
        assert not is_name(thing), thing


@given(st.text(max_size=60), st.text(max_size=30))
def test_the_new_thing_stands_in_the_question(question: str, thing: str) -> None:
    found = replace_thing(question, thing)
    if found is not None:
        assert found.new in found.text
        assert found.old in question
