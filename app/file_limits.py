"""What is over a limit, in words: how much there is, how much may be, and the setting that says so.

One table in English and Chinese. What is stored with a document or a job is the English sentence; the page knows it by
its form and shows the Chinese one (scripts/web_sources.py). Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from app.errors import DocumentError

FIXED: Final = "fixed"  # in place of a setting's name: none changes the limit
AT_LEAST: Final = "at least "  # before a number where counting ended at the limit
WORDS_ZH: Final[Mapping[str, str]] = {FIXED: "不可调整", AT_LEAST: "至少 "}
FILE_BYTES: Final = "PGASK_MAX_FILE_BYTES"
UPLOAD_BYTES: Final = "PGASK_MAX_UPLOAD_BYTES"
UPLOAD_FILES: Final = "PGASK_MAX_UPLOAD_FILES"

LIMITS: Final[Mapping[str, tuple[str, str]]] = {
    what: (
        f"{thing} has {{found}} {unit}; the limit is {{most}} ({{setting}}). {way_out}",
        f"{thing_zh} {{found}} {unit_zh}，上限为 {{most}}（{{setting}}）。{way_out_zh}",
    )
    for what, thing, unit, way_out, thing_zh, unit_zh, way_out_zh in (
        ("bytes", "The file", "bytes", "Split it, or raise the limit.", "文件有", "字节", "请拆分文件或提高上限。"),
        ("part bytes", "A part of the file", "bytes", "Split it.", "文件的一个部分有", "字节", "请拆分文件。"),
        ("chars", "The file", "characters of text", "Split it.", "文件有", "个字符的文本", "请拆分文件。"),
        ("tokens", "The file", "tokens of text", "Split it.", "文件有", "个词元的文本", "请拆分文件。"),
        ("pages", "The file", "pages", "Split it.", "文件有", "页", "请拆分文件。"),
        ("scans", "The file", "pages to be read by OCR", "Split it.", "文件需文字识别的有", "页", "请拆分文件。"),
        ("slides", "The file", "slides", "Split it.", "文件有", "张幻灯片", "请拆分文件。"),
        ("chapters", "The file", "chapters", "Split it.", "文件有", "章", "请拆分文件。"),
        ("parts", "The file", "parts", "Split it.", "文件有", "个部分", "请拆分文件。"),
        ("unpacked", "The file", "bytes unpacked", "Split it.", "文件解压后有", "字节", "请拆分文件。"),
        ("ratio", "The file", "times its size unpacked", "Split it.", "文件解压后为原大小的", "倍", "请拆分文件。"),
        ("files", "The archive", "files", "Split it, or raise the limit.", "压缩包有", "个文件", "请拆分或提高上限。"),
        ("pixels", "The picture", "pixels", "Save it smaller.", "图片有", "像素", "请缩小图片。"),
    )
}  # fmt: skip
LIMITS_OF_READING: Final[Mapping[str, tuple[str, str]]] = {
    "seconds": (
        "Reading the file takes more than {most} s ({setting}). Split it.",
        "读取文件超过 {most} 秒（{setting}）。请拆分文件。",
    ),
    "scan seconds": (
        "Reading a page by OCR takes more than {found} s, or all of them more than {most} s ({setting}). Split the "
        "file, or make its pictures smaller.",
        "识别一页文字超过 {found} 秒，或识别全部页面超过 {most} 秒（{setting}）。请拆分文件或缩小图片。",
    ),
    "memory": (
        "Reading the file takes more than {most} MiB of memory ({setting}). Split it.",
        "读取文件所需内存超过 {most} MiB（{setting}）。请拆分文件。",
    ),
}


def over(what: str, found: int, most: int, setting: str = FIXED, *, is_all: bool = True) -> str:
    """What is over a limit of LIMITS, in English. `is_all`: `found` is all there is, not where counting ended."""
    counted = f"{'' if is_all else AT_LEAST}{found:,}"
    return LIMITS[what][0].format(found=counted, most=f"{most:,}", setting=setting)


def over_reading(what: str, most: float, found: float = 0) -> str:
    """What a limit of LIMITS_OF_READING ended, in English."""
    return LIMITS_OF_READING[what][0].format(found=f"{found:,g}", most=f"{most:,g}", setting=FIXED)


def too_large(
    what: str, found: int, most: int, setting: str = FIXED, *, is_all: bool = True
) -> DocumentError:
    """The failure of a file that is over a limit."""
    return DocumentError(over(what, found, most, setting, is_all=is_all), code="too_large")
