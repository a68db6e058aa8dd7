"""Formulas of Office (OMML) → one line that can be read: F/(2A)·x², √(x+1), ∑_(i=1)^n.

Pure. Elements: ISO/IEC 29500-1, 22.1. Signs that stand for an operation (/ ^ _ √) come with brackets where more than
one thing is meant; raised and lowered digits are superscript and subscript characters.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Final

from lxml import etree  # type: ignore[import-untyped]  # ships no types

from ingest.parsers.archives import local_name
from ingest.parsers.blocks import LINE_BREAK
from ingest.parsers.ooxml import attribute, child, is_on
from ingest.parsers.scripts import lowered, raised

_MAX_DEPTH: Final = 40  # what is nested deeper is written as it stands
# One thing: a name, a number, either with what is raised or lowered at it, or what has its brackets already.
_ONE_THING: Final = re.compile(r"[√∛∜]?(?:[^\W\d_]++|\d++(?:[.,]\d+)?|\([^()]*\)|∞)[₀-₉₊₋₍₎⁰¹²³⁴-⁹⁺⁻⁽⁾ⁿ′]*")
_MATH_LETTERS: Final = re.compile("[\U0001d400-\U0001d7ff]+")
_ROOTS: Final = {"": "√", "2": "√", "3": "∛", "4": "∜"}
_ENDS_AS_FACTOR: Final = re.compile(r"[\w)\]]")
_BEGINS_AS_FACTOR: Final = re.compile(r"[\w(\[√∛∜∑∏∫]")


def formula_text(element: etree._Element) -> str:
    """The formula of an `oMath` or `oMathPara` element on one line; the formulas of a group on one each."""
    if local_name(element) == "oMathPara":
        return LINE_BREAK.join(_row(found, 0) for found in element if local_name(found) == "oMath")
    return _row(element, 0)


def _row(element: etree._Element | None, depth: int) -> str:
    """The parts of an element in order. A fraction is kept apart from factors beside it."""
    written = ""
    last = ""
    for part in element if element is not None else ():
        name = local_name(part)
        text = _part(part, name, depth + 1)
        if not text:
            continue
        if "f" in (last, name) and _ENDS_AS_FACTOR.match(written[-1:]) and _BEGINS_AS_FACTOR.match(text):
            # 1 beside 1/2 is one and a half.
            written += " " if written[-1].isdigit() and text[0].isdigit() and name == "f" else "·"
        written, last = written + text, name
    return written


def _part(element: etree._Element, name: str, depth: int) -> str:
    if name in {"t", "sym"}:
        return _MATH_LETTERS.sub(
            lambda letters: unicodedata.normalize("NFKC", letters[0]), element.text or ""
        )
    if name.endswith("Pr") or name in {"del", "moveFrom", "delText", "instrText"}:
        return ""
    if depth > _MAX_DEPTH:
        return "".join(text.text or "" for text in element.iter("{*}t"))
    write = _WRITERS.get(name)
    return write(element, depth) if write else _row(element, depth)


def bracketed(text: str) -> str:
    """Put brackets around what is more than one thing.

    >>> bracketed("x²"), bracketed("2A"), bracketed("√2")
    ('x²', '(2A)', '√2')
    """
    return text if not text or _ONE_THING.fullmatch(text) else f"({text})"


def _upper(text: str) -> str:
    shown = raised(text)
    return shown if shown != text and not shown.startswith("^") else f"^{bracketed(text)}" if text else ""


def _lower(text: str) -> str:
    shown = lowered(text)
    return shown if shown != text else f"_{bracketed(text)}" if text else ""


def _fraction(element: etree._Element, depth: int) -> str:
    upper, lower = (_row(child(element, name), depth) for name in ("num", "den"))
    if attribute(child(element, "fPr", "type"), "val") == "noBar":  # a binomial stands in brackets of its own
        return f"{upper}; {lower}"
    return f"{bracketed(upper)}/{bracketed(lower)}"


def _scripts(element: etree._Element, depth: int) -> str:
    base = _row(child(element, "e"), depth)
    below, above = (_row(child(element, name), depth) for name in ("sub", "sup"))
    if local_name(element) == "sPre":
        return f"{_lower(below)}{_upper(above)}{base}"
    return f"{bracketed(base)}{_lower(below)}{_upper(above)}"


def _limit(element: etree._Element, depth: int) -> str:
    base, limit = _row(child(element, "e"), depth), _row(child(element, "lim"), depth)
    return f"{base}{'_' if local_name(element) == 'limLow' else '^'}{bracketed(limit)}"


def _root(element: etree._Element, depth: int) -> str:
    degree = "" if is_on(child(element, "radPr", "degHide")) else _row(child(element, "deg"), depth)
    inner = bracketed(_row(child(element, "e"), depth))
    if sign := _ROOTS.get(degree):
        return f"{sign}{inner}"
    above = _upper(degree)
    return f"{above if not above.startswith('^') else f'({degree})'}√{inner}"


def _sum(element: etree._Element, depth: int) -> str:
    sign = attribute(child(element, "naryPr", "chr"), "val", "∫")
    below, above = (_row(child(element, name), depth) for name in ("sub", "sup"))
    scripts = (f"_{bracketed(below)}" if below else "") + (f"^{bracketed(above)}" if above else "")
    return f"{sign}{scripts} {_row(child(element, 'e'), depth)}".rstrip()


def _delimited(element: etree._Element, depth: int) -> str:
    properties = child(element, "dPr")
    left, between, right = (
        attribute(child(properties, name), "val", default)
        for name, default in (("begChr", "("), ("sepChr", "|"), ("endChr", ")"))
    )
    return left + between.join(_row(found, depth) for found in element if local_name(found) == "e") + right


def _function(element: etree._Element, depth: int) -> str:
    name, inner = _row(child(element, "fName"), depth), _row(child(element, "e"), depth)
    return f"{name}{'' if inner.startswith('(') else ' '}{inner}"


def _accent(element: etree._Element, depth: int) -> str:
    inner = _row(child(element, "e"), depth)
    if local_name(element) == "bar":
        sign = "" if attribute(child(element, "barPr", "pos"), "val") != "top" else "\u0304"
    else:
        sign = attribute(child(element, "accPr", "chr"), "val", "\u0302")
    # An accent over several letters has no character.
    return inner + sign if len(inner) == 1 and len(sign) == 1 and unicodedata.combining(sign) else inner


def _rows(element: etree._Element, depth: int) -> str:
    """A matrix or a column of equations: cells after commas, rows after semicolons."""
    rows = (found for found in element if local_name(found) in {"mr", "e"})
    return "; ".join(
        ", ".join(_row(cell, depth) for cell in row if local_name(cell) == "e")
        if local_name(row) == "mr"
        else _row(row, depth).replace("&", "")
        for row in rows
    )


_WRITERS: Final[Mapping[str, Callable[[etree._Element, int], str]]] = {
    "f": _fraction,
    **dict.fromkeys(("sSup", "sSub", "sSubSup", "sPre"), _scripts),
    **dict.fromkeys(("limLow", "limUpp"), _limit),
    "rad": _root,
    "nary": _sum,
    "d": _delimited,
    "func": _function,
    **dict.fromkeys(("acc", "bar"), _accent),
    **dict.fromkeys(("m", "eqArr"), _rows),
}
