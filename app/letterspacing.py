"""Chinese whose characters are set apart by blanks (姓　名, 总　则, justified lines) → the same without them. Pure.

A stretch is Chinese with blanks between its pieces. Two pieces of one character that stand beside each other belong
together; longer pieces are words (张三 李四), and nothing is joined to them, except in a line that is justified: there
nearly all pieces are single characters, and the others were torn unevenly. Blanks twice as wide as the narrowest of
their stretch part columns and fields (姓　名　　性　别). Other scripts stay as they are: their blanks part words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from app.han import HAN

_HAN: Final = f"\u3005\u3007{HAN}"
_MOST_BLANKS: Final = 8  # what is further apart are two columns
_STRETCH: Final = re.compile(rf"(?<![{_HAN}])[{_HAN}]++(?:[ \u00a0\u3000]{{1,{_MOST_BLANKS}}}+[{_HAN}]++)++")
_BLANKS: Final = re.compile(r"([ \u00a0\u3000]+)")
# A line is justified where it has so many pieces, and so large a share of them is one character.
_LEAST_PIECES: Final = 6
_LEAST_SINGLES: Final = 0.7


def close_up(text: str) -> str:
    """The text without the blanks inside Chinese words. Applying it twice changes nothing more but where what was
    joined makes a line look less justified than it did.

    >>> close_up("姓　名：王 芳　　职　务：主管"), close_up("本办 法 自 发 布 之 日 起 施 行")
    ('姓名：王芳　　职务：主管', '本办法自发布之日起施行')
    >>> close_up("张三 李四"), close_up("A 的 B"), close_up("李　四　　王小明"), close_up("그 것")
    ('张三 李四', 'A 的 B', '李四　　王小明', '그 것')
    """
    return text if text.isascii() else _STRETCH.sub(_closed, text)


def _closed(stretch: re.Match[str]) -> str:
    pieces = _BLANKS.split(stretch.group())  # piece, blanks, piece, …
    narrowest = min(map(len, pieces[1::2]))
    return "".join(_groups(pieces, narrowest))


def _groups(pieces: list[str], narrowest: int) -> Iterator[str]:
    """The pieces and blanks between them, in order, each group between wide blanks closed up."""
    start = 0
    for at in range(1, len(pieces), 2):
        if len(pieces[at]) >= 2 * narrowest:
            yield from _join(pieces[start:at])
            yield pieces[at]
            start = at + 1
    yield from _join(pieces[start:])


def _join(group: list[str]) -> Iterator[str]:
    words = group[::2]
    singles = sum(len(word) == 1 for word in words)
    if len(words) >= _LEAST_PIECES and singles >= _LEAST_SINGLES * len(words):
        yield "".join(words)
        return
    yield words[0]
    for before, blanks, word in zip(words, group[1::2], words[1:], strict=False):
        yield word if len(before) == len(word) == 1 else blanks + word
