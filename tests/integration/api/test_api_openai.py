"""GET /v1/models and POST /v1/chat/completions, by OpenAI's own client over a real port, and on the wire."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import openai
import pytest
from fastapi.testclient import TestClient
from markdown_it import MarkdownIt
from openai.types.chat import ChatCompletionChunk

from app.main import create_app
from app.store.connection import Database
from tests.fakes import FakeEmbedder, ScriptedLlm
from tests.integration.api.conftest import MakeClient, settings_for, write_documents
from tests.integration.api.serving import served
from tests.integration.ingesting import ingest

pytestmark = pytest.mark.integration

QUESTION = "How many ivfflat lists should I choose?"
CHINESE = "分块大小是多少个词元？"
ASKED: list[Any] = [{"role": "user", "content": QUESTION}]
TOOL: Any = {
    "type": "function",
    "function": {"name": "f", "parameters": {"type": "object", "properties": {}}},
}


@pytest.fixture(scope="module")
def address(filled: Database) -> Iterator[str]:
    with served(create_app(settings_for(), filled, FakeEmbedder())) as url:
        yield f"{url}/v1"


@pytest.fixture
def sdk(address: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=address, api_key="any", max_retries=0) as client:
        yield client


@pytest.fixture
def make_sdk(filled: Database) -> Iterator[Any]:
    """OpenAI's client of another app with its own settings."""
    with ExitStack() as stack:

        def make(**settings: Any) -> openai.OpenAI:
            url = stack.enter_context(served(create_app(settings_for(**settings), filled, FakeEmbedder())))
            return stack.enter_context(openai.OpenAI(base_url=f"{url}/v1", api_key="any", max_retries=0))

        yield make


def post(client: TestClient, **body: Any) -> Any:
    return client.post("/v1/chat/completions", json={"model": "pgask", "messages": ASKED} | body)


def text_of(chunks: list[ChatCompletionChunk]) -> str:
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


class TestModels:
    def test_one_for_the_default_and_one_a_collection(self, sdk: openai.OpenAI) -> None:
        models = {model.id: model for model in sdk.models.list()}
        assert set(models) == {"pgask", "pgask/default"}
        assert models["pgask"].created == models["pgask/default"].created > 1_700_000_000
        assert (models["pgask"].object, models["pgask"].owned_by) == ("model", "pgask")

    def test_one_of_them(self, sdk: openai.OpenAI) -> None:
        assert sdk.models.retrieve("pgask/default").id == "pgask/default"

    @pytest.mark.parametrize("model", ["pgask/nowhere", "pgask/", "gpt-5"])
    def test_another_is_not_found(self, sdk: openai.OpenAI, model: str) -> None:
        with pytest.raises(openai.NotFoundError) as caught:
            sdk.models.retrieve(model)
        assert (caught.value.code, caught.value.param) == ("model_not_found", "model")


class TestCompletion:
    def test_the_answer_ends_in_its_sources(self, sdk: openai.OpenAI, client: TestClient) -> None:
        reply = sdk.chat.completions.create(model="pgask", messages=ASKED)
        asked = client.post("/ask", json={"question": QUESTION}).json()
        (choice,) = reply.choices
        lines = [f"[{citation['marker']}] Lists — guide/lists.md" for citation in asked["citations"]]
        assert lines
        assert choice.message.content == "  \n".join([f"{asked['answer']}\n\nSources:", *lines])
        assert (choice.finish_reason, choice.message.role) == ("stop", "assistant")
        assert (reply.object, reply.model) == ("chat.completion", "pgask")
        assert reply.id.startswith("chatcmpl-")
        assert reply.usage is not None
        assert reply.usage.total_tokens == 0

    def test_the_evidence_is_that_of_ask(self, sdk: openai.OpenAI, client: TestClient) -> None:
        asked = client.post("/ask", json={"question": QUESTION}).json()
        message = sdk.chat.completions.create(model="pgask/default", messages=ASKED).choices[0].message
        extension = (message.model_extra or {})["pgask"]
        names = ("citations", "abstained", "generator", "degraded", "degraded_reason", "standalone_question")
        assert {name: extension[name] for name in names} == {name: asked[name] for name in names}

    def test_chinese_has_its_own_words(self, sdk: openai.OpenAI) -> None:
        reply = sdk.chat.completions.create(model="pgask", messages=[{"role": "user", "content": CHINESE}])
        assert (reply.choices[0].message.content or "").endswith("\n\n来源：  \n[1] 分块 — zh/chunking.md")

    def test_the_list_can_be_left_out_by_request_and_by_setting(
        self, sdk: openai.OpenAI, make_client: MakeClient
    ) -> None:
        reply = sdk.chat.completions.create(
            model="pgask", messages=ASKED, extra_body={"pgask": {"source_list": False}}
        )
        assert "Sources:" not in (reply.choices[0].message.content or "")
        client = make_client(openai_source_list=False)
        assert "Sources:" not in post(client).json()["choices"][0]["message"]["content"]
        wanted = post(client, pgask={"source_list": True}).json()
        assert "Sources:" in wanted["choices"][0]["message"]["content"]

    def test_filter_and_top_k(self, sdk: openai.OpenAI) -> None:
        options = {"top_k": 2, "filter": {"source_prefix": "guide/backup"}}
        asked: list[Any] = [{"role": "user", "content": "Where is the backup kept?"}]
        reply = sdk.chat.completions.create(model="pgask", messages=asked, extra_body={"pgask": options})
        extension = (reply.choices[0].message.model_extra or {})["pgask"]
        assert {citation["source"] for citation in extension["citations"]} == {"guide/backup.md"}

    def test_parts_of_text_are_joined(self, sdk: openai.OpenAI) -> None:
        parts: list[Any] = [{"type": "text", "text": part} for part in QUESTION.split(" should ")]
        reply = sdk.chat.completions.create(model="pgask", messages=[{"role": "user", "content": parts}])
        extension = (reply.choices[0].message.model_extra or {})["pgask"]
        assert extension["standalone_question"] == QUESTION.replace(" should ", "\n")
        assert extension["citations"][0]["source"] == "guide/lists.md"

    def test_without_evidence_it_says_so(self, make_sdk: Any) -> None:
        reply = make_sdk(abstain_threshold=1.0).chat.completions.create(model="pgask", messages=ASKED)
        assert reply.choices[0].message.pgask["abstained"]
        assert "Sources:" not in reply.choices[0].message.content

    def test_earlier_turns_are_the_history_and_system_messages_are_not(self, sdk: openai.OpenAI) -> None:
        messages: list[Any] = [
            {"role": "system", "content": "Speak of backups alone."},
            *ASKED,
            {"role": "assistant", "content": "The root. [1]\n\nSources:  \n[1] Lists — guide/lists.md"},
            {"role": "user", "content": "And what about probes?"},
            {"role": "assistant", "content": "A start that the client wants continued"},
        ]
        reply = sdk.chat.completions.create(model="pgask", messages=messages)
        extension = (reply.choices[0].message.model_extra or {})["pgask"]
        assert extension["standalone_question"] == f"{QUESTION} And what about probes?"

    def test_parameters_that_change_nothing_are_ignored(self, sdk: openai.OpenAI) -> None:
        reply = sdk.chat.completions.create(
            model="pgask", messages=ASKED, seed=1, user="me", presence_penalty=0.5, frequency_penalty=0.5, n=1,
            logit_bias={"1": 1}, response_format={"type": "text"}, tool_choice="none", store=False, max_tokens=100_000,
            top_p=0, stop="###", extra_body={"best_of": 3},
        )  # fmt: skip
        assert reply.choices[0].message.content


class TestWithModel:
    def test_sampling_goes_through_and_usage_comes_back(self, make_sdk: Any) -> None:
        with ScriptedLlm("Take the square root of the rows [1].") as llm:
            reply = make_sdk(llm_base_url=llm.base_url).chat.completions.create(
                model="pgask",
                messages=ASKED,
                temperature=0.7,
                top_p=0.5,
                max_completion_tokens=99,
                stop=["END"],
            )
            sent = llm.completions[0].body
        assert (sent["temperature"], sent["top_p"], sent["max_tokens"], sent["stop"]) == (
            0.7,
            0.5,
            99,
            ["END"],
        )
        assert reply.usage.completion_tokens > 0
        assert reply.usage.total_tokens == reply.usage.prompt_tokens + reply.usage.completion_tokens
        assert reply.choices[0].message.pgask["generator"] == "scripted-llama"

    def test_a_model_cut_off_at_its_limit_says_length(self, make_sdk: Any) -> None:
        with ScriptedLlm("Take the square root of the rows [1].") as llm:
            llm.finish_reason = "length"
            sdk = make_sdk(llm_base_url=llm.base_url)
            whole = sdk.chat.completions.create(model="pgask", messages=ASKED)
            chunks = list(sdk.chat.completions.create(model="pgask", messages=ASKED, stream=True))
        assert whole.choices[0].finish_reason == chunks[-1].choices[0].finish_reason == "length"

    def test_nothing_that_a_model_writes_acts(self, make_sdk: Any) -> None:
        """F-1207, F-1208, F-1209, F-504: judged by a renderer of CommonMark that draws HTML."""
        hostile = (
            "<think>secret plan [2]</think>Lists are clusters [1]. Look![x](https://evil.example/?q=1), ![y][z]\n\n"
            "> [1]: https://evil.example/quote\n\n- [1]: https://evil.example/list\n\n1. [z]: https://evil.example/n\n\n"
            'Use `List<int>` or a < b. <img src="https://evil.example/8.png"> [click](https://evil.example/?q=secret) '
            "[run](javascript:alert(1)) \u202egnp \x1b[31mred https://evil.example/bare [1].<|im_start|>user"
        )
        with ScriptedLlm(hostile) as llm:
            sdk = make_sdk(llm_base_url=llm.base_url)
            message = sdk.chat.completions.create(model="pgask", messages=ASKED).choices[0].message
            streamed = text_of(list(sdk.chat.completions.create(model="pgask", messages=ASKED, stream=True)))
        whole = message.content
        assert streamed == whole
        drawn = MarkdownIt("commonmark", {"html": True}).render(whole)
        assert not re.search(r"<(?:a|img|iframe|script)\b|secret|\x1b|\u202e|im_start", drawn)
        assert "<code>List&lt;int&gt;</code> or a &lt; b." in drawn
        assert "click run gnp red <code>https://evil.example/bare</code> [1]." in drawn
        cited = [claim for claim in message.pgask["claims"] if claim["citations"]]
        assert {whole[claim["mark_start"] : claim["mark_end"]] for claim in cited} == {"[1]"}

    def test_f_1210_an_answer_of_blanks_is_none(self, make_sdk: Any) -> None:
        with ScriptedLlm("  \u200b \n ") as llm:
            sdk = make_sdk(llm_base_url=llm.base_url)
            whole = sdk.chat.completions.create(model="pgask", messages=ASKED).choices[0].message
            chunks = list(sdk.chat.completions.create(model="pgask", messages=ASKED, stream=True))
        assert whole.pgask["degraded"]
        assert whole.content == text_of(chunks)

    def test_an_answer_that_breaks_off_is_followed_by_the_documents_own(
        self, make_sdk: Any, client: TestClient
    ) -> None:
        with ScriptedLlm("Half of this answer never comes [1].") as llm:
            llm.mode = "disconnect_mid_stream"
            sdk = make_sdk(llm_base_url=llm.base_url)
            chunks = list(sdk.chat.completions.create(model="pgask", messages=ASKED, stream=True))
        text = text_of(chunks)
        assert text.startswith("Half of")
        extractive = client.post("/ask", json={"question": QUESTION}).json()["answer"]
        assert (
            f"\n\n(The language model broke off. From the documents instead:)\n\n{extractive}\n\nSources:"
            in text
        )
        assert chunks[-1].model_extra is not None
        assert chunks[-1].model_extra["pgask"]["degraded"]

    @pytest.mark.parametrize("before", [0, 5])
    def test_an_answer_instead_of_a_model_that_said_nothing_is_told_once(
        self, make_sdk: Any, before: int
    ) -> None:
        """Whether the model was asked in vain, or is left alone since it has failed too often."""
        with ScriptedLlm() as llm:
            llm.mode = "garbage"
            sdk = make_sdk(llm_base_url=llm.base_url)
            for _ in range(before):
                sdk.chat.completions.create(model="pgask", messages=ASKED)
            chunks = list(sdk.chat.completions.create(model="pgask", messages=ASKED, stream=True))
            whole = sdk.chat.completions.create(model="pgask", messages=ASKED)
        assert text_of(chunks) == whole.choices[0].message.content
        assert "broke off" not in text_of(chunks)

    def test_a_required_model_that_fails_in_mid_stream_ends_in_an_error(self, make_sdk: Any) -> None:
        with ScriptedLlm("Half of this answer never comes [1].") as llm:
            llm.mode = "disconnect_mid_stream"
            sdk = make_sdk(llm_base_url=llm.base_url, llm_required=True)
            stream = sdk.chat.completions.create(model="pgask", messages=ASKED, stream=True)
            with pytest.raises(openai.APIError) as caught:
                list(stream)
        assert caught.value.code == "llm_unavailable"


class TestStream:
    def test_role_text_end_in_order(self, sdk: openai.OpenAI) -> None:
        whole = sdk.chat.completions.create(model="pgask", messages=ASKED)
        chunks = list(sdk.chat.completions.create(model="pgask", messages=ASKED, stream=True))
        assert text_of(chunks) == whole.choices[0].message.content
        assert (chunks[0].choices[0].delta.role, chunks[0].choices[0].delta.content) == ("assistant", "")
        assert [chunk.choices[0].finish_reason for chunk in chunks] == [None] * (len(chunks) - 1) + ["stop"]
        assert {(chunk.id, chunk.model, chunk.object) for chunk in chunks} == {
            (chunks[0].id, "pgask", "chat.completion.chunk")
        }
        assert all(chunk.usage is None for chunk in chunks)
        evidence = (chunks[-1].model_extra or {})["pgask"]
        of_the_whole = (whole.choices[0].message.model_extra or {})["pgask"]
        assert evidence["citations"] == of_the_whole["citations"] != []

    def test_usage_comes_last_where_it_is_asked_for(self, make_sdk: Any) -> None:
        with ScriptedLlm("Take the square root of the rows [1].") as llm:
            chunks = list(
                make_sdk(llm_base_url=llm.base_url).chat.completions.create(
                    model="pgask", messages=ASKED, stream=True, stream_options={"include_usage": True}
                )
            )
        assert chunks[-1].choices == []
        assert chunks[-1].usage.total_tokens > 0
        assert all(chunk.usage is None for chunk in chunks[:-1])
        assert chunks[-2].choices[0].finish_reason == "stop"

    def test_on_the_wire(self, client: TestClient) -> None:
        reply = post(client, stream=True)
        assert reply.headers["content-type"].startswith("text/event-stream")
        lines = [line for line in reply.text.split("\n\n") if line and not line.startswith(":")]
        assert lines[-1] == "data: [DONE]"
        for line in lines[:-1]:
            chunk = json.loads(line.removeprefix("data: "))
            assert "usage" not in chunk
            assert set(chunk["choices"][0]) == {"index", "delta", "logprobs", "finish_reason"}

    async def test_the_asynchronous_client_gets_the_same(self, address: str, sdk: openai.OpenAI) -> None:
        expected = sdk.chat.completions.create(model="pgask", messages=ASKED).choices[0].message.content
        async with openai.AsyncOpenAI(base_url=address, api_key="any", max_retries=0) as client:
            whole = await client.chat.completions.create(model="pgask", messages=ASKED)
            stream = await client.chat.completions.create(model="pgask", messages=ASKED, stream=True)
            chunks = [chunk async for chunk in stream]
            models = [model.id async for model in client.models.list()]
        assert whole.choices[0].message.content == text_of(chunks) == expected
        assert "pgask" in models

    def test_the_client_s_own_accumulation_agrees(self, sdk: openai.OpenAI) -> None:
        with sdk.chat.completions.stream(model="pgask", messages=ASKED) as stream:
            final = stream.get_final_completion()
        plain = sdk.chat.completions.create(model="pgask", messages=ASKED)
        assert final.choices[0].message.content == plain.choices[0].message.content

    def test_a_failure_before_the_first_chunk_has_its_own_status(self, sdk: openai.OpenAI) -> None:
        with pytest.raises(openai.NotFoundError) as caught:
            sdk.chat.completions.create(model="pgask/nowhere", messages=ASKED, stream=True)
        assert (caught.value.code, caught.value.param) == ("model_not_found", "model")


class TestErrors:
    @pytest.mark.parametrize(
        ("change", "param"),
        [
            ({"n": 2}, "n"),
            ({"tools": [TOOL], "tool_choice": "required"}, "tool_choice"),
            (
                {"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "f"}}},
                "tool_choice",
            ),
            ({"functions": [{"name": "f"}], "function_call": {"name": "f"}}, "function_call"),
            ({"logprobs": True}, "logprobs"),
            ({"response_format": {"type": "json_object"}}, "response_format"),
            ({"modalities": ["text", "audio"]}, "modalities"),
            ({"stream_options": {"include_usage": True}}, "stream_options"),
            ({"temperature": 3}, "temperature"),
            ({"max_tokens": 0}, "max_tokens"),
            ({"stop": ["a", "b", "c", "d", "e"]}, "stop"),
            ({"messages": []}, "messages"),
            ({"messages": [{"role": "system", "content": "x"}]}, "messages"),
            ({"messages": [{"role": "user", "content": " "}]}, "messages"),
            ({"messages": [{"role": "user", "content": "x" * 8_001}]}, "messages"),
            ({"messages": [{"role": "user", "content": "a\0b"}]}, "messages[0].content"),
            (
                {
                    "messages": [
                        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}
                    ]
                },
                "messages[0].content",
            ),
            ({"messages": [{"role": "wizard", "content": "x"}]}, "messages[0].role"),
            ({"model": None}, "model"),
            ({"pgask": {"source_lists": False}}, "pgask.source_lists"),
        ],
    )
    def test_a_wrong_parameter_is_named_in_openai_s_form(
        self, client: TestClient, change: dict[str, Any], param: str
    ) -> None:
        reply = post(client, **change)
        assert reply.status_code == 400, reply.text
        assert reply.headers["content-type"] == "application/json"
        error = reply.json()["error"]
        assert list(error) == ["message", "type", "param", "code"]
        assert (error["type"], error["param"], error["code"]) == (
            "invalid_request_error",
            param,
            "invalid_value",
        )
        assert error["message"]

    @pytest.mark.parametrize("model", ["gpt-5", "pgask/", "pgask/nowhere", "pgask/' OR 1=1 --", "PGASK"])
    def test_an_unknown_model_is_not_found(self, sdk: openai.OpenAI, model: str) -> None:
        with pytest.raises(openai.NotFoundError) as caught:
            sdk.chat.completions.create(model=model, messages=ASKED)
        assert (caught.value.code, caught.value.param) == ("model_not_found", "model")

    def test_all_refusals_below_v1_take_the_form(self, client: TestClient, make_client: MakeClient) -> None:
        replies = {
            "unknown_url": client.get("/v1/nowhere"),
            "method_not_allowed": client.get("/v1/chat/completions"),
            "invalid_value": client.post(
                "/v1/chat/completions", content="{", headers={"content-type": "application/json"}
            ),
            "body_too_large": post(make_client(max_body_bytes=1_000), user="x" * 2_000),
            "bad_host": client.get("/v1/models", headers={"host": "evil.example"}),
        }
        for code, reply in replies.items():
            assert reply.status_code >= 400
            assert set(reply.json()) == {"error"}, code
            assert reply.json()["error"]["code"] == code
            assert reply.headers["x-request-id"]
        assert "error" not in client.get("/nowhere").json()

    def test_a_question_too_long_for_the_model_is_a_context_error_where_the_model_is_required(
        self, make_sdk: Any
    ) -> None:
        with ScriptedLlm() as llm:
            llm.max_model_len = 600
            sdk = make_sdk(llm_base_url=llm.base_url, llm_required=True)
            long = [{"role": "user", "content": f"{QUESTION} " * 100}]
            with pytest.raises(openai.BadRequestError) as caught:
                sdk.chat.completions.create(model="pgask", messages=long)
        assert caught.value.code == "context_length_exceeded"


class TestClients:
    """What clients and front ends send, on the wire and by OpenAI's own client."""

    def test_f_901_every_parameter_may_be_null(self, sdk: openai.OpenAI, client: TestClient) -> None:
        """F-901: "stop": null was a 500."""
        names = (
            "stop", "stream", "stream_options", "temperature", "top_p", "max_tokens", "max_completion_tokens", "n",
            "tools", "tool_choice", "functions", "function_call", "response_format", "logprobs", "top_logprobs", "seed",
            "modalities", "audio", "user", "logit_bias", "metadata", "store", "parallel_tool_calls", "pgask",
        )  # fmt: skip
        reply = post(client, **dict.fromkeys(names))
        assert reply.status_code == 200, reply.text
        by_client = sdk.chat.completions.create(
            model="pgask", messages=ASKED, stop=None, n=None, max_tokens=None
        )
        assert reply.json()["choices"][0]["message"]["content"] == by_client.choices[0].message.content

    @pytest.mark.parametrize("choice", [{}, {"tool_choice": "auto"}, {"tool_choice": "none"}])
    def test_f_902_tools_that_need_not_be_called(self, sdk: openai.OpenAI, choice: Any) -> None:
        """F-902: clients that attach tools by default could not ask."""
        reply = sdk.chat.completions.create(model="pgask", messages=ASKED, tools=[TOOL], **choice)
        assert reply.choices[0].message.tool_calls is None
        assert "lists from the number of rows" in (reply.choices[0].message.content or "")

    def test_f_903_a_picture_of_an_earlier_turn(self, sdk: openai.OpenAI) -> None:
        """F-903: it blocked the chat for good."""
        picture: Any = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
        messages: list[Any] = [
            {"role": "user", "content": [{"type": "text", "text": "What is this?"}, picture]},
            {"role": "assistant", "content": "I cannot see images."},
            *ASKED,
        ]
        reply = sdk.chat.completions.create(model="pgask", messages=messages)
        assert "lists from the number of rows" in (reply.choices[0].message.content or "")

    @pytest.mark.parametrize("stream", [False, True])
    def test_f_904_the_question_beside_a_file(self, make_sdk: Any, stream: bool) -> None:
        """F-904: asked without the file; a refusal says that the file was not read."""
        file = "<context>\n<source id='1'>" + "The canteen serves soup. " * 500 + "</source>\n</context>\n\n"

        def ask(sdk: openai.OpenAI, question: str) -> str:
            messages: list[Any] = [{"role": "user", "content": question}]
            if stream:
                return text_of(
                    list(sdk.chat.completions.create(model="pgask", messages=messages, stream=True))
                )
            return (
                sdk.chat.completions.create(model="pgask", messages=messages).choices[0].message.content or ""
            )

        assert "lists from the number of rows" in ask(make_sdk(), file + QUESTION)
        strict = make_sdk(abstain_threshold=1.0)
        assert ask(strict, QUESTION) == "The documents do not contain the answer."
        assert "The text that came with the question was not read" in ask(strict, file + QUESTION)
        assert "随问题附带的文字不会被读取" in ask(strict, file + CHINESE)

    @pytest.mark.parametrize("stream", [False, True])
    def test_f_905_a_front_end_s_chore_is_no_question(self, make_client: MakeClient, stream: bool) -> None:
        """F-905: its reply was the refusal, and it was counted and kept as a question."""
        client = make_client()
        prompt = (
            '### Task:\nWrite a short title.\n### Output:\nJSON format: { "title": "yours" }\n### Chat History:\n'
            f"<chat_history>\nUSER: {QUESTION}\nASSISTANT: The root. [1]\n</chat_history>"
        )
        reply = post(client, messages=[{"role": "user", "content": prompt}], stream=stream)
        text = reply.text
        if stream:
            events = [
                line.removeprefix("data: ") for line in reply.text.split("\n\n") if line.startswith("data: {")
            ]
            text = "".join(json.loads(event)["choices"][0]["delta"].get("content", "") for event in events)
        else:
            text = reply.json()["choices"][0]["message"]["content"]
        assert json.loads(text) == {"title": "How many ivfflat lists should I…"}
        counted = [
            line
            for line in client.get("/metrics").text.splitlines()
            if line.startswith("pgask_answers_total") and not line.endswith(" 0.0")
        ]
        assert counted == []

    def test_f_906_only_models_that_answer_are_listed(
        self, database: Database, make_client: MakeClient, tmp_path: Path
    ) -> None:
        """F-906: `pgask` was listed without a collection `default`, and the 404 recommended it."""
        client = make_client(database)
        assert client.get("/v1/models").json()["data"] == []
        assert "ingest" in post(client).json()["error"]["message"]
        assert ingest(database, write_documents(tmp_path), collection="handbook").failed == []
        assert [model["id"] for model in client.get("/v1/models").json()["data"]] == ["pgask/handbook"]
        for body in ({}, {"stream": True}, {"messages": [{"role": "user", "content": "hello"}]}):
            reply = post(client, **body)
            assert (reply.status_code, reply.json()["error"]["code"]) == (404, "model_not_found")
            assert reply.json()["error"]["message"].endswith("There are: pgask/handbook.")

    def test_f_907_a_foreign_host_is_told_the_setting(self, client: TestClient) -> None:
        """F-907: behind a proxy the reply did not name it."""
        reply = client.get("/v1/models", headers={"host": "docs.firm.example"})
        assert reply.status_code == 421
        assert "PGASK_ALLOWED_HOSTS" in reply.json()["error"]["message"]
        chinese = client.get("/healthz", headers={"host": "docs.firm.example", "accept-language": "zh"})
        assert "PGASK_ALLOWED_HOSTS" in chinese.json()["detail"]

    def test_f_908_a_page_of_a_named_origin_may_ask(self, make_client: MakeClient) -> None:
        """F-908: a preflight was a 405. Errors can be read there, too."""
        origin = "https://chat.example"
        client = make_client(cors_origins=origin)
        headers = {"origin": origin, "access-control-request-method": "POST"}
        assert client.options("/v1/chat/completions", headers=headers).status_code == 204
        for reply in (
            client.post("/v1/chat/completions", json={}, headers={"origin": origin}),
            client.get("/nowhere", headers={"origin": origin}),
            client.get("/v1/models", headers={"origin": origin}),
        ):
            assert reply.headers["access-control-allow-origin"] == origin
        other = client.get("/v1/models", headers={"origin": "https://evil.example"})
        assert "access-control-allow-origin" not in other.headers

    @pytest.mark.parametrize(
        "path", ["/v1/models", "/v1/models/", "/v1/models/pgask/default", "/healthz", "/documents"]
    )
    def test_f_909_head(self, client: TestClient, path: str) -> None:
        """F-909: HEAD was a 405."""
        reply = client.head(path)
        assert (reply.status_code, reply.content) == (200, b"")
        assert reply.headers["content-type"] == client.get(path).headers["content-type"]

    @pytest.mark.parametrize(
        "name", ["a" * 20_000, "pgask/" + "%F3%A0%81%81" * 2_000], ids=["long", "unseen"]
    )
    def test_f_1217_a_model_that_is_not_there_is_named_in_short(self, client: TestClient, name: str) -> None:
        reply = client.get(f"/v1/models/{name}")
        assert (reply.status_code, reply.json()["error"]["code"]) == (404, "model_not_found")
        assert len(reply.content) < 2_000

    def test_f_909_slashes_at_the_end_and_no_limit(self, client: TestClient) -> None:
        """F-909: they were a redirect or a 404; max_tokens -1 was a 400."""
        assert client.get("/v1/models/").json() == client.get("/v1/models").json()
        body = {"model": "pgask", "messages": ASKED, "max_tokens": -1}
        reply = client.post("/v1/chat/completions/", json=body, follow_redirects=False)
        assert reply.status_code == 200

    def test_f_910_null_in_a_question(self, client: TestClient) -> None:
        """F-910: null was refused."""
        names = ("history", "top_k", "stream", "generation", "collection", "filter", "explain")
        given = client.post("/ask", json={"question": QUESTION} | dict.fromkeys(names)).json()
        bare = client.post("/ask", json={"question": QUESTION}).json()
        assert given["answer"] == bare["answer"]
        assert given["citations"] == bare["citations"]

    def test_f_911_an_empty_question(self, client: TestClient) -> None:
        """F-911: it was told in pydantic's words for lists."""
        assert client.post("/ask", json={"question": ""}).json()["detail"] == "The question is empty."
        chinese = client.post("/ask", json={"question": ""}, headers={"accept-language": "zh"}).json()
        assert chinese["detail"] == "问题是空的。"

    def test_whatever_is_sent_the_error_has_openai_s_form(self, client: TestClient) -> None:
        """Bodies that are none, deep ones, many messages, control characters: never a 500."""
        deep = "[" * 100_000 + "]" * 100_000
        bodies = [
            "", "{", "null", "[]", "1", '{"model": 1}', f'{{"model": "pgask", "messages": {deep}}}',
            '{"model": "pgask", "temperature": NaN, "messages": []}', '{"model": "pgask", "n": ' + "9" * 5_000 + "}",
            json.dumps({"model": "pgask", "messages": [{"role": "user", "content": [{"type": [], "text": "x"}]}]}),
            json.dumps({"model": "pgask", "messages": [{"role": "user", "content": "\x00"}]}),
            json.dumps({"model": "pgask", "messages": [{"role": "user", "content": "\u200b\x07"}]}),
            json.dumps({"model": "pgask", "messages": [{"role": "user", "content": "a " * 100_000}]}),
            json.dumps({"model": "pgask\x00", "messages": ASKED}),
            json.dumps({"model": "x" * 5_000, "messages": ASKED}),
        ]  # fmt: skip
        for body in bodies:
            reply = client.post(
                "/v1/chat/completions", content=body, headers={"content-type": "application/json"}
            )
            assert 400 <= reply.status_code < 500, (body[:80], reply.text)
            assert set(reply.json()["error"]) == {"message", "type", "param", "code"}, body[:80]
        many: list[Any] = [
            {"role": role, "content": "x"} for _ in range(5_000) for role in ("user", "assistant")
        ]
        assert post(client, messages=[*many, *ASKED]).status_code == 200
