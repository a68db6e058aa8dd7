"""Subtitles (SubRip and WebVTT) bytes → Document: what is spoken, in paragraphs, under a heading of its time.

Cues are joined, since a sentence goes over several; one that a speaker begins starts a paragraph. Marks of position,
colour and voice go. A line that rolls up and comes again in the next cue is written once.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Final

from app.domain import Document
from app.errors import DocumentError
from ingest.cleaning import clean_text
from ingest.parsers.blocks import LINE_BREAK
from ingest.parsers.decoding import decode
from ingest.parsers.flat import FlatWriter
from ingest.parsers.written import add_counts, build_document

SRT_MEDIA_TYPE = "application/x-subrip"
VTT_MEDIA_TYPE = "text/vtt"

SECTION_S: Final = 60.0  # a new heading with the first cue so long after the last one

_TIME: Final = re.compile(r"(?:(\d{1,3}):)?(\d{1,2}):(\d{2})[,.]\d{1,3}[ \t]*-->[ \t]*\d")
_VOICE: Final = re.compile(r"<v(?:\.[^\s>]{1,100})?[ \t]+([^<>\n]{1,200})>")
_TAG: Final = re.compile(r"</?[a-z][^<>\n]{0,200}>|<[\d:.]{1,20}>|\{\\[^{}\n]{1,100}\}", re.IGNORECASE)
_NOTE: Final = re.compile(r"(?:NOTE|STYLE|REGION)(?:\s|$)")
_NOT_SPOKEN: Final = re.compile(r"(?:WEBVTT|NOTE|STYLE|REGION)(?:[ \t]|$)")
_BLANK_LINE: Final = re.compile(r"\n[ \t]*\n")


def parse_subtitles(content: bytes, source: str, *, media_type: str = SRT_MEDIA_TYPE) -> Document:
    """Parse a file of subtitles; its title is the file's stem.

    Raises DocumentError `bad_encoding`, `parse_failed` (no times in it), `too_large` or `empty`.
    """
    cleaned = clean_text(decode(content))
    text = cleaned.text
    writer = FlatWriter()
    paragraph: list[str] = []
    headed: float | None = None
    last_lines: list[str] = []
    is_spoken = False
    for start_s, lines in _cues(text):
        fresh = [line for line in lines if line not in last_lines]
        if headed is None or start_s >= headed + SECTION_S or start_s < headed:
            writer.paragraph("\n".join(paragraph))
            writer.heading(2, _clock(start_s))
            paragraph, headed = [], start_s
        for line in fresh:
            if line.startswith(LINE_BREAK) and paragraph:
                writer.paragraph("\n".join(paragraph))
                paragraph = []
            paragraph.append(line)
        last_lines = lines
        is_spoken = is_spoken or bool(fresh)
    if headed is None:
        raise DocumentError("The file has no subtitles: no line in it is a time.", code="parse_failed")
    writer.paragraph("\n".join(paragraph))
    unspoken = (block.strip("\n") for block in _BLANK_LINE.split(text))
    notes = sum(len(block) for block in unspoken if _NOTE.match(block))
    return build_document(
        writer.text() if is_spoken else "",
        source,
        media_type,
        dropped=add_counts(cleaned.dropped, {"comment": notes}),
    )


def parse_vtt(content: bytes, source: str) -> Document:
    """Parse WebVTT; see parse_subtitles."""
    return parse_subtitles(content, source, media_type=VTT_MEDIA_TYPE)


def _cues(text: str) -> Iterator[tuple[float, list[str]]]:
    """Yield each cue's start in seconds and its lines; LINE_BREAK begins one that another speaker says."""
    for block in _BLANK_LINE.split(text):
        lines = block.strip("\n").split("\n")
        if _NOT_SPOKEN.match(lines[0]):
            continue
        at = next((place for place, line in enumerate(lines[:2]) if _TIME.search(line)), None)
        if at is None:
            continue
        time = _TIME.search(lines[at])
        assert time is not None
        hours, minutes, seconds = (int(part or 0) for part in time.groups())
        yield (
            hours * 3600 + minutes * 60 + seconds,
            [shown for line in lines[at + 1 :] if (shown := _shown(line))],
        )


def _shown(line: str) -> str:
    voice = _VOICE.search(line)
    words = html.unescape(_TAG.sub("", line)).strip()
    if voice and words:
        return f"{LINE_BREAK}{voice[1].strip()}: {words}"
    return LINE_BREAK + words.removeprefix("-").strip() if words.startswith(("- ", "– ")) else words


def _clock(seconds: float) -> str:
    """Hours, minutes and seconds, as players show them.

    >>> _clock(3725)
    '1:02:05'
    """
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"
