"""The child: reads a file's bytes from its standard input, writes the document to its standard output, and so on.

Started by SandboxedParser as `python -m ingest.sandbox MEMORY_BYTES CPU_S [ocr]`; ends when its input does. It imports
the parsers and nothing of the database; with `ocr` it has the models that read pictures, and tells of each page.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from app.domain import Document
from app.errors import DocumentError
from app.file_limits import over_reading
from ingest.parsers import pageviews, parse
from ingest.parsers.scans import PageReader
from ingest.sandbox.confine import MemoryGauge, allow_cpu, confine
from ingest.sandbox.wire import (
    OUT_OF_MEMORY_STATUS,
    encode_document,
    encode_error,
    encode_json,
    encode_progress,
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
    kept_bytes: int

    def is_spent(self) -> bool:
        """Tell whether this process should be replaced: it has kept much, or has been near its limit."""
        return self.gauge.size_bytes() - self.at_start > self.kept_bytes or self.was_tight()

    def was_tight(self) -> bool:
        return self.gauge.peak_bytes() - self.at_start > _TIGHT * self.lent_bytes


def main(memory_bytes: int, cpu_s: int, *, with_ocr: bool) -> None:
    """Answer requests until the input ends. With OCR `cpu_s` is for one page, else for one file."""
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    silent = os.open(os.devnull, os.O_RDWR)
    gauge = MemoryGauge()
    for descriptor in (
        0,
        1,
        2,
    ):  # what a library prints must not break the frames, nor a file fill the terminal
        os.dup2(silent, descriptor)

    def tell(page: int, pages: int) -> None:
        allow_cpu(cpu_s)
        replies.write(frame(encode_progress(page, pages)))
        replies.flush()

    reader = _load_reader(tell) if with_ocr else None
    confinement = confine(gauge, memory_bytes, allow_threads=with_ocr)
    # what reads pictures keeps the room for the largest so far, and takes seconds to start
    kept = memory_bytes // 2 if with_ocr else _MAX_KEPT_BYTES
    memory = _Memory(gauge, gauge.size_bytes(), memory_bytes, kept)
    try:
        replies.write(frame(encode_json(confinement.as_dict())))
        replies.flush()
        while _answer(requests, replies, memory, cpu_s, reader):
            pass
    except MemoryError:
        os._exit(OUT_OF_MEMORY_STATUS)
    except BrokenPipeError:
        os._exit(0)  # the parent has gone


def _load_reader(tell: Callable[[int, int], None]) -> PageReader:
    from ingest.ocr import OcrReader  # the extra's packages

    reader = OcrReader()
    reader.on_page = tell
    return reader


def _answer(
    requests: BinaryIO, replies: BinaryIO, memory: _Memory, cpu_s: int, reader: PageReader | None
) -> bool:
    """Answer one request and tell whether to go on."""
    head = read_frame(requests)
    content = read_frame(requests) if head is not None else None
    if head is None or content is None:
        return False
    request = json.loads(head)
    allow_cpu(cpu_s)
    try:
        if "view" in request:
            reply = _look(content, request, memory)
        else:
            reply = encode_document(_parse(content, request["media_type"], request["source"], memory, reader))
    except DocumentError as error:
        reply = encode_error(error)
    for part in (*reply, b"spent" if memory.is_spent() else b""):
        replies.write(frame(part))
    replies.flush()
    return True


def _look(content: bytes, request: Mapping[str, Any], memory: _Memory) -> tuple[bytes, bytes]:
    """What is to be seen of a PDF's pages."""
    try:
        match request["view"]:
            case "sizes":
                return encode_json({"sizes": pageviews.page_sizes(content)}), b""
            case "picture":
                return encode_json({}), pageviews.draw_page(content, request["page"], request["scale"])
            case "lines":
                lines = pageviews.read_lines(content, request["page"], request["text"])
                return encode_json({"lines": lines}), b""
            case _:
                found = pageviews.find_boxes(
                    content, request["page"], request["text"], request["start"], request["end"]
                )
                return encode_json({"boxes": found}), b""
    except MemoryError as error:
        raise _out_of_memory(memory) from error
    except DocumentError:
        raise
    except Exception as error:  # one bad file never ends the child
        raise DocumentError("The page can't be drawn.", code="parse_failed") from error


def _parse(
    content: bytes, media_type: str, source: str, memory: _Memory, reader: PageReader | None
) -> Document:
    """Parse, and turn whatever goes wrong into a DocumentError."""
    try:
        return parse(content, media_type, source, reader)
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
    return DocumentError(over_reading("memory", memory.lent_bytes // 2**20), code="parser_memory")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), with_ocr="ocr" in sys.argv[3:])
