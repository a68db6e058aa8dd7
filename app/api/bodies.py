"""What all request bodies share: no unknown fields, no NaN, and no text that PostgreSQL can't hold."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict


def storable(text: str) -> str:
    """Refuse what PostgreSQL can't hold: NUL and lone surrogates."""
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("must not contain NUL or lone surrogates")
    return text


Text = Annotated[str, AfterValidator(storable)]


class Request(BaseModel):
    """Base of all request bodies: no unknown fields, no NaN."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)
