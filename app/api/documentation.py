"""Examples that /openapi.json shows for each operation (examples.json), and the problems that one may answer with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from app.api.openai_errors import openai_error, openai_status
from app.api.problems import MEDIA_TYPE, Problem

_REQUEST_ID: Final = "7d3f0c5b9a3e4f0c8d1e2b6a5c4d3e2f"
EXAMPLES: Final[dict[str, Any]] = json.loads((Path(__file__).parent / "examples.json").read_text("utf-8"))
KEPT: Final[dict[int | str, dict[str, Any]]] = {204: {"description": "It is kept"}}
DELETED: Final[dict[int | str, dict[str, Any]]] = {204: {"description": "It is gone"}}
_PROBLEMS: Final[dict[int, tuple[str, str, str]]] = {
    400: ("bad_request", "The request can't be read", "The body can't be read as JSON."),
    401: ("unauthenticated", "A key is needed", "This service asks for a key: send Authorization: …"),
    403: ("forbidden", "Not allowed", "This needs the role writer; this key's is reader. …"),
    408: ("request_timeout", "The request came too slowly", "The request's body did not come in time …"),
    404: ("not_found", "Not found", "There is no collection 'handbook'. GET /collections lists them."),
    409: ("embedding_mismatch", "The embedding model does not fit the stored vectors", "…"),
    410: ("reply_gone", "The reply can't be rated any more", "This reply is not known any more: …"),
    413: ("body_too_large", "The request is too large", "The request's body is larger than …"),
    415: ("unsupported_media_type", "JSON is expected", "Send the body as JSON, …"),
    421: ("bad_host", "Wrong host", "This service answers to 127.0.0.1, …"),
    422: ("invalid_request", "The request is not valid", "top_k: Input should be less than or equal to 50."),
    429: ("too_many_requests", "Too many questions at once", "32 questions are being answered now; …"),
    503: ("store_unavailable", "The database can't be reached", "The database can't be reached just now. …"),
}
ANYWHERE: Final = (400, 401, 403, 408, 413, 421, 503)  # what any request may meet
_PROBLEM_SCHEMA: Final = Problem.model_json_schema()


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of an operation that may answer with problems of these statuses, and of those of ANYWHERE."""
    return {
        status: {
            "description": title,
            "content": {
                MEDIA_TYPE: {
                    "schema": _PROBLEM_SCHEMA,
                    "example": {
                        "type": "about:blank",
                        "code": code,
                        "title": title,
                        "detail": detail,
                        "status": status,
                        "request_id": _REQUEST_ID,
                    },
                }
            },
        }
        for status, (code, title, detail) in _PROBLEMS.items()
        if status in statuses or status in ANYWHERE
    }


def openai_errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of an operation under /v1 that may answer with errors of these statuses."""
    others = {"4XX": {"description": "Every other fault of the request, in the same form"}}
    return others | {
        openai_status(status): {
            "description": title,
            "content": {
                "application/json": {
                    "schema": {"type": "object", "required": ["error"]},
                    "example": openai_error(status, code, detail, None),
                }
            },
        }
        for status, (code, title, detail) in _PROBLEMS.items()
        if status in statuses
    }


def example(name: str, status: int = 200) -> dict[int | str, dict[str, Any]]:
    """The `responses` entry that shows an example of examples.json as an operation's JSON reply."""
    return {status: {"content": {"application/json": {"example": EXAMPLES[name]}}}}
