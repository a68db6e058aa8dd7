"""A model's Markdown with nothing in it that leads away, fetches or runs: no links, images, HTML, addresses. Pure.

Clients draw an answer by rules of their own: CommonMark, with tables, with HTML, or making links of bare addresses.
What leaves here is harmless to all of them. The text of a link stays, its address goes; HTML goes, and what only looks
like it (`List<int>`) is escaped; a bare address becomes code; code blocks and code in a line stay as they are. Where
some could take for code what others do not, the text is written so that all agree: backticks without a partner are
escaped, and a code block begins at the start of a line. Special tokens of a chat template and turns that a model
invents end the answer. Doing it twice changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from app.generation.code_block import CodeBlock
from app.generation.inert_inline import InlineSteps
from app.generation.inert_syntax import MARK, MORE, NOT, SEAM

_HOT: Final = re.compile(
    rf"[`\n\[\]!<\\&(/:|{MARK}{SEAM}]|(?:https?|ftps?|wss?|mailto|xmpp)(?:\\|:)|www(?:\\|\.)"
    r"|(?:User|Human|Assistant|AI|用户|用戶|助手|助理)(?=[ ]?\*{0,2}[:：])",
    re.IGNORECASE,
)
_WORDS: Final = ("https:", "http:", "ftps:", "ftp:", "wss:", "ws:", "www.", "mailto:", "xmpp:")
_SPEAKERS: Final = ("user", "human", "assistant", "ai", "用户", "用戶", "助手", "助理")
# The start of a word that may become one of these: it waits for what follows.
_WORD_SO_FAR: Final = re.compile(
    "(?:"
    + "|".join(
        sorted({re.escape(word[:n]) for word in (*_WORDS, *_SPEAKERS) for n in range(1, len(word) + 1)})
    )
    + rf"|(?:https?|ftps?|wss?|www|mailto|xmpp)\\|(?:{'|'.join(_SPEAKERS)})[ ]?\*{{0,2}})\Z",
    re.IGNORECASE,
)
_LONGEST_WORD_SO_FAR: Final = 14

_CONTAINER: Final = re.compile(r"[ \t]+|>|[-*+](?=[ \t])|\d{1,9}[.)](?=[ \t])")
_CONTAINER_SO_FAR: Final = re.compile(r"(?:[-*+]|\d{1,9}[.)]?)\Z")
_RULER: Final = re.compile(
    r"[ \t>]*+(?:\|[ \t]*+)?:?-++:?[ \t]*+(?:\|[ \t]*+:?-++:?[ \t]*+)*+(?:\|[ \t]*+)?(?:\n|\Z)"
)
_RULER_SO_FAR: Final = re.compile(r"[ \t>]*[|:-][|: \t-]*\Z")
_FENCE: Final = re.compile(r"(?P<marks>`{3,}|~{3,})(?P<info>[^\n]*)(?:\n|\Z)")
_MAX_INFO_CHARS: Final = 200


class InertMarkdown(InlineSteps):
    """Rewrites Markdown piece by piece; the pieces may be cut anywhere and give the same text.

    With `cuts_turns=False` special tokens and turns are shown, as a document's words that are quoted. `places` are
    offsets in what was fed and in what came out that belong together, ascending.

    >>> inert = InertMarkdown()
    >>> inert.feed("See [the guide](https://evil.exam"), inert.feed("ple), a < b and List<int>"), inert.finish()
    ('See ', 'the guide, a < b and List\\\\<int>', '')
    """

    def __init__(self, *, cuts_turns: bool = True) -> None:
        super().__init__(cuts_turns=cuts_turns)
        self.places: list[tuple[int, int]] = [(0, 0)]
        self._fed = 0
        self._fence: CodeBlock | None = None

    def feed(self, piece: str) -> str:
        """Take the next piece and return what can be shown now."""
        self._text += piece
        self._fed += len(piece)
        return self._drain()

    def finish(self) -> str:
        """Return what was held back, at the end; an open code block is closed."""
        self._final = True
        shown = self._drain()
        if self._fence is not None:
            self._push(("" if self._last == "\n" else "\n") + self._fence.marks)
            self._fence = None
            shown += "".join(self._out)
            self._out.clear()
        return shown

    def _drain(self) -> str:
        pos = 0
        while pos < len(self._text) and not self._ended:
            next_pos = self._step(pos)
            if next_pos < 0:  # the text behind `pos` was rewritten, or has to wait
                if next_pos == MORE:
                    break
                pos = 0
                continue
            pos = next_pos
            self.places.append((self._fed - len(self._text) + pos, self._length))
        self._text = "" if self._ended else self._text[pos:]
        out = "".join(self._out)
        self._out.clear()
        return out

    def _step(self, pos: int) -> int:
        """Let out what is clear from `pos` on; return where to go on, MORE to wait, NOT after a rewrite."""
        if self._fence is not None:
            return self._step_fence(self._fence, pos)
        if self._at_start:
            return self._step_start(pos)
        text = self._text
        hot = _HOT.search(text, pos)
        end = hot.start() if hot else len(text)
        if hot is None and not self._final:
            waiting = _WORD_SO_FAR.search(text, max(pos, len(text) - _LONGEST_WORD_SO_FAR))
            end = waiting.start() if waiting else end
        if end > pos:
            self._emit(text[pos:end])
            return end
        if hot is None:
            return MORE
        return self._step_hot(pos, hot.group())

    def _step_hot(self, pos: int, hot: str) -> int:
        steps: dict[str, Callable[[int], int]] = {
            "`": self._step_code,
            "[": self._step_bracket,
            "]": self._step_closing,
            "!": self._step_exclamation,
            "<": self._step_angle,
            "\\": self._step_backslash,
            "&": self._step_entity,
            "(": self._step_parenthesis,
        }
        if hot in steps:
            return steps[hot](pos)
        if hot in "\n|":
            self._row = self._row or hot == "|"
            self._emit(hot)
        elif hot == SEAM:
            self._take_out()
        elif hot == MARK:
            self._emit_mark()
        else:
            return self._step_word(pos, hot)
        return pos + 1

    # Lines and blocks

    def _step_start(self, pos: int) -> int:
        """At the begin of a line: what opens blocks, then a code block, or a line of text."""
        text, rest_is_short = self._text, not self._final
        if not self._line_begun:
            if rest_is_short and _RULER_SO_FAR.match(text, pos):
                return MORE
            self._line_begun = True
            if _RULER.match(text, pos):
                self._step_ruler()
        container = _CONTAINER.match(text, pos)
        if container:
            self._emit(container.group(), stays=True)
            return container.end()
        if rest_is_short and _CONTAINER_SO_FAR.match(text, pos):
            return MORE
        if text[pos] == SEAM:
            self._take_out()
            return pos + 1
        fence = self._open_fence(pos) if text[pos] in "`~" else NOT
        self._at_start = fence == MORE
        return pos if fence == NOT else fence

    def _step_ruler(self) -> None:
        """A line of dashes makes a table's header of the line before it; one with a pipe in code is kept from that."""
        if self._code_pipe_before:
            self._emit("\n", stays=True)
            self._line_begun = True
        elif self._row_before:
            self._table = True

    def _open_fence(self, pos: int) -> int:
        match = _FENCE.match(self._text, pos)
        marks = match["marks"] if match else ""
        whole = match is not None and (match.group().endswith("\n") or self._final)
        if not whole:
            char = self._text[pos]
            rest = self._text[pos : pos + _MAX_INFO_CHARS]
            may_be = set(rest) == {char} or len(marks) >= 3
            return MORE if may_be and not self._final and len(rest) < _MAX_INFO_CHARS else NOT
        if (
            match is None
            or len(match.group().rstrip("\n")) >= _MAX_INFO_CHARS
            or (marks[0] == "`" and "`" in match["info"])
        ):
            return NOT
        self._fence = CodeBlock(marks, self._line)
        if self._line:
            self._push("\n")
        self._push(match.group().replace("|", " "))  # some read "```a|" before "---" as a table's header
        self._fence.at_start = match.group().endswith("\n")
        self._label_open = self._table = False
        return match.end()

    def _step_fence(self, fence: CodeBlock, pos: int) -> int:
        """Inside a code block: line by line, until one closes it."""
        text = self._text
        newline = text.find("\n", pos)
        line = text[pos:] if newline < 0 else text[pos:newline]
        if fence.at_start:
            if newline < 0 and not self._final and fence.may_close(line):
                return MORE
            if fence.closes(line):
                self._push(fence.marks)
                self._fence = None
                self._at_start = False
                return pos + len(line)
            fence.at_start = False
            return pos + len(line) - len(fence.without_prefix(line))
        if newline == pos:
            fence.at_start = True
            self._push("\n")
            return pos + 1
        self._push(line)
        return pos + len(line)
