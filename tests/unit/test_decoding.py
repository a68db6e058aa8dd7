"""ingest.parsers.decoding: files arrive in the encodings that people use, and guesses are refused."""

from __future__ import annotations

import os
import time

import pytest

from app.errors import DocumentError
from ingest.parsers.decoding import decode

CHINESE = "检索增强生成把文档检索和语言模型结合起来，使答案有据可查。"
TRADITIONAL = "今天天氣很好，我們去公園散步吧。"
FRENCH = "Où est le café ? L’été à la forêt, déjà vu."


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("plain", "ascii"),
        (CHINESE, "utf-8"),
        (CHINESE, "utf-8-sig"),
        (CHINESE, "gb18030"),
        ("word 文件 word", "gb18030"),
        (TRADITIONAL, "big5"),
        (TRADITIONAL, "gb18030"),
        (FRENCH, "cp1252"),
        ("naïve approach", "latin-1"),
        ("café", "latin-1"),
        ("“smart” don’t", "cp1252"),
        (CHINESE, "utf-16"),
        (CHINESE + "\n" + CHINESE, "utf-16-le"),
        (CHINESE + "\n" + CHINESE, "utf-16-be"),
        ("plain English", "utf-16-le"),
        ("plain English", "utf-32"),
        ("", "utf-8"),
    ],
)
def test_encodings_are_told_from_the_bytes(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding)) == text


def test_a_damaged_utf8_file_keeps_its_text() -> None:
    content = (CHINESE * 3).encode() + b"\xe4\xbd"
    assert decode(content) == CHINESE * 3 + "\ufffd"


def test_a_declared_charset_is_used_unless_the_bytes_are_utf8() -> None:
    assert decode("Привет, мир".encode("cp1251"), "cp1251") == "Привет, мир"
    assert decode("Привет".encode(), "cp1251") == "Привет"
    assert decode(FRENCH.encode("cp1252"), "no-such-charset") == FRENCH


@pytest.mark.parametrize(
    "content",
    [
        "你好".encode("gb18030"),  # as good in Big5
        bytes(range(128, 256)) * 8,
        b"a" * 1000 + "文".encode("gb18030"),
        b"\x89PNG\r\n\x1a\n" + bytes(range(256)),
    ],
)
def test_what_cannot_be_told_is_refused(content: bytes) -> None:
    with pytest.raises(DocumentError) as raised:
        decode(content)
    assert raised.value.code == "bad_encoding"


def test_a_megabyte_of_anything_takes_no_time() -> None:
    started = time.perf_counter()
    for content in (
        os.urandom(10**6),
        b"\xe9 " * 500_000,
        ("文档" * 250_000).encode("gb18030"),
        b"\0\xd8" * 500_000,
    ):
        try:
            decode(content)
        except DocumentError as error:
            if error.code != "bad_encoding":
                raise
    assert time.perf_counter() - started < 5  # 0.5 s when idle
