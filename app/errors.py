"""Every error that pgask raises on purpose.

    PgaskError
    ├── ConfigError               a setting is missing or wrong
    ├── DocumentError             one document can't be taken in; the reason code is in `code`
    ├── InvalidRequestError       the caller asked for something that can't be (bad filter, bad cursor, …)
    │   └── LimitExceededError    … or for more than the limits allow
    ├── NotFoundError             no such collection, document, …
    ├── BusyError                 as much is being worked on as may be; trying again will help
    ├── EmbeddingMismatchError    the stored vectors were made by another model or another way of pooling
    ├── StoreError                PostgreSQL refuses or can't be used
    │   ├── StoreUnavailableError … can't be reached now; trying again may help
    │   ├── StoreBusyError        … has no connection or lock to spare now; trying again will help
    │   └── SchemaError           … its schema is not at the revision that this code needs
    └── GenerationError           the language model can't answer
        ├── LlmUnavailableError   … can't be reached, or answers with an error
        ├── LlmTimeoutError       … takes too long
        └── LlmBusyError          … has as many questions as it may take; trying again will help

Holds no HTTP status: app/api/problems.py is the only table from errors to statuses. `code` is a stable
identifier for programs; the message is a sentence for people that ends in a way out.
"""

from __future__ import annotations

from typing import ClassVar


class PgaskError(Exception):
    """Root of all errors raised on purpose. `str(error)` is a sentence for people; `chinese` the same where it holds
    figures, which the words of a code can't (app/api/problem_texts.py)."""

    default_code: ClassVar[str] = "internal_error"

    def __init__(self, message: str, *, code: str | None = None, chinese: str | None = None) -> None:
        super().__init__(message)
        self.code = code or self.default_code
        self.chinese = chinese


class ConfigError(PgaskError):
    """A setting is missing or wrong."""

    default_code = "config_error"


class DocumentError(PgaskError):
    """One document can't be taken in. `code` is one of the reason codes in docs/reason-codes.md."""

    default_code = "parse_failed"


class InvalidRequestError(PgaskError):
    """The caller asked for something that can't be."""

    default_code = "invalid_request"


class LimitExceededError(InvalidRequestError):
    """The caller asked for more than a limit allows."""

    default_code = "limit_exceeded"


class NotFoundError(PgaskError):
    """The named thing does not exist."""

    default_code = "not_found"


class BusyError(PgaskError):
    """As much is being worked on as may be, or something has waited too long for its turn."""

    default_code = "too_many_requests"


class EmbeddingMismatchError(PgaskError):
    """Vectors in the database were made in another embedding space than the configured one."""

    default_code = "embedding_mismatch"


class StoreError(PgaskError):
    """PostgreSQL refuses or can't be used."""

    default_code = "store_error"


class StoreUnavailableError(StoreError):
    """PostgreSQL can't be reached now."""

    default_code = "store_unavailable"


class StoreBusyError(StoreError):
    """PostgreSQL works, and has no connection or lock to spare now."""

    default_code = "database_busy"


class SchemaError(StoreError):
    """The database schema is not at the revision that this code needs."""

    default_code = "schema_mismatch"


class GenerationError(PgaskError):
    """The language model can't answer."""

    default_code = "generation_failed"


class LlmUnavailableError(GenerationError):
    """The language model can't be reached, or answers with an error."""

    default_code = "llm_unavailable"


class LlmTimeoutError(GenerationError):
    """The language model takes too long."""

    default_code = "llm_timeout"


class LlmBusyError(GenerationError):
    """As many questions wait for the language model as may, or one has waited too long for its turn."""

    default_code = "llm_busy"
