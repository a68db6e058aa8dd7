"""One open completion: its pieces as they come, within the time limits.

Everything that the client's library raises while it reads what a server sends leaves here as an error of ours.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import openai
from openai.types.chat import ChatCompletionChunk

from app.errors import GenerationError, LlmTimeoutError
from app.generation.completion_stream import NotACompletionError, Piece, read_chunk
from app.generation.failures import FAILURES, wrap_failure
from app.generation.llm_settings import LlmSettings

_USAGE_WAIT_S = 1.0  # after the finish reason, for the count of tokens


class OpenCompletion:
    """A completion that a server has begun to send; close it. `stops` are the stop strings that it does not take."""

    def __init__(
        self, stream: openai.AsyncStream[ChatCompletionChunk], stops: Sequence[str], settings: LlmSettings
    ) -> None:
        self.stops = stops
        self._stream = stream
        self._settings = settings

    async def close(self) -> None:
        """Leave the server, which stops writing."""
        with suppress(*FAILURES):
            await self._stream.close()

    async def first_piece(self) -> Piece:
        """The first piece that shows the model at work. Raises whatever the library does."""
        # Not `async for`: it would leave a second generator behind, which can't be resumed.
        while (chunk := await anext(self._stream, None)) is not None:
            piece = read_chunk(chunk)
            if piece.is_alive:
                return piece
        raise NotACompletionError("The language model server sent no completion.")

    async def next_piece(self, ends: float, *, is_finished: bool) -> Piece | None:
        """The next piece, None at the end; `ends` by the event loop's time. Raises GenerationError."""
        wait_s = self._settings.idle_timeout_s
        if is_finished:
            wait_s = min(wait_s, _USAGE_WAIT_S)
        idle_ends = asyncio.get_running_loop().time() + wait_s
        try:
            async with asyncio.timeout_at(min(idle_ends, ends)):
                chunk = await anext(self._stream, None)
                return None if chunk is None else read_chunk(chunk)
        except TimeoutError as error:
            if idle_ends < ends:
                limit = f"stopped in the middle of its answer for {self._settings.idle_timeout_s:g} s"
            else:
                limit = f"did not finish its answer within {self._settings.total_timeout_s:g} s"
            raise LlmTimeoutError(f"The language model {limit}.") from error
        except GenerationError:
            raise
        except FAILURES as error:
            raise wrap_failure(error, self._settings.secrets) from error
