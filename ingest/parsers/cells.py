"""Numbers in cells → what the sheet shows: dates, times, units, currencies, leading zeros, per cents, fractions.

Pure. Number formats: ISO/IEC 29500-1, 18.8.30 and 18.8.31. Where a format leaves the look to the viewer's locale, dates
are ISO 8601, separators are those of English, and hours of the day have two digits.
"""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from functools import lru_cache

from lxml import etree  # type: ignore[import-untyped]  # ships no types

from ingest.parsers.archives import local_name
from ingest.parsers.numbering import to_number
from ingest.parsers.ooxml import attribute, child

_BUILT_IN = {
    **{
        1: "0",
        2: "0.00",
        3: "#,##0",
        4: "#,##0.00",
        9: "0%",
        10: "0.00%",
        11: "0.00E+00",
        12: "# ?/?",
        13: "# ??/??",
    },
    **{18: "h:mm AM/PM", 19: "h:mm:ss AM/PM", 20: "h:mm", 21: "h:mm:ss", 22: "yyyy-mm-dd hh:mm"},
    **{37: "#,##0;(#,##0)", 38: "#,##0;(#,##0)", 39: "#,##0.00;(#,##0.00)", 40: "#,##0.00;(#,##0.00)"},
    **{
        41: "#,##0;(#,##0);-",
        42: "$#,##0;$(#,##0);$-",
        43: "#,##0.00;(#,##0.00);-",
        44: "$#,##0.00;$(#,##0.00);$-",
    },
    **{45: "mm:ss", 46: "[h]:mm:ss", 47: "mm:ss.0", 48: "##0.0E+0", 49: "@"},
    **dict.fromkeys((*range(14, 18), *range(27, 32), 36, *range(50, 59)), "yyyy-mm-dd"),
    **dict.fromkeys(range(32, 36), "hh:mm:ss"),
}
_TOKEN = re.compile(
    r"""(?P<literal>"[^"]*"|\\.|(?<=_).|(?<=\*).)|(?P<pad>[_*])|\[(?P<bracket>[^\]]*)\]|(?P<general>General)"""
    r"""|(?P<noon>AM/PM|A/P|上午/下午)|(?P<date>[yYdDbB]+|[eE]+(?![-+eE])|[aA]{3,4}(?![aA/mM])|[mM]{1,5}|[hH]+|[sS]+(?:\.0+)?|g+)|(?P<exp>[eE][+-])"""
    r"""|(?P<digits>[0#?][0#?,]*)|(?P<char>[1-9]\d*|.)""",
    re.S,
)
_CURRENCY = re.compile(r"\$([^-]*)")
_CONDITION = re.compile(r"(<=|>=|<>|<|>|=)\s*(-?\d+(?:\.\d+)?)$")
_COLUMN = re.compile(r"([A-Z]{1,3})\d*$")
_LEAP_BUG_SERIAL = 60  # Excel counts a 29 February 1900, as Lotus 1-2-3 did
_DAY_SECONDS = 86_400
_MAX_FORMAT_CHARS = 255  # Excel's own limit
_MAX_DIGITS = 30
_CONTEXT = Context(prec=4 * _MAX_DIGITS, rounding=ROUND_HALF_UP)
_KEPT = 4096  # cells that are remembered: a column has the same dates and prices again and again
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
           "December")  # fmt: skip
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_HAN_DAYS = "一二三四五六日"
_CHINESE_LOCALE = re.compile(r"-[0-9a-fA-F]*(?:0?804|404|c04|1004)(?:,.*)?$")


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str  # literal, date, noon, elapsed, digits, char, general, exp
    text: str


@dataclass(frozen=True, slots=True)
class _Section:
    """One of the up to four parts of a format, and the numbers that it is for, where it says so."""

    tokens: tuple[_Token, ...]
    condition: tuple[str, float] | None
    is_chinese: bool

    @property
    def is_moment(self) -> bool:
        return any(token.kind in {"date", "elapsed", "noon"} for token in self.tokens)


class CellFormats:
    """The number formats of a workbook's cell styles, by the style's index."""

    def __init__(self, styles: etree._Element | None, *, counts_from_1904: bool) -> None:
        self._epoch = datetime.datetime(1904, 1, 1) if counts_from_1904 else datetime.datetime(1899, 12, 30)
        self._counts_from_1904 = counts_from_1904
        self._shown = lru_cache(maxsize=_KEPT)(self._show)
        self._days = (datetime.datetime.max - self._epoch).days
        codes = dict(_BUILT_IN)
        custom = child(styles, "numFmts")
        for element in custom if custom is not None else ():
            codes[to_number(attribute(element, "numFmtId"), 0, 0, 10**6)] = attribute(element, "formatCode")
        cell_styles = child(styles, "cellXfs")
        self._formats = [
            codes.get(to_number(attribute(element, "numFmtId"), 0, 0, 10**6), "")
            for element in (cell_styles if cell_styles is not None else ())
            if local_name(element) == "xf"
        ]

    def show(self, value: str, style: str) -> str:
        """Write a cell's number in the format of its style; what is no number stays as it is."""
        return self._shown(value, style)

    def _show(self, value: str, style: str) -> str:
        try:
            number = float(value)
        except ValueError:
            return value
        if not math.isfinite(number):
            return value
        index = to_number(style, -1, -1, len(self._formats))
        code = self._formats[index] if 0 <= index < len(self._formats) else ""
        section, shown = _choose(_read_format(code), number)
        if section is None:
            return _plain(value, number)
        if section.is_moment:
            if not 0 <= number < self._days + 1:
                return _plain(value, number)
            return "".join(self._moment(section, number)).strip()
        return _show_number(section, value, shown)

    def _moment(self, section: _Section, serial: float) -> Iterator[str]:
        """Yield the pieces of a date, a time of day, or a time that has passed."""
        tokens = section.tokens
        decimals = max(
            (len(t.text.partition(".")[2]) for t in tokens if t.text.lower().startswith("s")), default=0
        )
        unit = 10**decimals
        ticks = round(serial * _DAY_SECONDS * unit)
        days, rest = divmod(ticks, _DAY_SECONDS * unit)
        seconds, fraction = divmod(rest, unit)
        total = days * _DAY_SECONDS + seconds
        if days < _LEAP_BUG_SERIAL and not self._counts_from_1904:
            days += 1
        moment = self._epoch + datetime.timedelta(days=min(days, self._days), seconds=seconds)
        has_noon = any(token.kind == "noon" for token in tokens)
        for at, token in enumerate(tokens):
            letter = token.text[:1].lower()
            if token.kind == "elapsed":
                spent = total // {"h": 3600, "m": 60, "s": 1}[letter]
                yield str(spent).rjust(max(2, len(token.text)), "0")
            elif token.kind == "noon":
                yield ("上午" if moment.hour < 12 else "下午") if "上" in token.text else f"{moment:%p}"
            elif token.kind != "date":
                yield token.text if token.kind in {"literal", "char"} else ""
            elif letter == "h":
                hour = (moment.hour % 12 or 12) if has_noon else moment.hour
                yield str(hour) if has_noon and len(token.text) == 1 else f"{hour:02d}"
            elif letter == "s":
                yield f"{moment.second:02d}" + (f".{fraction:0{decimals}d}" if "." in token.text else "")
            elif letter == "m" and _means_minutes(tokens, at):
                yield f"{moment.minute:02d}"
            else:
                yield _date_part(token.text.lower(), moment, is_chinese=section.is_chinese)


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


@lru_cache(maxsize=1024)
def _read_format(code: str) -> tuple[_Section, ...]:
    """Split a format into its sections of tokens."""
    sections: list[_Section] = []
    tokens: list[_Token] = []
    condition: tuple[str, float] | None = None
    is_chinese = False
    skips = False  # the character after "_" or "*" only takes room
    for match in _TOKEN.finditer(f"{code[:_MAX_FORMAT_CHARS]};"):
        kind, text = match.lastgroup or "char", match[0]
        if skips:
            skips = False
            if kind == "literal" or len(text) == 1:
                continue
        if kind == "pad":
            skips = True
            tokens.append(_Token("literal", " "))
        elif kind == "char" and text == ";":
            sections.append(_Section(tuple(tokens), condition, is_chinese))
            tokens, condition, is_chinese = [], None, False
        elif kind == "bracket":
            inside = match["bracket"]
            is_chinese = is_chinese or bool(_CHINESE_LOCALE.search(inside))
            if re.fullmatch(r"h+|m+|s+", inside, re.I):
                tokens.append(_Token("elapsed", inside))
            elif found := _CONDITION.match(inside):
                condition = (found[1], float(found[2]))
            elif currency := _CURRENCY.match(inside):
                tokens.append(_Token("literal", currency[1]))
        elif kind == "literal":
            tokens.append(_Token("literal", text[1:-1] if text[0] == '"' else text[-1]))
        else:
            tokens.append(_Token(kind, text))
    return tuple(sections)


def _choose(sections: Sequence[_Section], number: float) -> tuple[_Section | None, float]:
    """Return the section for a number, None for a plain number, and what it is to show: the section for numbers below
    zero writes their sign itself."""
    numeric = [section for section in sections[:3] if not any(t.text == "@" for t in section.tokens)]
    if not numeric or (len(numeric) == 1 and not numeric[0].tokens):
        return None, number
    if any(section.condition for section in numeric):
        for section in numeric:
            if section.condition is None or _holds(section.condition, number):
                is_own = section.condition is not None and section.condition[1] <= 0 and number < 0
                return section, abs(number) if is_own else number
        return None, number
    at = 1 if number < 0 and len(numeric) > 1 else 2 if number == 0 and len(numeric) > 2 else 0
    section = numeric[at]
    if not section.tokens and number:
        return None, number  # a format that shows nothing hides what the cell holds
    return section, abs(number) if at == 1 else number


def _holds(condition: tuple[str, float], number: float) -> bool:
    sign, bound = condition
    return {
        "<": number < bound,
        ">": number > bound,
        "=": number == bound,
        "<=": number <= bound,
        ">=": number >= bound,
        "<>": number != bound,
    }[sign]


def _show_number(section: _Section, value: str, number: float) -> str:
    tokens = list(section.tokens)
    if any(token.kind == "general" for token in tokens):
        plain = _plain(value if str(number) in {value, f"{value}.0"} else "", number)
        return "".join(plain if t.kind == "general" else _literal(t) for t in tokens).strip()
    slots = [at for at, token in enumerate(tokens) if token.kind == "digits"]
    if not slots:
        text = "".join(map(_literal, tokens)).strip()
        return f"-{text}" if number < 0 and text else text
    slash = next((at for at in range(slots[0] + 1, len(tokens) - 1) if tokens[at].text == "/"), None)
    if slash is not None and (tokens[slash + 1].kind == "digits" or tokens[slash + 1].text.isdigit()):
        return _show_fraction(tokens, slots, slash, number)
    percents = sum(token.kind == "char" and token.text == "%" for token in tokens)
    exact = _exact(value, number) * 100**percents
    point = next((at for at, token in enumerate(tokens) if token.kind == "char" and token.text == "."), None)
    exponent = next((at for at, token in enumerate(tokens) if token.kind == "exp"), None)
    mantissa_slots = [at for at in slots if exponent is None or at < exponent]
    whole_slots = [at for at in mantissa_slots if point is None or at < point]
    part_slots = [at for at in mantissa_slots if at not in whole_slots]
    last = tokens[mantissa_slots[-1]].text if mantissa_slots else ""
    exact /= Decimal(1000) ** (len(last) - len(last.rstrip(",")))  # commas at the end count in thousands
    power = 0
    if exponent is not None and exact:
        width = max(1, sum(len(tokens[at].text) for at in whole_slots))
        power = exact.adjusted() - (exact.adjusted() % width if width > 1 else 0)
        exact = exact.scaleb(-power)
    parts = {at: tokens[at].text.replace(",", "") for at in part_slots}
    decimals = min(_MAX_DIGITS, sum(map(len, parts.values())))
    if exact.adjusted() >= _MAX_DIGITS:
        return _plain(value, number)
    exact = exact.quantize(Decimal(1).scaleb(-decimals), context=_CONTEXT)
    whole, _, part = f"{abs(exact):f}".partition(".")
    pattern = "".join(parts.values())
    optional = len(pattern) - len(pattern.rstrip("#?"))
    while optional and part.endswith("0"):
        part, optional = part[:-1], optional - 1
    written = _spread(tokens, whole_slots, whole)
    for at, places in parts.items():
        written[at], part = part[: len(places)], part[len(places) :]
    if exponent is not None:
        sign = "-" if power < 0 else "+" if tokens[exponent].text.endswith("+") else ""
        least = sum(len(tokens[at].text) for at in slots if at > exponent)
        written[exponent] = f"E{sign}{abs(power):0{least}d}"
        written.update(dict.fromkeys((at for at in slots if at > exponent), ""))
    if point is not None and part_slots and not any(written[at] for at in part_slots):
        written[point] = ""
    text = "".join(written.get(at, _literal(token)) for at, token in enumerate(tokens)).strip()
    is_shown = any(digit in "123456789" for digit in whole + f"{abs(exact):f}")
    return f"-{text}" if number < 0 and is_shown else text


def _spread(tokens: Sequence[_Token], slots: Sequence[int], whole: str) -> dict[int, str]:
    """Lay the digits of a whole number into its places from the right; what does not fit stands in the first."""
    pattern = "".join(tokens[at].text for at in slots)
    groups = "," in pattern.rstrip(",")
    least = pattern.count("0")
    whole = whole.lstrip("0").rjust(least, "0")
    written: dict[int, str] = {}
    for number, at in enumerate(reversed(slots)):
        size = len(tokens[at].text.replace(",", ""))
        is_first = number == len(slots) - 1
        written[at], whole = (whole, "") if is_first else (whole[-size:], whole[:-size])
    if groups and len(slots) == 1:
        digits = written[slots[0]]
        written[slots[0]] = re.sub(r"(?<=\d)(?=(?:\d{3})+$)", ",", digits)
    return written


def _show_fraction(tokens: Sequence[_Token], slots: Sequence[int], slash: int, number: float) -> str:
    """Write a number as a fraction: with a denominator of as many digits as the format has, or the one it names."""
    below = tokens[slash + 1].text
    most = 10 ** min(4, len(below)) - 1
    has_whole = len([at for at in slots if at < slash]) > 1
    whole, rest = divmod(abs(number), 1) if has_whole else (0, abs(number))
    if below.isdigit() and int(below):
        ratio_top, ratio_bottom = round(rest * int(below)), int(below)
    else:
        ratio = Fraction(rest).limit_denominator(most)
        ratio_top, ratio_bottom = ratio.numerator, ratio.denominator
    if has_whole and ratio_top == ratio_bottom:
        whole, ratio_top = whole + 1, 0
    pieces = [str(int(whole))] if whole or (has_whole and not ratio_top) else []
    pieces += [f"{ratio_top}/{ratio_bottom}"] if ratio_top or not has_whole else []
    first = next(at for at in slots)
    unit = "".join(map(_literal, tokens[slash + 2 :]))
    sign = "-" if number < 0 else ""
    return f"{''.join(map(_literal, tokens[:first]))}{sign}{' '.join(pieces)}{unit}".strip()


def _literal(token: _Token) -> str:
    return token.text if token.kind in {"literal", "char"} else ""


def _means_minutes(tokens: Sequence[_Token], at: int) -> bool:
    """Tell whether an "m" stands for minutes: after hours or before seconds."""
    if len(tokens[at].text) > 2:
        return False
    timed = [i for i, token in enumerate(tokens) if token.kind in {"date", "elapsed"}]
    place = timed.index(at)
    before = tokens[timed[place - 1]].text[0].lower() if place else ""
    after = tokens[timed[place + 1]].text[0].lower() if place + 1 < len(timed) else ""
    return before == "h" or after == "s"


def _date_part(code: str, moment: datetime.datetime, *, is_chinese: bool) -> str:
    size = len(code)
    if code[0] in "ye":
        return f"{moment.year % 100:02d}" if size < 3 and code[0] == "y" else str(moment.year)
    if code[0] == "m":
        name = _MONTHS[moment.month - 1]
        shown = {1: str(moment.month), 2: f"{moment.month:02d}", 3: name[:3], 4: name, 5: name[0]}[
            min(size, 5)
        ]
        return f"{moment.month}月" if is_chinese and size in {3, 4} else shown
    if code[0] == "a":
        return f"{'周' if size == 3 else '星期'}{_HAN_DAYS[moment.weekday()]}"
    if code[0] == "d":
        name = _DAYS[moment.weekday()]
        shown = {1: str(moment.day), 2: f"{moment.day:02d}", 3: name[:3], 4: name}[min(size, 4)]
        han = _HAN_DAYS[moment.weekday()]
        return {3: f"周{han}", 4: f"星期{han}"}[min(size, 4)] if is_chinese and size > 2 else shown
    return ""


def _exact(value: str, number: float) -> Decimal:
    """Return the number as the file writes it, with its sign taken from `number`, to 15 digits where it is a fraction:
    Excel keeps no more, and the rest is what is left over from counting in binary."""
    exact = Decimal(value)
    if exact != exact.to_integral_value() or abs(exact) >= Decimal(10) ** _MAX_DIGITS:
        exact = Decimal(f"{float(value):.15g}")
    return abs(exact) if number >= 0 else exact


def _plain(value: str, number: float) -> str:
    """Write a number without a format: whole ones with all their digits, others with up to 15 of them."""
    if number == int(number) and abs(number) < 1e21:
        whole = value.strip().removesuffix(".0")
        return whole if whole.lstrip("-").isascii() and whole.lstrip("-").isdigit() else str(int(number))
    return f"{number:.15g}".replace("e", "E")
