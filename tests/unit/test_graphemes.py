"""No cut tears a letter from its marks, in any script."""

from __future__ import annotations

import pytest

from app.graphemes import begins_syllable, is_torn_at, split_signs, syllable_at_or_before, whole_at_or_before


@pytest.mark.parametrize(
    "sign", ["की", "क्ष", "กำ", "เก", "ตั้", "ស្ដី", "မြို့", "בָּ", "e\u0301", "👩‍👧‍👦", "👍🏽", "❤️", "🇩🇪"]
)
def test_one_sign_is_never_torn(sign: str) -> None:
    """F-1133."""
    text = f"a{sign}b"
    torn = [at for at in range(len(text)) if is_torn_at(text, at)]
    assert torn == list(range(2, len(text) - 1))
    assert whole_at_or_before(text, len(text) - 2, 0) == 1


@pytest.mark.parametrize("text", ["ab", "中文", "한글", "कम", "กข", "а.", "🇩🇪🇫🇷", "a b"])
def test_between_signs_may_be_cut(text: str) -> None:
    assert not is_torn_at(text, len(text) // 2)


def test_a_sign_without_end_is_cut() -> None:
    text = "a" + "\u0301" * 500
    assert whole_at_or_before(text, 400, 0) == 400


@pytest.mark.parametrize(
    ("text", "starts"),
    [
        ("การเมือง", [3]),  # การ, เมือง
        ("สะพาน", [2]),
        ("ประเทศไทย", [3, 6]),
        ("ໂຮງຮຽນແລະ", [6]),
        ("အိမ်များ", []),
        ("a word", []),
    ],
)
def test_where_a_syllable_surely_begins(text: str, starts: list[int]) -> None:
    assert [at for at in range(len(text)) if begins_syllable(text, at)] == starts


def test_scripts_without_spaces_are_cut_at_syllables() -> None:
    text = "การประชุมเรื่องงบประมาณประจำปี"
    assert text[: syllable_at_or_before(text, 12, 0)] == "การประชุม"
    assert syllable_at_or_before("กรมชลผลต", 4, 0) == 4  # nothing tells


@pytest.mark.parametrize("run", ["ห้องสมุด", "ຫ້ອງສະໝຸດ", "ក្រុមហ៊ុន", "မြန်မာစာ"])
def test_signs_are_what_no_cut_tears(run: str) -> None:
    signs = split_signs(run)
    assert "".join(signs) == run
    at = 0
    for sign in signs:
        assert not is_torn_at(run, at)
        assert all(is_torn_at(run, inner) for inner in range(at + 1, at + len(sign)))
        at += len(sign)
