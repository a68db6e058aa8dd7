"""The table from errors to statuses: complete, in both languages, and silent about what clients need not know."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from fastapi.exceptions import RequestValidationError
from pydantic import AfterValidator, BaseModel, Field, ValidationError
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException

from app import errors
from app.api.problem_texts import DETAILS_ZH, TITLES
from app.api.problems import (
    MEDIA_TYPE,
    STATUS_BY_CODE,
    Fault,
    fault_of,
    openai_body,
    prefers_chinese,
    problem_body,
    problem_response,
)
from app.api.requests import Ask
from app.errors import PgaskError


def tree(kind: type[PgaskError] = PgaskError) -> list[type[PgaskError]]:
    """The errors of app.errors: those of other modules (a prompt that is too long) are caught before a route ends."""
    children = [child for child in kind.__subclasses__() if child.__module__ == errors.__name__]
    return [kind, *(below for child in children for below in tree(child))]


EXPECTED: dict[type[PgaskError], int] = {
    errors.PgaskError: 500,
    errors.ConfigError: 500,
    errors.DocumentError: 422,
    errors.InvalidRequestError: 422,
    errors.LimitExceededError: 422,
    errors.NotFoundError: 404,
    errors.BusyError: 429,
    errors.EmbeddingMismatchError: 409,
    errors.StoreError: 503,
    errors.StoreUnavailableError: 503,
    errors.StoreBusyError: 503,
    errors.SchemaError: 503,
    errors.GenerationError: 503,
    errors.LlmUnavailableError: 503,
    errors.LlmTimeoutError: 503,
    errors.LlmBusyError: 429,
}


@pytest.mark.parametrize("kind", tree(), ids=lambda kind: kind.__name__)
def test_every_error_has_a_status_and_a_title(kind: type[PgaskError]) -> None:
    fault = fault_of(kind("A sentence."))
    assert fault.status == EXPECTED[kind]
    assert fault.retry_after_s == (5 if fault.status in (429, 503) else None)
    if kind is not errors.DocumentError:  # its codes are ingest's, which no route raises
        assert fault.code in TITLES


@pytest.mark.parametrize("code", sorted({*STATUS_BY_CODE, *DETAILS_ZH}))
def test_every_code_of_the_tables_has_a_title(code: str) -> None:
    english, chinese = TITLES[code]
    assert english.isascii()
    assert not chinese.isascii()


@pytest.mark.parametrize(
    "error",
    [
        errors.StoreUnavailableError("connection to 10.0.0.7 as admin failed"),
        errors.StoreError("role admin of 10.0.0.7"),
        errors.ConfigError("PGASK_X of admin at 10.0.0.7"),
        errors.PgaskError("admin at 10.0.0.7"),
        RuntimeError("admin at 10.0.0.7"),
        KeyError("admin at 10.0.0.7"),
    ],
)
def test_what_concerns_the_operator_stays_in_the_log(error: Exception) -> None:
    for chinese in (False, True):
        body = problem_body(fault_of(error), "r", chinese=chinese)
        assert "admin" not in str(body)
        assert "10.0.0.7" not in str(body)
        assert body["detail"]


def test_a_slow_statement_says_what_to_do() -> None:
    fault = fault_of(
        errors.StoreError("Took longer than PGASK_STATEMENT_TIMEOUT_S.", code="statement_timeout")
    )
    assert (fault.status, fault.retry_after_s) == (503, 5)
    assert "PGASK_STATEMENT_TIMEOUT_S" in fault.detail


def test_the_response() -> None:
    fault = Fault("not_found", 404, "There is no document.", extra={"more": 1})
    response = problem_response(fault, "abc", Headers({"accept-language": "fr"}))
    assert (response.status_code, response.media_type) == (404, MEDIA_TYPE)
    assert response.headers["cache-control"] == "no-store"
    body: dict[str, Any] = problem_body(fault, "abc", chinese=False)
    assert body == {
        "type": "about:blank",
        "code": "not_found",
        "title": "Not found",
        "detail": "There is no document.",
        "status": 404,
        "request_id": "abc",
        "more": 1,
    }


def test_http_errors_keep_their_headers() -> None:
    response = problem_response(fault_of(HTTPException(405, headers={"Allow": "GET"})), "r", Headers({}))
    assert response.headers["allow"] == "GET"
    assert fault_of(HTTPException(418, "I am a teapot")).code == "http_418"


@pytest.mark.parametrize(
    ("header", "chinese"),
    [
        ("zh", True), ("zh-CN,zh;q=0.9,en;q=0.8", True), ("ZH-hant", True), ("fr, zh;q=0.1", True),
        ("en;q=0.5, zh;q=0.6", True), ("zh, en", True), ("en, zh", False), ("en-GB,en;q=0.9,zh;q=0.8", False),
        ("", False), ("*", False), ("fr", False), ("zhx", False), ("zh;q=0", False), ("zh;q=x", True),
        (",,;;", False), ("en;q=1," * 1_000 + "zh", False),
    ],
)  # fmt: skip
def test_the_language(header: str, chinese: bool) -> None:
    assert prefers_chinese(header) == chinese


def faults_of(model: type[BaseModel], body: dict[str, Any]) -> Fault:
    with pytest.raises(ValidationError) as caught:
        model.model_validate(body)
    return fault_of(
        RequestValidationError([error | {"loc": ("body", *error["loc"])} for error in caught.value.errors()])
    )


@pytest.mark.parametrize("question", ["", " ", "\n\u200b"])
def test_f_911_an_empty_question_is_told_so(question: str) -> None:
    """F-911: it was told in pydantic's words for lists."""
    fault = faults_of(Ask, {"question": question})
    assert (fault.status, fault.detail, fault.detail_zh) == (422, "The question is empty.", "问题是空的。")


class _Lists(BaseModel):
    few: list[int] = Field([], max_length=2)
    some: list[int] = Field([1], min_length=1)
    word: Annotated[str, AfterValidator(str.strip), Field(min_length=1)] = "x"


@pytest.mark.parametrize(
    ("body", "english", "chinese"),
    [
        (
            {"few": [1, 2, 3]},
            "few: should have at most 2 items; it has 3, and the limit is fixed.",
            "few：至多 2 项；现有 3，上限不可调整。",
        ),
        ({"some": []}, "some: should have at least 1 item.", "some：至少 1 项。"),
        ({"word": " "}, "word: should have at least 1 character.", "word：至少 1 个字符。"),
    ],
)
def test_f_911_lengths_are_told_in_plain_words(body: dict[str, Any], english: str, chinese: str) -> None:
    """F-911: of lists and of text, in both languages."""
    fault = faults_of(_Lists, body)
    assert (fault.detail, fault.detail_zh) == (english, chinese)


def test_json_that_is_none_is_the_body_s_fault() -> None:
    """Not that of a field called after the place in the bytes."""
    fault = fault_of(RequestValidationError([{"type": "json_invalid", "loc": ("body", 1), "msg": "x"}]))
    assert (fault.detail, openai_body(fault, chinese=False)["error"]["param"]) == (
        "body: is not valid JSON.",
        "body",
    )


def test_an_unknown_address_names_the_ones_there_are() -> None:
    """Programs try /v1/responses, /v1/embeddings and others."""
    fault = fault_of(HTTPException(404))
    for chinese in (False, True):
        error = openai_body(fault, chinese=chinese)["error"]
        assert error["code"] == "unknown_url"
        assert "POST /v1/chat/completions" in error["message"]
    assert "/v1" not in problem_body(fault, "r", chinese=False)["detail"]
