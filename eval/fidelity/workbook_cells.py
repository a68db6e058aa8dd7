"""What a made workbook must show, and small steps to its cells."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from eval.fidelity.workbook_parts import Cell, Sheet


@dataclass(frozen=True, slots=True)
class Made:
    """Sheets with what they must show and what not."""

    sheets: tuple[Sheet, ...]
    must: tuple[str, ...]
    never: tuple[str, ...] = ()
    from_1904: bool = False


def serial_of(day: datetime.date, *, epoch: datetime.date = datetime.date(1899, 12, 30)) -> int:
    return (day - epoch).days


def a_day(number: int, at: int) -> datetime.date:
    return datetime.date(2024, 2, 26) + datetime.timedelta(days=37 * number + 11 * at)


def share_of_day(hour: int, minute: int) -> str:
    """A time of day as Excel stores it: a share of a day with fifteen digits."""
    return f"{(hour * 60 + minute) / 1440:.15g}"


def sheet(name: str, rows: Sequence[Sequence[Cell]], **more: object) -> Sheet:
    return Sheet(name, rows, **more)  # type: ignore[arg-type]
