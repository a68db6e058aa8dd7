"""Reranking in a thread: its deadline, a caller that leaves, a model that fails; and a real, tiny cross-encoder."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from app.errors import ConfigError
from app.retrieval.rerank import BATCH_PAIRS, CrossEncoderReranker, rerank
from app.threads import thread_of
from tests.fakes import FakeEmbedder
from tests.tiny_cross_encoder import OTHERS, WANTED, save_cross_encoder


class SlowReranker:
    """Reads until it is stopped."""

    name = "slow"

    def __init__(self) -> None:
        self.started, self.stopped = threading.Event(), threading.Event()

    def load(self) -> None: ...

    def score(
        self,
        question: str,
        passages: Sequence[str],
        is_stopped: Callable[[], bool],
    ) -> list[float] | None:
        self.started.set()
        while not is_stopped():
            self.stopped.wait(0.005)
        self.stopped.set()
        return None


class FailingReranker(SlowReranker):
    def score(self, question: str, passages: Sequence[str], is_stopped: Callable[[], bool]) -> list[float]:
        raise RuntimeError("out of memory: secret detail")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_cross_encoder(tmp_path_factory.mktemp("tiny"))


async def test_the_deadline_ends_it_and_says_so() -> None:
    slow = SlowReranker()
    found = await rerank(slow, "question", ["passage"], timeout_s=0.02)
    assert found.scores is None
    assert (found.failure or "").startswith("rerank_timeout: ")
    assert await asyncio.to_thread(slow.stopped.wait, 10)  # the thread ends too


async def test_a_caller_that_leaves_ends_it() -> None:
    slow = SlowReranker()
    asked = asyncio.create_task(rerank(slow, "question", ["passage"], timeout_s=60))
    assert await asyncio.to_thread(slow.started.wait, 10)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    assert await asyncio.to_thread(slow.stopped.wait, 10)


async def test_a_failing_model_is_said_without_its_words() -> None:
    found = await rerank(FailingReranker(), "question", ["passage"], timeout_s=60)
    assert found.scores is None
    assert (found.failure or "").startswith("rerank_failed: ")
    assert "secret" not in (found.failure or "")


async def test_scores_are_in_the_passages_order_over_several_batches(model: Path) -> None:
    reranker = CrossEncoderReranker(str(model))
    wanted = [place % 3 == 1 for place in range(2 * BATCH_PAIRS + 3)]
    passages = [" ".join([*OTHERS, WANTED] if is_wanted else OTHERS) for is_wanted in wanted]
    found = await rerank(reranker, "which page", passages, timeout_s=60)
    assert found.failure is None
    assert [score > 0.5 for score in found.scores or ()] == wanted
    assert all(0 <= score <= 1 for score in found.scores or ())


def test_no_batch_is_begun_once_it_is_stopped(model: Path) -> None:
    reranker = CrossEncoderReranker(str(model))
    asked: list[int] = []

    def stop_after_two() -> bool:
        asked.append(1)
        return len(asked) > 2

    assert reranker.score("which page", ["page"] * 10 * BATCH_PAIRS, stop_after_two) is None
    assert len(asked) == 3
    assert reranker.score("which page", [], lambda: False) == []


class WaitingReranker(SlowReranker):
    """Scores once it is released; counts the questions that it began."""

    def __init__(self) -> None:
        super().__init__()
        self.release, self.begun = threading.Event(), 0

    def score(self, question: str, passages: Sequence[str], is_stopped: Callable[[], bool]) -> list[float]:
        self.begun += 1
        self.started.set()
        assert self.release.wait(10)
        return [0.5] * len(passages)


async def test_f_1302_reranks_that_wait_keep_no_thread_from_others() -> None:
    """They took all threads of asyncio's pool, each waiting for a lock: an embedding waited for their deadline."""
    reranker = WaitingReranker()
    first = asyncio.create_task(rerank(reranker, "question", ["passage"], timeout_s=60))
    assert await asyncio.to_thread(reranker.started.wait, 10)
    others = [
        asyncio.create_task(rerank(reranker, "question", ["passage"], timeout_s=0.05)) for _ in range(40)
    ]
    await asyncio.sleep(0)
    async with asyncio.timeout(10):
        assert await asyncio.to_thread(lambda: "free") == "free"
        assert await thread_of(FakeEmbedder()).run(lambda: "free") == "free"
    assert not first.done()
    late = await asyncio.gather(*others)
    assert all((one.failure or "").startswith("rerank_timeout: ") for one in late)
    reranker.release.set()
    assert (await first).scores == (0.5,)
    assert (await rerank(reranker, "question", ["passage"], timeout_s=60)).scores == (0.5,)
    assert reranker.begun == 2  # those that ran out of time while they waited were not begun


def test_what_can_not_rank_is_refused_with_a_way_out(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"3 outputs.*PGASK_RERANK_MODEL"):
        CrossEncoderReranker(str(save_cross_encoder(tmp_path, outputs=3))).load()
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(ConfigError, match=r"can't be loaded.*PGASK_RERANK_MODEL"):
        CrossEncoderReranker(str(empty)).load()
    with pytest.raises(ConfigError, match=r"neither a folder.*PGASK_RERANK_MODEL"):
        CrossEncoderReranker("not a name/of a model")
