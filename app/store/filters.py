"""Filters as SQL: a condition over `pgask.documents d`, made of fixed fragments and parameters alone.

No name, key, operator or value of the caller ever becomes SQL text: columns come from a table here, keys are operands
of jsonb operators, values are parameters. A condition is never NULL, so its negation is what it says.

Letters with accents, kana with voicing marks and Hangul have two forms in Unicode that look the same. A file's name is
stored as it is on the disk, where macOS often writes the decomposed one and keyboards the composed one: source and
title are compared in the composed form (NFC) where what is asked for is more than ASCII. A document is in a language
where a section of it is: one that is of two languages is found under both.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from itertools import takewhile
from typing import Any, Final, assert_never
from unicodedata import normalize

from psycopg import sql

from app.domain import (
    TIME_COLUMNS,
    AllOf,
    AnyOf,
    Column,
    Condition,
    Exists,
    MetadataKey,
    Negation,
    OneOf,
    Scalar,
    SearchFilter,
    StartsWith,
    Within,
)
from app.moments import MOMENT, ZONED, time_span

_COLUMNS: Final[Mapping[Column, sql.SQL]] = {
    "source": sql.SQL("d.source"),
    "title": sql.SQL("d.title"),
    "language": sql.SQL("d.language"),
    "media_type": sql.SQL("d.media_type"),
    "created_at": sql.SQL("d.created_at"),
    "updated_at": sql.SQL("d.updated_at"),
}

_NAMES: Final[frozenset[Column | MetadataKey]] = frozenset(("source", "title"))

# A lone value, else any element of a list. Nearly all values are lone: taking lists apart costs ten times as much.
_LONE_OR_LISTED: Final = sql.SQL(
    "CASE jsonb_typeof({value}) WHEN {kind} THEN {lone} WHEN 'array' THEN EXISTS (SELECT FROM"
    " jsonb_array_elements({value}) e WHERE CASE jsonb_typeof(e) WHEN {kind} THEN {element} ELSE false END)"
    " ELSE false END"
)
_NUMBER: Final = sql.SQL("({})::numeric")
_TEXT: Final = sql.SQL("({} #>> '{{}}')")  # of a JSON string
_MOMENT_OF: Final = sql.SQL(
    "CASE WHEN {text} !~ {moment} THEN NULL WHEN {text} ~ {zoned} THEN {text}::timestamptz"
    " ELSE {text}::timestamp AT TIME ZONE 'UTC' END"
)


@dataclass(frozen=True, slots=True)
class Compiled:
    """A condition over `pgask.documents d` and the parameters that it names, all of them `filter_…`."""

    condition: sql.Composable
    parameters: Mapping[str, Any]


@dataclass(slots=True)
class _Parameters:
    values: dict[str, Any] = field(default_factory=dict)

    def add(self, value: Any) -> sql.Placeholder:
        name = f"filter_{len(self.values)}"
        self.values[name] = value
        return sql.Placeholder(name)


def compile_filter(search_filter: SearchFilter | None) -> Compiled:
    """The condition that keeps the documents a filter keeps; without one, all."""
    parameters = _Parameters()
    conditions: list[sql.Composable] = []
    if search_filter is not None and search_filter.source_prefix:
        conditions.append(_starts_with("source", search_filter.source_prefix, parameters))
    if search_filter is not None and search_filter.metadata:
        contained = json.dumps(dict(search_filter.metadata))
        conditions.append(sql.SQL("d.metadata @> {}::jsonb").format(parameters.add(contained)))
        conditions += [_has_facts([fact], parameters) for fact in _leaves(search_filter.metadata)]
    if search_filter is not None and search_filter.where is not None:
        conditions.append(_compile(search_filter.where, parameters))
        conditions += [_has_facts(facts, parameters) for facts in _needed_facts(search_filter.where)]
    return Compiled(sql.SQL(" AND ").join(conditions) if conditions else sql.SQL("true"), parameters.values)


def _compile(condition: Condition, parameters: _Parameters) -> sql.Composable:
    match condition:
        case AllOf(parts) | AnyOf(parts):
            word = sql.SQL(" AND " if isinstance(condition, AllOf) else " OR ")
            return sql.SQL("({})").format(word.join([_compile(part, parameters) for part in parts]))
        case Negation(part):
            return sql.SQL("NOT ({})").format(_compile(part, parameters))
        case OneOf(named, values):
            return _one_of(named, values, parameters)
        case Within(named, low, high):
            return _within(named, low, high, parameters)
        case StartsWith(named, prefix):
            return _starts_with(named, prefix, parameters)
        case Exists(named, expected):
            return _exists(named, expected, parameters)
        case _:
            assert_never(condition)


def _one_of(
    named: Column | MetadataKey, values: tuple[Scalar, ...], parameters: _Parameters
) -> sql.Composable:
    if isinstance(named, MetadataKey):
        return _contains(named.path, values, parameters)
    if named in TIME_COLUMNS:
        spans = [_span(value) for value in values]
        return sql.SQL(
            "EXISTS (SELECT FROM unnest({}::timestamptz[], {}::timestamptz[]) s (low, high)"
            " WHERE {column} >= low AND {column} < high)"
        ).format(
            parameters.add([low for low, _ in spans]),
            parameters.add([high for _, high in spans]),
            column=_COLUMNS[named],
        )
    column = _COLUMNS[named]
    if named == "language":
        return sql.SQL("coalesce(d.languages, ARRAY[{}]) && {}::text[]").format(
            column, parameters.add([str(value) for value in values])
        )
    equal = sql.SQL("{} = ANY({}::text[])").format(column, parameters.add(list(values)))
    composed = [normalize("NFC", str(value)) for value in values if not str(value).isascii()]
    if named not in _NAMES or not composed:
        return equal
    return sql.SQL("({} OR normalize({}, NFC) = ANY({}::text[]))").format(
        equal, column, parameters.add(composed)
    )


def _contains(path: tuple[str, ...], values: tuple[Scalar, ...], parameters: _Parameters) -> sql.Composable:
    """As containment of a lone value or of a list's element."""
    wanted = [json.dumps(_nest(path, leaf)) for value in values for leaf in (value, [value])]
    if len(values) > 1:
        return sql.SQL("d.metadata @> ANY({}::jsonb[])").format(parameters.add(wanted))
    lone, listed = map(parameters.add, wanted)
    return sql.SQL("(d.metadata @> {}::jsonb OR d.metadata @> {}::jsonb)").format(lone, listed)


def _has_facts(facts: Sequence[object], parameters: _Parameters) -> sql.Composable:
    """Whether the metadata may hold one of these objects of one leaf each: what the index of facts can tell."""
    return sql.SQL(
        "(d.collection_id, d.id) IN (SELECT f.collection_id, f.document_id FROM pgask.document_facts f WHERE f.fact ="
        " ANY (ARRAY(SELECT pgask.facts(wanted) FROM unnest({}::jsonb[]) wanted)))"
    ).format(parameters.add([json.dumps(fact) for fact in facts]))


def _needed_facts(condition: Condition) -> list[list[object]]:
    """Lists of facts: a document that the condition keeps has one of each list."""
    match condition:
        case AllOf(parts):
            return [facts for part in parts for facts in _needed_facts(part)]
        case AnyOf(parts):
            needed = [_needed_facts(part) for part in parts]
            return [[fact for found in needed for fact in found[0]]] if all(needed) else []
        case OneOf(MetadataKey(path), values):
            return [[_nest(path, value) for value in values]]
        case _:
            return []


def _leaves(wanted: Mapping[str, Any], path: tuple[str, ...] = ()) -> list[object]:
    """Objects with one leaf each, which together hold all leaves."""
    found: list[object] = []
    for key, value in wanted.items():
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, Mapping):
                found += _leaves(one, (*path, key))
            elif not isinstance(one, list):
                found.append(_nest((*path, key), one))
    return found


def _within(
    named: Column | MetadataKey, low: Scalar | None, high: Scalar | None, parameters: _Parameters
) -> sql.Composable:
    if not isinstance(named, MetadataKey):
        if named in TIME_COLUMNS:
            return _between_moments(_COLUMNS[named], low, high, parameters)
        return _between_texts(_COLUMNS[named], low, high, parameters)
    bounds = [bound for bound in (low, high) if bound is not None]
    if all(isinstance(bound, int | float) for bound in bounds):
        least, most = (None if bound is None else Decimal(repr(bound)) for bound in (low, high))
        return _any_element(
            named,
            "number",
            lambda value: _between(_NUMBER.format(value), sql.SQL("{}::numeric"), least, most, parameters),
            parameters,
        )
    if all(time_span(str(bound)) for bound in bounds):
        return _any_element(
            named,
            "string",
            lambda value: sql.SQL("coalesce({}, false)").format(
                _between_moments(_moment(_TEXT.format(value)), low, high, parameters)
            ),
            parameters,
        )
    return _any_element(
        named, "string", lambda value: _between_texts(_TEXT.format(value), low, high, parameters), parameters
    )


def _moment(text: sql.Composable) -> sql.Composed:
    """The moment that an ISO 8601 text names, NULL where it names none."""
    return _MOMENT_OF.format(text=text, moment=sql.Literal(MOMENT), zoned=sql.Literal(ZONED))


def _between_texts(
    value: sql.Composable, low: Scalar | None, high: Scalar | None, parameters: _Parameters
) -> sql.Composable:
    by_code_point = sql.SQL('({}) COLLATE "C"').format(value)
    return _between(by_code_point, sql.SQL("{}::text"), low, high, parameters)


def _between_moments(
    value: sql.Composable, low: Scalar | None, high: Scalar | None, parameters: _Parameters
) -> sql.Composable:
    tests = []
    if low is not None:
        tests.append(sql.SQL("({}) >= {}::timestamptz").format(value, parameters.add(_span(low)[0])))
    if high is not None:
        tests.append(sql.SQL("({}) < {}::timestamptz").format(value, parameters.add(_span(high)[1])))
    return sql.SQL("({})").format(sql.SQL(" AND ").join(tests))


def _between(
    value: sql.Composable, cast: sql.SQL, low: object, high: object, parameters: _Parameters
) -> sql.Composable:
    tests = []
    for sign, bound in ((sql.SQL(">="), low), (sql.SQL("<="), high)):
        if bound is not None:
            tests.append(sql.SQL("{} {} {}").format(value, sign, cast.format(parameters.add(bound))))
    return sql.SQL("({})").format(sql.SQL(" AND ").join(tests))


def _starts_with(named: Column | MetadataKey, prefix: str, parameters: _Parameters) -> sql.Composable:
    is_name = named in _NAMES and not prefix.isascii()
    given = parameters.add(normalize("NFC", prefix) if is_name else prefix)
    if isinstance(named, MetadataKey):
        return _any_element(
            named,
            "string",
            lambda value: sql.SQL("starts_with({}, {}::text)").format(_TEXT.format(value), given),
            parameters,
        )
    column = sql.SQL("normalize({}, NFC)" if is_name else "{}").format(_COLUMNS[named])
    starts = sql.SQL("starts_with({}, {}::text)").format(column, given)
    # `source` sorts by code points: the index on it finds the stretch that starts so, in both forms up to the first
    # letter that has two
    first = "".join(takewhile(str.isascii, normalize("NFC", prefix))) if is_name else prefix
    after = _first_after(first)
    if named != "source" or not first:
        return starts
    if after is None:
        return sql.SQL("({} AND d.source >= {}::text)").format(starts, given)
    return sql.SQL("({} AND d.source >= {}::text AND d.source < {}::text)").format(
        starts, parameters.add(first), parameters.add(after)
    )


def _exists(named: Column | MetadataKey, expected: bool, parameters: _Parameters) -> sql.Composable:
    wanted = parameters.add(expected)
    if isinstance(named, MetadataKey):
        return sql.SQL("(coalesce(jsonb_typeof({}), 'null') <> 'null') = {}::boolean").format(
            _value(named, parameters), wanted
        )
    if named in TIME_COLUMNS:
        return sql.SQL("{}::boolean").format(wanted)
    return sql.SQL("({} <> '') = {}::boolean").format(_COLUMNS[named], wanted)


def _any_element(
    named: MetadataKey,
    kind: str,
    test: Callable[[sql.Composable], sql.Composable],
    parameters: _Parameters,
) -> sql.Composable:
    """Whether the value, or any element of the list that is there, is of this JSON kind and passes the test."""
    value = _value(named, parameters)
    return _LONE_OR_LISTED.format(
        value=value, kind=sql.Literal(kind), lone=test(value), element=test(sql.SQL("e"))
    )


def _value(named: MetadataKey, parameters: _Parameters) -> sql.Composable:
    """The metadata below a path, NULL where there is none: `->` with text takes members of objects alone."""
    steps = [sql.SQL(" -> {}::text").format(parameters.add(key)) for key in named.path]
    return sql.SQL("(d.metadata{})").format(sql.SQL("").join(steps))


def _nest(path: tuple[str, ...], leaf: object) -> object:
    """The object with this leaf below this path."""
    for key in reversed(path):
        leaf = {key: leaf}
    return leaf


def _span(value: Scalar) -> tuple[datetime, datetime]:
    span = time_span(str(value))
    if span is None:
        raise ValueError(f"no ISO 8601 day or time: {value!r}")
    return span


def _first_after(prefix: str) -> str | None:
    r"""The first text, by code points, after all those that start so; None where there is none.

    >>> _first_after("docs/"), _first_after("\ud7ff"), _first_after("a\U0010ffff"), _first_after("\U0010ffff")
    ('docs0', '\ue000', 'b', None)
    """
    kept = prefix.rstrip("\U0010ffff")
    if not kept:
        return None
    following = ord(kept[-1]) + 1
    return kept[:-1] + chr(0xE000 if following == 0xD800 else following)  # surrogates are no text
