"""How a run cuts, and what it takes in and removes; and the name of all that stored chunks depend on. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from app.config import Settings
from app.file_limits import FILE_BYTES
from app.lexicon import LEXICON_VERSION
from ingest.chunking import CHUNKER_VERSION
from ingest.ignoring import Selection
from ingest.ocr import is_installed
from ingest.parsers import OCR_VERSION, PARSER_VERSION, pdf
from ingest.parsers.media_types import PICTURE_MEDIA_TYPES


@dataclass(frozen=True, slots=True)
class IngestOptions:
    """How a run cuts, and what it leaves out or removes. `window_tokens` is lowered to what the encoder reads. `names`
    are those of --as; with `rehash` every file is read, and failed ones are tried again; with `prune_anyway` also what
    may be on a disk that is not there now is forgotten. `ocr`: pictures and pages without text are read."""

    chunk_tokens: int = 512
    overlap: int = 64
    window_tokens: int = 128
    max_file_bytes: int = 200_000_000
    bytes_setting: str = FILE_BYTES  # which says so
    prune: bool = False
    duplicates: Literal["keep_once", "keep_all"] = "keep_once"
    duplicate_similarity: float = 0.9
    selection: Selection = field(default_factory=Selection)
    names: tuple[str, ...] = ()
    rehash: bool = False
    prune_anyway: bool = False
    ocr: bool = False

    @classmethod
    def from_settings(
        cls,
        settings: Settings,
        *,
        prune: bool,
        selection: Selection | None = None,
        names: Sequence[str] = (),
        rehash: bool = False,
        prune_anyway: bool = False,
    ) -> IngestOptions:
        """The group from all settings; the overlap is at most half a chunk."""
        return cls(
            chunk_tokens=settings.chunk_tokens,
            overlap=min(settings.overlap, settings.chunk_tokens // 2),
            window_tokens=settings.window_tokens,
            max_file_bytes=settings.max_file_bytes,
            prune=prune or prune_anyway,
            duplicates=settings.duplicates,
            duplicate_similarity=settings.duplicate_similarity,
            selection=selection or Selection(),
            names=tuple(names),
            rehash=rehash,
            prune_anyway=prune_anyway,
            ocr=settings.ocr == "auto" and is_installed(),
        )

    def fingerprint(self, media_type: str) -> str:
        """Names everything but the model that the stored chunks of such a file depend on; a document with another one
        is made anew."""
        ocr = f"o{OCR_VERSION}" if self.ocr and media_type in _MAY_NEED_OCR else ""
        versions = f"p{PARSER_VERSION}{ocr}-c{CHUNKER_VERSION}-l{LEXICON_VERSION}"
        return f"{versions}-{self.chunk_tokens}/{self.overlap}/{self.window_tokens}"

    def is_made_so(self, pipeline: str | None, media_type: str) -> bool:
        """Whether what is stored under this fingerprint is what would be made now. What OCR has read stays where there
        is none now."""
        wanted = self.fingerprint(media_type)
        return pipeline == wanted or (
            not self.ocr and pipeline is not None and _OCR.sub("", pipeline) == wanted
        )


_MAY_NEED_OCR: Final = PICTURE_MEDIA_TYPES | {pdf.MEDIA_TYPE}
_OCR: Final = re.compile(r"(?<=\d)o\d+(?=-)")
_PIPELINE: Final = re.compile(
    r"(?P<parser>p\d+(?:o\d+)?)-c\d+-l\d+-(?P<chunk_tokens>\d+)/(?P<overlap>\d+)/(?P<window_tokens>\d+)"
)


def renewed_pipeline(pipeline: str) -> str:
    """The fingerprint of a document once its chunks and terms are made anew from its text (ingest/renewing.py): its
    parser and settings are what they were.

    >>> renewed_pipeline("p1-c1-l1-512/64/128").split("-")[0]
    'p1'
    """
    found = _PIPELINE.fullmatch(pipeline)
    if found is None:
        return pipeline
    settings = "/".join(found.group("chunk_tokens", "overlap", "window_tokens"))
    return f"{found['parser']}-c{CHUNKER_VERSION}-l{LEXICON_VERSION}-{settings}"


def options_of(pipeline: str, options: IngestOptions) -> IngestOptions:
    """`options` with the settings that a document was cut by."""
    found = _PIPELINE.fullmatch(pipeline)
    if found is None:
        return options
    chunk_tokens, overlap, window_tokens = map(int, found.group("chunk_tokens", "overlap", "window_tokens"))
    return replace(options, chunk_tokens=chunk_tokens, overlap=overlap, window_tokens=window_tokens)
