"""Chinese set apart by blanks is read as the words that it makes; blanks between words stay (F-1110)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.letterspacing import close_up
from app.lexicon import terms
from app.sentences import split_sentences
from tests.growth import assert_linear


@pytest.mark.parametrize(
    ("spaced", "closed"),
    [
        ("姓　名：王　芳", "姓名：王芳"),
        ("总　　则", "总则"),
        ("第 一 章 总 则", "第一章总则"),
        ("本 办 法 自 发 布 之 日 起 施 行 。", "本办法自发布之日起施行 。"),
        ("关 于 红 军 作 战 的 原 则", "关于红军作战的原则"),
        ("本办 法 自 发 布 之 日起 施 行", "本办法自发布之日起施行"),  # torn unevenly
        ("開 票 通 知 單", "開票通知單"),
        ("姓 名   性 别", "姓名   性别"),  # fields are further apart than characters
        ("| 甲　方 | 乙　方 |", "| 甲方 | 乙方 |"),
    ],
)
def test_characters_set_apart_make_words(spaced: str, closed: str) -> None:
    """F-1110: 姓名 did not find 姓　名, nor 姓 名 what is written 姓名."""
    assert close_up(spaced) == closed
    assert terms(spaced) == terms(closed)


@pytest.mark.parametrize(
    "text",
    [
        "张三 李四 王五",
        "张三丰　王小明",
        "A 的 B",
        "三 GPU 卡",
        "| 甲 | 乙 |",
        "甲\t乙",
        "甲\n乙",
        "北京 上海 广州 深圳 天津 重庆 杭州",
        "그 것 이",  # the blanks of Korean part words
        "これ は 本 です",
        "a b c",
    ],
)
def test_blanks_between_words_stay(text: str) -> None:
    """F-1110."""
    assert close_up(text) == text


def test_names_of_two_characters_are_closed_up_among_names_of_three() -> None:
    """F-1110: lists of names fill 李四 up to the width of 王小明."""
    assert close_up("张三丰　李　四　王小明　赵　六") == "张三丰　李四　王小明　赵六"


def test_fields_of_a_form_with_names_set_apart_are_sentences_of_their_own() -> None:
    """F-1110: 姓　名 and 职　务 ran together into one quote."""
    text = "姓　名：王芳\n职　　务：仓库主管\n联 系 电 话：8600"
    assert [text[a:b] for a, b in split_sentences(text)] == text.split("\n")


@given(st.text(st.sampled_from("中文字 　a1。|\n"), max_size=40))
def test_nothing_but_blanks_goes(text: str) -> None:
    closed = close_up(text)
    assert closed.replace(" ", "").replace("\u3000", "") == text.replace(" ", "").replace("\u3000", "")


@pytest.mark.parametrize(
    "text",
    [
        lambda n: "中" * n,
        lambda n: "中 " * (n // 2),
        lambda n: "中 文字 " * (n // 4),
        lambda n: "中" + " " * n + "文",
    ],
)
def test_time_is_linear(text: Callable[[int], str]) -> None:
    assert_linear(lambda size: partial(close_up, text(size)), 10_000)
