"""What all request bodies share: no unknown fields, no NaN, no text that PostgreSQL can't hold, null as no value."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    StrictBool,
    model_validator,
)
from pydantic_core import CoreSchema, PydanticCustomError, PydanticKnownError

MAX_UNKNOWN_FIELDS: Final = 100
UNSTORABLE: Final = re.compile("[\0\ud800-\udfff]")  # what PostgreSQL can't hold: NUL and lone surrogates


def refusal(code: str, english: str, chinese: str) -> PydanticCustomError:
    """The error to raise for a wrong field that is told in sentences of our own. `code` is for programs."""
    return PydanticCustomError(
        "sentence", "{english}", {"code": code, "english": english, "chinese": chinese}
    )


def over_limit(what: str, what_zh: str, found: int, most: int) -> PydanticCustomError:
    """The error to raise for a field that holds more than may be: at least `found`, for counting may end early."""
    return PydanticCustomError(
        "over_limit",
        "{english}",
        {
            "english": f"must not have more than {most:,} {what}; it has {found:,} or more, and the limit is fixed",
            "chinese": f"{what_zh}不得超过 {most:,}；现有至少 {found:,}，上限不可调整",
        },
    )


def storable(text: str) -> str:
    """Refuse what PostgreSQL can't hold."""
    if UNSTORABLE.search(text):
        raise ValueError("must not contain NUL or lone surrogates")
    return text


# The pattern is for /openapi.json, which can't tell of lone surrogates; `storable` is what refuses.
Text = Annotated[str, AfterValidator(storable), Field(json_schema_extra={"pattern": r"^[^\u0000]*$"})]


def _whole_number(value: Any) -> Any:
    """Refuse true and "3", which pydantic takes for numbers; 3.0 is one."""
    if isinstance(value, bool | str):
        raise PydanticKnownError("int_type")
    return value


def _number(value: Any) -> Any:
    if isinstance(value, bool | str):
        raise PydanticKnownError("float_type")
    return value


# The last of an annotation, behind its bounds: else these are no bounds of a number to /openapi.json.
WHOLE: Final = BeforeValidator(_whole_number)
NUMBER: Final = BeforeValidator(_number)
Flag = StrictBool


def _takes_null(kind: dict[str, Any]) -> bool:
    return not kind or kind.get("type") == "null"


class Request(BaseModel):
    """Base of all request bodies: no unknown fields, no NaN."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _few_fields(cls, body: Any) -> Any:
        """Refuse at once what would take seconds to refuse field by field, in which nobody else is answered."""
        if isinstance(body, dict) and len(body) > len(cls.model_fields) + MAX_UNKNOWN_FIELDS:
            raise refusal(
                "too_many_fields",
                f"There are {len(body):,} fields here, more than {MAX_UNKNOWN_FIELDS} of them unknown.",
                f"此处有 {len(body)} 个字段，其中未知字段超过 {MAX_UNKNOWN_FIELDS} 个。",
            )
        return body


# What a schema says of a field whatever its value is.
_ABOUT: Final = frozenset({"title", "description", "default", "examples", "deprecated"})


class NullIsDefault(BaseModel):
    """Adds to a body that null stands for a field's default: programs that send every field send null for the unset."""

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """The schema, in which each field with a default may be null."""
        schema = handler(core)
        found = handler.resolve_ref_schema(schema)
        for name, told in found["properties"].items():
            kinds = told.get("anyOf", [{part: value for part, value in told.items() if part not in _ABOUT}])
            if name not in found.get("required", ()) and not any(map(_takes_null, kinds)):
                about = {part: value for part, value in told.items() if part in _ABOUT}
                found["properties"][name] = {"anyOf": [*kinds, {"type": "null"}], **about}
        return schema

    @model_validator(mode="before")
    @classmethod
    def _leave_out_null(cls, body: Any) -> Any:
        """A required field keeps its null, which is refused, and so does a field that is not known."""
        if not isinstance(body, dict):
            return body
        optional = {name for name, field in cls.model_fields.items() if not field.is_required()}
        return {name: value for name, value in body.items() if value is not None or name not in optional}
