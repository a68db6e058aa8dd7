"""What Prometheus scrapes at /metrics: counts and times, never a question, a source or an id.

One registry an app, so that several apps in one process (tests) don't mix.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from app.api.documentation import problems
from app.domain import Answer
from app.errors import StoreError
from app.generation.servers import LlmServers
from app.index.maintenance import IndexReport
from app.store.completions import Completions
from app.store.connection import AsyncPool, run_alone
from app.store.queue import Backlog, read_backlog
from app.store.replicas import Reads

_LATENCY_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0)

_PATIENCE_S: Final = 1.0  # a scrape is to be there within some seconds, whatever hangs

_OUTCOMES: Final = ("answered", "abstained", "degraded", "failed", "cancelled")
_SUPPORTED: Final[Mapping[bool | None, str]] = {True: "yes", False: "no", None: "uncited"}

# A space's figures by name: what it says, and the report's number for it (None: not shown).
_INDEX: Final[Mapping[str, tuple[str, Callable[[IndexReport], float | None]]]] = {
    "rows": ("Chunks in the space.", lambda one: one.rows),
    "lists": ("Lists of an ivfflat index.", lambda one: one.lists),
    "probes": ("Lists that a search looks into (ivfflat).", lambda one: one.probes),
    "ef_search": ("Candidates that a search keeps (hnsw).", lambda one: one.ef_search),
    "recall": ("Recall@10 against exact search, as measured last.", lambda one: one.recall),
    "recall_low": ("Lower end of its 95 % interval.", lambda one: one.recall_low),
    "recall_high": ("Upper end of its 95 % interval.", lambda one: one.recall_high),
    "recall_target": ("Recall@10 that the index was tuned for.", lambda one: one.target_recall),
    "p50_seconds": (
        "Median time of a search by the index, as measured last.",
        lambda one: _seconds(one.p50_ms),
    ),
    "p95_seconds": ("95th percentile of the same.", lambda one: _seconds(one.p95_ms)),
    "size_bytes": ("Size of the index on disk.", lambda one: one.size_bytes),
    "build_age_seconds": ("Since it was built.", lambda one: _age(one.built_at)),
    "measurement_age_seconds": ("Since it was measured.", lambda one: _age(one.measured_at)),
    "changed_rows": ("Chunks that came or went since.", lambda one: one.changed_rows),
    "fault": (
        "1: the index is missing, invalid or of other options, and search is exact.",
        lambda one: float(one.fault is not None),
    ),
    "drift": ("Pages a search reads, as a multiple of their share when it was built.", lambda one: one.drift),
}

router = APIRouter(tags=["operation"])


class IndexFigures(Collector):
    """The vector indexes' figures, one gauge each, labelled by space."""

    def __init__(self) -> None:
        self.reports: Callable[[], Mapping[int, IndexReport]] = dict
        self.last_look: Callable[[], float] | None = None

    def collect(self) -> Iterator[Metric]:
        """All gauges; a space without an index shows its rows alone, and whether there should be one."""
        if self.last_look is not None:
            yield GaugeMetricFamily(
                "pgask_index_last_look_timestamp_seconds",
                "When the indexes were looked at last; before the first time, when the service started.",
                value=self.last_look(),
            )
        found = self.reports()
        for name, (description, read) in _INDEX.items():
            gauge = GaugeMetricFamily(f"pgask_index_{name}", description, labels=["space"])
            for space_id, report in found.items():
                value = read(report)
                if value is not None:
                    gauge.add_metric([str(space_id)], float(value))
            yield gauge


class ServerFigures(Collector):
    """What is known of each server of the language model, by its address."""

    def __init__(self) -> None:
        self.servers: LlmServers | None = None
        self.completions: Completions | None = None

    def collect(self) -> Iterator[Metric]:
        """Whether it is left alone, and how its completions ended; nothing without a model."""
        alone = GaugeMetricFamily(
            "pgask_llm_left_alone",
            "1: a server of the language model failed several times in a row, and is left alone for some seconds.",
            labels=["server"],
        )
        ended = CounterMetricFamily(
            "pgask_llm_completions",
            "Completions by server and end: answered, failed, taken_over (failed, then another server's).",
            labels=["server", "outcome"],
        )
        for client in self.servers.clients if self.servers else ():
            alone.add_metric([client.address], float(client.breaker.is_open))
        for address, counts in self.servers.counts.items() if self.servers else ():
            ended.add_metric([address, "answered"], counts.answered)
            ended.add_metric([address, "failed"], counts.failed - counts.taken_over)
            ended.add_metric([address, "taken_over"], counts.taken_over)
        if self.completions is not None:
            ended.add_metric(["cache", "answered"], self.completions.found)
        yield alone
        yield ended


class ReadFigures(Collector):
    """Whether there is a primary, how far each replica is behind, and how many questions each server was asked; nothing
    without replicas."""

    def __init__(self) -> None:
        self.reads = Reads()

    def collect(self) -> Iterator[Metric]:
        """For Prometheus."""
        lag = GaugeMetricFamily(
            "pgask_replica_lag_seconds", "How far a replica is behind.", labels=["replica"]
        )
        ready = GaugeMetricFamily("pgask_replica_ready", "1: questions are read from it.", labels=["replica"])
        asked = CounterMetricFamily(
            "pgask_reads",
            "Questions by the server that they were read from, or tried to be.",
            labels=["server"],
        )
        primary = GaugeMetricFamily("pgask_primary_ready", "1: the primary takes writes.")
        away = CounterMetricFamily("pgask_primary_away_seconds", "For how long it has not, all in all.")
        if self.reads.are_apart:
            for one in self.reads.states():
                ready.add_metric([one.name], float(one.state == "ready"))
                if one.lag_s is not None:
                    lag.add_metric([one.name], one.lag_s)
            for name, count in self.reads.counts().items():
                asked.add_metric([name], count)
            primary.add_metric([], float(not self.reads.absence.is_away))
            away.add_metric([], self.reads.absence.seconds)
        yield from (lag, ready, asked, primary, away)


class Metrics:
    """The service's counters and histograms."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "pgask_requests", "Requests by route and status.", ["method", "route", "status"],
            registry=self.registry,
        )  # fmt: skip
        self._latency = Histogram(
            "pgask_request_seconds", "From the request's head to the reply's end.", ["method", "route"],
            buckets=_LATENCY_S, registry=self.registry,
        )  # fmt: skip
        self._answers = Counter(
            "pgask_answers", f"Questions by outcome: {', '.join(_OUTCOMES)}.", ["outcome"],
            registry=self.registry,
        )  # fmt: skip
        self._claims = Counter(
            "pgask_claims", "Statements of answers by what stands behind them: yes, no, uncited.", ["supported"],
            registry=self.registry,
        )  # fmt: skip
        # There from the start: else a share of them would be nothing instead of 0, and the first of them no increase
        for outcome in _OUTCOMES:
            self._answers.labels(outcome)
        for supported in _SUPPORTED.values():
            self._claims.labels(supported)
        self._stages = Histogram(
            "pgask_stage_seconds", "Time in each stage of a question.", ["stage"],
            buckets=_LATENCY_S, registry=self.registry,
        )  # fmt: skip
        self.in_flight = Gauge(
            "pgask_questions_in_flight", "Questions and searches worked on now.", registry=self.registry
        )
        self._llm_waiting = Gauge(
            "pgask_llm_waiting", "Questions that wait for the language model.", registry=self.registry
        )
        self._pool = Gauge(
            "pgask_pool_connections", "Database connections.", ["state"], registry=self.registry
        )

        self._jobs = Gauge(
            "pgask_queue_jobs",
            "Jobs in the queue, of all tenants: waiting, running.",
            ["state"],
            registry=self.registry,
        )
        self._queue_age = Gauge(
            "pgask_queue_age_seconds", "Since when the oldest job that waits for a worker has been in the queue.",
            registry=self.registry,
        )  # fmt: skip
        self.show_queue(None)

        self._indexes, self._servers, self._reads = IndexFigures(), ServerFigures(), ReadFigures()
        self.registry.register(self._reads)
        self.registry.register(self._indexes)
        self.registry.register(self._servers)

    def count_request(self, method: str, route: str, status: int, seconds: float) -> None:
        """A request that ended. `route` is its template, so that ids make no series of their own."""
        self._requests.labels(method, route, str(status)).inc()
        self._latency.labels(method, route).observe(seconds)

    def count_answer(self, answer: Answer) -> None:
        """A question that was answered, or honestly not."""
        outcome = "degraded" if answer.degraded else "abstained" if answer.abstained else "answered"
        self.count_outcome(outcome)
        for claim in answer.claims:
            self._claims.labels(_SUPPORTED[claim.supported]).inc()
        self.time_stages(answer.timings_ms)

    def count_outcome(self, outcome: str) -> None:
        """One of the outcomes."""
        self._answers.labels(outcome).inc()

    def time_stages(self, timings_ms: Mapping[str, float]) -> None:
        """How long the stages of one question took, in milliseconds."""
        for stage, elapsed_ms in timings_ms.items():
            if stage != "total":
                self._stages.labels(stage).observe(elapsed_ms / 1000)

    def watch_pool(self, statistics: Callable[[], Mapping[str, int]]) -> None:
        """Read the pool's state whenever Prometheus asks. `statistics` is psycopg's get_stats."""
        size, idle = "pool_size", "pool_available"
        self._pool.labels("open").set_function(lambda: statistics().get(size, 0))
        self._pool.labels("idle").set_function(lambda: statistics().get(idle, 0))
        self._pool.labels("waiting").set_function(lambda: statistics().get("requests_waiting", 0))

    def watch_reads(self, reads: Reads) -> None:
        """Show which servers questions are read from whenever Prometheus asks. Asks no database."""
        self._reads.reads = reads

    def watch_indexes(
        self, reports: Callable[[], Mapping[int, IndexReport]], last_look: Callable[[], float]
    ) -> None:
        """Show what is known of each space's vector index whenever Prometheus asks, and since when. Neither asks the
        database."""
        self._indexes.reports, self._indexes.last_look = reports, last_look

    def index_reports(self) -> Mapping[int, IndexReport]:
        """What the last look at the vector indexes found, by the space's number. Asks the database nothing."""
        return self._indexes.reports()

    def show_queue(self, backlog: Backlog | None) -> None:
        """How long the queue is; None: the database did not say, and neither do the gauges (NaN)."""
        unknown = float("nan")
        self._jobs.labels("waiting").set(unknown if backlog is None else backlog.waiting)
        self._jobs.labels("running").set(unknown if backlog is None else backlog.running)
        self._queue_age.set(unknown if backlog is None else backlog.age_s)

    def watch_llm(self, servers: LlmServers, completions: Completions | None = None) -> None:
        """Read how the language model's servers are whenever Prometheus asks, and how often what was said before stood
        in for them; asks none of them."""
        self._llm_waiting.set_function(servers.waiting)
        self._servers.servers, self._servers.completions = servers, completions


async def _read_backlog(pool: AsyncPool) -> Backlog | None:
    try:
        async with asyncio.timeout(_PATIENCE_S):
            return await run_alone(pool, read_backlog)
    except (StoreError, TimeoutError):
        return None


def _seconds(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000


def _age(moment: str | None) -> float | None:
    return None if moment is None else max(0.0, time.time() - datetime.fromisoformat(moment).timestamp())


_FIGURES: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {"text/plain": {"example": 'pgask_answers_total{outcome="answered"} 3.0\n'}}}
}


@router.get(
    "/metrics",
    response_class=Response,
    summary="Counts and times for Prometheus",
    responses=problems() | _FIGURES,
)
async def read_metrics(request: Request) -> Response:
    """Prometheus' text format. Of the database, it asks how long the queue is, and goes without where that takes over
    a second."""
    metrics: Metrics = request.app.state.metrics
    metrics.show_queue(await _read_backlog(request.app.state.components.pool))
    return Response(generate_latest(metrics.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})
