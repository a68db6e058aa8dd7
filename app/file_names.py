"""Names that strangers give to files → names of documents: relative, harmless on every system, the same for all eyes.

A document's name is never a path that anything is written to; it is cleaned all the same, for it is shown, exported and
handed to other programs. Pure.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

MAX_PART_BYTES: Final = 255  # what file systems take
_RESERVED: Final = re.compile(
    r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\..*)?", re.IGNORECASE | re.DOTALL
)
_DRIVE: Final = re.compile(r"[A-Za-z]:")
_FORBIDDEN: Final = frozenset('<>:"|?*\\')
# Look like a separator, and are none
_LOOKALIKES: Final = str.maketrans(dict.fromkeys("\u2044\u2215\u29f8\uff0f\ufe68\uff3c\u2216", "_"))
_MAX_SUFFIX_CHARS: Final = 20


def clean_name(name: str) -> str:
    r"""What a document is called whose file came under this name: its parts with slashes between, "" where nothing is
    left.

    Separators of both kinds count; parts that lead up or nowhere, drives and servers are left out; what acts on a
    terminal, turns the direction of writing or is not seen is left out; what a system forbids becomes "_".

    >>> clean_name("../../etc/passwd"), clean_name("C:\\Users\\a.txt"), clean_name("//server/share/b.md")
    ('etc/passwd', 'Users/a.txt', 'server/share/b.md')
    >>> clean_name("a\u202etxt.exe"), clean_name("aux.txt"), clean_name("x?.md. "), clean_name("..")
    ('atxt.exe', '_aux.txt', 'x_.md', '')
    """
    text = unicodedata.normalize("NFC", name).replace("\\", "/")
    if _DRIVE.match(text):
        text = text[2:]
    parts = map(_clean_part, text.split("/"))
    return "/".join(part for part in parts if part)


def _clean_part(part: str) -> str:
    shown = "".join(_shown(character) for character in part.translate(_LOOKALIKES))
    shown = " ".join(shown.split()).rstrip(". ")
    if unicodedata.normalize("NFKC", shown).strip(". ") == "":  # full-width dots, too
        return ""
    return _shortened(f"_{shown}" if _RESERVED.fullmatch(shown) else shown)


def _shown(character: str) -> str:
    category = unicodedata.category(character)
    if character in _FORBIDDEN or category == "Cs":
        return "_"
    if category == "Zs":
        return " "
    return "" if category in ("Cc", "Cf", "Co", "Cn", "Zl", "Zp") else character


def _shortened(part: str) -> str:
    """At most MAX_PART_BYTES, with the suffix, which says what the file is."""
    if len(part.encode()) <= MAX_PART_BYTES:
        return part
    stem, dot, suffix = part.rpartition(".")
    if not stem or len(suffix) > _MAX_SUFFIX_CHARS:
        stem, dot, suffix = part, "", ""
    room = MAX_PART_BYTES - len(f"{dot}{suffix}".encode())
    return stem.encode()[:room].decode("utf-8", "ignore").rstrip(". ") + dot + suffix
