"""Chinese slips: which pairs are looked at, and what sounds like them."""

from __future__ import annotations

import pytest

from app.question.homophones import MOST_SPELLINGS, find_pairs, find_spellings, is_word_in


@pytest.mark.parametrize(
    ("typed", "right", "unlikely"),
    [
        ("重制", "重置", 0),
        ("报消", "报销", 0),
        ("密马", "密码", 0),
        ("帐好", "账号", 1),
        ("兰色", "南色", 2),
        ("工只", "公司", None),
        ("星系", "信息", None),
    ],
)
def test_spellings_of_the_same_sound(typed: str, right: str, unlikely: int | None) -> None:
    """F-771."""
    assert find_spellings(typed).get(right) == unlikely


def test_spellings_are_bounded() -> None:
    for pair in ("意义", "一一", "记忆", "十是"):
        assert 0 < len(find_spellings(pair)) <= MOST_SPELLINGS
        assert pair not in find_spellings(pair)


def test_pairs_keep_to_words_and_never_ask() -> None:
    """F-771: question words are never replaced, and no pair crosses a word."""
    question = "请问报消要几天，怎么重制网关？"
    pairs = find_pairs(question)
    assert [pair.text for pair in pairs] == ["报消", "重制", "网关"]
    assert all(question[pair.start : pair.start + 2] == pair.text for pair in pairs)


def test_a_pair_that_crosses_two_words_is_no_word() -> None:
    assert is_word_in("报销", [])  # the dictionary has it
    assert not is_word_in("用网", ["请使用网关。", "请使用网关登录。"])
    assert is_word_in("嘟噗", ["我们的嘟噗很好", "买嘟噗吧", "嘟噗"])
