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
    logging.getLogger("psycopg.pool").warning("error connecting in %r:\\n%s", "pool-1", "refused\\n\\tIs it running?")
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
    pool = lines[1]
    assert pool["event"] == "error connecting in 'pool-1':\nrefused\n\tIs it running?"
    assert (pool["logger"], pool["request_id"]) == ("psycopg.pool", "r1")
    assert "an old\nparameter" in lines[4]["event"]
    assert lines[5]["thread"] == "worker"
    for line in (lines[2], lines[3], *lines[5:]):
        assert "Traceback" in line["exception"]


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
