"""Which rows of a table, or items of a list, a question asks for: those that hold its words, keep its bound ("less than
100 EUR") or have the most or least of something ("cheapest"); and rows whose range holds a number of the question
("after 6 years"). Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from app.generation.evidence import holds
from app.generation.ranges import (
    CURRENCIES,
    Amount,
    Range,
    read_amounts,
    read_ranges,
    unit_and_scale,
    unit_of,
    written_amounts,
)
from app.generation.units import Unit, items_of
from app.lexicon import fold_script, terms
from app.question.content import Asked
from app.question.kinds import Wanted
from app.stored_markdown import Kind

Choice = Literal["all", "held", "bound", "extreme"]

MOST_HELD_SHARE: Final = (
    0.99  # of what the best row holds of what tells rows apart, for one that is asked for
)
_MOST: Final = re.compile(
    r"\b(?:most|highest|largest|biggest|greatest|longest|dearest|priciest|heaviest|strongest|fastest|latest|newest|maximum)\b"
    r"|最[多高大长贵重远晚新久快强]|更?贵的?$",
    re.IGNORECASE,
)
_LEAST: Final = re.compile(
    r"\b(?:least|fewest|lowest|smallest|shortest|cheapest|lightest|weakest|slowest|earliest|oldest|minimum)\b"
    r"|最[少低小短便轻近早慢弱]",
    re.IGNORECASE,
)
_LEAST_EXPENSIVE: Final = re.compile(r"\bleast expensive\b", re.IGNORECASE)
_BY_PRICE: Final = re.compile(r"expensive|cheap|dear|pric|cost|贵|便宜|价", re.IGNORECASE)
_BY_TIME: Final = re.compile(r"earliest|latest|newest|oldest|[早晚新]", re.IGNORECASE)
MONEY_NAME: Final = re.compile(r"price|cost|rent|fee|rate|amount|charge|价|费|租|金额|元", re.IGNORECASE)
_LEADING_NUMBER: Final = re.compile(r"\W{0,4}(?:[A-Z]{3} )?(?P<n>\d+(?:,\d{3})*(?:\.\d+)?)")
# What an adjective measures, and how columns of that are called.
_DIMENSIONS: Final = tuple(
    (re.compile(asked, re.IGNORECASE), re.compile(told, re.IGNORECASE))
    for asked, told in (
        (r"\b(?:long|short)est\b|最[长短远近]", r"length|distance|duration|\bk?m\b|长|距离|里程|公里"),
        (r"\b(?:heavi|light)est\b|最[重轻]", r"weight|mass|payload|load|\bkg\b|重|载"),
        (r"\b(?:larg|bigg|small)est\b|最[大小]", r"size|area|capacity|volume|places|seats|面积|容量|规模"),
        (r"\b(?:tall|high|low)est\b|最[高低]", r"height|高度|层高"),
        (r"\b(?:fast|slow)est\b|最[快慢]", r"speed|time|duration|速度|时间|时长"),
    )
)
_YEAR: Final = re.compile(r"\s*(?P<y>(?:19|20)\d\d) ?年?\s*")
_MOMENT: Final = re.compile(r"\b(?P<y>[12]\d{3})[-/.年](?P<m>\d{1,2})(?:[-/.月](?P<d>\d{1,2}))?")


@dataclass(frozen=True, slots=True)
class ChosenRows:
    """The rows or items that are asked for, each with its sentences, and how they were told from the others."""

    items: list[list[Unit]]
    how: Choice


def choose_rows(
    asked: Asked, wanted: Wanted, weights: Mapping[str, float], block: Sequence[Unit], around: frozenset[str]
) -> ChosenRows:
    """Of the rows of one table or the items of one list those that are asked for; all where nothing
    tells them apart."""
    items = items_of(block)
    if block[0].kind is Kind.ROW:
        about = _about(asked.text, weights, block, around)
        if wanted.bound and (kept := _within_bounds(asked.text, block)):
            named = {id(row) for row in about}
            return ChosenRows([[row] for row in kept if id(row) in named] or [[row] for row in kept], "bound")
        if wanted.superlative and (first := _extreme(asked.text, weights, about)):
            return ChosenRows([[row] for row in first], "extreme")
    return _holding(wanted, weights, items, around)


def tied_rows(row: Unit, weights: Mapping[str, float], units: Sequence[Unit]) -> list[Unit]:
    """The rows of a row's table that hold the same of the question as it, itself among them: each answers as well."""
    held = {term for term in weights if holds(term, row, 0.0) > 0}
    return [
        unit
        for unit in units
        if unit.kind is Kind.ROW
        and unit.chunk is row.chunk
        and unit.block == row.block
        and {term for term in weights if holds(term, unit, 0.0) > 0} == held
    ]


def with_ranges(units: Sequence[Unit], question: str) -> list[Unit]:
    """The units, those with ranges holding the numbers that lie within these, and none that don't: "0 to 4 years" says
    nothing of the fifth, "5 to 9 years" does. Of a table's open ranges the nearest one holds a number."""
    points = [(amount, frozenset(terms(text)) | {text}) for text, amount in _points(question)]
    if not points:
        return list(units)
    ranges = [_ranges_of(unit) for unit in units]
    changed = list(units)
    for amount, words in points:
        nearest: dict[tuple[str, int], tuple[float, float]] = {}
        for unit, of_unit in zip(units, ranges, strict=True):
            for one in of_unit:
                if one.unit == amount.unit and one.holds(amount):
                    key = (unit.chunk.chunk_id, unit.block)
                    nearest[key] = max(nearest.get(key, _nearness(one)), _nearness(one))
        for place, (unit, of_unit) in enumerate(zip(units, ranges, strict=True)):
            same = [one for one in of_unit if one.unit == amount.unit]
            if not same:
                continue
            best = nearest.get((unit.chunk.chunk_id, unit.block))
            fits = any(one.holds(amount) and (best is None or _nearness(one) >= best) for one in same)
            own = changed[place].own
            changed[place] = replace(changed[place], own=own | words if fits else own - words)
    return changed


def _points(question: str) -> list[tuple[str, Amount]]:
    """The numbers of a question that have a unit, with their words."""
    return [(text, amount) for text, amount in written_amounts(question) if amount.unit]


def _nearness(one: Range) -> tuple[float, float]:
    """Of two ranges that hold a number the greater is the one that tells of it: "from 5", not "from 0"; "up to 10", not
    "up to 20"."""
    return one.low, -one.high


def _ranges_of(unit: Unit) -> list[Range]:
    if unit.kind is not Kind.ROW:
        return read_ranges(unit.text) if len(unit.text) < 400 else []
    found = []
    for place, cell in enumerate(unit.cells):
        name = unit.names[place] if place < len(unit.names) else ""
        found += read_ranges(cell, _unit_word(name))
    return found


def _unit_word(name: str) -> str:
    """The word of a column's name that is a unit."""
    return next(
        (word for word in re.findall(r"[€$£¥￥%]|[A-Za-z]+|[\u4e00-\u9fff]+", name) if unit_of(word)), ""
    )


def _about(
    question: str, weights: Mapping[str, float], rows: Sequence[Unit], around: frozenset[str]
) -> list[Unit]:
    """The rows of the things that a question names: the desks of "the cheapest desk"; all where it names none. A number
    with its unit is no name here: it is that of a bound."""
    counted = frozenset(term for text, _ in written_amounts(question) for term in terms(text))
    held = [
        {term for term in weights if term not in around and term not in counted and holds(term, row, 0.0) > 0}
        for row in rows
    ]
    telling = {term for term in frozenset().union(*held) if not all(term in of_row for of_row in held)}
    most = max(sum(weights[term] for term in of_row & telling) for of_row in held)
    return [
        row
        for row, of_row in zip(rows, held, strict=True)
        if sum(weights[term] for term in of_row & telling) >= MOST_HELD_SHARE * most
    ]


def _within_bounds(question: str, rows: Sequence[Unit]) -> list[Unit]:
    """The rows whose number keeps each bound of the question; none where no column has the bound's unit. A number alone
    is money where a price is asked for; of two columns of a unit that counts which the question names."""
    columns = range(len(rows[0].cells))
    some = rows[:16]
    money = (unit for at in columns for unit in sorted(CURRENCIES) if _has_unit(some, at, unit))
    bounds = read_ranges(question, next(money, "") if _BY_PRICE.search(question) else "")
    asked = frozenset(terms(question))
    kept = list(rows)
    for bound in bounds:
        fitting = [
            at
            for at in columns
            if _has_unit(rows, at, bound.unit) and (bound.unit or _named(rows, at, asked))
        ]
        if not fitting:
            return []
        column = max(fitting, key=lambda at: _named(rows, at, asked))
        kept = [
            row for row in kept if (amount := _amount_in(row, column, bound.unit)) and bound.holds(amount)
        ]
    return kept if bounds else []


def _named(rows: Sequence[Unit], column: int, asked: frozenset[str]) -> int:
    """How many terms of a question are those of a column's name."""
    return len(asked.intersection(terms("".join(rows[0].names[column : column + 1]))))


def _has_unit(rows: Sequence[Unit], column: int, unit: str) -> bool:
    """Whether most cells of a column are numbers of a unit, which its name or they themselves tell."""
    found = sum(_amount_in(row, column, unit) is not None for row in rows)
    return 2 * found > len(rows)


def _amount_in(row: Unit, column: int, unit: str) -> Amount | None:
    """The first number of a cell that is of this unit: a known one, a word of the column's name ("Seats"), or none."""
    if column >= len(row.cells):
        return None
    name = row.names[column] if column < len(row.names) else ""
    amounts = [amount for amount in read_amounts(row.cells[column]) if amount.unit == unit]
    if amounts:
        return amounts[0]
    number = _LEADING_NUMBER.match(row.cells[column])
    base, times = unit_and_scale(name)
    is_money = not base and unit in CURRENCIES and bool(MONEY_NAME.search(name))  # of the one currency in use
    if number is None or not (base == unit or is_money or not unit or unit in terms(name)):
        return None
    value = float(number["n"].replace(",", ""))
    if base != unit and not is_money:
        return Amount(value, unit)
    is_year = base == "month" and 1900 <= value < 2100  # of the calendar
    return None if is_year else Amount(value * times, unit)


def _extreme(question: str, weights: Mapping[str, float], rows: Sequence[Unit]) -> list[Unit]:
    """The rows that have the most or the least of what is asked; none where no column tells."""
    text = fold_script(question)
    least = bool(_LEAST.search(text)) or bool(_LEAST_EXPENSIVE.search(text))
    if not least and not _MOST.search(text):
        return []
    columns = [
        (score, column, values)
        for column in range(1, max(len(row.cells) for row in rows))
        if (score := _fits(text, weights, rows, column)) > 0
        and 2 * len(values := _values(rows, column, by_time=bool(_BY_TIME.search(text)))) > len(rows)
    ]
    if not columns:
        return []
    _, _, values = max(columns, key=lambda found: (found[0], -found[1]))
    best = (min if least else max)(value for value, _ in values)
    return [row for value, row in values if value == best]


def _fits(question: str, weights: Mapping[str, float], rows: Sequence[Unit], column: int) -> float:
    """How well a column's name is what a superlative is about; 0 where it is not."""
    name = rows[0].names[column] if column < len(rows[0].names) else ""
    named = sum(weights.get(term, 0.0) for term in terms(name))
    if _BY_PRICE.search(question):
        cell = next((row.cells[column] for row in rows if column < len(row.cells)), "")
        is_money = bool(MONEY_NAME.search(name)) or any(
            amount.unit in CURRENCIES for amount in read_amounts(f"{cell} {name}")
        )
        return 1.0 + named if is_money else 0.0
    cells = [row.cells[column] for row in rows if column < len(row.cells)]
    is_time = all(map(_YEAR.fullmatch, cells)) or any(map(_MOMENT.search, cells))
    named += 1.0 if _BY_TIME.search(question) and is_time else 0.0
    return named + any(asked.search(question) and told.search(name) for asked, told in _DIMENSIONS)


def _values(rows: Sequence[Unit], column: int, *, by_time: bool) -> list[tuple[float, Unit]]:
    """The numbers of a column, or its dates as numbers that are in their order."""
    found = []
    for row in rows:
        cell = row.cells[column] if column < len(row.cells) else ""
        moment = _MOMENT.search(cell) if by_time else None
        if moment is not None:
            value = int(moment["y"]) * 10_000 + int(moment["m"]) * 100 + int(moment["d"] or 0)
            found.append((float(value), row))
        elif by_time and (year := _YEAR.fullmatch(cell)):
            found.append((float(year["y"]) * 10_000, row))
        elif number := _LEADING_NUMBER.match(cell):
            name = row.names[column] if column < len(row.names) else ""
            amounts = read_amounts(cell, _unit_word(name))
            found.append((amounts[0].number if amounts else float(number["n"].replace(",", "")), row))
    return found


def _holding(
    wanted: Wanted, weights: Mapping[str, float], items: list[list[Unit]], around: frozenset[str]
) -> ChosenRows:
    """Those that hold what of the question some of them hold and others don't; those that don't where the question is
    negated. All where nothing tells them apart."""
    found = [{term for term in weights if any(holds(term, unit, 0.0) > 0 for unit in item)} for item in items]
    telling = {
        term: weight
        for term, weight in weights.items()
        if term not in around and 0 < sum(term in held for held in found) < len(items)
    }
    if not telling or wanted.shape == "steps":
        return ChosenRows(items, "all")
    worth = [sum(weight for term, weight in telling.items() if term in held) for held in found]
    best = max(worth)
    chosen = [item for item, value in zip(items, worth, strict=True) if value >= MOST_HELD_SHARE * best]
    if wanted.negated and items[0][0].kind is Kind.ROW and 2 * len(chosen) > len(items):
        chosen = [item for item, value in zip(items, worth, strict=True) if value == 0]
    return ChosenRows(chosen, "held")
