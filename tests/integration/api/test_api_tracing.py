"""Traces of the service and its worker, as a collector gets them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.store.connection import Database
from app.tracing import find_exporter, tracing
from tests.fakes import ScriptedLlm
from tests.integration.api.conftest import MakeClient, settings_for
from tests.integration.uploading import run_jobs
from tests.otlp import Collector, collecting

pytestmark = pytest.mark.integration

QUESTION = "How many ivfflat lists should I choose, confidentially?"
TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}
SERVER, CLIENT, CONSUMER = 2, 3, 5


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    """One that the standard variables name."""
    with collecting() as found:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", found.endpoint)
        monkeypatch.setenv("OTEL_SERVICE_NAME", "pgask-of-mine")
        yield found


def test_a_question_is_a_trace_without_its_text(make_client: MakeClient, collector: Collector) -> None:
    with ScriptedLlm("Take the square root of the rows [1].") as llm, tracing(find_exporter("otlp")):
        client = make_client(llm_base_url=llm.base_url)
        reply = client.post("/ask", json={"question": QUESTION, "stream": True}, headers=PARENT)
        assert '"generator":"scripted-llama"' in reply.text
    assert collector.resources()["service.name"] == "pgask-of-mine"
    spans = {span.name: span for span in collector.spans()}
    assert set(spans) == {
        *("POST /ask", "chat scripted-llama", "pgask.answer"),
        *("pgask.embed", "pgask.search", "pgask.load"),
    }
    asked = spans["POST /ask"]
    assert (asked.kind, asked.trace, asked.parent) == (SERVER, TRACE, "b7ad6b7169203331")
    assert asked.attributes["http.response.status_code"] == 200
    assert asked.attributes["pgask.request_id"] == reply.headers["x-request-id"]
    assert all((one.trace, one.parent) == (TRACE, asked.span) for one in spans.values() if one is not asked)
    chat = spans["chat scripted-llama"]
    assert (chat.kind, chat.failed, chat.events) == (CLIENT, False, ("pgask.first_token",))
    assert chat.attributes["gen_ai.operation.name"] == "chat"
    assert chat.attributes["gen_ai.response.finish_reasons"] == ["stop"]
    assert chat.attributes["gen_ai.usage.output_tokens"] > 0
    assert chat.attributes["gen_ai.request.max_tokens"] > 0
    assert chat.attributes["server.address"] == llm.base_url
    answer = spans["pgask.answer"].attributes
    assert (answer["pgask.outcome"], answer["pgask.hits"] > 0) == ("answered", True)
    sent = b"".join(collector.bodies)
    for secret in (b"confidentially", b"square root", b"lists.md"):
        assert secret not in sent


def test_the_text_of_questions_is_there_where_a_setting_says_so(
    make_client: MakeClient, collector: Collector
) -> None:
    with tracing(find_exporter("otlp"), questions=True):
        make_client().post("/ask", json={"question": QUESTION})
    (answer,) = (span for span in collector.spans() if span.name == "pgask.answer")
    assert answer.attributes["pgask.question"] == QUESTION


def test_a_failing_model_is_told_by_a_code(make_client: MakeClient, collector: Collector) -> None:
    with ScriptedLlm() as llm, tracing(find_exporter("otlp")):
        llm.mode = "error_500"
        make_client(llm_base_url=llm.base_url).post("/ask", json={"question": QUESTION})
    spans = {span.name: span for span in collector.spans()}
    assert (spans["chat scripted-llama"].failed, spans["chat scripted-llama"].attributes["error.type"]) == (
        True,
        "llm_unavailable",
    )
    assert spans["pgask.answer"].attributes["pgask.outcome"] == "degraded"
    assert not spans["POST /ask"].failed


def test_a_job_goes_on_in_the_trace_of_its_upload(
    make_client: MakeClient, own: Database, collector: Collector
) -> None:
    with tracing(find_exporter("otlp")):
        files = [("files", ("leave.md", b"# Leave\n\nThirty days of leave.\n"))]
        job = make_client(own).post("/documents", files=files, headers=PARENT).json()["job"]["id"]
        run_jobs(own, settings_for())
    spans = {span.name: span for span in collector.spans()}
    sent, done = spans["POST /documents"], spans["job"]
    assert (done.kind, done.trace, done.parent) == (CONSUMER, TRACE, sent.span)
    assert done.attributes["pgask.job_id"] == job
