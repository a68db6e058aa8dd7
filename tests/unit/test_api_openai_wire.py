"""OpenAI's requests become questions; what is wrong with them is told, and nothing else is raised."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from app.api.openai_wire import MAX_COMPLETION_TOKENS, Completion
from app.api.problems import Fault, fault_of
from app.api.requests import MAX_TURNS
from app.domain import ChatTurn

QUESTION = "How long is the probation period?"
ASKED: list[Any] = [{"role": "user", "content": QUESTION}]
BODY: dict[str, Any] = {"model": "pgask", "messages": ASKED}
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
OPTIONAL = [name for name, field in Completion.model_fields.items() if not field.is_required()]
OTHERS = ["tools", "functions", "seed", "user", "logit_bias", "metadata", "store", "reasoning_effort"]
WRONG: list[Any] = [
    0, -1, 1.5, float("inf"), True, "x", "", [], {}, [[]], [None], {"a": 1}, "\0", "\ud800", "a" * 9_000, [1] * 100,
    -(2**70), {"type": []}, [{"role": [], "content": {}}], {"mode": {}},
]  # fmt: skip


def read(**parts: Any) -> Completion:
    return Completion.model_validate(BODY | parts)


def refused(**parts: Any) -> Fault:
    with pytest.raises(ValidationError) as caught:
        read(**parts)
    errors = [error | {"loc": ("body", *error["loc"])} for error in caught.value.errors()]
    return fault_of(RequestValidationError(errors))


@pytest.mark.parametrize("name", [*OPTIONAL, *OTHERS])
def test_f_901_null_is_a_parameter_that_was_not_sent(name: str) -> None:
    """F-901: "stop": null was a 500."""
    assert read(**{name: None}).to_domain("default") == read().to_domain("default")


def test_f_901_stop_in_its_forms() -> None:
    """F-901: text, a list, nothing."""
    assert read(stop="END").to_domain("c").generation.stop == ("END",)
    assert read(stop=["a", "b"]).to_domain("c").generation.stop == ("a", "b")
    assert read(stop=[]).to_domain("c").generation.stop == ()
    assert (
        refused(stop=list("abcde")).detail
        == "stop: should have at most 4 items; it has 5, and the limit is fixed."
    )


@pytest.mark.parametrize(
    "choice",
    [
        "auto",
        "none",
        None,
        {"type": "auto"},
        {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [TOOL]}},
    ],
)
def test_f_902_tools_that_need_not_be_called_are_ignored(choice: Any) -> None:
    """F-902: any tool in a request was a 400."""
    assert read(tools=[TOOL], tool_choice=choice).to_domain("c").question == QUESTION


@pytest.mark.parametrize(
    "choice",
    [
        "required",
        "any",
        {"type": "function", "function": {"name": "f"}},
        {"type": "custom", "custom": {"name": "f"}},
        {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [TOOL]}},
        {"name": "f"},
        [],
        7,
    ],
)
def test_f_902_a_tool_that_must_be_called_is_refused(choice: Any) -> None:
    """F-902: the reply would not be what was asked for; the words say what to send instead."""
    fault = refused(tools=[TOOL], tool_choice=choice)
    assert 'send "auto" or "none"' in fault.detail
    assert (fault.extra or {})["errors"][0]["field"] == "tool_choice"


def test_f_903_pictures_of_earlier_turns_are_left_out() -> None:
    """F-903: a picture in an earlier turn refused every later question."""
    earlier = [
        {"role": "user", "content": [{"type": "text", "text": "What is this?"}, PICTURE]},
        {"role": "assistant", "content": [{"type": "refusal", "refusal": "I see no pictures."}]},
        {"role": "user", "content": [PICTURE]},
        {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]},
        {"role": "tool", "tool_call_id": "1", "content": [{"type": []}, 7, None, "a\0b"]},
    ]
    question = read(messages=[*earlier, *ASKED]).to_domain("c")
    assert question.question == QUESTION
    assert question.history == (
        ChatTurn("user", "What is this?"),
        ChatTurn("assistant", "I see no pictures."),
    )


@pytest.mark.parametrize(
    "part", [PICTURE, {"type": "file"}, {"type": []}, {"type": {}}, {"type": "text"}, 7, None]
)
def test_f_903_a_question_with_a_picture_says_what_to_switch_off(part: Any) -> None:
    """F-903: in the last message it would change the question; a part without a type was a 500."""
    fault = refused(messages=[{"role": "user", "content": [{"type": "text", "text": QUESTION}, part]}])
    assert "Only text is read" in fault.detail
    assert "switch" in fault.detail
    assert "只能读取文字" in (fault.detail_zh or "")


def test_f_904_a_message_that_is_all_file_says_what_to_switch_off() -> None:
    """F-904: a file's text above 8,000 characters was a 400 in pydantic's words."""
    fault = refused(messages=[{"role": "user", "content": "soup " * 5_000}])
    assert "File Upload" in fault.detail
    assert "文件上传" in (fault.detail_zh or "")


def test_f_904_files_of_earlier_turns_are_no_history() -> None:
    """F-904: an earlier question counts without the file that came with it."""
    with_file = f"<context>\n{'soup ' * 5_000}\n</context>\n\nWhat is there to eat?"
    asked = read(messages=[{"role": "user", "content": with_file}, *ASKED]).to_domain("c")
    assert asked.history == (ChatTurn("user", "What is there to eat?"),)
    assert read(messages=[{"role": "user", "content": with_file}]).brings_text()
    assert not read().brings_text()


def test_f_904_a_file_in_the_system_prompt_is_noticed() -> None:
    """F-904: some front ends put the text there."""
    file = "The user has attached a file:\n    <context>\n      soup\n    </context>\n\nUse the context."
    assert read(messages=[{"role": "system", "content": file}, *ASKED]).brings_text()
    assert not read(messages=[{"role": "system", "content": "Be short."}, *ASKED]).brings_text()


@pytest.mark.parametrize(
    ("given", "meant"), [(-1, MAX_COMPLETION_TOKENS), (1, 1), (100_000, MAX_COMPLETION_TOKENS)]
)
def test_f_909_max_tokens(given: int, meant: int) -> None:
    """F-909: -1, as llama.cpp and others have it, is no limit."""
    for name in ("max_tokens", "max_completion_tokens"):
        assert read(**{name: given}).to_domain("c").generation.max_tokens == meant
        assert "at least 1" in refused(**{name: 0}).detail


def test_the_newest_turns_are_the_history() -> None:
    turns = [{"role": role, "content": str(n)} for n in range(5_000) for role in ("user", "assistant")]
    history = read(messages=[*turns, *ASKED]).to_domain("c").history
    assert len(history) == MAX_TURNS
    assert history[-2:] == (ChatTurn("user", "4999"), ChatTurn("assistant", "4999"))


@pytest.mark.parametrize("messages", [[], [{"role": "system", "content": "x"}]])
def test_without_a_user_message_it_says_so(messages: list[Any]) -> None:
    assert (
        refused(messages=messages).detail
        == "There is no message of the role user: the last one is the question."
    )


@pytest.mark.parametrize(
    "parts",
    [
        {"n": 2},
        {"logprobs": True},
        {"audio": {"voice": "x"}},
        {"modalities": ["audio"]},
        {"response_format": {"type": "json_object"}},
        {"response_format": {"type": "json_schema", "json_schema": {"name": "x"}}},
        {"stream_options": {"include_usage": True}},
        {"max_tokens": 0},
        {"messages": []},
    ],
)
def test_refusals_are_sentences_in_both_languages(parts: dict[str, Any]) -> None:
    fault = refused(**parts)
    assert fault.detail.endswith(".")
    assert fault.detail_zh is not None
    assert fault.detail_zh.endswith("。")
    assert "内容不合要求" not in fault.detail_zh
    assert (fault.extra or {})["errors"][0]["field"] == next(iter(parts))


@pytest.mark.parametrize("name", ["model", "messages", *OPTIONAL, *OTHERS])
def test_wrong_values_raise_nothing_else(name: str) -> None:
    """Whatever a field holds is taken or refused: never another error, which would be a 500."""
    for value in WRONG:
        try:
            read(**{name: value}).to_domain("c")
        except ValidationError:
            continue


@pytest.mark.parametrize("value", WRONG)
def test_wrong_values_in_messages_raise_nothing_else(value: Any) -> None:
    part = {"type": "text", "text": "x"}
    messages = [
        [value],
        [{"role": value, "content": "x"}, *ASKED],
        [{"role": "user", "content": value}],
        [{"role": "assistant", "content": value}, *ASKED],
        [{"role": "user", "content": [value]}],
        [{"role": "user", "content": [part | {"type": value}]}, *ASKED],
        [{"role": "user", "content": [part | {"text": value}]}],
        [{"role": "user", "content": "x", "name": value, "tool_calls": value}],
    ]
    for wrong in messages:
        try:
            read(messages=wrong).to_domain("c")
        except ValidationError:
            continue
