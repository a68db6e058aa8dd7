"""Code that a page shows in a table beside its line numbers → one `pre` element without the numbers.

Changes the tree. Hexo, Sphinx, Rouge, Hugo and Pygments put all numbers in one cell and all lines in another, the
highlighters of browsers and code hosts one line in each row.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from lxml import etree  # type: ignore[import-untyped]  # ships no types

from ingest.parsers.tabs import name_words

_TABLES = frozenset(
    {
        "highlighttable",
        "codehilitetable",
        "lntable",
        "hljs-ln",
        "rouge-table",
        "crayon-table",
        "processedcode",
    }
)
_NUMBER_WORDS = frozenset(
    {"gutter", "linenos", "linenodiv", "lineno", "linenumber", "linenumbers", "lnt", "nums"}
)
_NUMBER_NAMES = frozenset(
    {
        "ln",
        "lnt",
        "blob-num",
        "hljs-ln-numbers",
        "crayon-nums",
        "line-number",
        "line-numbers",
        "source-line-no",
    }
    | {"line-numbers-rows", "line-numbers-wrapper", "lineno", "linenos"}
)
_NUMBERS = re.compile(r"[\s\d]*\Z")
_LINES = frozenset({"div", "li", "p", "tr"})  # each is a line where code is made of them
_MAX_NUMBER_CHARS = 100_000


def join_code_tables(root: etree._Element) -> set[etree._Element]:
    """Put a `pre` element in the place of each table of code; return the elements that number lines of other code."""
    for table in list(root.iter("table")):
        code = _read_code(table)
        if code is not None:
            _replace(table, code)
    numbers: set[etree._Element] = set()
    for element in root.xpath("//pre//*[@class]|//*[contains(@class, 'line-numbers')]"):
        names = set((element.get("class") or "").split())
        if names & _NUMBER_NAMES and _NUMBERS.match(str(element.xpath("string()"))[:_MAX_NUMBER_CHARS]):
            numbers.add(element)
    return numbers


def _read_code(table: etree._Element) -> str | None:
    """Return the code of a table; None for a table of another kind."""
    first = next(table.iter("tr"), None)
    cells = [cell for cell in first if cell.tag in {"td", "th"}] if first is not None else []
    if len(cells) < 2 or table.find(".//table") is not None or not _is_numbers(cells[0]):
        return None
    names = set((table.get("class") or "").split())
    is_code = bool(names & _TABLES) or _is_named_number(cells[0]) or cells[0].find(".//pre") is not None
    if not is_code:
        return None
    lines: list[str] = []
    for row in table.iter("tr"):
        for cell in row:
            if cell.tag in {"td", "th"} and not _is_numbers(cell):
                lines.append("".join(_code_text(cell)).strip("\n"))
            elif cell.tag in {"td", "th"} and len(row) > 1 and cell.getnext() is None:
                lines.append(
                    "".join(_code_text(cell)).strip("\n")
                )  # a line of code that is a number, or blank
    return "\n".join(lines)


def _is_named_number(cell: etree._Element) -> bool:
    name = cell.get("class") or ""
    return bool(set(name.split()) & _NUMBER_NAMES or name_words(name) & _NUMBER_WORDS)


def _is_numbers(cell: etree._Element) -> bool:
    """Tell whether a cell holds line numbers: whole numbers that count up, or nothing by its name."""
    text = "".join(f"{piece}\n" for piece in cell.itertext())[: _MAX_NUMBER_CHARS + 1]
    if len(text) > _MAX_NUMBER_CHARS or not _NUMBERS.match(text):
        return False
    numbers = [int(number) for number in text.split() if len(number) < 8]
    counts_up = all(later == former + 1 for former, later in pairwise(numbers))
    return counts_up and (bool(numbers) or _is_named_number(cell))


def _code_text(cell: etree._Element) -> Iterator[str]:
    """Yield a cell's text with its line breaks: those written, `br`, and elements that are lines."""
    ends_line = True
    for event, element in etree.iterwalk(cell, events=("start", "end")):
        if event == "start":
            text = element.text or ""
            if element.tag == "br":
                text = "\n"
            elif element.tag in _LINES and not ends_line:
                text = f"\n{text}"
        else:
            text = "" if element is cell else element.tail or ""
            if element.tag in _LINES and not ends_line and text.strip(" ") == "":
                text = f"\n{text.strip(' ')}"
        if text:
            yield text
            ends_line = text.endswith("\n")


def _replace(table: etree._Element, code: str) -> None:
    """Put the code where the table stood; around it a `pre` may stand already, as Rouge writes it."""
    block = etree.Element("pre")
    block.text = code
    block.tail = table.tail
    for element in table.iter("pre", "code"):
        if name := element.get("class"):
            block.set("class", name)
    parent = table.getparent()
    if parent is not None:
        parent.replace(table, block)
