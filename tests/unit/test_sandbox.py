"""ingest.sandbox: the same documents as in this process, and whatever the child dies of, a reason code."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.domain import Document, Page, Section
from app.errors import DocumentError
from ingest.parsers import docx, html, jsonfile, markdown, parse, pdf, plaintext, pptx
from ingest.sandbox import SandboxedParser, wire
from ingest.sandbox.seccomp import REFUSED
from tests.office import build_docx, build_pptx, paragraph, shape
from tests.pdfs import build_pdf

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="these limits are Linux's")
MANY_VALUES = b"[" + b'"a b",' * 4_000_000 + b"1]"  # takes seconds to read
MANY_TAGS = b"<p>x</p>" * 4_000_000  # takes some hundred megabytes


@pytest.fixture(scope="module")
def parser() -> Iterator[SandboxedParser]:
    with SandboxedParser() as parser:
        yield parser


def failure(parser: SandboxedParser, content: bytes, media_type: str) -> str:
    with pytest.raises(DocumentError) as raised:
        parser.parse(content, media_type, "a")
    return raised.value.code


FILES = {
    markdown.MEDIA_TYPE: "---\ntitle: 标题\nn: 3\nf: 1.5\nb: true\n---\n# 一\u200b\n正文𠀀。\n".encode(),
    plaintext.MEDIA_TYPE: "文字，编码。".encode("gb18030") * 3,
    html.MEDIA_TYPE: "<h1>x</h1><p>今天天氣很好，我們去公園散步吧。".encode("big5"),
    pdf.MEDIA_TYPE: build_pdf([["one"], ["two"]], title="T"),
    docx.MEDIA_TYPE: build_docx(paragraph("One", "1") + paragraph("text")),
    pptx.MEDIA_TYPE: build_pptx([shape("a", kind="title"), shape("b")]),
    "text/x-python": b"class A:\n    def f(self): ...\n",
}


@pytest.mark.parametrize("media_type", FILES)
def test_documents_are_those_of_the_parser(parser: SandboxedParser, media_type: str) -> None:
    content = FILES[media_type]
    assert parser.parse(content, media_type, "d/文.x") == parse(content, media_type, "d/文.x")


def test_reasons_are_those_of_the_parser(parser: SandboxedParser) -> None:
    assert failure(parser, b"", markdown.MEDIA_TYPE) == "empty"
    assert failure(parser, b"x", pdf.MEDIA_TYPE) == "parse_failed"
    assert failure(parser, b"x", "") == "unsupported_type"


def test_one_child_reads_many_files_of_any_size(parser: SandboxedParser) -> None:
    parser.parse(b"x", plaintext.MEDIA_TYPE, "a")
    before = parser.starts
    text = "大" * 3_000_000
    assert parser.parse(text.encode(), plaintext.MEDIA_TYPE, "a").text == text
    for _ in range(50):
        parser.parse(b"x", plaintext.MEDIA_TYPE, "a")
    assert parser.starts == before


@LINUX
def test_a_child_that_has_been_near_its_limit_is_replaced() -> None:
    with SandboxedParser(memory_bytes=180 * 2**20) as parser:
        assert parser.parse(MANY_TAGS[:3_200_000], html.MEDIA_TYPE, "a").text.startswith("x\n\nx")
        assert parser.parse(b"x", plaintext.MEDIA_TYPE, "a").text == "x"
        assert parser.starts == 2


def test_too_much_time_is_a_timeout() -> None:
    with SandboxedParser(wall_s=0.5) as parser:
        assert failure(parser, MANY_VALUES, jsonfile.JSON_MEDIA_TYPE) == "parser_timeout"
        assert parser.parse(b"x", plaintext.MEDIA_TYPE, "a").text == "x"
        assert parser.starts == 2


def test_too_much_cpu_is_a_timeout() -> None:
    with SandboxedParser(cpu_s=0) as parser:
        assert failure(parser, MANY_VALUES, jsonfile.JSON_MEDIA_TYPE) == "parser_timeout"


@LINUX
@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (MANY_TAGS, html.MEDIA_TYPE),
        (MANY_VALUES, jsonfile.JSON_MEDIA_TYPE),
        (b"x" * 2**27, plaintext.MEDIA_TYPE),
    ],
    ids=["libxml2", "python", "request"],
)
def test_too_much_memory_is_told(content: bytes, media_type: str) -> None:
    with SandboxedParser(memory_bytes=48 * 2**20) as parser:
        assert failure(parser, content, media_type) == "parser_memory"
        assert parser.parse(b"x", plaintext.MEDIA_TYPE, "a").text == "x"


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (signal.SIGSEGV, "parser_crashed"),
        (signal.SIGABRT, "parser_memory"),
        (signal.SIGKILL, "parser_memory"),
    ],
)
def test_a_crash_is_a_reason_and_the_next_file_is_read(sent: signal.Signals, code: str) -> None:
    with SandboxedParser() as parser:
        parser.parse(b"x", plaintext.MEDIA_TYPE, "a")
        pid = parser.child_pid
        assert pid is not None
        timer = threading.Timer(0.3, os.kill, (pid, sent))
        timer.start()
        assert failure(parser, MANY_VALUES, jsonfile.JSON_MEDIA_TYPE) == code
        timer.join()
        assert parser.parse(b"x", plaintext.MEDIA_TYPE, "a").text == "x"


def test_a_child_that_dies_between_files_is_no_fault_of_the_next(parser: SandboxedParser) -> None:
    parser.parse(b"x", plaintext.MEDIA_TYPE, "a")
    pid = parser.child_pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    while Path(f"/proc/{pid}/stat").exists() and Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z":
        time.sleep(0.01)
    assert parser.parse(b"x", plaintext.MEDIA_TYPE, "a").text == "x"


def test_closing_ends_the_child_and_is_not_the_end() -> None:
    parser = SandboxedParser()
    parser.close()
    parser.parse(b"x", plaintext.MEDIA_TYPE, "a")
    pid = parser.child_pid
    assert pid is not None
    parser.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert parser.parse(b"x", plaintext.MEDIA_TYPE, "a").text == "x"
    parser.close()


def test_a_child_whose_parent_was_killed_while_it_started_says_nothing() -> None:
    command = [sys.executable, "-m", "ingest.sandbox", str(2**29), "60"]
    reading, writing = os.pipe()
    os.close(reading)  # as when the parent has died
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=writing, stderr=subprocess.PIPE, check=False, timeout=60
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")


def test_threads_take_turns(parser: SandboxedParser) -> None:
    texts: dict[int, str] = {}

    def read(number: int) -> None:
        for _ in range(20):
            texts[number] = parser.parse(f"text {number}".encode(), plaintext.MEDIA_TYPE, "a").text

    threads = [threading.Thread(target=read, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert texts == {number: f"text {number}" for number in range(4)}


PROBE = """
import ctypes, json, os, socket, sys
import ingest.parsers
from ingest.sandbox.confine import MemoryGauge, confine
libc = ctypes.CDLL(None, use_errno=True)
def queue_signal(pid):
    if libc.sigqueue(pid, 0, None) != 0:
        raise OSError(ctypes.get_errno(), "sigqueue")
held = confine(MemoryGauge())
tries = {
    "socket": lambda: socket.socket(),
    "fork": os.fork,
    "exec": lambda: os.execv(sys.executable, [sys.executable]),
    "write": lambda: open(sys.argv[1] + "/new", "w"),
    "append": lambda: open(sys.argv[1] + "/there", "a"),
    "remove": lambda: os.remove(sys.argv[1] + "/there"),
    "rename": lambda: os.rename(sys.argv[1] + "/there", sys.argv[1] + "/else"),
    "mode": lambda: os.chmod(sys.argv[1] + "/there", 0),
    "attribute": lambda: os.removexattr(sys.argv[1] + "/there", "user.none"),
    "queued signal": lambda: queue_signal(os.getppid()),
    "signal": lambda: os.kill(os.getppid(), 0),
    "read": lambda: open(sys.argv[1] + "/there").read(),
    "passwd": lambda: open("/etc/passwd").read(),
    "memory": lambda: bytearray(600 * 2**20),
}
def outcome(act):
    try:
        act()
    except (OSError, MemoryError) as error:
        return type(error).__name__
    return "done"
found = {name: outcome(act) for name, act in tries.items()}
"文".encode("euc_jp"), "x".encode("koi8_r")  # codecs are modules that are imported when first used
heavy = [name for name in ("torch", "numpy", "psycopg", "sqlalchemy", "fastapi") if name in sys.modules]
print(json.dumps({"held": held.as_dict(), "found": found, "heavy": heavy}))
"""


@LINUX
def test_the_child_can_do_no_harm(tmp_path: Path) -> None:
    (tmp_path / "there").write_text("secret")
    command = [sys.executable, "-c", PROBE, str(tmp_path)]
    shown = json.loads(subprocess.run(command, check=True, capture_output=True, timeout=60).stdout)
    found = shown["found"]
    assert shown["heavy"] == []
    assert found.pop("memory") == "MemoryError"
    if not shown["held"]["files"]:
        assert (found.pop("read"), found.pop("passwd")) == ("done", "done")
    if shown["held"]["calls"]:
        assert set(found.values()) == {"PermissionError"}
    assert [path.name for path in tmp_path.iterdir()] == ["there"]


def test_the_child_sees_no_secret(parser: SandboxedParser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGASK_LLM_API_KEY", "canary")
    parser.close()
    parser.parse(b"x", plaintext.MEDIA_TYPE, "a")
    environment = Path(f"/proc/{parser.child_pid}/environ")
    if environment.exists():
        assert b"canary" not in environment.read_bytes()


DOCUMENT = Document(
    "text", "t", "text/plain", "en", (Section(0, 4, ("h",)),), (Page(1, 0, 4),), {"a": 1}, {"b": 2}
)


def test_replies_survive_the_wire() -> None:
    assert wire.decode_reply(*wire.encode_document(DOCUMENT)) == DOCUMENT


@pytest.mark.parametrize(
    "change",
    [
        {"title": 1},
        {"sections": [[0, 5, ["h"]]]},
        {"sections": [[2, 1, ["h"]]]},
        {"sections": [[0, 2, ["h"]], [1, 3, ["h"]]]},
        {"sections": [[0, 2, [{}]]]},
        {"sections": [[-1, 2, []]]},
        {"pages": [[1, 0]]},
        {"pages": [["1", 0, 1]]},
        {"language": "xx"},
        {"metadata": {"a": []}},
        {"metadata": 3},
        {"dropped": {"a": "b"}},
    ],
    ids=str,
)
def test_a_reply_that_is_no_document_is_refused(change: dict[str, object]) -> None:
    head, text = wire.encode_document(DOCUMENT)
    document = {**json.loads(head)["document"], **change}
    with pytest.raises(wire.WireError):
        wire.decode_reply(json.dumps({"document": document}).encode(), text)


@pytest.mark.parametrize(
    "head", [b"", b"[]", b"{}", b'{"error": {"code": "made_up", "message": ""}}', b'{"error": 1}']
)
def test_a_reply_that_is_nothing_is_refused(head: bytes) -> None:
    with pytest.raises(wire.WireError):
        wire.decode_reply(head, b"\xff")


HEADERS = (Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"), Path("/usr/include/asm-generic/unistd.h"))


@pytest.mark.skipif(
    not all(header.exists() for header in HEADERS), reason="the kernel's headers are not here"
)
def test_refused_calls_have_the_kernel_s_numbers() -> None:
    define = re.compile(r"^#define __NR(?:3264)?_(\w+)\s+(\d+)", re.MULTILINE)
    known = [{name: int(number) for name, number in define.findall(header.read_text())} for header in HEADERS]
    for name, numbers in REFUSED.items():
        for number, there in zip(numbers, known, strict=True):
            if name in there or number is None:  # an older header lacks the newest calls
                assert number == there.get(name), name
