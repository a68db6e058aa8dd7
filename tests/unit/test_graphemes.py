"""No cut tears a letter from its marks, in any script."""

from __future__ import annotations

import pytest

from app.graphemes import is_torn_at, whole_at_or_before


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
