"""Filters as they come over the wire, with their limits: the short form by source and metadata, and the typed tree.

A tree has at most 5 levels, 32 tests of a field and 256 values; a string or key at most 1,024 characters. Whatever is
beyond that is refused by name. docs/filters.md tells what each field and operator means.
"""

from __future__ import annotations

import math
import re
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    StrictBool,
    Tag,
    WithJsonSchema,
    model_validator,
)

from app.api.bodies import Request, Text, over_limit, storable
from app.domain import (
    TEXT_COLUMNS,
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
from app.domain import Field as NamedField
from app.moments import time_span

MAX_METADATA_KEYS: Final = 20  # in all objects of a filter together
MAX_METADATA_ITEMS: Final = 100  # values in all its lists together
MAX_DEPTH: Final = 5  # of nested metadata, of a path into it, and of a tree
MAX_CHARS: Final = 1_024  # of one key or string
MAX_LEAVES: Final = 32  # tests of a field in a tree
MAX_VALUES: Final = 256  # values in all tests of a tree together

COLUMNS: Final[tuple[Column, ...]] = (*TEXT_COLUMNS, *TIME_COLUMNS)
FIELDS: Final = ", ".join(COLUMNS) + " or metadata.KEY"
_METADATA: Final = "metadata."
_CHARACTER: Final = re.compile(r"\\(.)|(.)", re.DOTALL)
_NO_FORM: Final = (
    "must hold source_prefix and metadata, or one of all, any and not, or a field with an op: equal, in, range,"
    " prefix or exists"
)


def _short(text: str) -> str:
    if len(text) > MAX_CHARS:
        raise over_limit("characters in a key or string", "键或字符串的字符数", len(text), MAX_CHARS)
    return storable(text)


def _small_metadata(metadata: dict[str, Any]) -> dict[str, Any]:
    """Hold a metadata filter to its limits of keys, items, depth and string lengths."""
    keys = items = 0
    for depth, value in _walk(metadata, 1):
        if depth > MAX_DEPTH:
            raise over_limit("levels", "嵌套层数", depth, MAX_DEPTH)
        if isinstance(value, dict):
            keys += len(value)
            for key in islice(value, MAX_METADATA_KEYS):
                _short(key)
        elif isinstance(value, list):
            items += len(value)
        elif isinstance(value, str):
            _short(value)
        elif isinstance(value, float) and not math.isfinite(value):
            raise ValueError("must not contain NaN or infinite numbers")
        if keys > MAX_METADATA_KEYS:
            raise over_limit("keys", "键的个数", keys, MAX_METADATA_KEYS)
        if items > MAX_METADATA_ITEMS:
            raise over_limit("list items", "列表项数", items, MAX_METADATA_ITEMS)
    return metadata


def _walk(value: Any, depth: int) -> Iterator[tuple[int, Any]]:
    """Every value inside, itself first, with its depth: of nested objects and lists, the outermost has 1."""
    yield depth if isinstance(value, dict | list) else depth - 1, value
    if depth > MAX_DEPTH:
        return
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for child in children:
        yield from _walk(child, depth + 1)


def _small_tree(tree: Any) -> Any:
    """Hold a tree to its limits before anything else looks at it."""
    level, leaves, values = [tree], 0, 0
    for _ in range(MAX_DEPTH):
        below: list[Any] = []
        for node in level:
            if not isinstance(node, dict):
                continue
            leaves += "field" in node
            values += len(node["values"]) if isinstance(node.get("values"), list) else "field" in node
            for word in ("all", "any"):
                below += node[word] if isinstance(node.get(word), list) else ()
            below += [node["not"]] if "not" in node else []
            if leaves > MAX_LEAVES:
                raise over_limit("tests of a field", "字段条件的个数", leaves, MAX_LEAVES)
            if values > MAX_VALUES:
                raise over_limit("values", "值的个数", values, MAX_VALUES)
            if len(below) > MAX_LEAVES * MAX_DEPTH:
                raise over_limit(
                    "conditions on one level", "同一层的条件数", len(below), MAX_LEAVES * MAX_DEPTH
                )
        level = below
    if level:
        raise over_limit("levels", "嵌套层数", MAX_DEPTH + 1, MAX_DEPTH)
    return tree


def _named(name: str) -> str:
    """Refuse a field that documents don't have."""
    _short(name)
    if name not in COLUMNS and not name.startswith(_METADATA):
        raise ValueError(f"must be {FIELDS}")
    if name.startswith(_METADATA):
        path = _path(name)
        if len(path) > MAX_DEPTH:
            raise over_limit("levels in a path into the metadata", "元数据路径的层数", len(path), MAX_DEPTH)
        if not all(path):
            raise ValueError("must name a key after each dot; write \\. for a dot that is part of a key")
    return name


def _path(name: str) -> tuple[str, ...]:
    r"""The keys of "metadata.a.b": dots separate, a backslash takes the character after it to the letter.

    >>> _path("metadata.a.b"), _path(r"metadata.dc\.title"), _path("metadata.a..b")
    (('a', 'b'), ('dc.title',), ('a', '', 'b'))
    """
    keys = [""]
    for escaped, character in _CHARACTER.findall(name.removeprefix(_METADATA)):
        if character == ".":
            keys.append("")
        else:
            keys[-1] += escaped or character
    return tuple(keys)


def _scalar(value: Any) -> Scalar:
    """Refuse what is not a string, a finite number, true or false."""
    if isinstance(value, str):
        return _short(value)
    if not isinstance(value, bool | int | float):
        raise ValueError("must be a string, a number, true or false")  # noqa: TRY004 - pydantic wants a ValueError
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("must not be NaN or infinite")
    return value


# Without what strings may not hold: schemas of all that take those who generate requests from them minutes to solve.
_SCALAR_SCHEMA: Final = {"type": ["string", "number", "boolean"]}
Value = Annotated[Any, AfterValidator(_scalar), WithJsonSchema(_SCALAR_SCHEMA)]
# What follows describes for /openapi.json what the validators refuse.
_KEY: Final = r"(?:[^.\\\u0000]|\\[^\u0000])+"
_NAMED_SCHEMA: Final[dict[str, Any]] = {
    "anyOf": [
        {"enum": list(COLUMNS)},
        {"pattern": rf"^metadata\.{_KEY}(?:\.{_KEY}){{0,{MAX_DEPTH - 1}}}$", "maxLength": MAX_CHARS},
    ]
}
FieldName = Annotated[
    str,
    AfterValidator(_named),
    Field(
        examples=["source", "updated_at", "metadata.lang"],
        description=FIELDS,
        json_schema_extra=_NAMED_SCHEMA,
    ),
]
_TEXT_VALUE: Final[dict[str, Any]] = {"type": "string"}
_TIME_VALUE: Final[dict[str, Any]] = {
    "type": "string",
    "anyOf": [{"format": "date"}, {"format": "date-time"}],
    "description": "An ISO 8601 day or time, as 2024-02-29 or 2024-02-29T08:30:00Z",
}


def _values_fit(*, in_metadata: Sequence[dict[str, Any]] = ({},), **values: Any) -> dict[str, Any]:
    """The part of a node's schema that says which values a field has; a key of the metadata has one of `in_metadata`.
    `values` are the schemas of the node's properties, in which None stands for that of one value."""

    def fit(named: dict[str, Any], value: dict[str, Any]) -> dict[str, Any]:
        properties = {
            name: value if schema is None else {**schema, "items": value} for name, schema in values.items()
        }
        return {"properties": {"field": named, **properties}}

    return {
        "anyOf": [
            fit({"enum": list(TEXT_COLUMNS)}, _TEXT_VALUE),
            fit({"enum": list(TIME_COLUMNS)}, _TIME_VALUE),
            *(fit({"pattern": r"^metadata\."}, value) for value in in_metadata),
        ]
    }


class Filter(Request):
    """Which documents may answer: those whose source starts so and whose metadata contains all of these pairs."""

    source_prefix: Annotated[Text, Field(max_length=MAX_CHARS)] | None = None
    metadata: Annotated[dict[str, Any], AfterValidator(_small_metadata)] = Field(default_factory=dict)

    def to_domain(self) -> SearchFilter | None:
        """None where it keeps everything."""
        if not self.source_prefix and not self.metadata:
            return None
        return SearchFilter(self.source_prefix or None, self.metadata)


class Node(Request):
    """A node of a tree."""

    @abstractmethod
    def condition(self) -> Condition:
        """What it says, in the domain's words."""

    def to_domain(self) -> SearchFilter:
        """As a filter of its own."""
        return SearchFilter(where=self.condition())


class FieldNode(Node):
    """A test of one field."""

    field: FieldName

    def named(self) -> NamedField:
        """The field in the domain's words."""
        column = next((column for column in COLUMNS if column == self.field), None)
        return column or MetadataKey(_path(self.field))

    def fits(self, *values: Scalar) -> None:
        """Refuse values that the field never has."""
        if self.field in TEXT_COLUMNS and not all(isinstance(value, str) for value in values):
            raise ValueError(f"{self.field} is text: its values must be strings")
        if self.field in TIME_COLUMNS and not all(
            isinstance(value, str) and time_span(value) for value in values
        ):
            raise ValueError(
                f"{self.field} is a time: its values must be ISO 8601, as 2024-02-29 or 2024-02-29T08:30:00Z"
            )


class Equal(FieldNode):
    """The field equals the value; of a list in the metadata, any element may."""

    model_config = ConfigDict(json_schema_extra=_values_fit(value=None))

    op: Literal["equal"]
    value: Value

    @model_validator(mode="after")
    def _fits(self) -> Equal:
        self.fits(self.value)
        return self

    def condition(self) -> Condition:
        return OneOf(self.named(), (self.value,))


class In(FieldNode):
    """The field equals one of the values."""

    model_config = ConfigDict(json_schema_extra=_values_fit(values={}))

    op: Literal["in"]
    values: Annotated[list[Value], Field(min_length=1)]

    @model_validator(mode="after")
    def _fits(self) -> In:
        self.fits(*self.values)
        return self

    def condition(self) -> Condition:
        return OneOf(self.named(), tuple(self.values))


class Range(FieldNode):
    """from ≤ field ≤ to; either may be left out. Numbers, ISO 8601 days and times, or text by code points."""

    model_config = ConfigDict(
        json_schema_extra=_values_fit(
            in_metadata=(_TEXT_VALUE, {"type": "number"}), **{"from": None, "to": None}
        )
        | {"oneOf": [{"required": ["from"]}, {"required": ["to"], "properties": {"from": False}}]}
    )

    op: Literal["range"]
    low: Annotated[Value, Field(alias="from")] = None
    high: Annotated[Value, Field(alias="to")] = None

    @model_validator(mode="after")
    def _fits(self) -> Range:
        bounds = [bound for bound in (self.low, self.high) if bound is not None]
        if not bounds:
            raise ValueError("must have from, to or both")
        if any(isinstance(bound, bool) for bound in bounds):
            raise ValueError("from and to must be strings or numbers")
        if len({isinstance(bound, str) for bound in bounds}) > 1:
            raise ValueError("from and to must be of one kind")
        self.fits(*bounds)
        return self

    def condition(self) -> Condition:
        return Within(self.named(), self.low, self.high)


class Prefix(FieldNode):
    """The field's text starts with the value."""

    model_config = ConfigDict(
        json_schema_extra={"not": {"properties": {"field": {"enum": list(TIME_COLUMNS)}}}}
    )

    op: Literal["prefix"]
    value: Annotated[str, AfterValidator(_short), Field(json_schema_extra={"maxLength": MAX_CHARS})]

    @model_validator(mode="after")
    def _fits(self) -> Prefix:
        if self.field in TIME_COLUMNS:
            raise ValueError(f"{self.field} is a time: use range")
        return self

    def condition(self) -> Condition:
        return StartsWith(self.named(), self.value)


class Presence(FieldNode):
    """The field has a value, or has none where `value` is false."""

    op: Literal["exists"]
    value: StrictBool = True

    def condition(self) -> Condition:
        return Exists(self.named(), self.value)


class All(Node):
    """Every condition holds."""

    all: Annotated[list[AnyNode], Field(min_length=1)]

    def condition(self) -> Condition:
        return AllOf(tuple(node.condition() for node in self.all))


class AnyOfThem(Node):
    """At least one condition holds."""

    any: Annotated[list[AnyNode], Field(min_length=1)]

    def condition(self) -> Condition:
        return AnyOf(tuple(node.condition() for node in self.any))


class Not(Node):
    """The condition does not hold."""

    no: Annotated[AnyNode, Field(alias="not")]

    def condition(self) -> Condition:
        return Negation(self.no.condition())


def _form(value: Any) -> str | None:
    """The tag of an object's form, by its own words; None where it has none."""
    if isinstance(value, Request):  # already one
        return next((tag for tag, form in FORMS.items() if isinstance(value, form)), None)
    if not isinstance(value, dict):
        return None
    words = [word for word in ("all", "any", "not") if word in value]
    if words or "field" in value or "op" in value:
        tag = f"⟨{words[0] if words else value.get('op')}⟩"
        return tag if tag in FORMS and tag != SHORT else None
    return None


def _top_form(value: Any) -> str | None:
    form = _form(value)
    return SHORT if form is None and isinstance(value, dict) and not {"field", "op"} & value.keys() else form


SHORT: Final = "⟨short⟩"
FORMS: Final[Mapping[str, type[Request]]] = {
    SHORT: Filter,
    "⟨all⟩": All,
    "⟨any⟩": AnyOfThem,
    "⟨not⟩": Not,
    "⟨equal⟩": Equal,
    "⟨in⟩": In,
    "⟨range⟩": Range,
    "⟨prefix⟩": Prefix,
    "⟨exists⟩": Presence,
}

AnyNode = Annotated[
    Annotated[All, Tag("⟨all⟩")]
    | Annotated[AnyOfThem, Tag("⟨any⟩")]
    | Annotated[Not, Tag("⟨not⟩")]
    | Annotated[Equal, Tag("⟨equal⟩")]
    | Annotated[In, Tag("⟨in⟩")]
    | Annotated[Range, Tag("⟨range⟩")]
    | Annotated[Prefix, Tag("⟨prefix⟩")]
    | Annotated[Presence, Tag("⟨exists⟩")],
    Discriminator(_form, custom_error_type="filter_form", custom_error_message=_NO_FORM),
]
# The short form, or a tree.
AnyFilter = Annotated[
    Annotated[Filter, Tag("⟨short⟩")]
    | Annotated[All, Tag("⟨all⟩")]
    | Annotated[AnyOfThem, Tag("⟨any⟩")]
    | Annotated[Not, Tag("⟨not⟩")]
    | Annotated[Equal, Tag("⟨equal⟩")]
    | Annotated[In, Tag("⟨in⟩")]
    | Annotated[Range, Tag("⟨range⟩")]
    | Annotated[Prefix, Tag("⟨prefix⟩")]
    | Annotated[Presence, Tag("⟨exists⟩")],
    Discriminator(_top_form, custom_error_type="filter_form", custom_error_message=_NO_FORM),
    BeforeValidator(_small_tree),
]
for _node in (All, AnyOfThem, Not):
    _node.model_rebuild()
