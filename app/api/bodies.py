"""What all request bodies share: no unknown fields, no NaN, no text that PostgreSQL can't hold, null as no value."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, model_validator
from pydantic_core import PydanticCustomError

UNSTORABLE: Final = re.compile("[\0\ud800-\udfff]")  # what PostgreSQL can't hold: NUL and lone surrogates


def refusal(code: str, english: str, chinese: str) -> PydanticCustomError:
    """The error to raise for a wrong field that is told in sentences of our own. `code` is for programs."""
    return PydanticCustomError(
        "sentence", "{english}", {"code": code, "english": english, "chinese": chinese}
    )


def storable(text: str) -> str:
    """Refuse what PostgreSQL can't hold."""
    if UNSTORABLE.search(text):
        raise ValueError("must not contain NUL or lone surrogates")
    return text


Text = Annotated[str, AfterValidator(storable)]


class Request(BaseModel):
    """Base of all request bodies: no unknown fields, no NaN."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class NullIsDefault(BaseModel):
    """Adds to a body that null stands for a field's default: programs that send every field send null for the unset."""

    @model_validator(mode="before")
    @classmethod
    def _leave_out_null(cls, body: Any) -> Any:
        """A required field keeps its null, which is refused, and so does a field that is not known."""
        if not isinstance(body, dict):
            return body
        optional = {name for name, field in cls.model_fields.items() if not field.is_required()}
        return {name: value for name, value in body.items() if value is not None or name not in optional}
