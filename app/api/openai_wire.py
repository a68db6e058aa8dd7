"""OpenAI's wire format: what a chat completion's request, reply, stream and errors look like. Pure.

Source of the form: OpenAI's API reference (chat completions, models, errors) and the types of its Python client.
A parameter that changes nothing here is ignored, as OpenAI's own models ignore some; one that asks for another kind of
answer (tools, several choices, JSON, sound, log probabilities) is refused, because the reply would not be what it says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    field_validator,
)

from app.answering import AskRequest
from app.api.bodies import Request, Text, storable
from app.api.filters import AnyFilter
from app.api.rendering import without_source_list
from app.api.schemas import MAX_QUESTION_CHARS, MAX_TOP_K, MAX_TURNS, citations_reply, not_blank
from app.domain import Answer, ChatTurn, GenerationParams, Usage

MODEL: Final = "pgask"  # the collection "default"; "pgask/NAME" is the collection NAME
DEFAULT_COLLECTION: Final = "default"
MAX_COMPLETION_TOKENS: Final = 4_096
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


def _as_text(content: Any) -> Any:
    """Text, or a list of text parts joined; other parts are refused."""
    if content is None:
        return ""
    if not isinstance(content, list):
        return content
    texts = []
    for part in content:
        kind = part.get("type") if isinstance(part, dict) else None
        text = part.get(kind) if kind in ("text", "refusal") else None
        if not isinstance(text, str):
            raise ValueError(  # noqa: TRY004 - pydantic wants a ValueError
                "must be text or a list of text parts: images, sound and files are not read"
            )
        texts.append(text)
    return "\n".join(texts)


class Message(BaseModel):
    """A message of the conversation."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: Annotated[
        str, BeforeValidator(_as_text), AfterValidator(storable), WithJsonSchema(_CONTENT_SCHEMA)
    ] = ""


class StreamOptions(BaseModel):
    """What a stream brings beside the answer."""

    include_usage: bool | None = None


class Options(Request):
    """Ours, beside OpenAI's: `extra_body={"pgask": {…}}` in its Python client."""

    source_list: bool | None = None
    top_k: Annotated[int, Field(ge=1, le=MAX_TOP_K)] = 6
    filter: AnyFilter | None = None


class Completion(BaseModel):
    """The body of POST /v1/chat/completions."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)

    model: Annotated[Text, Field(max_length=80, examples=[MODEL])]
    messages: Annotated[list[Message], Field(min_length=1)]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    max_completion_tokens: Annotated[int, Field(ge=1)] | None = None
    stop: Annotated[
        list[Annotated[Text, Field(min_length=1, max_length=64)]] | None,
        BeforeValidator(lambda stop: [stop] if isinstance(stop, str) else stop),
        Field(max_length=4),
        WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
    ] = None
    n: int | None = None
    tools: list[Any] | None = None
    functions: list[Any] | None = None
    response_format: dict[str, Any] | None = None
    logprobs: bool | None = None
    modalities: list[str] | None = None
    audio: dict[str, Any] | None = None
    pgask: Options | None = None

    @field_validator("messages")
    @classmethod
    def _ends_in_a_question(cls, messages: list[Message]) -> list[Message]:
        question = next((message.content for message in reversed(messages) if message.role == "user"), None)
        if question is None:
            raise ValueError("must hold a message of the role user: the last one is the question")
        if len(question) > MAX_QUESTION_CHARS:
            raise ValueError(f"the last user message must have at most {MAX_QUESTION_CHARS:,} characters")
        not_blank(question)
        return messages

    @field_validator("stream_options")
    @classmethod
    def _only_for_a_stream(cls, options: StreamOptions | None, info: Any) -> StreamOptions | None:
        if options is not None and not info.data.get("stream"):
            raise ValueError("is only allowed when 'stream' is enabled")
        return options

    @field_validator("n")
    @classmethod
    def _one_answer(cls, n: int | None) -> int | None:
        if n is not None and n != 1:
            raise ValueError("there is one answer to a question: only n=1 is supported")
        return n

    @field_validator("tools", "functions", "logprobs", "audio")
    @classmethod
    def _not_here(cls, value: Any) -> Any:
        if value:
            raise ValueError("is not supported: answers are text from the documents alone")
        return value

    @field_validator("response_format")
    @classmethod
    def _plain_text(cls, wanted: dict[str, Any] | None) -> dict[str, Any] | None:
        if wanted is not None and wanted.get("type") != "text":
            raise ValueError("only {'type': 'text'} is supported")
        return wanted

    @field_validator("modalities")
    @classmethod
    def _text_alone(cls, modalities: list[str] | None) -> list[str] | None:
        if modalities not in (None, ["text"]):
            raise ValueError("only ['text'] is supported")
        return modalities

    def to_domain(self, collection: str) -> AskRequest:
        """The last user message is the question, the user's and assistant's turns before it are the history."""
        options = self.pgask or Options()
        last = max(place for place, message in enumerate(self.messages) if message.role == "user")
        return AskRequest(
            question=self.messages[last].content,
            collection=collection,
            top_k=options.top_k,
            filter=options.filter.to_domain() if options.filter else None,
            history=_history(self.messages[:last]),
            generation=GenerationParams(
                temperature=_DEFAULTS.temperature if self.temperature is None else self.temperature,
                top_p=_DEFAULTS.top_p if self.top_p is None else max(self.top_p, LEAST_TOP_P),
                max_tokens=min(
                    self.max_completion_tokens or self.max_tokens or _DEFAULTS.max_tokens,
                    MAX_COMPLETION_TOKENS,
                ),
                stop=tuple(self.stop or ()),
            ),
        )


def _history(messages: list[Message]) -> tuple[ChatTurn, ...]:
    """The newest turns, shortened to what a turn may have; system and tool messages are no part of it."""
    turns: list[ChatTurn] = []
    for message in messages:
        if message.role == "user":
            turns.append(ChatTurn("user", message.content[:MAX_QUESTION_CHARS]))
        elif message.role == "assistant":
            said = without_source_list(message.content)
            turns.append(ChatTurn("assistant", said[:MAX_QUESTION_CHARS]))
    return tuple(turn for turn in turns if turn.content.strip())[-MAX_TURNS:]


def collection_of(model: str) -> str | None:
    """The collection that a model id stands for, None for another's model.

    >>> collection_of("pgask"), collection_of("pgask/handbook"), collection_of("gpt-5")
    ('default', 'handbook', None)
    """
    name, slash, collection = model.partition("/")
    if name != MODEL or (slash and not collection):
        return None
    return collection or DEFAULT_COLLECTION


@dataclass(frozen=True, slots=True)
class Envelope:
    """What all parts of one reply have in common. `created` is in seconds since 1970."""

    id: str
    created: int
    model: str

    def completion(self, answer: Answer, content: str) -> dict[str, Any]:
        """The whole reply; `content` is the answer's text as this client gets it."""
        message = {"role": "assistant", "content": content, "refusal": None, "pgask": extension(answer)}
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

    def last(self, answer: Answer) -> dict[str, Any]:
        """The chunk that ends the answer, with the evidence."""
        return self.delta({}, finish_reason(answer)) | {"pgask": extension(answer)}

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


def extension(answer: Answer) -> dict[str, Any]:
    """What /ask says of an answer beside its text."""
    return {
        "citations": [citation.model_dump() for citation in citations_reply(answer.citations)],
        "abstained": answer.abstained,
        "generator": answer.generator,
        "degraded": answer.degraded,
        "degraded_reason": answer.degraded_reason,
        "standalone_question": answer.standalone_question,
        "timings_ms": dict(answer.timings_ms),
    }


def model_object(model: str, created: int) -> dict[str, Any]:
    """An entry of /v1/models."""
    return {"id": model, "object": "model", "created": created, "owned_by": MODEL}
