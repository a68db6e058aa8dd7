"""ingest.ocr in the confined child: real models on drawn pages whichever way they lie; limits of time and memory."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from PIL import Image, ImageFilter

from app.domain import Document
from app.errors import DocumentError
from ingest.parsers import pdf
from ingest.sandbox import SandboxedParser
from tests.pages import LETTER_ZH, NEEDS_OCR, PAGE_HEIC, draw_page, picture_bytes, scan_pdf

ROOT = Path(__file__).parents[2]
LINES = [
    "Maintenance of the cooling plant",
    "",
    "The pump P-204 is stopped on 14 October for four days.",
    "Spare parts are kept in store B, shelf 17.",
    "Call extension 6621 and ask for Mrs Lindqvist.",
]
TEXT = " ".join(LINES[2:])
PAGE = draw_page(LINES)


@pytest.fixture(scope="module")
def parser() -> Iterator[SandboxedParser]:
    with SandboxedParser.with_ocr() as parser:
        yield parser


def read(parser: SandboxedParser, picture: Image.Image, kind: str = "PNG") -> Document:
    return parser.parse(picture_bytes(picture, kind), f"image/{kind.lower()}", "a")


def failure(parser: SandboxedParser, content: bytes, media_type: str = "image/png") -> str:
    with pytest.raises(DocumentError) as raised:
        parser.parse(content, media_type, "a")
    return raised.value.code


def test_what_the_extra_names_is_installed_for_the_tests() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    dev = {Requirement(line).name for line in project["dependency-groups"]["dev"]}
    assert {Requirement(line).name for line in project["project"]["optional-dependencies"]["ocr"]} <= dev


@NEEDS_OCR
@pytest.mark.parametrize("degrees", [0, 90, 180, 270, 4], ids=str)
def test_a_page_is_read_whichever_way_it_lies(parser: SandboxedParser, degrees: int) -> None:
    document = read(parser, PAGE.rotate(degrees, expand=True, fillcolor=255))
    assert document.text.startswith(LINES[0])
    assert TEXT in " ".join(document.text.split())
    assert document.pages[0].ocr_confidence is not None
    assert document.pages[0].ocr_confidence > 0.95


@NEEDS_OCR
@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_other_kinds_of_pictures_are_read(parser: SandboxedParser, kind: str) -> None:
    assert TEXT in " ".join(read(parser, PAGE, kind).text.split())


@NEEDS_OCR
def test_a_picture_of_a_phone_is_read(parser: SandboxedParser) -> None:
    document = parser.parse(PAGE_HEIC.read_bytes(), "image/heic", "a")
    assert document.text.startswith(LINES[0])
    assert TEXT in " ".join(document.text.split())


@NEEDS_OCR
def test_a_picture_of_a_phone_that_is_cut_off_is_no_document(parser: SandboxedParser) -> None:
    content = PAGE_HEIC.read_bytes()
    for size in (40, len(content) // 2, len(content) - 200):
        assert failure(parser, content[:size], "image/heic") == "picture"


@NEEDS_OCR
def test_a_picture_that_its_camera_calls_turned_is_turned(parser: SandboxedParser) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    content = picture_bytes(PAGE.rotate(90, expand=True), "JPEG", exif=exif)
    (page,) = parser.parse(content, "image/jpeg", "a").page_lines
    assert (page.width, page.height) == PAGE.size


@NEEDS_OCR
def test_chinese_is_read(parser: SandboxedParser) -> None:
    document = parser.parse(LETTER_ZH.read_bytes(), "image/png", "信.png")
    assert document.language == "zh"
    assert "三号锅炉将于十月十二日停炉检修，预计持续四天。" in document.text
    assert "值班电话改为六六二一，由维修组李工负责。" in document.text


@NEEDS_OCR
def test_pages_of_a_pdf_are_told_as_they_are_read(parser: SandboxedParser) -> None:
    told: list[tuple[int, int]] = []
    content = scan_pdf([PAGE, draw_page(["Second page of the manual", "about valve V-9."])])
    document = parser.parse(content, pdf.MEDIA_TYPE, "a.pdf", lambda page, pages: told.append((page, pages)))
    assert told == [(1, 2), (2, 2)]
    second = document.pages[1]
    assert "valve V-9" in document.text[second.char_start : second.char_end]
    assert document.page_lines[1].width == 480  # points of 1,000 pixels at 150 dpi


@NEEDS_OCR
@pytest.mark.parametrize(
    ("picture", "code"),
    [
        (PAGE.transpose(Image.Transpose.FLIP_LEFT_RIGHT), "low_confidence"),
        (Image.effect_noise((1200, 900), 60), "picture"),
        (PAGE.filter(ImageFilter.GaussianBlur(9)), "picture"),
    ],
    ids=["mirrored", "noise", "blurred"],
)
def test_what_can_not_be_read_is_never_stored_as_text(
    parser: SandboxedParser, picture: Image.Image, code: str
) -> None:
    assert failure(parser, picture_bytes(picture)) == code


@NEEDS_OCR
def test_a_page_or_a_document_that_takes_too_long_is_a_timeout() -> None:
    many = scan_pdf([PAGE] * 40)
    with SandboxedParser(memory_bytes=2**32, cpu_s=600, wall_s=600, page_s=0.05, ocr=True) as parser:
        assert failure(parser, many, pdf.MEDIA_TYPE) == "parser_timeout"
    with SandboxedParser(memory_bytes=2**32, cpu_s=600, wall_s=1, page_s=600, ocr=True) as parser:
        assert failure(parser, many, pdf.MEDIA_TYPE) == "parser_timeout"


@NEEDS_OCR
def test_a_page_that_takes_too_much_memory_is_told() -> None:
    with SandboxedParser(memory_bytes=150 * 2**20, cpu_s=600, wall_s=600, ocr=True) as parser:
        assert failure(parser, picture_bytes(PAGE.resize((4000, 5000)))) == "parser_memory"


PROBE = """
import os, socket, sys, threading
from ingest.sandbox.confine import MemoryGauge, confine
held = confine(MemoryGauge(), allow_threads=True)
thread = threading.Thread(target=lambda: None)
thread.start()
thread.join()
def outcome(act):
    try:
        act()
    except OSError as error:
        return type(error).__name__
    return "done"
tries = {"fork": os.fork, "exec": lambda: os.execv(sys.executable, [sys.executable]), "socket": socket.socket,
         "read": lambda: open("/etc/passwd").read(), "spawn": lambda: os.posix_spawn("/bin/true", ["true"], {})}
print(held.calls, held.files, {name: outcome(act) for name, act in tries.items()})
"""


@pytest.mark.skipif(sys.platform != "linux", reason="these limits are Linux's")
def test_a_child_that_may_start_threads_starts_no_process_and_opens_no_connection() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROBE],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env={**os.environ},
    )
    if done.stdout.startswith("True True"):
        assert done.stdout.count("PermissionError") == 5
