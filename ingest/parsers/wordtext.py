"""What stands in a paragraph of Word → its text as the page shows it, and what hangs on it.

Symbols of symbol fonts, formulas, raised numbers, check boxes and values of forms are characters; fields show their
last result, but page numbers, which the text has none of. Deleted and hidden text is counted, not kept. Nothing here
recurses over what the sender nests, but formulas, which have a limit of their own.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from lxml import etree  # type: ignore[import-untyped]  # ships no types

from ingest.parsers.archives import local_name
from ingest.parsers.blocks import LINE_BREAK
from ingest.parsers.formulas import bracketed, formula_text
from ingest.parsers.numbering import to_number
from ingest.parsers.ooxml import attribute, child, is_on, picture_words, relationship_id
from ingest.parsers.scripts import join_runs, lowered, raised
from ingest.parsers.styles import Styles
from ingest.parsers.symbols import symbols

CHECKED, UNCHECKED = "☑", "☐"

# What stands inside a paragraph and is not text that a reader sees; moved text stands where it was moved to.
_UNSEEN: Final = frozenset(
    {"moveFrom", "delText", "delInstrText", "pPr", "rPr", "rt", "sdtPr", "Fallback", "docPart"}
)
_TEXTS: Final = {"tab": "\t", "ptab": "\t", "br": LINE_BREAK, "cr": LINE_BREAK, "noBreakHyphen": "-"}
_PAGE: Final = "\0"  # stands for a page number, which XML has no character like
_PAGE_COUNTS: Final = frozenset({"NUMPAGES", "SECTIONPAGES"})
_PAGE_NUMBERS: Final = re.compile(
    r"(?:(?<![^\W\d_])(?:pages?|pag|pg|p|seite|página|pagina|sida|side|strona|strana|oldal|sayfa|страница|стр|页码|頁碼)"
    r"|[第共总總])?[\s:：.]{0,5}\0(?:[^\0\t\v]{0,12}\0)*\s{0,3}[页頁]?",
    re.I,
)
_LONE_MARKS: Final = re.compile(r"[\W_]*$")
_MAX_EQUATION_CHARS: Final = 1_000
_EQ_STEP: Final = re.compile(r"\\([a-z]++)((?:\\[a-z]++\d*+){0,20})\s*+\(([^()\\]*+)\)", re.I)
# Brackets in a part of an EQ field that has been read, while others are looked for.
_SET_ASIDE: Final = str.maketrans("()", "\x01\x02")
_SET_BACK: Final = str.maketrans("\x01\x02", "()")
_CIRCLES: Final = frozenset("○〇◯")
_CIRCLED: Final = "⓪①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳"


@dataclass(slots=True)
class Inline:
    """The text of a paragraph and what hangs on it."""

    text: str = ""
    notes: list[tuple[str, etree._Element]] = field(default_factory=list)  # marker → footnote or endnote
    comments: list[str] = field(default_factory=list)  # their ids
    boxes: list[etree._Element] = field(default_factory=list)  # contents of text boxes
    drawn: list[tuple[str, str]] = field(default_factory=list)  # ("chart" or "diagram", relationship)


@dataclass(slots=True)
class _Field:
    """An instruction whose last result stands in the text."""

    instruction: str = ""
    in_result: bool = False
    is_replaced: bool = False  # the result is left out

    @property
    def is_seen(self) -> bool:
        return self.in_result and not self.is_replaced


@dataclass(slots=True)
class _Line:
    """A paragraph while it is read."""

    inline: Inline
    pieces: list[tuple[str, str]] = field(default_factory=list)  # (superscript, subscript or "", text)
    font: str = ""
    aligned: str = ""
    fields: list[_Field] = field(default_factory=list)
    unseen_fields: int = 0
    pictures: set[str] = field(default_factory=set)

    def add(self, text: str, aligned: str = "") -> None:
        if text and not self.unseen_fields:
            self.pieces.append((aligned, text))


class TextReader:
    """Reads paragraphs in order. `dropped`: kind → characters that were left out so far."""

    def __init__(self, styles: Styles, notes: Mapping[str, dict[str, etree._Element]]) -> None:
        """`notes`: the marker of a kind of notes, "^" or "^e" → its notes by id."""
        self.dropped: Counter[str] = Counter()
        self._styles = styles
        self._notes = notes
        self._note_counts = dict.fromkeys(notes, 0)

    def read(self, root: etree._Element) -> Inline:
        """Return the text of a paragraph, a note or a comment in order."""
        line = _Line(Inline())
        style = attribute(child(root, "pPr", "pStyle"), "val")
        if self._styles.is_hidden(style):
            self.count_hidden(root)
            return line.inline
        walk = etree.iterwalk(root, events=("start",))
        for _, element in walk:
            name = local_name(element)
            if name in _TEXTS:
                line.add(_TEXTS[name])
            elif name in _UNSEEN or ((read := _READERS.get(name)) is not None and read(self, element, line)):
                walk.skip_subtree()
        line.inline.text = self._without_page_numbers(join_runs(line.pieces))
        return line.inline

    def unread_notes(self) -> int:
        """Return the characters of the notes that no text refers to: no page shows them."""
        notes = (note for kind in self._notes.values() for note in kind.values())
        return sum(map(_length, notes))

    def _without_page_numbers(self, text: str) -> str:
        if _PAGE not in text:
            return text
        parts = text.split("\t")
        for at, part in enumerate(parts):
            if _PAGE in part:
                rest = _PAGE_NUMBERS.sub(" ", part).strip(" ")
                parts[at] = "" if _LONE_MARKS.match(rest) else rest
        shown = "\t".join(parts)
        self.dropped["page_furniture"] += len(text) - len(shown)
        return shown

    def count_hidden(self, element: etree._Element) -> None:
        """Count the text of an element as hidden or deleted."""
        self.dropped["hidden"] += _length(element)

    # Readers of elements; each tells whether what is inside has been dealt with.

    def _read_run(self, element: etree._Element, line: _Line) -> bool:
        properties = child(element, "rPr")
        line.font = line.aligned = ""
        if properties is None:
            return False
        style = attribute(child(properties, "rStyle"), "val")
        vanish = child(properties, "vanish")
        if is_on(vanish) or (vanish is None and self._styles.is_hidden(style)):
            self.count_hidden(element)
            return True
        line.font = attribute(child(properties, "rFonts"), "ascii")
        line.aligned = attribute(child(properties, "vertAlign"), "val") or self._styles.raised(style)
        return False

    def _read_text(self, element: etree._Element, line: _Line) -> bool:
        text = element.text or ""
        if line.font:
            shown = symbols(text, line.font)
            if len(shown) < len(text):
                self.dropped["drawing"] += len(text) - len(shown)
            text = shown
        line.add(text, line.aligned)
        return True

    def _read_symbol(self, element: etree._Element, line: _Line) -> bool:
        code = attribute(element, "char")
        number = int(code, 16) if re.fullmatch("[0-9A-Fa-f]{1,5}", code) else 0
        if number and not 0xD800 <= number < 0xE000:
            line.add(self._symbol(number, attribute(element, "font")), line.aligned)
        return True

    def _symbol(self, number: int, font: str) -> str:
        shown = symbols(chr(number), font)
        if not shown or 0xE000 <= ord(shown) < 0xF900:
            self.dropped["drawing"] += 1
            return ""
        return shown

    def _read_formula(self, element: etree._Element, line: _Line) -> bool:
        line.add(formula_text(element))
        return True

    def _read_control(self, element: etree._Element, line: _Line) -> bool:
        properties = child(element, "sdtPr")
        if (box := child(properties, "checkbox")) is not None:
            line.add(CHECKED if is_on(child(box, "checked")) else UNCHECKED)
            return True
        if child(properties, "showingPlcHdr") is None:
            return False
        self.dropped["boilerplate"] += _length(element)  # it says what to write here
        return True

    def _read_deleted(self, element: etree._Element, _: _Line) -> bool:
        self.count_hidden(element)
        return True

    def _read_note(self, element: etree._Element, line: _Line) -> bool:
        """Number a note as the page does, keep it for after the block, and write its marker."""
        kind = "^" if local_name(element) == "footnoteReference" else "^e"
        note = self._notes[kind].pop(attribute(element, "id"), None)
        if note is not None:
            self._note_counts[kind] += 1
            marker = f"{kind}{self._note_counts[kind]}"
            line.inline.notes.append((marker, note))
            line.add(f"[{marker}]")
        return True

    def _read_comment(self, element: etree._Element, line: _Line) -> bool:
        line.inline.comments.append(attribute(element, "id"))
        return True

    def _read_box(self, element: etree._Element, line: _Line) -> bool:
        line.inline.boxes.append(element)
        return True

    def _read_picture(self, element: etree._Element, line: _Line) -> bool:
        words = picture_words(element)
        if words not in line.pictures:  # a picture may say it twice
            line.pictures.add(words)
            line.add(words)
        return False

    def _read_drawn(self, element: etree._Element, line: _Line) -> bool:
        kind, key = ("chart", "id") if local_name(element) == "chart" else ("diagram", "dm")
        if target := relationship_id(element, key):
            line.inline.drawn.append((kind, target))
        return True

    def _read_art(self, element: etree._Element, line: _Line) -> bool:
        """Read letters that are drawn, as "DRAFT" across the page is."""
        line.add(f"{LINE_BREAK}{attribute(element, 'string')}{LINE_BREAK}")
        return True

    def _read_paragraph(self, _: etree._Element, line: _Line) -> bool:
        """Part the paragraphs of a note or comment."""
        if line.pieces:
            line.add(LINE_BREAK)
        return False

    def _read_page_number(self, _: etree._Element, line: _Line) -> bool:
        line.add(_PAGE)
        return True

    def _read_simple_field(self, element: etree._Element, line: _Line) -> bool:
        found = _Field(attribute(element, "instr"))
        _settle(found, line)
        return found.is_replaced

    def _read_instruction(self, element: etree._Element, line: _Line) -> bool:
        if line.fields:
            line.fields[-1].instruction += element.text or ""
        return True

    def _read_field_mark(self, element: etree._Element, line: _Line) -> bool:
        """Fields may be in one another; between begin and separate stands the instruction, then the result."""
        kind = attribute(element, "fldCharType")
        if kind == "begin":
            value = _form_value(child(element, "ffData"))
            line.add(value)
            line.fields.append(_Field(is_replaced=bool(value)))
            line.unseen_fields += 1
        elif kind == "separate" and line.fields and not line.fields[-1].in_result:
            line.unseen_fields -= 1
            _settle(line.fields[-1], line)
            line.fields[-1].in_result = True
            line.unseen_fields += line.fields[-1].is_replaced
        elif kind == "end" and line.fields:
            ended = line.fields.pop()
            line.unseen_fields -= not ended.is_seen
            if not ended.in_result:
                _settle(ended, line)
        return True


def _length(element: etree._Element) -> int:
    """Characters of an element's text, deleted ones too."""
    return sum(len(text.text or "") for text in element.iter("{*}t", "{*}delText"))


def _settle(found: _Field, line: _Line) -> None:
    """Write what a field shows where its result does not say it, or says what is left out."""
    word, _, rest = found.instruction.strip().partition(" ")
    shown = ""
    if found.is_replaced:
        return
    if word.upper() == "PAGE" or (
        word.upper() in _PAGE_COUNTS and any(_PAGE in text for _, text in line.pieces)
    ):
        shown = _PAGE
    elif word.upper() == "PAGEREF":  # of a table of contents, behind its tab; elsewhere it is a reference
        shown = _PAGE if line.pieces and line.pieces[-1][1].endswith("\t") else ""
    elif word.upper() == "SYMBOL":
        number, _, options = rest.strip().partition(" ")
        font = re.search(r'\\f\s*"?([^"\\]+)', options)
        code = to_number(number, 0, 0, 0xFFFF)
        shown = symbols(chr(code), font[1].strip() if font else "") if code >= 0x20 else ""
    elif word.upper() == "EQ":
        shown = _equation(rest)
    if shown:
        line.add(shown)
        found.is_replaced = True


def _equation(instruction: str) -> str:
    r"""Write the formula of an EQ field, as old versions of Word have them.

    >>> _equation(r"\f(1,\r(2))"), _equation(r"\o\ac(○,3)"), _equation(r"x\s\up 5(2)")
    ('1/√2', '③', 'x²')
    """
    if len(instruction) > _MAX_EQUATION_CHARS:
        return ""
    text = re.sub(r"(\\[a-z]+)\s+(\d+)", r"\1\2", instruction, flags=re.I)
    for _ in range(20):
        replaced = _EQ_STEP.sub(_equation_step, text)
        if replaced == text:
            break
        text = replaced
    return text.translate(_SET_BACK).strip() if "\\" not in text else ""


def _equation_step(match: re.Match[str]) -> str:
    name, options, inside = match[1].lower(), match[2].lower(), match[3]
    parts = [part.strip() for part in re.split(r"[,;]", inside)]
    shown = "".join(parts)
    if name == "f" and len(parts) == 2:
        shown = f"{bracketed(parts[0])}/{bracketed(parts[1])}"
    elif name == "r":
        shown = f"{raised(parts[0]) if len(parts) > 1 and parts[0] != '2' else ''}√{bracketed(parts[-1])}"
    elif name == "s":
        shown = lowered(inside) if "do" in options else raised(inside)
    elif name == "o" and parts[0] in _CIRCLES and parts[-1].isascii() and parts[-1].isdigit():
        number = to_number(parts[-1], 0, 0, 99)
        shown = _CIRCLED[number] if number < len(_CIRCLED) else f"({number})"
    return shown.translate(_SET_ASIDE)


def _form_value(data: etree._Element | None) -> str:
    """Return what a check box or a list of a form shows; texts of forms are results of their fields."""
    if (box := child(data, "checkBox")) is not None:
        state = child(box, "checked")
        return CHECKED if is_on(state if state is not None else child(box, "default")) else UNCHECKED
    if (choices := child(data, "ddList")) is not None:
        entries = [attribute(entry, "val") for entry in choices if local_name(entry) == "listEntry"]
        chosen = child(choices, "result")
        at = to_number(
            attribute(chosen if chosen is not None else child(choices, "default"), "val"), 0, 0, 1000
        )
        return entries[at] if at < len(entries) else ""
    return ""


_READERS: Final[Mapping[str, Callable[[TextReader, etree._Element, _Line], bool]]] = {
    "r": TextReader._read_run,
    "t": TextReader._read_text,
    "sym": TextReader._read_symbol,
    "oMath": TextReader._read_formula,
    "oMathPara": TextReader._read_formula,
    "sdt": TextReader._read_control,
    "del": TextReader._read_deleted,
    "footnoteReference": TextReader._read_note,
    "endnoteReference": TextReader._read_note,
    "commentReference": TextReader._read_comment,
    "txbxContent": TextReader._read_box,
    "docPr": TextReader._read_picture,
    "cNvPr": TextReader._read_picture,
    "chart": TextReader._read_drawn,
    "relIds": TextReader._read_drawn,
    "textpath": TextReader._read_art,
    "p": TextReader._read_paragraph,
    "pgNum": TextReader._read_page_number,
    "fldSimple": TextReader._read_simple_field,
    "instrText": TextReader._read_instruction,
    "fldChar": TextReader._read_field_mark,
}
