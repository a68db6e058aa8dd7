"""What type a file is of, by its name and its first bytes. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath

from ingest.parsers.code import MEDIA_TYPES as CODE_MEDIA_TYPES

_OOXML = "application/vnd.openxmlformats-officedocument."
_ODF = "application/vnd.oasis.opendocument."
MEDIA_TYPES: Mapping[str, str] = {
    ".md": "text/markdown",
    ".markdown": "text/markdown",
    ".mdown": "text/markdown",
    ".mdx": "text/mdx",
    ".qmd": "text/x-rmarkdown",
    ".rmd": "text/x-rmarkdown",
    ".txt": "text/plain",
    ".text": "text/plain",
    ".html": "text/html",
    ".htm": "text/html",
    ".xhtml": "text/html",
    ".pdf": "application/pdf",
    ".docx": _OOXML + "wordprocessingml.document",
    ".docm": _OOXML + "wordprocessingml.document",
    ".dotx": _OOXML + "wordprocessingml.document",
    ".dotm": _OOXML + "wordprocessingml.document",
    ".pptx": _OOXML + "presentationml.presentation",
    ".pptm": _OOXML + "presentationml.presentation",
    ".ppsx": _OOXML + "presentationml.presentation",
    ".ppsm": _OOXML + "presentationml.presentation",
    ".potx": _OOXML + "presentationml.presentation",
    ".potm": _OOXML + "presentationml.presentation",
    ".xlsx": _OOXML + "spreadsheetml.sheet",
    ".xlsm": _OOXML + "spreadsheetml.sheet",
    ".xltx": _OOXML + "spreadsheetml.sheet",
    ".xltm": _OOXML + "spreadsheetml.sheet",
    ".odt": _ODF + "text",
    ".ott": _ODF + "text",
    ".ods": _ODF + "spreadsheet",
    ".ots": _ODF + "spreadsheet",
    ".odp": _ODF + "presentation",
    ".otp": _ODF + "presentation",
    ".rtf": "application/rtf",
    ".eml": "message/rfc822",
    ".msg": "application/vnd.ms-outlook",
    ".mht": "application/x-mimearchive",
    ".mhtml": "application/x-mimearchive",
    ".csv": "text/csv",
    ".tsv": "text/tab-separated-values",
    ".tab": "text/tab-separated-values",
    ".json": "application/json",
    ".jsonc": "application/json",
    ".jsonl": "application/jsonl",
    ".ndjson": "application/jsonl",
    ".ipynb": "application/x-ipynb+json",
    ".epub": "application/epub+zip",
    ".rst": "text/x-rst",
    ".adoc": "text/asciidoc",
    ".asciidoc": "text/asciidoc",
    ".org": "text/org",
    ".tex": "text/x-tex",
    ".log": "text/plain",
    ".srt": "application/x-subrip",
    ".vtt": "text/vtt",
    **CODE_MEDIA_TYPES,
}
# Read by OCR alone, see ingest/parsers/pictures.py.
PICTURE_SUFFIXES: Mapping[str, str] = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".jpe": "image/jpeg",
    ".jfif": "image/jpeg",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".heic": "image/heic",
    ".heif": "image/heic",
}
PICTURE_MEDIA_TYPES = frozenset(PICTURE_SUFFIXES.values())
# Texts that by custom have no suffix.
_BARE_NAMES = frozenset(
    {
        "readme",
        "license",
        "licence",
        "copying",
        "notice",
        "changelog",
        "changes",
        "history",
        "news",
        "authors",
    }
    | {"contributors", "contributing", "maintainers", "install", "todo", "security", "code_of_conduct"}
)
_SNIFFED = frozenset({"text/markdown", "text/plain", "text/html"})  # suffixes that people put on anything
SNIFFED_BYTES = 1024


def media_type_of(name: str, head: bytes) -> str:
    """Name the type by the file's suffix and, for text, by its first bytes; "" when it is not known.

    >>> media_type_of("a.MD", b"# Title"), media_type_of("a.txt", b"%PDF-1.7"), media_type_of("a.zip", b"PK")
    ('text/markdown', 'application/pdf', '')
    >>> media_type_of("docs/LICENSE", b"Apache License"), media_type_of("docs/data", b"x")
    ('text/plain', '')
    """
    path = PurePosixPath(name)
    media_type = MEDIA_TYPES.get(path.suffix.lower(), "")
    if path.name.lower() in _BARE_NAMES and b"\0" not in head:
        media_type = "text/plain"
    if media_type in _SNIFFED:
        start = head[:SNIFFED_BYTES].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
        if start.startswith(b"%pdf-"):
            return "application/pdf"
        if start.startswith((b"<!doctype html", b"<html")):
            return "text/html"
    return media_type
