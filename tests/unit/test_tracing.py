"""Tracing is off unless it is asked for, costs nothing then, and a collector that is away stops nothing."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest

from app.tracing import ModelCall, find_exporter, note_answer, note_stage, parent_of_more, traced, tracing

_OFF = """
import sys
from app.tracing import ModelCall, find_exporter, note_stage, parent_of_more, traced, tracing
with tracing(find_exporter("off")), traced("GET", "SERVER", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"):
    note_stage("embed", 0.1)
    ModelCall("llama", "http://llm", {}).end()
    assert parent_of_more() is None
assert not [name for name in sys.modules if name.startswith("opentelemetry")]
"""
_MISSING = """
import sys
sys.modules["opentelemetry.exporter.otlp.proto.http.trace_exporter"] = None
from app.errors import ConfigError
from app.tracing import find_exporter
try:
    find_exporter("otlp")
except ConfigError as error:
    assert "pip install 'pgask[otel]'" in str(error)
else:
    sys.exit(3)
"""


@pytest.mark.parametrize("script", [_OFF, _MISSING])
def test_nothing_of_it_is_imported_while_it_is_off_and_what_is_missing_is_named(script: str) -> None:
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_collector_that_is_away_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{port}")
    with tracing(find_exporter("otlp")):
        with pytest.raises(ValueError, match="no"):
            _fail()
        call = ModelCall("llama", "http://llm", {"max_tokens": 5, "top_p": None})
        call.end()
        call.end(ValueError("too late"))
    note_stage("embed", 0.1)
    assert parent_of_more() is None


def _fail() -> None:
    with traced("job", "CONSUMER", "not a traceparent"):
        assert parent_of_more() is not None
        note_answer("Why?", "answered", 0.1, hits=1, answerability=0.7)
        raise ValueError("no")
