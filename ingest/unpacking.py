"""A zip that was sent → the files in it, within the limits of office files (ingest/parsers/archives.py).

Nothing is written by a name of the archive's, links are left out, and an archive in it is not opened: it is a file as
any other, which is skipped.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from zipfile import ZipInfo

from app.errors import DocumentError
from app.file_limits import UPLOAD_BYTES, UPLOAD_FILES, too_large
from app.file_names import clean_name
from ingest.parsers.archives import Archive

_MAC_EXTRAS: Final = "__MACOSX/"  # what macOS adds to every zip
_UTF8_NAME: Final = 0x800  # the flag of a name that is UTF-8


@dataclass(frozen=True, slots=True)
class PackedFile:
    """A file in a zip: what it is called, and its bytes; without them, why not."""

    name: str
    content: bytes
    fault: DocumentError | None = None


def is_zip(name: str) -> bool:
    """Whether a file of this name is unpacked."""
    return name.lower().endswith(".zip")


def unpack(content: bytes, *, max_files: int, max_file_bytes: int) -> Iterator[PackedFile]:
    """The files in a zip, in its order. Raises DocumentError before the first: `archive_bomb`, `encrypted`,
    `parse_failed`, or `too_large` where there are more than `max_files`."""
    archive = Archive(content)
    members = [member for member in archive.members() if _is_a_file(member)]
    if len(members) > max_files:
        raise too_large("files", len(members), max_files, UPLOAD_FILES)
    return (_packed(archive, member, max_file_bytes) for member in members)


def _packed(archive: Archive, member: ZipInfo, max_file_bytes: int) -> PackedFile:
    name = clean_name(_name_of(member))
    try:
        return PackedFile(name, archive.read(member.filename, max_file_bytes, "bytes", UPLOAD_BYTES))
    except DocumentError as error:
        return PackedFile(name, b"", error)


def _is_a_file(member: ZipInfo) -> bool:
    kind = member.external_attr >> 16
    return not (member.is_dir() or stat.S_ISLNK(kind) or member.filename.startswith(_MAC_EXTRAS))


def _name_of(member: ZipInfo) -> str:
    """The name as it was meant: a zip that does not say UTF-8 has the bytes of its writer's system, which zipfile reads
    as IBM's code page; on Chinese systems these are GB 18030."""
    if member.flag_bits & _UTF8_NAME or member.filename.isascii():
        return member.filename
    try:
        written = member.filename.encode("cp437")
    except UnicodeEncodeError:
        return member.filename
    for encoding in ("utf-8", "gb18030"):
        try:
            return written.decode(encoding)
        except UnicodeDecodeError:
            continue
    return member.filename
