"""The child: reads a file's bytes from its standard input, writes the document to its standard output, and so on.

Started by SandboxedParser as `python -m ingest.sandbox MEMORY_BYTES CPU_S`; ends when its input does. It imports the
parsers and nothing of the database or the models.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from typing import BinaryIO

from app.domain import Document
from app.errors import DocumentError
from ingest.parsers import parse
from ingest.sandbox.confine import MemoryGauge, allow_cpu, confine
from ingest.sandbox.wire import (
    OUT_OF_MEMORY_STATUS,
    encode_document,
    encode_error,
    encode_json,
    frame,
    read_frame,
)

_MAX_KEPT_BYTES = 128 * 2**20  # a child that has kept more than this of what it was lent is replaced
_TIGHT = 0.5  # a failure after this share of the memory was used is laid to memory: libxml2 names no reason


@dataclass(frozen=True, slots=True)
class _Memory:
    """The memory lent to this process, and how it uses it."""

    gauge: MemoryGauge
    at_start: int
    lent_bytes: int

    def is_spent(self) -> bool:
        """Tell whether this process should be replaced: it has kept much, or has been near its limit."""
        return self.gauge.size_bytes() - self.at_start > _MAX_KEPT_BYTES or self.was_tight()

    def was_tight(self) -> bool:
        return self.gauge.peak_bytes() - self.at_start > _TIGHT * self.lent_bytes


def main(memory_bytes: int, cpu_s: int) -> None:
    """Answer requests until the input ends."""
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    silent = os.open(os.devnull, os.O_RDWR)
    gauge = MemoryGauge()
    confinement = confine(gauge, memory_bytes)
    memory = _Memory(gauge, gauge.size_bytes(), memory_bytes)
    for descriptor in (
        0,
        1,
        2,
    ):  # a library that prints must not break the frames, nor a file fill the terminal
        os.dup2(silent, descriptor)
    try:
        replies.write(frame(encode_json(confinement.as_dict())))
        replies.flush()
        while _answer(requests, replies, memory, cpu_s):
            pass
    except MemoryError:
        os._exit(OUT_OF_MEMORY_STATUS)
    except BrokenPipeError:
        os._exit(0)  # the parent has gone


def _answer(requests: BinaryIO, replies: BinaryIO, memory: _Memory, cpu_s: int) -> bool:
    """Answer one request and tell whether to go on."""
    head = read_frame(requests)
    content = read_frame(requests) if head is not None else None
    if head is None or content is None:
        return False
    request = json.loads(head)
    allow_cpu(cpu_s)
    try:
        reply = encode_document(_parse(content, request["media_type"], request["source"], memory))
    except DocumentError as error:
        reply = encode_error(error)
    for part in (*reply, b"spent" if memory.is_spent() else b""):
        replies.write(frame(part))
    replies.flush()
    return True


def _parse(content: bytes, media_type: str, source: str, memory: _Memory) -> Document:
    """Parse, and turn whatever goes wrong into a DocumentError."""
    try:
        return parse(content, media_type, source)
    except MemoryError as error:
        raise _out_of_memory(memory) from error
    except DocumentError as error:
        if error.code == "parse_failed" and memory.was_tight():
            raise _out_of_memory(memory) from error
        raise
    except Exception as error:  # the per-document boundary: one bad file never stops a run
        if memory.was_tight():
            raise _out_of_memory(memory) from error
        raise DocumentError(
            f"The file can't be read: {type(error).__name__} in its parser.", code="parse_failed"
        ) from error


def _out_of_memory(memory: _Memory) -> DocumentError:
    return DocumentError(
        f"Reading the file takes more than {memory.lent_bytes // 2**20:,} MiB of memory; split it.",
        code="parser_memory",
    )


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
