"""OpenAI's wire format: what a chat completion's request, reply, stream and errors look like. Pure.

Source of the form: OpenAI's API reference (chat completions, models, errors) and the types of its Python client.
A parameter that changes nothing here is ignored, as OpenAI's own models ignore some, and null is a parameter that was
not sent. One that asks for another kind of answer (a tool's call, several choices, JSON, sound, log probabilities) is
refused, because the reply would not be what it says. Pictures, sound and files of earlier turns are left out: refusing
them would end the conversation for good.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)

from app.api.answers import CITATIONS, NearestHit, nearest_hits
from app.api.attachments import CONTEXT_TAG, brings_text, question_in, tagged_spans
from app.api.bodies import UNSTORABLE, WHOLE, NullIsDefault, Request, Text, refusal, storable
from app.api.filters import AnyFilter
from app.api.front_ends import chore_reply
from app.api.rendering import InertText, without_source_list
from app.api.requests import MAX_QUESTION_CHARS, MAX_TOP_K, MAX_TURNS, not_blank
from app.domain import Answer, ChatTurn, Claim, CollectionNames, GenerationParams, Usage
from app.exchange import AskRequest

MODEL: Final = "pgask"  # the collection "default"; "pgask/NAME" is the collection NAME
DEFAULT_COLLECTION: Final = "default"
MAX_MODEL_CHARS: Final = 80
MAX_MESSAGES: Final = 20_000
MAX_COMPLETION_TOKENS: Final = 4_096
NO_LIMIT: Final = -1  # how llama.cpp and others are told "as many tokens as you like"
_TEXT_PARTS: Final = frozenset({"text", "input_text", "output_text", "refusal"})
_SYSTEM_ROLES: Final = frozenset({"system", "developer"})
LEAST_TOP_P: Final = 0.001  # OpenAI takes 0, most other servers do not
_DEFAULTS: Final = GenerationParams()
_CONTENT_SCHEMA: Final = {
    "anyOf": [
        {"type": "string"},
        {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"type": {"const": "text"}, "text": {"type": "string"}},
            },
        },
        {"type": "null"},
    ]
}


def _text_of(part: Any) -> str | None:
    """The text of a part of a message; None where it is a picture, sound, a file or nothing that is known."""
    if isinstance(part, str):
        return part
    kind = part.get("type") if isinstance(part, dict) else None
    if not isinstance(kind, str) or kind not in _TEXT_PARTS:
        return None
    text = part.get("refusal" if kind == "refusal" else "text")
    return text if isinstance(text, str) else None


def _as_text(content: Any) -> Any:
    """Text, or a list of text parts joined; other parts are refused."""
    if content is None:
        return ""
    if not isinstance(content, list):
        return content
    texts = [_text_of(part) for part in content]
    if None in texts:
        raise refusal(
            "not_text",
            "Only text is read: take the picture, sound or file out of the last message, or switch them off for this "
            "model in your client. Files are searched once they are in the collection (`ingest`).",
            "只能读取文字：请从最后一条消息中去掉图片、音频或文件，或在客户端中为该模型关闭这些功能。"
            "文件需先用 ingest 收入集合才能检索。",
        )
    return "\n".join(text for text in texts if text is not None)


def _readable(messages: Any) -> Any:
    """The messages with only the text of those before and after the question: what was sent with an earlier one, or
    stands in a tool's result, must not keep later questions from being asked."""
    if not isinstance(messages, list):
        return messages
    if len(messages) > MAX_MESSAGES:
        raise refusal(
            "too_many_messages",
            f"There are {len(messages):,} messages; at most {MAX_MESSAGES:,} are read.",
            f"消息共 {len(messages)} 条，至多读取 {MAX_MESSAGES} 条。",
        )
    roles = [message.get("role") if isinstance(message, dict) else None for message in messages]
    question = len(roles) - 1 - roles[::-1].index("user") if "user" in roles else None
    return [
        message
        if place == question or not isinstance(message, dict)
        else message | {"content": _plain(message)}
        for place, message in enumerate(messages)
    ]


def _plain(message: dict[str, Any]) -> str:
    content = message.get("content")
    parts = content if isinstance(content, list) else [content]
    text = "\n".join(text for text in map(_text_of, parts) if text)
    return UNSTORABLE.sub("\ufffd", text)


class Message(BaseModel):
    """A message of the conversation."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: Annotated[
        str, BeforeValidator(_as_text), AfterValidator(storable), WithJsonSchema(_CONTENT_SCHEMA)
    ] = ""


class StreamOptions(BaseModel):
    """What a stream brings beside the answer."""

    include_usage: bool | None = None


class Options(NullIsDefault, Request):
    """Ours, beside OpenAI's: `extra_body={"pgask": {…}}` in its Python client."""

    source_list: bool | None = None
    top_k: Annotated[int, Field(ge=1, le=MAX_TOP_K), WHOLE] = 6
    filter: AnyFilter | None = None


def _at_least_one(tokens: int) -> int:
    if tokens < 1 and tokens != NO_LIMIT:
        raise refusal(
            "too_few_tokens",
            f"The most tokens of an answer are at least 1, or {NO_LIMIT} for no limit.",
            f"答案的最大词元数至少为 1，{NO_LIMIT} 表示不限。",
        )
    return tokens


MaxTokens = Annotated[int, AfterValidator(_at_least_one)]


class Completion(NullIsDefault):
    """The body of POST /v1/chat/completions; null stands for a parameter that was not sent."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)

    model: Annotated[Text, Field(max_length=MAX_MODEL_CHARS, examples=[MODEL])]
    messages: Annotated[list[Message], Field(fail_fast=True), BeforeValidator(_readable)]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    max_tokens: MaxTokens | None = None
    max_completion_tokens: MaxTokens | None = None
    stop: Annotated[
        list[Annotated[Text, Field(min_length=1, max_length=64)]],
        Field(fail_fast=True),
        BeforeValidator(lambda stop: [stop] if isinstance(stop, str) else stop),
        Field(max_length=4),
        WithJsonSchema(
            {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}, {"type": "null"}]}
        ),
        Field(default_factory=list),
    ]
    n: int | None = None
    tool_choice: Any = None
    function_call: Any = None
    response_format: dict[str, Any] | None = None
    logprobs: bool | None = None
    modalities: Annotated[list[str], Field(fail_fast=True)] | None = None
    audio: dict[str, Any] | None = None
    pgask: Options | None = None

    @field_validator("messages")
    @classmethod
    def _ends_in_a_question(cls, messages: list[Message]) -> list[Message]:
        last = _last_question(messages)
        if last is None:
            raise refusal(
                "no_user_message",
                "There is no message of the role user: the last one is the question.",
                "消息中没有 user 角色的消息：最后一条即为问题。",
            )
        not_blank(messages[last].content)
        if _chore(messages) is None and question_in(messages[last].content, MAX_QUESTION_CHARS) is None:
            raise refusal(
                "no_question_found",
                "No question was found in the last message: it holds a file's text, or more than "
                f"{MAX_QUESTION_CHARS:,} characters. Files sent along are not read, only stored documents are searched."
                " Ask without the file, or switch file uploads off for this model in your client (Open WebUI:"
                " Workspace,"
                " Models, Capabilities, File Upload), and put the file into the collection with `ingest`.",
                f"最后一条消息中没有找到问题：其中含有文件内容，或超过 {MAX_QUESTION_CHARS} 个字符。"
                "随消息附带的文件不会被读取，只检索已收入的文档：请去掉文件后再提问，或在客户端中为该模型关闭文件上传"
                "（Open WebUI：工作空间 → 模型 → 能力 → 文件上传），并用 ingest 将文件收入集合。",
            )
        return messages

    @field_validator("stream_options")
    @classmethod
    def _only_for_a_stream(cls, options: StreamOptions | None, info: ValidationInfo) -> StreamOptions | None:
        if options is not None and not info.data.get("stream"):
            raise refusal(
                "no_stream",
                "stream_options goes with stream: true alone.",
                "stream_options 只能与 stream: true 一起使用。",
            )
        return options

    @field_validator("n")
    @classmethod
    def _one_answer(cls, n: int | None) -> int | None:
        if n is not None and n != 1:
            raise refusal(
                "one_answer",
                "There is one answer to a question: leave n out, or send 1.",
                "一个问题只有一个答案：请不要设置 n，或设为 1。",
            )
        return n

    @field_validator("tool_choice", "function_call")
    @classmethod
    def _no_call_is_forced(cls, choice: Any) -> Any:
        """Where a model may choose, it may answer in text; the tools themselves are ignored."""
        mode = choice
        if isinstance(choice, dict):
            allowed = choice.get("allowed_tools")
            mode = allowed.get("mode") if isinstance(allowed, dict) else choice.get("type", "function")
        if mode not in (None, "auto", "none"):
            raise refusal(
                "tool_call_forced",
                "No tool is called here, answers are text from the documents: leave tool_choice and function_call out, "
                'or send "auto" or "none".',
                "此处不会调用工具，答案是取自文档的文字："
                "请不要设置 tool_choice 与 function_call，或设为 auto 或 none。",
            )
        return choice

    @field_validator("logprobs", "audio")
    @classmethod
    def _not_here(cls, value: Any, info: ValidationInfo) -> Any:
        if value:
            raise refusal(
                "text_alone",
                f"Answers are text from the documents, without {info.field_name}: leave it out.",
                f"答案是取自文档的文字，不支持 {info.field_name}：请不要设置。",
            )
        return value

    @field_validator("response_format")
    @classmethod
    def _plain_text(cls, wanted: dict[str, Any] | None) -> dict[str, Any] | None:
        if wanted is not None and wanted.get("type") != "text":
            raise refusal(
                "text_alone",
                "Answers are text from the documents and can't be put into JSON of another form: leave response_format"
                ' out, or send {"type": "text"}. The evidence comes as JSON in the field pgask of every reply.',
                '答案是取自文档的文字，不能写成其他形式的 JSON：请不要设置 response_format，或设为 {"type": "text"}。'
                "每个答复的 pgask 字段以 JSON 给出依据。",
            )
        return wanted

    @field_validator("modalities")
    @classmethod
    def _text_alone(cls, modalities: list[str] | None) -> list[str] | None:
        if modalities not in (None, ["text"]):
            raise refusal(
                "text_alone",
                'Answers are text alone: leave modalities out, or send ["text"].',
                '答案只有文字：请不要设置 modalities，或设为 ["text"]。',
            )
        return modalities

    def chore(self) -> str | None:
        """The reply to a front end's chore (app/api/front_ends.py), None where a question is asked."""
        return _chore(self.messages)

    @cached_property
    def _question(self) -> str:
        last = _last_question(self.messages) or 0
        return question_in(self.messages[last].content, MAX_QUESTION_CHARS) or ""

    def brings_text(self) -> bool:
        """Whether the text of files or pages, which is not searched, came with the question or in a system prompt."""
        return brings_text(self.messages[_last_question(self.messages) or 0].content, self._question) or any(
            tagged_spans(message.content, CONTEXT_TAG)
            for message in self.messages
            if message.role in _SYSTEM_ROLES
        )

    def to_domain(self, collection: CollectionNames) -> AskRequest:
        """The last user message is the question, the user's and assistant's turns before it are the history."""
        options = self.pgask or Options()
        last = _last_question(self.messages) or 0
        return AskRequest(
            question=self._question,
            collection=collection,
            top_k=options.top_k,
            filter=options.filter.to_domain() if options.filter else None,
            history=_history(self.messages[:last]),
            generation=GenerationParams(
                temperature=_DEFAULTS.temperature if self.temperature is None else self.temperature,
                top_p=_DEFAULTS.top_p if self.top_p is None else max(self.top_p, LEAST_TOP_P),
                max_tokens=_max_tokens(self.max_completion_tokens or self.max_tokens),
                stop=tuple(self.stop),
            ),
        )


def _max_tokens(wanted: int | None) -> int:
    if wanted == NO_LIMIT:
        return MAX_COMPLETION_TOKENS
    return min(wanted or _DEFAULTS.max_tokens, MAX_COMPLETION_TOKENS)


def _last_question(messages: Sequence[Message]) -> int | None:
    """The place of the last message of the role user."""
    return max((place for place, message in enumerate(messages) if message.role == "user"), default=None)


def _chore(messages: Sequence[Message]) -> str | None:
    last = _last_question(messages)
    if last is None:
        return None
    system = next((message.content for message in messages if message.role in _SYSTEM_ROLES), "")
    return chore_reply(messages[last].content, _history(messages[:last]), system)


def _history(messages: Sequence[Message]) -> tuple[ChatTurn, ...]:
    """The newest turns, shortened to what a turn may have; system and tool messages are no part of it, nor are files
    that an earlier question brought along."""
    turns: list[ChatTurn] = []
    for message in reversed(messages):
        if len(turns) == MAX_TURNS:
            break
        if message.role == "user":
            said = question_in(message.content, MAX_QUESTION_CHARS) or message.content
        elif message.role == "assistant":
            said = without_source_list(message.content)
        else:
            continue
        if said.strip():
            turns.append(ChatTurn(message.role, said[:MAX_QUESTION_CHARS]))
    return tuple(reversed(turns))


def collections_of(model: str) -> CollectionNames | None:
    """The collections that a model id stands for, None for another's model. No collection's name has a comma in it.

    >>> collections_of("pgask"), collections_of("pgask/handbook"), collections_of("gpt-5")
    ('default', 'handbook', None)
    >>> collections_of("pgask/*"), collections_of("pgask/a,b")
    ('*', ('a', 'b'))
    """
    name, slash, rest = model.partition("/")
    names = tuple(one.strip() for one in rest.split(","))
    if name != MODEL or (slash and not all(names)):
        return None
    if not slash:
        return DEFAULT_COLLECTION
    return names[0] if len(names) == 1 else names


@dataclass(frozen=True, slots=True)
class Envelope:
    """What all parts of one reply have in common. `created` is in seconds since 1970."""

    id: str
    created: int
    model: str

    def completion(self, answer: Answer, content: str) -> dict[str, Any]:
        """The whole reply; `content` is the answer's text as this client gets it."""
        message = {
            "role": "assistant",
            "content": content,
            "refusal": None,
            "pgask": extension(answer, content),
        }
        choice = {
            "index": 0,
            "message": message,
            "logprobs": None,
            "finish_reason": finish_reason(answer),
        }
        return self._object("chat.completion", [choice]) | {"usage": usage(answer.usage)}

    def delta(self, delta: dict[str, Any], finish_reason: str | None = None) -> dict[str, Any]:
        """A chunk of a stream."""
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        return self._object("chat.completion.chunk", [choice])

    def last(self, answer: Answer, content: str) -> dict[str, Any]:
        """The chunk that ends the answer, with the evidence; `content` is all the text that was sent before."""
        return self.delta({}, finish_reason(answer)) | {"pgask": extension(answer, content)}

    def counted(self, counted: Usage) -> dict[str, Any]:
        """The chunk with the count of tokens, after the last one."""
        return self._object("chat.completion.chunk", []) | {"usage": usage(counted)}

    def _object(self, kind: str, choices: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": kind,
            "created": self.created,
            "model": self.model,
            "system_fingerprint": None,
            "choices": choices,
        }


def finish_reason(answer: Answer) -> str:
    """ "length" where the model was cut off at max_tokens, else "stop"."""
    return "length" if answer.truncated else "stop"


def usage(counted: Usage) -> dict[str, int]:
    """The language model's count; zero for extractive answers."""
    return {
        "prompt_tokens": counted.prompt_tokens,
        "completion_tokens": counted.completion_tokens,
        "total_tokens": counted.prompt_tokens + counted.completion_tokens,
    }


_NEAREST: Final = TypeAdapter(list[NearestHit])


def extension(answer: Answer, content: str) -> dict[str, Any]:
    """What /ask says of an answer beside its text; the places of claims are those in `content`, the text as sent."""
    return {
        "citations": CITATIONS.dump_python(answer.citations),
        "claims": [asdict(claim) for claim in _claims_in(content, answer)],
        "abstained": answer.abstained,
        "kind": answer.kind,
        "searched_for": answer.searched_for,
        "reason": answer.reason,
        "nearest": _NEAREST.dump_python(nearest_hits(answer)),
        "generator": answer.generator,
        "degraded": answer.degraded,
        "degraded_reason": answer.degraded_reason,
        "standalone_question": answer.standalone_question,
        "timings_ms": dict(answer.timings_ms),
    }


def _claims_in(content: str, answer: Answer) -> list[Claim]:
    """The claims with their places in the text as sent: what was made harmless shifts them, and so does what stands
    before. None where what was sent is not the answer's text: tokens that a stream can't take back.
    """
    inert = InertText(answer.text)
    begin = content.rfind(inert.text)
    if begin < 0:
        return []

    def place(offset: int) -> int:
        return begin + inert.place(offset)

    return [
        replace(
            claim,
            start=place(claim.start),
            end=place(claim.end),
            mark_start=None if claim.mark_start is None else place(claim.mark_start),
            mark_end=None if claim.mark_end is None else place(claim.mark_end),
        )
        for claim in answer.claims
    ]


def model_object(model: str, created: int) -> dict[str, Any]:
    """An entry of /v1/models."""
    return {"id": model, "object": "model", "created": created, "owned_by": MODEL}
