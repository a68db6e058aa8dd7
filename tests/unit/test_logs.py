"""The log: one JSON object a line, whoever writes it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

_EVERYBODY = """
import logging, sys, threading, warnings
import structlog
from app.logs import configure_logs, log_stray_errors
configure_logs("info")
log_stray_errors()
structlog.get_logger("app").info("ours\\nin two lines", ms=1)
logging.getLogger("uvicorn.error").info("not told")
with structlog.contextvars.bound_contextvars(request_id="r1"):
    logging.getLogger("asyncio").warning("task %r:\\n%s", "t-1", "refused\\n\\tIs it running?")
try:
    1 / 0
except ZeroDivisionError as error:
    logging.getLogger("uvicorn.error").error("in the app", exc_info=error)
    structlog.get_logger("app").error("ours", exc_info=error)
warnings.warn("an old\\nparameter", DeprecationWarning)
thread = threading.Thread(target=lambda: 1 / 0, name="worker")
thread.start()
thread.join()
class Bad:
    def __del__(self):
        raise ValueError("too late")
bad = Bad()
del bad
raise RuntimeError("the end")
"""


def test_f_1216_every_line_is_json() -> None:
    """F-1216: lines of psycopg_pool were plain text, some over several lines."""
    command = [sys.executable, "-W", "default", "-c", _EVERYBODY]
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert [line["level"] for line in lines] == [
        *("info", "warning", "error", "error", "warning", "error", "error", "critical"),
    ]
    assert all(line["timestamp"].endswith("Z") for line in lines)
    library = lines[1]
    assert library["event"] == "task 't-1':\nrefused\n\tIs it running?"
    assert (library["logger"], library["request_id"]) == ("asyncio", "r1")
    assert "an old\nparameter" in lines[4]["event"]
    assert lines[5]["thread"] == "worker"
    for line in (lines[2], lines[3], *lines[5:]):
        assert "Traceback" in line["exception"]


_POOL = """
import logging
from app.logs import configure_logs
configure_logs("info")
log = logging.getLogger("psycopg.pool")
for _ in range(50):
    log.warning("discarding closed connection: %s", "<Connection [BAD] at 0x7f663bf9ec50>")
    log.warning("error connecting in %r: %s", "pool-1", "connection refused\\n\\tIs it running?")
logging.getLogger("psycopg").warning("error ignored terminating %r: %s", "<AsyncPipeline [BAD]>", "pipeline aborted")
log.warning("something else")
"""


def test_an_outage_of_the_database_is_told_once_and_says_what_follows() -> None:
    """Each connection that the pool lost or could not open wrote a line in libpq's words, a hundred in some seconds."""
    done = subprocess.run([sys.executable, "-c", _POOL], stderr=subprocess.PIPE, text=True, check=False)
    events = [json.loads(line)["event"] for line in done.stderr.splitlines()]
    assert len(events) == 3
    assert events[0] == "PostgreSQL has closed connections; new ones are opened"
    assert "it is tried again until there is one" in events[1]
    assert events[1].endswith("connection refused Is it running?")
    assert events[2] == "something else"


@pytest.mark.parametrize(("level", "told"), [("error", 0), ("warning", 1), ("debug", 1)])
def test_libraries_tell_warnings_and_worse(level: str, told: int) -> None:
    script = f"""
import logging
from app.logs import configure_logs
configure_logs({level!r})
logging.getLogger("x").info("no")
logging.getLogger("x").warning("perhaps")
"""
    done = subprocess.run([sys.executable, "-c", script], stderr=subprocess.PIPE, text=True, check=True)
    assert done.stderr.count("\n") == told
