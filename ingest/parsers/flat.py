"""Writes Markdown from a flat run of blocks, as office formats have them: no nesting, lists by depth.

Pure. HTML, which nests, has a writer of its own in blocks.py; text is collapsed and escaped by the same rules.
"""

from __future__ import annotations

from ingest.parsers.blocks import escape_markup, fence_code, split_lines
from ingest.parsers.budget import TextBudget
from ingest.parsers.table_text import Table

MAX_DEPTH = 8  # deeper list items are written at this depth


class FlatWriter:
    """Collects blocks in order; `text()` gives the Markdown, blocks separated by blank lines."""

    def __init__(self, budget: TextBudget | None = None) -> None:
        self._out: list[str] = []
        self._budget = budget or TextBudget()
        self._after_item = False

    def text(self) -> str:
        """Return what was written."""
        return "".join(self._out)

    def heading(self, level: int, text: str) -> None:
        """Write a heading; levels beyond 6 are written as 6, one without words not at all."""
        title = " ".join(split_lines(text))
        if title:
            self._emit(f"{'#' * min(level, 6)} {title}")

    def paragraph(self, text: str) -> None:
        """Write a paragraph; LINE_BREAK in it starts a new line."""
        self._emit("\n".join(escape_markup(line) for line in split_lines(text)))

    def item(self, depth: int, marker: str, text: str) -> None:
        """Write a list item, `depth` from 0, after a marker such as "-" or "1."."""
        indent = "  " * min(depth, MAX_DEPTH)
        lines = split_lines(text)
        if lines:
            rest = "".join(f"\n{indent}  {escape_markup(line)}" for line in lines[1:])
            self._emit(f"{indent}{marker} {escape_markup(lines[0])}{rest}", is_item=True)

    def end_list(self) -> None:
        """Keep the items that follow apart from those before."""
        self._after_item = False

    def quote(self, text: str) -> None:
        """Write a paragraph set apart from the others."""
        self._emit("\n".join(f"> {escape_markup(line)}" for line in split_lines(text)))

    def code(self, text: str, language: str = "") -> None:
        """Write a block whose lines stay as they are."""
        if text.strip():
            self._emit(fence_code(text, language))

    def table(self, table: Table) -> None:
        """Write a finished table."""
        for block in table.render():
            self._emit(block)

    def lines(self, block: str) -> None:
        """Write lines that are Markdown already, as one block."""
        self._emit(block)

    def _emit(self, block: str, *, is_item: bool = False) -> None:
        if not block:
            return
        self._budget.take(len(block) + 2)
        if self._out:
            self._out.append("\n" if is_item and self._after_item else "\n\n")
        self._out.append(block)
        self._after_item = is_item
