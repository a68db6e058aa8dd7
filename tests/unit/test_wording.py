"""How sentences, items, rows and code are written in an answer: their words stay, their marks go."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.generation.units import read_units
from app.generation.wording import shown_item, shown_row, shown_sentence, shown_unit
from app.stored_markdown import Kind
from tests.hits import hits_of


@pytest.mark.parametrize(
    ("quote", "shown"),
    [
        ("- Use one list\n  for every row.", "Use one list for every row."),
        ("## 3. Leave", "Leave"),
        ("> * quoted item", "quoted item"),
        ("年假共十二天，\n由店长审批。", "年假共十二天，由店长审批。"),
        ("退款於十個工作天內\n匯出。", "退款於十個工作天內匯出。"),
        ("A  b\n\n c", "A b c"),
        ("-5 degrees", "-5 degrees"),  # no mark: nothing parts it from the number
    ],
)
def test_a_sentence_loses_marks_and_line_breaks_alone(quote: str, shown: str) -> None:
    assert shown_sentence(quote) == shown


@pytest.mark.parametrize(
    ("quote", "shown"),
    [
        ("* first\n  things", "- first things"),
        ("2. then", "2. then"),
        ("(3) last", "(3) last"),
        ("二、取得案號。", "二、 取得案號。"),
        ("（一）报警", "（一） 报警"),
    ],
)
def test_an_item_keeps_its_own_number(quote: str, shown: str) -> None:
    assert shown_item(quote) == shown


@pytest.mark.parametrize(
    ("names", "cells", "shown"),
    [
        (("Code", "Meaning", "Action"), ("E-107", "Damaged", ""), "E-107: Meaning: Damaged"),
        (("Code", "Meaning", "Action"), ("E-107", "Damaged", "–"), "E-107: Meaning: Damaged"),
        (("型号", "日租金"), ("E-40", "260元"), "E-40：日租金：260元"),
        (("方案", "月費", "租車"), ("進階", "320元", "三天"), "進階：月費：320元；租車：三天"),
        (("项目", "数值"), ("重量", "210克"), "重量：210克"),
        ((), ("Weight", "210 g"), "Weight: 210 g"),
        (("Name", "Phone"), ("", "8801"), "Phone: 8801"),
        (("Name",), (), ""),
        (("a", "b"), ("two\nlines", "x  y"), "two lines: b: x y"),
    ],
)
def test_a_row_says_each_value_with_its_column(
    names: tuple[str, ...], cells: tuple[str, ...], shown: str
) -> None:
    """F-835: never the bars of the table."""
    assert shown_row(names, cells) == shown


@given(st.text(max_size=80))
def test_no_letter_or_digit_of_a_sentence_is_lost_but_those_of_its_mark(quote: str) -> None:
    def letters(text: str) -> list[str]:
        return re.findall(r"[^\W_]", text)

    found = letters(shown_sentence(quote))
    assert found == letters(quote)[len(letters(quote)) - len(found) :]


def test_units_of_a_document_are_written_by_their_kind() -> None:
    text = (
        "# Pumps\n\nThe pump is blue.\n\n- one\n- two\n\n| Model | Flow |\n|---|---|\n| P-1 | 3 l |\n\n"
        "```sh\npump --start\n```\n"
    )
    shown = {unit.kind: shown_unit(unit) for unit in read_units(hits_of(text)) if unit.is_answer}
    assert shown[Kind.PROSE] == "The pump is blue."
    assert shown[Kind.ROW] == "P-1: Flow: 3 l"
    assert shown[Kind.ITEM] == "two"
    assert shown[Kind.CODE].startswith("```\n")
    assert "pump --start" in shown[Kind.CODE]
