"""Numbers in cells → what the sheet shows: dates, times, per cents and plain numbers.

Pure. Number formats: ISO/IEC 29500-1, 18.8.30. Of a format only its kind counts (date, time, per cent, decimals);
currency signs and separators of thousands are left out, as they are added by the viewer's locale.
"""

from __future__ import annotations

import datetime
import math
import re
from dataclasses import dataclass

from lxml import etree  # type: ignore[import-untyped]  # ships no types

from ingest.parsers.archives import local_name
from ingest.parsers.numbering import to_number
from ingest.parsers.ooxml import attribute, child

_BUILT_IN = {
    9: "0%",
    10: "0.00%",
    **dict.fromkeys((*range(14, 18), *range(27, 32), 36, *range(50, 59)), "yyyy-mm-dd"),
    **dict.fromkeys((*range(18, 22), *range(32, 36), *range(45, 48)), "hh:mm:ss"),
    22: "yyyy-mm-dd hh:mm",
}
_LITERAL = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!(?:h+|m+|s+)\])[^\]]*\]')
_COLUMN = re.compile(r"([A-Z]{1,3})\d*$")
_MAX_SERIAL = 2_958_466  # 9999-12-31
_LEAP_BUG_SERIAL = 60  # Excel counts a 29 February 1900, as Lotus 1-2-3 did
_DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class _Format:
    has_date: bool = False
    has_time: bool = False
    percent_decimals: int | None = None


class CellFormats:
    """The number formats of a workbook's cell styles, by the style's index."""

    def __init__(self, styles: etree._Element | None, *, counts_from_1904: bool) -> None:
        self._epoch = datetime.datetime(1904, 1, 1) if counts_from_1904 else datetime.datetime(1899, 12, 30)
        self._counts_from_1904 = counts_from_1904
        codes = dict(_BUILT_IN)
        custom = child(styles, "numFmts")
        for element in custom if custom is not None else ():
            codes[to_number(attribute(element, "numFmtId"), 0, 0, 10**6)] = attribute(element, "formatCode")
        cell_styles = child(styles, "cellXfs")
        self._formats = [
            _read_format(codes.get(to_number(attribute(element, "numFmtId"), 0, 0, 10**6), ""))
            for element in (cell_styles if cell_styles is not None else ())
            if local_name(element) == "xf"
        ]

    def show(self, value: str, style: str) -> str:
        """Write a cell's number in the format of its style; what is no number stays as it is."""
        try:
            number = float(value)
        except ValueError:
            return value
        if not math.isfinite(number):
            return value
        index = to_number(style, -1, -1, len(self._formats))
        found = self._formats[index] if 0 <= index < len(self._formats) else _Format()
        if (found.has_date or found.has_time) and 0 <= number < _MAX_SERIAL:
            return self._moment(number, found)
        if found.percent_decimals is not None:
            return f"{number * 100:.{found.percent_decimals}f}%"
        return _plain(number)

    def _moment(self, serial: float, found: _Format) -> str:
        days, seconds = divmod(round(serial * _DAY_SECONDS), _DAY_SECONDS)
        if found.has_time and not found.has_date:
            hours, rest = divmod(days * _DAY_SECONDS + seconds, 3600)  # durations may be longer than a day
            return f"{hours:02d}:{rest // 60:02d}:{rest % 60:02d}"
        if days < _LEAP_BUG_SERIAL and not self._counts_from_1904:
            days += 1
        moment = self._epoch + datetime.timedelta(days=days, seconds=seconds)
        return moment.isoformat(sep=" ") if found.has_time or seconds else moment.date().isoformat()


def column_of(reference: str, default: int) -> int:
    """Return the column of a cell's reference, from 0; `default` where it has none.

    >>> column_of("A1", 7), column_of("AB12", 7), column_of("", 7)
    (0, 27, 7)
    """
    letters = _COLUMN.match(reference)
    if letters is None:
        return default
    column = 0
    for letter in letters[1]:
        column = column * 26 + ord(letter) - ord("A") + 1
    return column - 1


def _read_format(code: str) -> _Format:
    shown = _LITERAL.sub("", code.partition(";")[0]).lower()
    if "%" in shown:
        return _Format(percent_decimals=len(shown.partition(".")[2].partition("%")[0].strip()))
    has_time = "h" in shown or "s" in shown.replace("standard", "")
    return _Format(
        has_date="y" in shown or "d" in shown.replace("standard", "") or ("m" in shown and not has_time),
        has_time=has_time,
    )


def _plain(number: float) -> str:
    """Write a number with up to 15 significant digits, as the sheet does, and without an exponent if it fits."""
    if number == int(number) and abs(number) < 1e15:
        return str(int(number))
    return f"{number:.15g}"
