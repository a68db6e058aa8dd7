"""What is no document: files of a folder that nobody expects an answer from, by name and by their first bytes.

Pictures, sound and film, fonts, archives, programs, what programs write beside documents, and bytes that are no text.
A document in a format that is not read (.doc, .pages) is none of these: it fails, so that somebody hears of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Final

from ingest.parsers.media_types import PICTURE_SUFFIXES

_PICTURES: Final = (
    "png jpg jpeg jpe jfif gif svg svgz webp avif bmp dib ico icns tif tiff heic heif jp2 jxl tga dds psd psb xcf ai "
    "eps raw cr2 cr3 nef arw dng orf rw2 wmf emf drawio fig sketch xd blend stl obj glb gltf fbx dwg dxf"
)
_MEDIA: Final = (
    "mp3 wav flac ogg oga opus m4a aac wma aif aiff mid midi amr "
    "mp4 m4v mov avi mkv webm wmv flv mpg mpeg 3gp ogv"
)
_FONTS: Final = "ttf otf ttc woff woff2 eot pfb pfm afm"
_ARCHIVES: Final = (
    "zip tar gz tgz bz2 tbz2 xz txz zst lz lzma lz4 7z rar cab cpio deb rpm apk jar war ear whl egg gem nupkg "
    "crate vsix xpi iso img dmg vhd vhdx vmdk qcow2"
)
_PROGRAMS: Final = "exe dll so dylib lib o msi sys class pyc pyo pyd elc beam wasm pdb dsym node efi appimage"
_KINDS: Final[Mapping[str, str]] = {
    f".{suffix}": kind
    for kind, suffixes in (
        ("program", _PROGRAMS),
        ("archive", _ARCHIVES),
        ("font", _FONTS),
        ("media", _MEDIA),
        ("picture", _PICTURES),
    )
    for suffix in suffixes.split()
}
# Owner files of Office and LibreOffice, of editors, unfinished downloads, backups, and what file managers leave.
_TEMPORARY: Final = re.compile(
    r"~\$.*|\.~lock\..*#|\._.*|.*~|#.*#|.*\.(?:tmp|temp|sw[a-p]|bak|part|partial|crdownload|download)|"
    r"(?:eh)?thumbs\.db|desktop\.ini|\.ds_store|icon\r",
    re.IGNORECASE | re.DOTALL,
)
# Documents in formats of bytes that no parser reads.
_UNREAD_DOCUMENTS: Final = (
    "doc dot xls xlt xlsb xla ppt pot pps wps wpt et ett dps dpt ofd pages numbers key pst one vsd vsdx pub mpp "
    "odg mobi azw azw3 prc djvu djv chm hlp wpd wri hwp hwpx xps oxps sxw sxc sxi cwk abw lwp qxd indd idml"
)
_UNREAD: Final = frozenset(f".{suffix}" for suffix in _UNREAD_DOCUMENTS.split())
_TEXT_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")  # of UTF-16, which is full of NULs


def kind_of_name(name: str, *, ocr: bool = False) -> str | None:
    """Why a file of this name is no document: a code of ingest.reasons.SKIPPED, None where it may be one. With `ocr`
    some pictures may.

    >>> kind_of_name("img/Plan.PNG"), kind_of_name("~$report.docx"), kind_of_name("report.docx")
    ('picture', 'temporary', None)
    """
    path = PurePosixPath(name)
    if ocr and path.suffix.lower() in PICTURE_SUFFIXES and not _TEMPORARY.fullmatch(path.name):
        return None
    return "temporary" if _TEMPORARY.fullmatch(path.name) else _KINDS.get(path.suffix.lower())


def refusal_of_name(name: str, *, ocr: bool = False) -> str | None:
    """Why an uploaded file of this name is not taken in, whatever it holds: a reason code. None where it may be taken
    in; a zip is unpacked.

    >>> refusal_of_name("a.exe"), refusal_of_name("letter.doc"), refusal_of_name("all.zip"), refusal_of_name("a.md")
    ('program', 'unsupported_type', None, None)
    """
    suffix = PurePosixPath(name).suffix.lower()
    if suffix == ".zip":
        return None
    return kind_of_name(name, ocr=ocr) or ("unsupported_type" if suffix in _UNREAD else None)


def is_binary(name: str, head: bytes) -> bool:
    """Whether a file of unknown type begins like no text: with a NUL, and it is no kind of document.

    >>> is_binary("model.dat", b"\\0\\1"), is_binary("letter.doc", b"\\xd0\\xcf\\0"), is_binary("notes.xyz", b"text")
    (True, False, False)
    """
    suffix = PurePosixPath(name).suffix.lower()
    return suffix not in _UNREAD and b"\0" in head and not head.startswith(_TEXT_MARKS)
