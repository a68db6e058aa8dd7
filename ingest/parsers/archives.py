"""Zip archives from strangers: checked once when opened, then read member by member within limits.

DOCX, PPTX, XLSX and EPUB are zip archives of XML. Nothing is written to disk and no archive inside an archive is
opened, so nesting is one level deep by construction and names of members lead nowhere. XML is read without
document type declarations' entities, without network and within libxml2's own limits of depth and text length.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO

from lxml import etree  # type: ignore[import-untyped]  # ships no types

from app.errors import DocumentError
from app.file_limits import FIXED, over, too_large

MAX_TOTAL_BYTES = 200_000_000  # of all members, uncompressed
MAX_RATIO = 100
MAX_MEMBERS = 10_000
MAX_TREE_BYTES = 32_000_000  # of one XML part read as a tree, which takes about ten times that in memory
_RATIO_FLOOR_BYTES = 1_000_000  # a small archive may well hold one blank sheet that packs 200 to 1

_BLOCK_BYTES = 1 << 20
_MAX_MARK_BYTES = 100
_ENCRYPTED_FLAG = 0x1
_LOCAL_HEADER_BYTES = 30
_ENTRY_MARK = b"PK\x01\x02"
_COMPRESSIONS = frozenset(
    {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
)  # others can ask for gigabytes of memory
# An Office file with a password is not a zip archive but an OLE file that holds the encrypted archive.
_OLE_MARK = bytes.fromhex("d0cf11e0a1b11ae1")
_OLE_ENCRYPTED_STREAM = "EncryptedPackage".encode("utf-16-le")

_READ_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    OSError,
    RuntimeError,
    ValueError,
)
_PARSER_OPTIONS = {
    "resolve_entities": False,
    "load_dtd": False,
    "no_network": True,
    "huge_tree": False,
    "remove_comments": True,
    "remove_pis": True,
}


class Archive:
    """An open archive whose members have been checked; names are those in its directory."""

    def __init__(self, content: bytes) -> None:
        """Open and check it. Raises DocumentError `archive_bomb`, `encrypted` or `parse_failed`."""
        if content.startswith(_OLE_MARK) and _OLE_ENCRYPTED_STREAM in content:
            raise DocumentError("The file is protected by a password; save it without one.", code="encrypted")
        entries = content.count(_ENTRY_MARK)
        if entries > MAX_MEMBERS:  # before zipfile makes an object of each
            raise DocumentError(over("parts", entries, MAX_MEMBERS), code="archive_bomb")
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(content))
        except _READ_ERRORS as error:
            raise _damaged(error) from error
        self._members = {member.filename: member for member in self._zip.infolist()}
        _check(self._zip.infolist(), len(content))

    def __contains__(self, name: str) -> bool:
        return name in self._members

    def names(self) -> list[str]:
        """Return the names of all members, in the directory's order."""
        return list(self._members)

    def members(self) -> list[zipfile.ZipInfo]:
        """Return the directory's entries."""
        return self._zip.infolist()

    def read(
        self, name: str, max_bytes: int = MAX_TREE_BYTES, what: str = "part bytes", setting: str = FIXED
    ) -> bytes:
        """Return a member's bytes. Raises DocumentError `parse_failed` (missing, damaged) or `too_large`, in words of
        `what` and `setting` (app/file_limits.py)."""
        size_bytes = self._member(name).file_size
        if size_bytes > max_bytes:
            raise too_large(what, size_bytes, max_bytes, setting)
        try:
            return self._zip.read(name)
        except _READ_ERRORS as error:
            raise _damaged(error) from error

    def read_xml(self, name: str) -> etree._Element:
        """Return the root of an XML member. Raises DocumentError as `read` does, `parse_failed` for bad XML."""
        try:
            root = etree.fromstring(self.read(name), etree.XMLParser(**_PARSER_OPTIONS))
        except (etree.XMLSyntaxError, ValueError) as error:
            raise _damaged(error) from error
        _refuse_entities(root)
        return root

    def iter_xml(self, name: str, tags: tuple[str, ...]) -> Iterator[etree._Element]:
        """Yield the elements of these local names as each is complete, of any namespace, innermost first.

        Memory stays flat if the consumer calls `release` on what it is done with. Raises DocumentError
        `parse_failed` when the XML or the archive turns out damaged.
        """
        names = [f"{{*}}{tag}" for tag in tags]
        self._member(name)
        try:
            with self._zip.open(name) as stream:
                yield from _iter_elements(stream, names)
        except (etree.XMLSyntaxError, *_READ_ERRORS) as error:
            raise _damaged(error) from error

    def read_after(self, name: str, mark: re.Pattern[bytes], max_bytes: int) -> bytes:
        """Return what follows the first match of `mark` (of at most 100 bytes) in a member, cut at `max_bytes`; b""
        where there is none.

        Memory stays flat. Raises DocumentError `parse_failed`.
        """
        self._member(name)
        kept = b""
        try:
            with self._zip.open(name) as stream:
                while block := stream.read(_BLOCK_BYTES):
                    kept += block
                    if match := mark.search(kept):
                        return kept[match.end() :] + stream.read(max_bytes)
                    kept = kept[-_MAX_MARK_BYTES:]
        except _READ_ERRORS as error:
            raise _damaged(error) from error
        return b""

    def _member(self, name: str) -> zipfile.ZipInfo:
        member = self._members.get(name)
        if member is None:
            raise DocumentError(
                f"The file is damaged: its part {name[:200]} is missing.", code="parse_failed"
            )
        return member


def release(element: etree._Element) -> None:
    """Free an element that `iter_xml` gave and all before it under the same parent."""
    parent = element.getparent()
    element.clear()
    while parent is not None and element.getprevious() is not None:
        del parent[0]  # a slice would be counted out from the start, three times as slow


def local_name(element: etree._Element) -> str:
    """Return the tag without its namespace: files come in two (transitional and strict); "" for entities."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def _iter_elements(stream: IO[bytes], names: list[str]) -> Iterator[etree._Element]:
    first = True
    for _, element in etree.iterparse(stream, events=("end",), tag=names, **_PARSER_OPTIONS):
        if first:
            _refuse_entities(element)
            first = False
        yield element


def _refuse_entities(element: etree._Element) -> None:
    dtd = element.getroottree().docinfo.internalDTD
    if dtd is not None and next(dtd.iterentities(), None) is not None:
        raise DocumentError("The file declares XML entities, which no document needs.", code="archive_bomb")


def _check(members: list[zipfile.ZipInfo], archive_bytes: int) -> None:
    """Refuse what no office program writes. What is declared here also bounds what zipfile reads later."""
    total = sum(member.file_size for member in members)
    if len(members) > MAX_MEMBERS:
        raise DocumentError(over("parts", len(members), MAX_MEMBERS), code="archive_bomb")
    if total > MAX_TOTAL_BYTES:
        raise DocumentError(over("unpacked", total, MAX_TOTAL_BYTES), code="archive_bomb")
    if total > max(_RATIO_FLOOR_BYTES, MAX_RATIO * archive_bytes):
        raise DocumentError(over("ratio", -(-total // max(1, archive_bytes)), MAX_RATIO), code="archive_bomb")
    end = 0
    for member in sorted(members, key=lambda member: member.header_offset):
        if member.header_offset < end:
            raise DocumentError(
                "Parts of the file lie over one another; it is not read.", code="archive_bomb"
            )
        end = member.header_offset + _LOCAL_HEADER_BYTES + member.compress_size
        if member.flag_bits & _ENCRYPTED_FLAG:
            raise DocumentError("The file is protected by a password; save it without one.", code="encrypted")
        if member.compress_type not in _COMPRESSIONS:
            raise DocumentError("The file is packed in a way that is not read.", code="parse_failed")
    if end > archive_bytes:
        raise DocumentError("The file is damaged: it ends too early.", code="parse_failed")


def _damaged(error: Exception) -> DocumentError:
    reason = " ".join(str(error).split())[:200] or type(error).__name__
    return DocumentError(f"The file is damaged and can't be read: {reason}.", code="parse_failed")
