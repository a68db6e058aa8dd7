"""Raised and lowered text in plain characters.

Pure.
"""

from __future__ import annotations

from typing import Final

_RAISED: Final = str.maketrans("0123456789+-−()n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁽⁾ⁿ")


def raised(text: str) -> str:
    """Raised text as superscript characters where there are some for all of it, else after "^"; letters as they are.

    >>> raised("-6"), raised("2x"), raised("th")
    ('⁻⁶', '^2x', 'th')
    """
    shown = text.translate(_RAISED)
    if all(a != b for a, b in zip(text, shown, strict=True)):
        return shown
    return f"^{text}" if any(char.isdigit() for char in text) else text
