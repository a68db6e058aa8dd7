"""What only a real server on a real socket shows: streams as they come, clients that leave, too many at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager

import httpx2
import pytest

from app.embedding import FloatMatrix
from app.encoders.hardware import processors
from app.generation.concurrency import ConcurrencyLimiter
from app.main import create_app
from app.store.connection import Database
from tests.fakes import FakeEmbedder, ScriptedLlm
from tests.integration.api import serving
from tests.integration.api.conftest import settings_for

pytestmark = pytest.mark.integration

QUESTION = {"question": "How many ivfflat lists should I choose?"}
LONG_ANSWER = "Take the square root of the number of rows [1]. " * 5


@contextmanager
def served(database: Database, **settings: object) -> Iterator[httpx2.Client]:
    """A client of the app behind the product's server on a free port, in a thread of this process."""
    given = settings_for(**settings)
    with (
        serving.serve(create_app(given, database, FakeEmbedder()), given) as running,
        httpx2.Client(base_url=running.url, timeout=20) as client,
    ):
        yield client


@pytest.fixture
def llm() -> Iterator[ScriptedLlm]:
    with ScriptedLlm(LONG_ANSWER) as server:
        yield server


def counted(client: httpx2.Client, line: str) -> bool:
    """Whether /metrics gets to have this line within some seconds: a client's leaving is noticed a moment later."""
    for _ in range(100):
        if line in client.get("/metrics").text.splitlines():
            return True
        time.sleep(0.05)
    return False


def test_tokens_arrive_before_the_answer_is_whole(filled: Database, llm: ScriptedLlm) -> None:
    llm.mode = "hang_mid_stream"
    with served(filled, llm_base_url=llm.base_url) as client:
        with client.stream("POST", "/ask", json=QUESTION | {"stream": True}) as reply:
            assert reply.headers["transfer-encoding"] == "chunked"
            lines = (line for line in reply.iter_lines() if line.startswith("event: "))
            assert [next(lines), next(lines)] == ["event: sources", "event: token"]
        # the client has left in the middle of the answer
        assert llm.completions[0].disconnected.wait(10)
        assert counted(client, 'pgask_answers_total{outcome="cancelled"} 1.0')
        assert counted(client, 'pgask_requests_total{method="POST",route="/ask",status="499"} 1.0')


@pytest.mark.parametrize("stream", [True, False])
def test_a_client_that_leaves_before_the_first_token_cancels_the_work(
    filled: Database, llm: ScriptedLlm, stream: bool
) -> None:
    llm.mode = "slow_first_token"
    with served(filled, llm_base_url=llm.base_url) as client:
        with (
            pytest.raises(httpx2.ReadTimeout),
            client.stream(
                "POST", "/ask", json=QUESTION | {"stream": stream}, timeout=httpx2.Timeout(20, read=1)
            ) as reply,
        ):
            reply.read()
        assert llm.completions[0].disconnected.wait(10)
        assert counted(client, "pgask_questions_in_flight 0.0")
        llm.mode = "answer"
        assert client.post("/ask", json=QUESTION).json()["generator"] == "scripted-llama"


def test_more_questions_than_allowed_are_told_to_wait(filled: Database, llm: ScriptedLlm) -> None:
    llm.mode = "hang_mid_stream"
    with served(filled, llm_base_url=llm.base_url, max_concurrent_asks=2) as client:
        ask = QUESTION | {"stream": True}
        with (
            client.stream("POST", "/ask", json=ask) as first,
            client.stream("POST", "/ask", json=ask) as second,
        ):
            assert first.status_code == second.status_code == 200
            for path in ("/ask", "/search"):
                refused = client.post(path, json=QUESTION)
                assert (refused.status_code, refused.json()["code"]) == (429, "too_many_requests")
                assert refused.headers["retry-after"] == "1"
            assert client.get("/documents").status_code == 200
        assert counted(client, "pgask_questions_in_flight 0.0")
        assert client.post("/search", json=QUESTION).status_code == 200


class HeldEmbedder(FakeEmbedder):
    """Embeds questions while `goes_on` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.goes_on = threading.Event()
        self.goes_on.set()

    def embed_queries(self, texts: Sequence[str]) -> FloatMatrix:
        assert self.goes_on.wait(20)
        return super().embed_queries(texts)


def test_f_1211_who_waits_too_long_is_told_to_come_back(filled: Database) -> None:
    """F-1211: questions that were let in were answered late, however many there were."""
    settings, embedder = settings_for(queue_timeout_s=0.1), HeldEmbedder()
    places = ConcurrencyLimiter.at_processors(processors(), queue=1, wait_s=1).concurrency
    app = create_app(settings, filled, embedder)
    with serving.serve(app, settings) as running, ThreadPoolExecutor(places + 4) as pool:

        def ask(number: int) -> httpx2.Response:
            path, more = (("/ask", {"stream": True}), ("/search", {}), ("/ask", {}))[number % 3]
            return httpx2.post(running.url + path, json=QUESTION | more, timeout=20)

        embedder.goes_on.clear()
        replies = as_completed([pool.submit(ask, number) for number in range(places + 4)])
        for _ in range(4):
            refused = next(replies).result()
            assert (refused.status_code, refused.json()["code"]) == (429, "too_many_requests")
            assert refused.headers["retry-after"] == "5"
        embedder.goes_on.set()
        assert [reply.result().status_code for reply in replies] == [200] * places
