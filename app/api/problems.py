"""The only table from errors to HTTP statuses, and the problem documents (RFC 9457) that clients see.

What the service says of itself stays short: a database's address, a stack trace or a setting never leaves it; the log
has them, under the same request_id. Titles and details are English, or Chinese where Accept-Language prefers it. Below
/v1/ the same faults take OpenAI's form (app/api/openai_errors.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Match, Mount
from starlette.types import Receive, Scope, Send

from app.api.filters import FORMS
from app.api.openai_errors import PREFIX, openai_error, openai_status
from app.api.problem_texts import DETAILS_ZH, FAULTS_ZH, TITLES
from app.api.store_problem_texts import STORE_WORDS
from app.errors import (
    ConfigError,
    DocumentError,
    EmbeddingMismatchError,
    GenerationError,
    InvalidRequestError,
    NotFoundError,
    PgaskError,
    StoreError,
)

MEDIA_TYPE: Final = "application/problem+json"
RETRY_AFTER_S: Final = 5
_MOST_FAULTS: Final = 5
_LONGEST_NAME: Final = 60
_log = structlog.get_logger(__name__)

# By code first, then by class; a subclass has its parent's status unless it stands here.
STATUS_BY_CODE: Final[Mapping[str, int]] = {
    "body_too_large": 413,
    "unsupported_media_type": 415,
    "bad_host": 421,
    "too_many_requests": 429,
    "llm_busy": 429,
    "collection_exists": 409,
    "too_many_shelves": 409,
    "duplicate_source": 409,
    "is_duplicate": 409,
    "conversation_changed": 409,
    "job_state": 409,
    "web_not_built": 503,
    "not_ready": 503,
}
STATUS_BY_CLASS: Final[Mapping[type[PgaskError], int]] = {
    NotFoundError: 404,
    EmbeddingMismatchError: 409,
    DocumentError: 422,
    InvalidRequestError: 422,
    ConfigError: 500,
    StoreError: 503,
    GenerationError: 503,
    PgaskError: 500,
}
# Their messages are for the operator (addresses, roles, settings): clients get a general sentence.
_PRIVATE: Final = frozenset({"config_error", "internal_error", *STORE_WORDS})
_CODE_BY_STATUS: Final[Mapping[int, str]] = {
    400: "bad_request",
    404: "not_found",
    405: "method_not_allowed",
    413: "body_too_large",
    415: "unsupported_media_type",
}
_GENERAL: Final[Mapping[str, str]] = {
    "internal_error": "Something went wrong on our side. The log has more under this request_id.",
    "config_error": "A setting of the service is wrong. `pgask doctor` tells which.",
    **{code: english for code, (english, _) in STORE_WORDS.items()},
    "bad_request": "The body can't be read as JSON.",
    "not_found": "There is nothing at this address. /openapi.json lists what there is.",
    "method_not_allowed": "This address does not take that method.",
    "unsupported_media_type": "Send the body as JSON, with Content-Type: application/json.",
    "body_too_large": "The request's body is larger than PGASK_MAX_BODY_BYTES allows.",
    "client_closed": "The client closed the connection.",
}
_NO_OPENAI_ADDRESS: Final = {
    False: "There is nothing at this address. Of OpenAI's API there are GET /v1/models and POST /v1/chat/completions.",
    True: "该地址没有内容。OpenAI 接口中可用的只有 GET /v1/models 与 POST /v1/chat/completions。",
}


class Problem(BaseModel):
    """An error as RFC 9457 has it. `code` is for programs, `detail` for people."""

    code: str
    title: str
    detail: str
    status: int
    request_id: str
    errors: list[dict[str, str]] | None = None
    checks: dict[str, dict[str, Any]] | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """What a client did or met, before it is put into words for that client."""

    code: str
    status: int
    detail: str
    detail_zh: str | None = None
    retry_after_s: int | None = None
    extra: Mapping[str, Any] | None = None
    headers: Mapping[str, str] | None = None


class FaultError(Exception):
    """A fault that whoever met it has put into words already, in both languages."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.detail)
        self.fault = fault


def status_of(error: PgaskError) -> int:
    """The HTTP status of an error."""
    if error.code in STATUS_BY_CODE:
        return STATUS_BY_CODE[error.code]
    return next(STATUS_BY_CLASS[kind] for kind in type(error).__mro__ if kind in STATUS_BY_CLASS)


def fault_of(error: Exception) -> Fault:
    """What an error means to a client. Logs what the client is not told."""
    if isinstance(error, FaultError):
        return error.fault
    if isinstance(error, PgaskError):
        status = status_of(error)
        detail = _GENERAL[error.code] if error.code in _PRIVATE else str(error)
        if status >= 500:
            _log.warning("request failed", code=error.code, detail=str(error))
        retry_after_s = RETRY_AFTER_S if status in (429, 503) else None
        told = None if error.code in _PRIVATE else error.chinese
        return Fault(error.code, status, detail, detail_zh=told, retry_after_s=retry_after_s)
    if isinstance(error, RequestValidationError):
        return _validation_fault(error.errors())
    if isinstance(error, HTTPException):
        code = _CODE_BY_STATUS.get(error.status_code, f"http_{error.status_code}")
        return Fault(
            code, error.status_code, _GENERAL.get(code, str(error.detail)), headers=dict(error.headers or {})
        )
    _log.error("unexpected error", exc_info=error)
    return Fault("internal_error", 500, _GENERAL["internal_error"])


def problem_body(fault: Fault, request_id: str, *, chinese: bool) -> dict[str, Any]:
    """The problem document of a fault."""
    english_title, chinese_title = TITLES.get(fault.code, ("Request failed", "请求失败"))
    body: dict[str, Any] = {
        "type": "about:blank",
        "code": fault.code,
        "title": chinese_title if chinese else english_title,
        "detail": _detail(fault, chinese=chinese),
        "status": fault.status,
        "request_id": request_id,
    }
    return body | dict(fault.extra or {})


def openai_body(fault: Fault, *, chinese: bool) -> dict[str, Any]:
    """The same in OpenAI's form."""
    wrong = (fault.extra or {}).get("errors") or [{}]
    is_no_address = fault.detail == _GENERAL["not_found"]
    message = _NO_OPENAI_ADDRESS[chinese] if is_no_address else _detail(fault, chinese=chinese)
    return openai_error(fault.status, fault.code, message, wrong[0].get("field"))


def error_response(fault: Fault, path: str, request_id: str, headers: Headers) -> JSONResponse:
    """The reply to a request for `path` that met this fault, in the form that its clients read."""
    if not path.startswith(PREFIX):
        return problem_response(fault, request_id, headers)
    body = openai_body(fault, chinese=prefers_chinese(headers.get("accept-language", "")))
    return JSONResponse(body, status_code=openai_status(fault.status), headers=_headers(fault))


def problem_response(fault: Fault, request_id: str, headers: Headers) -> JSONResponse:
    """The reply to a request with these headers that met this fault."""
    body = problem_body(fault, request_id, chinese=prefers_chinese(headers.get("accept-language", "")))
    return JSONResponse(body, status_code=fault.status, media_type=MEDIA_TYPE, headers=_headers(fault))


async def refuse(fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request with this fault, without a route."""
    response = error_response(fault, scope["path"], scope["state"]["request_id"], Headers(scope=scope))
    await response(scope, receive, send)


def _headers(fault: Fault) -> dict[str, str]:
    headers = dict(fault.headers or {}) | {"Cache-Control": "no-store"}
    if fault.retry_after_s is not None:
        headers["Retry-After"] = str(fault.retry_after_s)
    return headers


def _detail(fault: Fault, *, chinese: bool) -> str:
    return (fault.detail_zh or DETAILS_ZH.get(fault.code) or fault.detail) if chinese else fault.detail


def prefers_chinese(accept_language: str) -> bool:
    """Whether Chinese comes before English in an Accept-Language header (RFC 9110, 12.5.4).

    >>> prefers_chinese("zh-CN,zh;q=0.9,en;q=0.8"), prefers_chinese("en, zh;q=0.5"), prefers_chinese("")
    (True, False, False)
    """
    weights = {"zh": 0.0, "en": 0.0}
    for place, part in enumerate(accept_language[:200].split(",")):
        tag, _, parameters = part.strip().partition(";")
        language = tag.strip().lower().partition("-")[0]
        if language in weights:
            name, _, value = parameters.replace(" ", "").partition("=")
            weight = float(value) if name == "q" and value.replace(".", "", 1).isdecimal() else 1.0
            weights[language] = max(weights[language], weight - place * 1e-6)  # equal weights: the first wins
    return weights["zh"] > weights["en"]


def install(app: FastAPI) -> None:
    """Answer every error of the routes with a problem document."""

    async def answer(request: Request, error: Exception) -> JSONResponse:
        fault = fault_of(error)
        if fault.status == 405:  # a route knows its own methods only
            fault = replace(fault, headers={"Allow": ", ".join(_allowed(app, request.scope))})
        if isinstance(error, RequestValidationError) and _is_other_media(request.headers, error):
            fault = Fault("unsupported_media_type", 415, _GENERAL["unsupported_media_type"])
        return error_response(fault, request.url.path, request.state.request_id, request.headers)

    for kind in (PgaskError, FaultError, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, answer)


def _allowed(app: FastAPI, scope: Scope) -> list[str]:
    """The methods that an address takes; HEAD wherever GET is (app/api/middleware.py)."""
    routes = [route for route in app.routes if not isinstance(route, Mount)]
    allowed = [
        method
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE")
        if any(route.matches(dict(scope, method=method))[0] is Match.FULL for route in routes)
    ] or ["GET"]  # of a file
    return [*allowed, "HEAD"] if "GET" in allowed else allowed


def _validation_fault(faults: Sequence[Mapping[str, Any]]) -> Fault:
    """Names each wrong field and what is wrong with it, never what it held (it may be large, or secret)."""
    named = [(_field_of(fault), fault, *_words(fault)) for fault in faults[:_MOST_FAULTS]]
    more = len(faults) - len(named)
    english = [f"{field}: {message}" for field, fault, message, _ in named if not _is_sentence(fault)]
    chinese = [f"{field}：{message}" for field, fault, _, message in named if not _is_sentence(fault)]
    english += [f"and {more} more"] if more > 0 else []
    chinese += [f"另有 {more} 处"] if more > 0 else []
    sentences = [(message, message_zh) for _, fault, message, message_zh in named if _is_sentence(fault)]
    errors = [
        {"field": field, "message": message} | ({"code": fault["ctx"]["code"]} if _is_sentence(fault) else {})
        for field, fault, message, _ in named
    ]
    return Fault(
        "invalid_request",
        422,
        " ".join([told for told, _ in sentences] + (["; ".join(english) + "."] if english else [])),
        detail_zh="".join([told for _, told in sentences] + (["；".join(chinese) + "。"] if chinese else [])),
        extra={"errors": errors},
    )


def _is_sentence(fault: Mapping[str, Any]) -> bool:
    """Whether a fault is told in whole sentences of our own (app.api.bodies.refusal)."""
    return bool(fault["type"] == "sentence")


def _field_of(fault: Mapping[str, Any]) -> str:
    """The place of a fault: "filter.source_prefix", "history[3].role"; shortened, since a client chose the names."""
    location: Sequence[str | int] = fault["loc"]
    if fault["type"] == "json_invalid":  # has the place in the bytes there
        return str(location[0])
    name = ""
    for part in location[1:] or location[:1]:
        if part in FORMS:  # which form of filter it is, no name of the client's
            continue
        if isinstance(part, int):
            name += f"[{part}]"
        else:
            shown = "".join(c if c.isprintable() else "�" for c in str(part)[:_LONGEST_NAME])
            name += f".{shown}" if name else shown
    return name


def _words(fault: Mapping[str, Any]) -> tuple[str, str]:
    """What is wrong, in English and in Chinese."""
    if fault["type"] == "json_invalid":
        return "is not valid JSON", "不是有效的 JSON"
    if fault["type"] in ("sentence", "over_limit"):
        return str(fault["ctx"]["english"]), str(fault["ctx"]["chinese"])
    english = str(fault["msg"]).removeprefix("Value error, ")[:200]
    limits = {
        name: value for name, value in (fault.get("ctx") or {}).items() if isinstance(value, int | float)
    }
    kind = str(fault["type"])
    if kind in ("too_long", "too_short"):  # also of a string, where a function of ours checks it, too
        is_text = isinstance(fault.get("input"), str)
        most, bound = ("most", "max_length") if kind == "too_long" else ("least", "min_length")
        unit = "character" if is_text else "item"
        limit = limits.get(bound, 0)
        english = f"should have at {most} {limit:,} {unit}{'' if limit == 1 else 's'}"
        kind = f"string_{kind}" if is_text else kind
    chinese = FAULTS_ZH.get(kind, "值无效").format_map(_Known(limits))
    if kind in ("too_long", "string_too_long") and isinstance(fault.get("input"), str | list | dict):
        has = len(fault["input"])
        return f"{english}; it has {has:,}, and the limit is fixed", f"{chinese}；现有 {has:,}，上限不可调整"
    return english, chinese


class _Known(dict[str, Any]):
    """Formats a limit that pydantic did not name as "?"."""

    def __missing__(self, key: str) -> str:
        return "?"


def _is_other_media(headers: Headers, error: RequestValidationError) -> bool:
    """Whether a body was refused whole because it was not sent as JSON."""
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    is_json = media_type.startswith("application/") and media_type.endswith(("/json", "+json"))
    return not is_json and any(tuple(fault["loc"]) == ("body",) for fault in error.errors())
