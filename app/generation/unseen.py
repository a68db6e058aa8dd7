"""Characters of a model's text that a reader does not see and a terminal or a page would obey. Pure.

Control characters and escape sequences, marks that turn the direction of text around, zero-width characters, tags.
Joiners and variation selectors stay: emoji, Persian and the scripts of India are written with them.
"""

from __future__ import annotations

import re
from typing import Final

_REPLACED: Final = str.maketrans(
    {"\u2028": "\n", "\u2029": "\n", "\x0b": " ", "\x0c": " ", "\x85": " "}
    | dict.fromkeys(map(chr, range(0xD800, 0xE000)), "\N{REPLACEMENT CHARACTER}")
)
_REMOVED: Final = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufdd0-\ufdef\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\U000e0000-\U000e007f]"
)
# What a terminal takes for a command: ESC [ … letter, ESC ] … BEL. Line breaks of other systems go with them.
_SEQUENCE: Final = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]{0,32}[ -/]{0,8}[@-~]|\x1b\][^\x07\x1b\n]{0,200}(?:\x07|\x1b\\)|(?P<line>\r\n?)"
)
_PARTIAL: Final = re.compile(
    r"(?:(?:\x1b\[|\x9b)[0-?]{0,32}[ -/]{0,8}|\x1b\][^\x07\x1b\n]{0,200}\x1b?|\x1b|\r)\Z"
)
_LONGEST_PARTIAL: Final = 220


class UnseenFilter:
    """Takes such characters out of a text; pieces may be cut anywhere and give the same text.

    >>> unseen = UnseenFilter()
    >>> unseen.feed("a\\x1b[3"), unseen.feed("1mb\\u202ec\\r"), unseen.finish()
    ('a', 'bc', '\\n')
    """

    def __init__(self) -> None:
        self._held = ""

    def feed(self, piece: str) -> str:
        """Take the next piece and return what can be shown now."""
        text = self._held + piece
        partial = _PARTIAL.search(text, max(0, len(text) - _LONGEST_PARTIAL))
        self._held = partial.group() if partial else ""
        return _clean(text[: len(text) - len(self._held)])

    def finish(self) -> str:
        """Return what was held back, at the end."""
        held, self._held = self._held, ""
        return _clean(held)


def _clean(text: str) -> str:
    text = _SEQUENCE.sub(lambda match: "\n" if match["line"] else "", text)
    return _REMOVED.sub("", text.translate(_REPLACED))
