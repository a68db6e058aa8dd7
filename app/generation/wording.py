"""How units of documents are written in an answer: a sentence without its marks, a row as what it says, code with its
lines. Pure. Words of the documents are never changed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from app.generation.units import Unit
from app.lexicon import is_chinese
from app.stored_markdown import Kind

# Names of columns that say nothing beside the value.
_EMPTY_NAMES: Final = frozenset(
    "value values description wert content text 值 数值 數值 内容 內容 说明 說明".split()  # noqa: SIM905
)
_HAN: Final = "\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef"


def shown_sentence(quote: str) -> str:
    """A sentence as an answer shows it: list and heading marks and line breaks off, words untouched.

    >>> shown_sentence("- Use about one list\\n  for every 1,000 rows.")
    'Use about one list for every 1,000 rows.'
    """
    text = re.sub(r"^\s*(?:[-*+•] |\d{1,3}[.)] |#{1,6} |> ?)+", "", quote)
    text = re.sub(r"(?<=[⺀-鿿。，；：])\s*\n\s*(?=[⺀-鿿])", "", text)
    return re.sub(r"\s*\n\s*| {2,}", " ", text).strip()


def shown_item(quote: str) -> str:
    """A list item as a line of a list: its own number where it has one, else a dash.

    >>> shown_item("* first\\n  things"), shown_item("2. then")
    ('- first things', '2. then')
    """
    numbered = re.match(
        r"\s*(\(?\d{1,3}[.)、）]|[一二三四五六七八九十]{1,3}、|[（(][一二三四五六七八九十\d]{1,3}[）)])\s*",
        quote,
    )
    if numbered:
        return f"{numbered[1]} {shown_sentence(quote[numbered.end() :])}"
    return f"- {shown_sentence(quote)}"


def shown_row(names: Sequence[str], cells: Sequence[str]) -> str:
    """A row as what it says: its first cell, then the others with the names of their columns.

    >>> shown_row(("Code", "Meaning", "What to do"), ("E-107", "Membrane damaged", "Send it in"))
    'E-107: Meaning: Membrane damaged; What to do: Send it in'
    >>> shown_row(("Property", "Value"), ("Weight", "210 g"))
    'Weight: 210 g'
    >>> shown_row((), ("Weight", "210 g"))
    'Weight: 210 g'
    """
    cells = [" ".join(cell.split()) for cell in cells]
    if not cells:
        return ""
    chinese = is_chinese(" ".join((*names, *cells)))
    colon, semicolon = ("：", "；") if chinese else (": ", "; ")
    said = []
    for place, cell in enumerate(cells[1:], 1):
        name = " ".join(names[place].split()) if place < len(names) else ""
        if not cell or cell in ("-", "–", "—"):
            continue
        is_named = name and not (len(cells) == 2 and name.casefold() in _EMPTY_NAMES)
        said.append(f"{name}{colon}{cell}" if is_named else cell)
    first = cells[0]
    if not first:
        return semicolon.join(said)
    return f"{first}{colon}{semicolon.join(said)}" if said else first


def shown_unit(unit: Unit) -> str:
    """A unit by itself."""
    match unit.kind:
        case Kind.ROW:
            return shown_row(unit.names, unit.cells)
        case Kind.CODE:
            return f"```\n{unit.text}\n```"
        case _:
            return shown_sentence(unit.text)
