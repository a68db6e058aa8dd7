"""Requests become the domain's values, defaults and all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from app.api.answers import ask_reply
from app.api.filters import Filter
from app.api.requests import Ask
from app.domain import Answer, ChatTurn, GenerationParams, SearchFilter
from app.exchange import AskRequest


def test_defaults_are_those_of_the_domain() -> None:
    assert Ask(question="Why?").to_domain() == AskRequest("Why?")


def test_everything_arrives() -> None:
    given_body = {
        "question": "为什么？",
        "collection": "handbook",
        "top_k": 9,
        "filter": {"source_prefix": "docs/", "metadata": {"lang": "zh"}},
        "history": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}],
        "generation": {"temperature": 1.5, "top_p": 0.5, "top_k": 7, "max_tokens": 99, "stop": ["###"]},
    }
    assert Ask.model_validate(given_body).to_domain() == AskRequest(
        question="为什么？",
        collection="handbook",
        top_k=9,
        filter=SearchFilter("docs/", {"lang": "zh"}),
        history=(ChatTurn("user", "a"), ChatTurn("assistant", "b")),
        generation=GenerationParams(1.5, 0.5, 7, 99, ("###",)),
    )


@pytest.mark.parametrize("body", [{}, {"source_prefix": ""}, {"source_prefix": None}, {"metadata": {}}])
def test_a_filter_that_keeps_everything_is_none(body: dict[str, object]) -> None:
    assert Filter.model_validate(body).to_domain() is None


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=30,
)  # fmt: skip


@given(st.dictionaries(st.text(max_size=8), JSON_VALUES, max_size=6))
def test_metadata_that_passes_can_be_looked_up(metadata: dict[str, object]) -> None:
    """Whatever passes is JSON that PostgreSQL takes: no NaN, no NUL, no lone surrogate, no great depth."""
    import json

    try:
        kept = Filter(metadata=metadata).metadata
    except ValidationError:
        return
    text = json.dumps(kept, allow_nan=False)
    assert "\\u0000" not in text
    json.dumps(kept, ensure_ascii=False).encode("utf-8")
    assert _depth(kept) <= 5


def _depth(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max(map(_depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(_depth, value), default=0)
    return 0


def test_a_reply_without_timings_has_zeros() -> None:
    reply = ask_reply(Answer("No.", True, "extractive", (), "Why?"), "r")
    assert set(reply.timings_ms.model_dump().values()) == {0.0}
    assert reply.citations == ()


@pytest.mark.parametrize("name", [name for name in Ask.model_fields if name != "question"])
def test_f_910_null_is_the_default(name: str) -> None:
    """F-910: null was refused for all of these."""
    assert Ask.model_validate({"question": "Why?", name: None}).to_domain() == AskRequest("Why?")
    assert Ask.model_validate(
        {"question": "Why?", "generation": {"stop": None, "top_k": None}}
    ).to_domain() == (AskRequest("Why?"))


def test_f_910_a_question_is_needed() -> None:
    """F-910: null is no question, and no leave for fields that are not known."""
    for body in ({"question": None}, {"question": "Why?", "topk": None}):
        with pytest.raises(ValidationError):
            Ask.model_validate(body)
