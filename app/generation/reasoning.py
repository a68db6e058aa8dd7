"""What a model thinks before it answers, told from the answer where the server leaves both in one text. Pure.

Known are `<think>…</think>` with its likes, `[THINK]…[/THINK]`, `◁think▷…◁/think▷` and the channels of gpt-oss. A block
may be nested, cut off, or have no beginning, since some chat templates put that into the prompt. In code the same
characters are text.
"""

from __future__ import annotations

import re
from typing import Final

_WORD: Final = r"(?:[a-z]{1,12}:)?(?:think|thinking|thought|reasoning)\s{0,3}>"
_TAG: Final = re.compile(
    rf"(?P<open><{_WORD}|(?-i:\[THINK\])|◁think▷|<\|channel\|>\s?(?:analysis|commentary)[^<>\n]{{0,80}}<\|message\|>)"
    rf"|(?P<close></{_WORD}|(?-i:\[/THINK\])|◁/think▷)"
    r"|(?P<final>(?:<\|end\|>\s{0,3})?(?:<\|start\|>assistant\s{0,3})?<\|channel\|>\s?final[^<>\n]{0,80}<\|message\|>)",
    re.IGNORECASE,
)
_PARTIAL: Final = re.compile(
    r"(?:</?[a-z:]{0,24}\s{0,3}|\[/?[a-z]{0,5}|◁/?[a-z]{0,5}|<\|[a-z|<>=\s.:_-]{0,240})\Z", re.IGNORECASE
)
_LONGEST_PARTIAL: Final = 260
_FENCE: Final = re.compile(r" {0,3}(?:```|~~~)")
_LINE_CHARS: Final = 1_000  # of a line are looked at for backticks


class ReasoningFilter:
    """Takes the reasoning out of a completion, piece by piece.

    Pieces may be cut anywhere and give the same text, but where reasoning that has no beginning turns out to be some at
    its end: then `restarts` grows, and what was returned before is no part of the answer. `opened`: the chat template
    begins the reasoning, so that all is held back up to its end.

    >>> thoughts = ReasoningFilter()
    >>> [thoughts.feed(piece) for piece in ("<thi", "nk>Hm", "m.</think>\\n", "\\nTwo.")], thoughts.reasoned
    (['', '', '', 'Two.'], True)
    """

    def __init__(self, *, opened: bool = False) -> None:
        self.reasoned = False  # reasoning was found
        self.restarts = 0
        self._opened = opened
        self._depth = 1 if opened else 0
        self._held = ""
        self._kept = ""  # since the last end of a block, while another one seems to be open
        self._keeps = opened
        self._begun = False  # something that shows has been returned
        self._line = ""
        self._fenced = False

    @property
    def is_reasoning(self) -> bool:
        """Whether what comes now is reasoning, as far as can be told."""
        return self._depth > 0

    def feed(self, piece: str) -> str:
        """Take the next piece and return what is answer of it."""
        self._held += piece
        return self._drain(final=False)

    def finish(self, *, cut_off: bool = False) -> str:
        """Return what was held back. A block without an end is reasoning, unless one ended before, or the template was
        only thought to begin one and the completion was not `cut_off` at its token limit."""
        shown = self._drain(final=True)
        if self._depth and self._keeps and not (cut_off and self._opened):
            self._depth = 0
            shown += self._show(self._kept)
        self._kept = ""
        return shown

    def _drain(self, *, final: bool) -> str:
        shown, text, pos = "", self._held, 0
        while tag := _TAG.search(text, pos):
            shown += self._take(text[pos : tag.start()])
            pos = tag.end()
            if self._in_code():
                shown += self._take(tag.group())
            elif tag["open"]:
                self.reasoned = True
                self._depth += 1
            else:
                if not self._depth and self._begun:
                    self.restarts += 1
                shown = "" if not self._depth else shown
                self._end(is_final=bool(tag["final"]))
        partial = None if final else _PARTIAL.search(text, max(pos, len(text) - _LONGEST_PARTIAL))
        end = partial.start() if partial else len(text)
        self._held = text[end:]
        return shown + self._take(text[pos:end])

    def _end(self, *, is_final: bool) -> None:
        """A block has ended, or one that was not seen to begin."""
        if not self._depth:
            self._begun, self._line, self._fenced = False, "", False
        self.reasoned = True
        self._depth = 0 if is_final else max(0, self._depth - 1)
        self._kept, self._keeps = "", True

    def _take(self, text: str) -> str:
        if not self._depth:
            return self._show(text)
        if self._keeps:
            self._kept += text
        return ""

    def _show(self, text: str) -> str:
        if not self._begun:
            text = text.lstrip()
        if text:
            self._begun = True
            *lines, rest = (self._line + text).split("\n")
            for line in lines:
                self._fenced ^= _FENCE.match(line) is not None
            self._line = rest[:_LINE_CHARS]
        return text

    def _in_code(self) -> bool:
        """Whether a tag stands in code of the answer, which is about such tags."""
        if self._depth or not self._begun:
            return False
        return self._fenced or self._line.count("`") % 2 == 1
