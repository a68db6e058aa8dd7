"""Fakes for models: a deterministic embedder, and a language model server that speaks OpenAI's wire over real HTTP."""

from __future__ import annotations

import asyncio
import json
import re
import threading
import zlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from types import TracebackType
from typing import Any, Final, Literal, Self

import numpy as np

from app.embedding import EmbeddingSpace, FloatMatrix, IntVector, Tokens

Mode = Literal[
    "answer",
    "slow_first_token",  # headers at once, then nothing for a long time
    "hang_mid_stream",  # half of the answer, then nothing
    "disconnect_before",  # the connection drops instead of a reply
    "disconnect_mid_stream",  # half of the answer, then the connection drops
    "end_mid_stream",  # half of the answer, then a proper end without a finish reason
    "error_mid_stream",  # half of the answer, then an error object
    "error_500",
    "busy_429",
    "refuse_400",
    "unauthorized_401",
    "garbage",  # 200 with a web page
    "wrong_json",  # events whose JSON is `wrong_json`
    "deep_json",  # an event of 50,000 brackets
    "no_done",  # the whole answer, then nothing: neither usage nor [DONE]
]
Body = dict[str, Any]

_HANG_S = 30.0  # longer than any test waits
_PIECE_CHARS = 4
_ERRORS: dict[str, tuple[int, str]] = {
    "error_500": (500, "scripted failure " + "x" * 1000),
    "busy_429": (429, "scripted overload"),
    "refuse_400": (400, "this is no request for me"),
    "unauthorized_401": (401, "wrong key: sk-secret"),
}

_DIMENSION: Final = 64
_UNKNOWN_ID: Final = 100
# A word of another script than Chinese, one Chinese or Japanese character, or one mark.
_FAKE_TOKEN = re.compile(
    r"[\u3040-\u30ff\u3400-\u9fff\U00020000-\U0003ffff]|[^\W\u3040-\u30ff\u3400-\u9fff]+|[^\w\s]"
)


class FakeEmbedder:
    """A bag of words: the vector of a text is the sum of its words' random unit vectors, scaled to unit length.

    Texts that share words are near each other, in every language, and the same text has the same vector on every
    machine. Satisfies app.embedding.Embedder; `model`, `weights_sha256` and the prefixes make other spaces. With
    `reads_han=False` every Chinese character is one and the same unknown token, as for an English model.
    """

    def __init__(
        self,
        model: str = "fake",
        weights_sha256: str = "0" * 64,
        *,
        dimension: int = _DIMENSION,
        query_prefix: str = "",
        passage_prefix: str = "",
        window_tokens: int = 254,
        reads_han: bool = True,
    ) -> None:
        self._space = EmbeddingSpace(model, weights_sha256, dimension, query_prefix, passage_prefix)
        self._window_tokens = window_tokens
        self._reads_han = reads_han

    @property
    def space(self) -> EmbeddingSpace:
        return self._space

    @property
    def window_tokens(self) -> int:
        return self._window_tokens

    def tokenize(self, text: str) -> Tokens:
        found = list(_FAKE_TOKEN.finditer(text))
        ids = [self._token_id(match.group()) for match in found]
        spans = np.array([match.span() for match in found], dtype=np.int32).reshape(-1, 2)
        return Tokens(np.array(ids, dtype=np.int32), spans[:, 0], spans[:, 1], ids.count(_UNKNOWN_ID))

    def _token_id(self, token: str) -> int:
        if not self._reads_han and "\u3400" <= token <= "\u9fff":
            return _UNKNOWN_ID
        return zlib.crc32(token.casefold().encode("utf-8", "replace")) >> 1

    def embed_windows(self, windows: Sequence[IntVector]) -> FloatMatrix:
        if any(len(window) > self._window_tokens for window in windows):
            raise ValueError("a window is longer than the model reads")
        vectors = np.zeros((len(windows), self._space.dimension), dtype=np.float32)
        for row, window in enumerate(windows):
            vectors[row] = sum(_word_vector(int(word), self._space.dimension) for word in window)
            length = float(np.linalg.norm(vectors[row]))
            vectors[row] = vectors[row] / length if length > 0 else np.eye(self._space.dimension)[0]
        return vectors

    def embed_passages(self, texts: Sequence[str]) -> FloatMatrix:
        return self.embed_windows([self.tokenize(text).ids[: self._window_tokens] for text in texts])

    def embed_queries(self, texts: Sequence[str]) -> FloatMatrix:
        return self.embed_passages(texts)


@lru_cache(maxsize=100_000)
def _word_vector(word: int, dimension: int) -> FloatMatrix:
    vector = np.random.default_rng(word).standard_normal(dimension).astype(np.float32)
    return np.asarray(vector / np.linalg.norm(vector))


@dataclass
class RecordedRequest:
    """One request that the server got."""

    method: str
    path: str
    headers: dict[str, str]  # names in lower case
    body: Body
    disconnected: threading.Event = field(default_factory=threading.Event)  # the client left before the end


class ScriptedLlm:
    """A server on 127.0.0.1 in a thread of its own; use as a context manager.

    `answer` is the completion, or makes it from the request's body. `mode` is how completions go;
    `next_modes` are used up first, one a completion. All attributes may be changed while it runs. `/tokenize`
    counts a token for each four characters, if `counts_tokens`.
    """

    def __init__(self, answer: str | Callable[[Body], str] = "Scripted answer [1].") -> None:
        self.answer = answer
        self.mode: Mode = "answer"
        self.next_modes: deque[Mode] = deque()
        self.model = "scripted-llama"
        self.max_model_len: int | None = 4096
        self.counts_tokens = True
        self.sends_usage = True
        self.finish_reason = "stop"
        self.refused_fields: frozenset[str] = frozenset()  # answered 400 by name, as OpenAI does for top_k
        self.refusal: Callable[[Body], Body | None] | None = None  # the body of a 400, None to go on
        self.lists_models = True  # else /v1/models never answers
        self.models_json: str | None = None  # instead of the list
        self.usage: Body | None = None  # instead of the count
        self.reasoning = ""  # sent before the answer in `reasoning_field`
        self.reasoning_field = "reasoning_content"
        self.wrong_json = '{"unexpected": true}'
        self.token_delay_s = 0.0
        self.requests: list[RecordedRequest] = []
        self.arrived = threading.Semaphore(0)  # released at each request for a completion
        self.base_url = ""  # ends in /v1, known once started
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self._stopping = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="scripted-llm", daemon=True)

    @property
    def completions(self) -> list[RecordedRequest]:
        """The requests for completions, in order of arrival."""
        return [request for request in self.requests if request.path == "/v1/chat/completions"]

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._started.wait(10):
            raise RuntimeError("the scripted server did not start")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(10)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        connections: set[asyncio.Task[None]] = set()

        def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.create_task(self._connection(reader, writer))
            connections.add(task)
            task.add_done_callback(connections.discard)

        server = await asyncio.start_server(connected, "127.0.0.1", 0)
        self.base_url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        self._started.set()
        await self._stopping.wait()
        server.close()
        for task in connections:
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one request; the connection closes after it."""
        try:
            request = await _read_request(reader)
            self.requests.append(request)
            reply = asyncio.create_task(self._reply(request, writer))
            gone = asyncio.create_task(reader.read(1))  # a client says nothing more until it leaves
            await asyncio.wait({reply, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not reply.done() or isinstance(reply.exception(), ConnectionError):
                request.disconnected.set()
            for task in (reply, gone):
                task.cancel()
            await asyncio.gather(reply, gone, return_exceptions=True)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def _reply(self, request: RecordedRequest, writer: asyncio.StreamWriter) -> None:
        match request.path:
            case "/v1/models" if not self.lists_models:
                await asyncio.sleep(_HANG_S)
            case "/v1/models" if self.models_json is not None:
                await _send(writer, 200, "application/json", self.models_json.encode())
            case "/v1/models":
                model: Body = {"id": self.model, "object": "model"}
                if self.max_model_len is not None:
                    model["max_model_len"] = self.max_model_len
                await _send_json(writer, 200, {"object": "list", "data": [model]})
            case "/tokenize" if self.counts_tokens:
                await _send_json(writer, 200, {"count": _count(request.body)})
            case "/v1/chat/completions":
                await self._complete(request.body, writer)
            case _:
                await _send_json(writer, 404, {"error": {"message": "no such path"}})

    async def _complete(self, body: Body, writer: asyncio.StreamWriter) -> None:
        self.arrived.release()
        mode = self.next_modes.popleft() if self.next_modes else self.mode
        answer = self.answer(body) if callable(self.answer) else self.answer
        refused = self.refused_fields & body.keys()
        refusal = self.refusal(body) if self.refusal else None
        if refusal is not None:
            await _send_json(writer, 400, refusal)
        elif refused:
            message = f"Unrecognized request argument supplied: {min(refused)}"
            await _send_json(writer, 400, {"error": {"message": message, "type": "invalid_request_error"}})
        elif body.get("model") != self.model:
            await _send_json(writer, 404, {"error": {"message": f"no model {body.get('model')!r}"}})
        elif mode in _ERRORS:
            status, message = _ERRORS[mode]
            await _send_json(writer, status, {"error": {"message": message, "type": "scripted"}})
        elif mode == "disconnect_before":
            writer.transport.abort()
        elif mode == "garbage":
            await _send(writer, 200, "text/html", b"<html><body>It works!</body></html>")
        elif body.get("stream"):
            await self._stream(mode, answer, body, writer)
        else:
            await _send_json(writer, 200, self._completion(answer, body))

    def _completion(self, answer: str, body: Body) -> Body:
        choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": answer}}
        return self._envelope("chat.completion", [choice]) | {"usage": _usage(answer, body)}

    def _envelope(self, kind: str, choices: list[Body]) -> Body:
        return {"id": "chatcmpl-1", "object": kind, "created": 1, "model": self.model, "choices": choices}

    async def _stream(self, mode: Mode, answer: str, body: Body, writer: asyncio.StreamWriter) -> None:
        await _start_stream(writer)
        if mode == "slow_first_token":
            await asyncio.sleep(_HANG_S)
        if mode in {"wrong_json", "deep_json"}:
            await _send_event(writer, self.wrong_json if mode == "wrong_json" else "[" * 50_000)
            await _end_stream(writer)
            return
        await self._send_delta(writer, {"role": "assistant", "content": ""})
        for piece in _pieces(self.reasoning):
            await self._send_delta(writer, {self.reasoning_field: piece})
        pieces = list(_pieces(answer))
        is_whole = mode in {"answer", "no_done"}
        for piece in pieces if is_whole else pieces[: len(pieces) // 2]:
            await self._send_delta(writer, {"content": piece})
            await asyncio.sleep(self.token_delay_s)
        if is_whole:
            await self._send_delta(writer, {}, finish_reason=self.finish_reason)
        await self._end(mode, answer, body, writer)

    async def _end(self, mode: Mode, answer: str, body: Body, writer: asyncio.StreamWriter) -> None:
        if mode in {"hang_mid_stream", "no_done"}:
            await asyncio.sleep(_HANG_S)
        elif mode == "disconnect_mid_stream":
            writer.transport.abort()
        elif mode == "error_mid_stream":
            await _send_event(writer, json.dumps({"error": {"message": "scripted crash", "code": 500}}))
            await _end_stream(writer)
        elif mode == "end_mid_stream":
            await _end_stream(writer)
        else:
            if self.sends_usage and body.get("stream_options", {}).get("include_usage"):
                usage = self._envelope("chat.completion.chunk", []) | {
                    "usage": self.usage or _usage(answer, body)
                }
                await _send_event(writer, json.dumps(usage))
            await _send_event(writer, "[DONE]")
            await _end_stream(writer)

    async def _send_delta(
        self, writer: asyncio.StreamWriter, delta: Body, finish_reason: str | None = None
    ) -> None:
        choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
        await _send_event(writer, json.dumps(self._envelope("chat.completion.chunk", [choice])))


def _pieces(answer: str) -> Iterator[str]:
    for start in range(0, len(answer), _PIECE_CHARS):
        yield answer[start : start + _PIECE_CHARS]


def _count(body: Body) -> int:
    return sum(len(message["content"]) for message in body.get("messages", ())) // 4 + 1


def _usage(answer: str, body: Body) -> Body:
    prompt_tokens, completion_tokens = _count(body), len(list(_pieces(answer)))
    return {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "total_tokens": prompt_tokens + completion_tokens,
    }


async def _read_request(reader: asyncio.StreamReader) -> RecordedRequest:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, path, _ = head[0].split(" ", 2)
    headers = {
        name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)
    }
    raw = await reader.readexactly(int(headers.get("content-length", "0")))
    return RecordedRequest(method, path, headers, json.loads(raw) if raw else {})


async def _send_json(writer: asyncio.StreamWriter, status: int, body: Body) -> None:
    await _send(writer, status, "application/json", json.dumps(body).encode())


async def _send(writer: asyncio.StreamWriter, status: int, media_type: str, body: bytes) -> None:
    head = f"HTTP/1.1 {status} Scripted\r\ncontent-type: {media_type}\r\ncontent-length: {len(body)}\r\n"
    writer.write(f"{head}connection: close\r\n\r\n".encode() + body)
    await writer.drain()


async def _start_stream(writer: asyncio.StreamWriter) -> None:
    head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n"
    writer.write(f"{head}connection: close\r\n\r\n".encode())
    await writer.drain()


async def _send_event(writer: asyncio.StreamWriter, event: str) -> None:
    raw = f"data: {event}\n\n".encode()
    writer.write(f"{len(raw):x}\r\n".encode() + raw + b"\r\n")
    await writer.drain()


async def _end_stream(writer: asyncio.StreamWriter) -> None:
    writer.write(b"0\r\n\r\n")
    await writer.drain()
