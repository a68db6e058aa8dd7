"""Traces by OpenTelemetry (extra `otel`): spans of requests, their stages, the model's calls and a worker's jobs.

Off unless PGASK_TRACING asks for it; then nothing of OpenTelemetry is imported and each call here returns at once.
Spans have counts, times, names of models and codes, never a text of documents, nor a question unless
PGASK_LOG_QUESTIONS says so. No span but a request's and a job's is made the current one: generators that are left early
would leave it set. Attributes have OpenTelemetry's names where there are some (`http.*`, `gen_ai.*`, `error.type`),
else they begin with `pgask.`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING, Final, Literal

from app.errors import ConfigError, PgaskError

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Span, Tracer

Value = str | bool | int | float
PARENT: Final = "traceparent"  # the header that says of which trace a request is part (W3C Trace Context)
_FLUSH_MS: Final = 2_000  # for what is left to send at the end, where the collector is away


class _State:
    tracer: Tracer | None = None
    has_questions = False


@contextmanager
def tracing(exporter: SpanExporter | None, *, questions: bool = False) -> Iterator[None]:
    """Send spans to `exporter` until the block ends; None: nothing is traced. `questions`: with their text."""
    if exporter is None:
        yield
        return
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    ours = Resource({"service.name": "pgask", "service.version": version("pgask")})
    provider = TracerProvider(
        resource=ours.merge(OTELResourceDetector().detect()), shutdown_on_exit=False
    )  # OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES win
    provider.add_span_processor(BatchSpanProcessor(exporter))
    _State.tracer, _State.has_questions = provider.get_tracer("pgask", version("pgask")), questions
    try:
        yield
    finally:
        _State.tracer = None
        provider.force_flush(_FLUSH_MS)
        provider.shutdown()


def find_exporter(wanted: str) -> SpanExporter | None:
    """What PGASK_TRACING names: OTLP by HTTP, wherever OTEL_EXPORTER_OTLP_* say. Raises ConfigError."""
    if wanted == "off":
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    except ImportError as error:
        raise ConfigError(
            "PGASK_TRACING=otlp needs OpenTelemetry: pip install 'pgask[otel]', or leave PGASK_TRACING unset."
        ) from error
    return OTLPSpanExporter()


def note_stage(name: str, seconds: float, **attributes: Value | None) -> None:
    """A stage that ends now and took `seconds`, as `pgask.NAME` of what is current."""
    if _State.tracer is None:
        return
    ends = time.time_ns()
    span = _State.tracer.start_span(
        f"pgask.{name}", start_time=ends - round(seconds * 1e9), attributes=_own(attributes)
    )
    span.end(ends)


def note_answer(question: str, outcome: str, seconds: float, *, hits: int, answerability: float) -> None:
    """A question that is answered now, `seconds` after it was asked."""
    asked = question if _State.has_questions else None
    note_stage("answer", seconds, outcome=outcome, hits=hits, answerability=answerability, question=asked)


class ModelCall:
    """A request to the language model, from now until `end`; by OpenTelemetry's conventions for generative AI."""

    def __init__(self, model: str, address: str, parameters: Mapping[str, Value | None]) -> None:
        """`address` of the server, as it may be shown; `parameters` of the request, by OpenTelemetry's names."""
        self._span: Span | None = None
        if _State.tracer is None:
            return
        from opentelemetry.trace import SpanKind

        told = {f"gen_ai.request.{name}": value for name, value in parameters.items() if value is not None}
        self._span = _State.tracer.start_span(
            f"chat {model}",
            kind=SpanKind.CLIENT,
            attributes={
                "gen_ai.operation.name": "chat",
                "gen_ai.provider.name": "openai",  # by its wire, whoever serves it
                "gen_ai.request.model": model,
                "server.address": address,
                **told,
            },
        )
        self._has_begun = False

    def note_text(self) -> None:
        """A piece of the answer has come."""
        if self._span is not None and not self._has_begun:
            self._has_begun = True
            self._span.add_event("pgask.first_token")

    def note_end(self, finish_reason: str, input_tokens: int, output_tokens: int) -> None:
        """The server has said how it ended; zeros where it does not count."""
        if self._span is None:
            return
        self._span.set_attribute("gen_ai.response.finish_reasons", [finish_reason])
        if input_tokens or output_tokens:
            self._span.set_attribute("gen_ai.usage.input_tokens", input_tokens)
            self._span.set_attribute("gen_ai.usage.output_tokens", output_tokens)

    def end(self, error: BaseException | None = None) -> None:
        """It is over, or was left. The first call counts."""
        if self._span is None:
            return
        _note_error(self._span, error)
        self._span.end()
        self._span = None


class Current:
    """The current request or job, of which more becomes known."""

    def __init__(self, span: Span | None = None) -> None:
        self._span = span

    def ends_as(self, name: str, **attributes: Value) -> None:
        """What it is called, and what it came to; keywords have `__` for a full stop."""
        if self._span is not None:
            self._span.update_name(name)
            self._span.set_attributes({key.replace("__", "."): value for key, value in attributes.items()})


_NOTHING: Final = Current()


@contextmanager
def traced(
    name: str, kind: Literal["SERVER", "CONSUMER"], parent: str | None, **attributes: Value
) -> Iterator[Current]:
    """A request that is answered (SERVER) or a job that is done (CONSUMER) in this block, part of the trace that
    `parent` (a traceparent) names; what happens within is its part. Keywords have `__` for a full stop."""
    if _State.tracer is None:
        yield _NOTHING
        return
    from opentelemetry import trace
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    context = TraceContextTextMapPropagator().extract({} if parent is None else {PARENT: parent})
    span = _State.tracer.start_span(
        name,
        context,
        kind=trace.SpanKind[kind],
        attributes={key.replace("__", "."): value for key, value in attributes.items()},
    )
    try:
        with trace.use_span(span, record_exception=False, set_status_on_exception=False):
            yield Current(span)
    except BaseException as error:
        _note_error(span, error)
        raise
    finally:
        span.end()


def parent_of_more() -> str | None:
    """The traceparent of what is current, for what goes on elsewhere; None where nothing is traced."""
    if _State.tracer is None:
        return None
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier)
    return carrier.get(PARENT)


def _own(attributes: Mapping[str, Value | None]) -> dict[str, Value]:
    return {f"pgask.{name}": value for name, value in attributes.items() if value is not None}


def _note_error(span: Span, error: BaseException | None) -> None:
    """By its code or class alone: a message may hold what documents or a server said."""
    if error is None or isinstance(error, GeneratorExit):
        return
    from opentelemetry.trace import StatusCode

    span.set_attribute("error.type", error.code if isinstance(error, PgaskError) else type(error).__name__)
    span.set_status(StatusCode.ERROR)
