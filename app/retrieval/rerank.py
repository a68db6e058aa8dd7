"""Reranking: a cross-encoder reads the question together with each of the best candidates and scores the pair.

A cross-encoder sees both texts at once and so tells more than two vectors do, at the price of one forward pass a
candidate: it is off unless PGASK_RERANK_MODEL names one (sentence-transformers CrossEncoder; a name or a folder). Knows
nothing of the database. The model is loaded at the first use, or by `load`.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final, Protocol

import structlog

from app.config import Settings
from app.encoders.hardware import resolve_device
from app.encoders.model_folder import find_model
from app.errors import ConfigError
from app.threads import thread_of

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

BATCH_PAIRS: Final = 8  # after each batch the deadline and a client that left are looked at
_log = structlog.get_logger(__name__)


class Reranker(Protocol):
    """Scores pairs of a question and a passage. `rerank` calls it from one thread alone."""

    @property
    def name(self) -> str: ...

    def load(self) -> None:
        """Load the model now. Raises ConfigError."""

    def score(
        self, question: str, passages: Sequence[str], is_stopped: Callable[[], bool]
    ) -> list[float] | None:
        """Scores in [0, 1] in the order of `passages`, higher is better; None where `is_stopped` said so."""


@dataclass(frozen=True, slots=True)
class RerankSettings:
    """The part of the settings that reranking needs."""

    candidates: int = 20
    timeout_s: float = 2.0

    @classmethod
    def from_settings(cls, settings: Settings) -> RerankSettings:
        """The group from all settings."""
        return cls(settings.rerank_candidates, settings.rerank_timeout_s)


@dataclass(frozen=True, slots=True)
class Reranking:
    """The scores of some passages, None where `failure` says why there are none."""

    scores: tuple[float, ...] | None
    failure: str | None = None


class CrossEncoderReranker:
    """A sentence-transformers cross-encoder with one output; pairs that are longer than it reads are cut there."""

    def __init__(self, model: str, *, device: str = "auto") -> None:
        """Find the model. Raises ConfigError."""
        self._folder = find_model(model, setting="PGASK_RERANK_MODEL")
        self._name, self._device = model, device

    @classmethod
    def from_settings(cls, settings: Settings) -> CrossEncoderReranker | None:
        """The configured model, None where there is none."""
        if settings.rerank_model is None:
            return None
        return cls(settings.rerank_model, device=settings.embedding_device)

    @property
    def name(self) -> str:
        return self._name

    def load(self) -> None:
        _ = self._model

    @cached_property
    def _model(self) -> CrossEncoder:
        import transformers
        from sentence_transformers import CrossEncoder

        transformers.utils.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        try:
            model: CrossEncoder = CrossEncoder(
                str(self._folder),
                device=resolve_device(self._device),
                local_files_only=True,
                trust_remote_code=False,
            )
            outputs = int(model.num_labels)
        except (OSError, ValueError, KeyError, RuntimeError, ImportError) as error:
            raise ConfigError(
                f"The reranking model in {self._folder} can't be loaded ({type(error).__name__}: {str(error)[:200]}). "
                "Check PGASK_RERANK_MODEL, or unset it to go without."
            ) from error
        if outputs != 1:
            raise ConfigError(
                f"The reranking model in {self._folder} has {outputs} outputs; a cross-encoder that ranks has one. "
                "Check PGASK_RERANK_MODEL, or unset it to go without."
            )
        return model

    def score(
        self, question: str, passages: Sequence[str], is_stopped: Callable[[], bool]
    ) -> list[float] | None:
        import torch

        model = self._model
        scores: list[float] = []
        for at in range(0, len(passages), BATCH_PAIRS):
            if is_stopped():
                return None
            pairs = [(question, passage) for passage in passages[at : at + BATCH_PAIRS]]
            found = model.predict(
                pairs,
                batch_size=BATCH_PAIRS,
                show_progress_bar=False,
                activation_fn=torch.nn.Sigmoid(),
            )
            scores.extend(float(score) for score in found)
        return scores


async def rerank(
    reranker: Reranker, question: str, passages: Sequence[str], *, timeout_s: float
) -> Reranking:
    """Score passages in the model's thread, one question after the other, for at most `timeout_s` with the wait for its
    turn. Where that runs out or the caller is cancelled, it ends with the batch that it is at, or does not begin. A
    model that fails is a failure said, never an error raised."""
    stopped = threading.Event()
    try:
        async with asyncio.timeout(timeout_s):
            scores = await thread_of(reranker).run(reranker.score, question, passages, stopped.is_set)
    except TimeoutError:
        return Reranking(
            None,
            f"rerank_timeout: The reranking model took longer than {timeout_s:g} s; the order is the fused one.",
        )
    except (RuntimeError, ValueError, OSError, ConfigError) as error:
        _log.warning("reranking failed", error=type(error).__name__, detail=str(error)[:200])
        return Reranking(None, "rerank_failed: The reranking model failed; the order is the fused one.")
    finally:
        stopped.set()
    assert scores is not None  # it stops only after `stopped`
    return Reranking(tuple(scores))
