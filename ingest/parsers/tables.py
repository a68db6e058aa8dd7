"""Cells of a table → Markdown pipe table, with row spans repeated so that each row can be read by itself.

Pure. Spans are the sender's to choose, so what they add is bounded by a budget for the whole document.
"""

from __future__ import annotations

from dataclasses import dataclass, field

_MAX_REPEATED_CHARS = 200  # a longer cell is not repeated in the rows that it spans


@dataclass(slots=True)
class SpanBudget:
    """How many characters and cells the spans of one document may still add."""

    left: int = 200_000

    def take(self, amount: int) -> bool:
        """Take `amount` if so much is left, and tell whether it was."""
        if amount > self.left:
            return False
        self.left -= amount
        return True


@dataclass(slots=True)
class _Spanning:
    rows_left: int
    text: str


@dataclass(slots=True)
class Table:
    """A table while its cells come in, row by row."""

    budget: SpanBudget
    _rows: list[list[str]] = field(default_factory=list)
    _spanning: dict[int, _Spanning] = field(default_factory=dict)  # column → the cell above that reaches down

    def open_row(self) -> None:
        """Start a row; cells that span from above on the left come in first."""
        self._close_row()
        self._rows.append([])
        self._fill_spanned()

    def add_cell(self, text: str, colspan: int, rowspan: int) -> None:
        """Add a cell to the open row; the further columns that it spans stay empty."""
        if not self._rows:
            self.open_row()
        row = self._rows[-1]
        if rowspan > 1:
            repeated = text if len(text) <= _MAX_REPEATED_CHARS else ""
            self._spanning[len(row)] = _Spanning(rowspan - 1, repeated)
        row.append(text)
        if colspan > 1 and self.budget.take(4 * colspan):
            row.extend([""] * (colspan - 1))
        self._fill_spanned()

    def render(self) -> list[str]:
        """Return the blocks of the finished table: one pipe table, or a block a row if it has one column."""
        self._close_row()
        rows = [row for row in self._rows if any(row)]
        if not rows:
            return []
        if max(map(len, rows)) == 1:
            return [row[0] for row in rows]
        lines = ["| " + " | ".join(row) + " |" for row in (_escape(row) for row in rows)]
        lines.insert(1, "|" + " --- |" * len(rows[0]))
        return ["\n".join(lines)]

    def _close_row(self) -> None:
        last = max(self._spanning, default=-1) if self._rows else -1
        while self._rows and len(self._rows[-1]) <= last:
            if not self.budget.take(4):
                self._spanning.clear()
                return
            self._rows[-1].append("")
            self._fill_spanned()

    def _fill_spanned(self) -> None:
        row = self._rows[-1]
        while (spanning := self._spanning.get(len(row))) is not None:
            if not self.budget.take(len(spanning.text) + 4):
                self._spanning.clear()
                return
            spanning.rows_left -= 1
            if not spanning.rows_left:
                del self._spanning[len(row)]
            row.append(spanning.text)


def _escape(row: list[str]) -> list[str]:
    return [cell.replace("|", "\\|") for cell in row]
