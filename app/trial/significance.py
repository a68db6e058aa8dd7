"""Two systems that were asked the same questions: is their difference more than chance? Pure.

A is the baseline, B what is judged; a difference is B minus A, and every measure is better when higher.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

DRAWS: Final = 10_000
SEED: Final = 20261124  # any fixed number: the same values give the same p and the same interval
SIGNIFICANCE: Final = 0.05
_BATCH: Final = 500  # draws at once: bounds the memory at 500 x questions


@dataclass(frozen=True, slots=True)
class Difference:
    """One measure in both runs, over the questions that have it. All None but `questions` where none has it."""

    a: float | None
    b: float | None
    difference: float | None  # b - a
    low: float | None  # 95 % interval of the difference
    high: float | None
    p: float | None  # two-sided
    questions: int

    @property
    def verdict(self) -> str:
        """Where the difference is significant "loss" or "gain", else "same"; "none" without a value.

        >>> Difference(0.9, 0.8, -0.1, -0.15, -0.05, 0.001, 300).verdict
        'loss'
        """
        if self.p is None or self.difference is None:
            return "none"
        if self.p >= SIGNIFICANCE:
            return "same"
        return "loss" if self.difference < 0 else "gain"


def compare_values(a: Floats, b: Floats) -> Difference:
    """The difference of two float64 arrays (questions,), each place of both being one question's."""
    if not a.size:
        return Difference(None, None, None, None, None, None, 0)
    differences = b - a
    low, high = mean_interval(differences)
    return Difference(
        float(a.mean()),
        float(b.mean()),
        float(differences.mean()),
        low,
        high,
        paired_p_value(differences),
        int(a.size),
    )


def paired_p_value(differences: Floats, draws: int = DRAWS, seed: int = SEED) -> float:
    """Two-sided p value of a mean difference by the paired randomisation test: the share of random sign flips
    whose mean is at least as far from 0, the observed one counted in, so that it is never 0.

    Source: Smucker, Allan and Carterette 2007, "A comparison of statistical significance tests for information
    retrieval evaluation", section 3.1; the +1 from Phipson and Smyth 2010.

    >>> paired_p_value(np.zeros(5))
    1.0
    """
    changed = differences[differences != 0]
    if not changed.size:
        return 1.0
    observed = abs(changed.sum()) - 1e-9  # equal sums added up in another order are still equal
    random = np.random.default_rng(seed)
    extreme = 0
    for start in range(0, draws, _BATCH):
        signs = random.integers(2, size=(min(_BATCH, draws - start), changed.size)) * 2 - 1
        extreme += int(np.count_nonzero(np.abs(signs @ changed) >= observed))
    return (extreme + 1) / (draws + 1)


def mean_interval(differences: Floats, draws: int = DRAWS, seed: int = SEED) -> tuple[float, float]:
    """95 % interval of the mean difference by the percentile bootstrap over questions. Source: Efron and
    Tibshirani 1993, section 13.3."""
    random = np.random.default_rng(seed)
    means = [
        differences[
            random.integers(differences.size, size=(min(_BATCH, draws - start), differences.size))
        ].mean(1)
        for start in range(0, draws, _BATCH)
    ]
    low, high = np.quantile(np.concatenate(means), (0.025, 0.975))
    return float(low), float(high)


def adjusted_for_several(p_values: Sequence[float]) -> list[float]:
    """Each p value as it counts where so many tests were made at once, by Holm's step-down method, which keeps the
    chance of any false finding at the level of one test, however the tests depend on each other. Source: Holm 1979, "A
    simple sequentially rejective multiple test procedure".

    >>> adjusted_for_several([0.01, 0.5, 0.03])
    [0.03, 0.5, 0.06]
    """
    adjusted, highest = [0.0] * len(p_values), 0.0
    for place, index in enumerate(sorted(range(len(p_values)), key=lambda index: p_values[index])):
        highest = max(highest, min(1.0, (len(p_values) - place) * p_values[index]))
        adjusted[index] = highest
    return adjusted
