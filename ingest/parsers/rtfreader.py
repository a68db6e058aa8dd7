r"""The tokens of a Rich Text file → its paragraphs, cells and marks, in order. Rich Text Format 1.9.1.

Pure, one pass, no recursion. Letters are escaped in a code page (`\'e9`), which is that of the font, or by number
(`\u233?`), with stand-ins for old readers to be passed over. Groups that are no text (fonts, pictures, what programs
note) are left out; notes, comments and text boxes are text.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from app.errors import DocumentError
from ingest.parsers.blocks import LINE_BREAK
from ingest.parsers.ooxml import comment_words


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_MAX_DEPTH: Final = 1_000  # of groups
_TOKEN: Final = re.compile(
    r"\\([A-Za-z]{1,32})(-?\d{1,10})? ?|\\'([0-9A-Fa-f]{2})|\\(\n|.)|([{}])|([^\\{}\r\n]+)|[\r\n]+|(.)", re.S
)
_CHARSETS: Final = {  # \fcharset → codec; 0 is that of Windows in the West, 1 the file's own
    **{
        0: "cp1252",
        77: "mac_roman",
        128: "cp932",
        129: "cp949",
        130: "johab",
        134: "gb18030",
        136: "big5hkscs",
    },
    **{
        161: "cp1253",
        162: "cp1254",
        163: "cp1258",
        177: "cp1255",
        178: "cp1256",
        186: "cp1257",
        204: "cp1251",
    },
    **{222: "cp874", 238: "cp1250", 254: "cp437", 255: "cp850"},
}
_CODEC_NAMES: Final = {"cp936": "gb18030", "cp950": "big5hkscs", "cp65001": "utf-8", "cp10000": "mac_roman"}
_SIGNS: Final = {
    **{"emdash": "—", "endash": "–", "lquote": "‘", "rquote": "’", "ldblquote": "“", "rdblquote": "”"},
    **{"bullet": "•", "tab": " ", "emspace": " ", "enspace": " ", "qmspace": " ", "line": LINE_BREAK},
    **{"lbr": LINE_BREAK, "nestcell": " "},
}
_ESCAPED: Final = {"~": "\u00a0", "_": "\u2011", "-": "", "{": "{", "}": "}", "\\": "\\"}
_ENDS: Final = frozenset(("par", "sect", "page", "column", "\n", "\r"))
_NO_TEXT: Final = _names(
    """
    fonttbl colortbl stylesheet info pict header headerl headerr headerf footer footerl footerr footerf objdata
    ftnsep ftnsepc ftncn aftnsep aftnsepc aftncn xe tc rxe txe filetbl template listtable revtbl nonesttables
    pntxta pntxtb sp bkmkstart bkmkend fldinst datafield nonshppict shpinst nesttableprops
    """
)
_KNOWN: Final = frozenset(("annotation", "footnote", "shpinst", "ud"))  # of those that old readers pass over
_HEADING: Final = re.compile(
    r"(?:heading|标题|標題|見出し|제목|titre|überschrift|заголовок|título|titolo|kop|rubrik|overskrift|nagłówek)"
    r" ?([1-9])$|title$|titel$|标题$|標題$",
    re.I,
)

Kind = Literal["paragraph", "cell", "row"]


@dataclass(frozen=True, slots=True)
class Piece:
    """A paragraph with the level of its heading (0 for none) and its mark in a list; a cell; or the end of a row."""

    kind: Kind
    text: str = ""
    level: int = 0
    mark: str = ""


@dataclass(slots=True)
class _State:
    """What holds in a group, and in those within it."""

    font: int | None = None
    skips: bool = False
    hides: bool = False
    stand_ins: int = 1  # characters behind a letter by number
    level: int = 0
    sink: str = (
        ""  # where the text goes: "" the paragraph, else a note, a comment, a mark, a title or a style's name
    )
    is_destination: bool = False  # the group begins with "\*"


class Reader:
    """Reads one file. `title` is that of its properties, `hidden` how many characters its readers don't see."""

    def __init__(self, written: str) -> None:
        self.title = ""
        self.hidden = 0
        self._written = written
        self._codec = "cp1252"
        self._fonts: dict[int, str] = {}
        self._styles: dict[int, int] = {}  # number → level of its heading
        self._style = 0  # that is being named
        self._texts: dict[str, list[str]] = {"": []}
        self._stack: list[_State] = []
        self._state = _State()
        self._skipped = 0  # stand-ins that are still to be passed over
        self._high = 0  # the first half of a letter that takes two numbers
        self._decoder: codecs.IncrementalDecoder | None = None

    def pieces(self) -> Iterator[Piece]:
        """Yield what the file holds. Raises DocumentError `parse_failed` where its groups are nested too deeply."""
        at, end = 0, len(self._written)
        while at < end and (token := _TOKEN.match(self._written, at)):
            at = token.end()
            word, number, byte, sign, brace, text, _ = token.groups()
            if text or byte:
                self._text(text.encode("latin-1") if text else bytes.fromhex(byte))
            elif word == "u":
                self._number(int(number or 0))
            elif not token[0].isspace():
                self._end_letters()
                if brace and not (self._open() if brace == "{" else self._close()):
                    break
                if word == "bin":
                    at += int(number or 0)
                elif (word or sign) in _ENDS:
                    yield from self._end_paragraph()
                else:
                    yield from self._mark(word, int(number) if number else None, sign)
        self._end_letters()
        yield from self._end_paragraph()

    def _mark(self, word: str | None, number: int | None, sign: str | None) -> Iterator[Piece]:
        if word == "cell":
            yield Piece("cell", self._take())
        elif word == "row":
            yield Piece("row")
        elif sign:
            self._sign(sign)
        elif word:
            self._control(word, number)

    def _open(self) -> bool:
        if len(self._stack) >= _MAX_DEPTH:
            raise DocumentError("The file is nested too deeply to be read.", code="parse_failed")
        self._stack.append(self._state)
        held = self._state
        self._state = _State(held.font, held.skips, held.hides, held.stand_ins, held.level, held.sink)
        self._skipped = 0
        return True

    def _close(self) -> bool:
        """End a group; False at the end of the file's own."""
        if not self._stack:
            return False
        ended, self._state = self._state, self._stack.pop()
        if ended.sink != self._state.sink and (
            words := " ".join("".join(self._texts.pop(ended.sink, ())).split())
        ):
            if ended.sink == "note":
                self._write(f" ({words})")
            elif ended.sink == "comment":
                self._write(f" ({comment_words('', words)})")
            elif ended.sink == "title":
                self.title = words
            elif ended.sink == "mark":
                self._texts["mark"] = [words]
            elif ended.sink == "style" and (found := _HEADING.match(words.partition(";")[0])):
                self._styles[self._style] = int(found[1] or 1)
        self._skipped = 0
        return bool(self._stack)

    def _control(self, word: str, number: int | None) -> None:
        self._skipped = 0
        state = self._state
        if state.is_destination and word not in _KNOWN:
            state.skips = True
        state.is_destination = False
        if word in {"footnote", "annotation", "listtext", "pntext"}:
            state.sink = {"footnote": "note", "annotation": "comment"}.get(word, "mark")
            self._texts[state.sink] = []
        elif word in {"title", "shptxt"}:
            state.skips, state.sink = False, "title" if word == "title" else state.sink
            self._texts.setdefault(state.sink, [])
        elif word in _NO_TEXT:
            state.skips = True
        elif word in _SIGNS:
            self._write(_SIGNS[word])
        elif word in {"v", "deleted"}:
            state.hides = number != 0
        elif word == "plain":
            state.hides = False
        elif word == "pard":
            state.level = 0
        elif word == "outlinelevel" and number is not None:
            state.level = number + 1 if 0 <= number < 9 else 0
        else:
            self._numbered(word, number)

    def _numbered(self, word: str, number: int | None) -> None:
        """A control word that says which font, code page or style."""
        state = self._state
        if word == "f":
            state.font = number
        elif word == "deff":
            state.font = state.font if state.font is not None else number
        elif word == "fcharset" and state.font is not None and number != 1:
            self._fonts[state.font] = _CHARSETS.get(number or 0, self._codec)
        elif word == "ansicpg":
            self._codec = _codec(f"cp{number}")
        elif word in {"mac", "pc", "pca"}:
            self._codec = {"mac": "mac_roman", "pc": "cp437", "pca": "cp850"}[word]
        elif word == "uc":
            state.stand_ins = max(0, min(number or 0, 10))
        elif word == "s" and number is not None:
            if state.skips and not state.sink:  # in the sheet of styles
                state.sink, self._style = "style", number
                self._texts["style"] = []
            else:
                state.level = self._styles.get(number, state.level)

    def _sign(self, sign: str) -> None:
        self._skipped = 0
        if sign == "*":
            self._state.is_destination = True
        else:
            self._write(_ESCAPED.get(sign, ""))

    def _text(self, content: bytes) -> None:
        if self._skipped:
            passed = min(self._skipped, len(content))
            self._skipped -= passed
            content = content[passed:]
        if not content:
            return
        self._high = 0
        if self._decoder is None:
            font = self._fonts.get(self._state.font) if self._state.font is not None else None
            self._decoder = codecs.getincrementaldecoder(font or self._codec)("replace")
        self._write(self._decoder.decode(content))

    def _end_letters(self) -> None:
        if self._decoder is not None:
            self._write(self._decoder.decode(b"", final=True))
            self._decoder = None

    def _number(self, number: int) -> None:
        """A letter by its number in UTF-16, which may be written below zero; two make one of the further planes."""
        self._end_letters()
        unit = number % 0x10000
        if 0xD800 <= unit < 0xDC00:
            self._high = unit
        elif self._high and 0xDC00 <= unit < 0xE000:
            self._write(chr(0x10000 + ((self._high - 0xD800) << 10) + unit - 0xDC00))
            self._high = 0
        elif unit:
            self._write(chr(unit))
        self._skipped = self._state.stand_ins

    def _write(self, text: str) -> None:
        state = self._state
        if not text or (state.skips and state.sink not in {"title", "style"}):
            return
        if state.hides:
            self.hidden += len(text.strip())
            return
        self._texts.setdefault(state.sink, []).append(text)

    def _take(self) -> str:
        text = "".join(self._texts[""])
        self._texts[""] = []
        return text

    def _end_paragraph(self) -> Iterator[Piece]:
        if self._state.skips:
            return
        if self._state.sink:
            self._texts.setdefault(self._state.sink, []).append(" ")
            return
        mark = "".join(self._texts.pop("mark", ()))
        if text := self._take():
            yield Piece("paragraph", text, self._state.level, mark)


def _codec(name: str) -> str:
    name = _CODEC_NAMES.get(name, name)
    try:
        return codecs.lookup(name).name
    except LookupError:
        return "cp1252"
