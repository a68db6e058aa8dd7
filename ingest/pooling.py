"""Windows of a chunk → one vector, by weighted pooling; pure.

    w_i = length_i × position_i × density_i
    length_i   = the window's share of the chunk's tokens
    position_i = 1 + POSITION_STRENGTH × (1 − (i + ½)/n)            earlier windows count more
    density_i  = (k_i / mean k) ^ DENSITY_STRENGTH, in [1/2, 2]     windows rich in keywords count more
    pooled     = Σ w_i v_i / ‖Σ w_i v_i‖

i is the window's place in its chunk (from 0), n the chunk's number of windows, and k_i the number of distinct
keywords (terms of app.lexicon) of the window per token. Position follows the lead bias of expository text (Lin and
Hovy 1997, "Identifying topics by position"); density follows Luhn 1958, "The automatic creation of literature
abstracts". Measured on four question sets (docs/tuning.md, "Pooling"): the length is what gains
over the plain mean; position and density are within chance of it, alone and together, on most sets, and no other
strength of them wins on two sets. A change here raises app.embedding.POOLING, since it makes other vectors.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

POSITION_STRENGTH: Final = 0.5
DENSITY_STRENGTH: Final = 1.0


def window_weights(
    keyword_counts: Sequence[float],
    token_counts: Sequence[int],
    *,
    position_strength: float = POSITION_STRENGTH,
    density_strength: float = DENSITY_STRENGTH,
) -> npt.NDArray[np.float64]:
    """Weights of a chunk's windows in order, float64 (n,), positive, with sum 1.

    `keyword_counts` are the distinct keywords of each window, `token_counts` its tokens (at least 1). Both strengths
    are from 0, which leaves that factor out.

    >>> window_weights([4, 4], [100, 100]).round(3).tolist()
    [0.55, 0.45]
    """
    n = len(token_counts)
    tokens = np.asarray(token_counts, dtype=np.float64)
    density = np.asarray(keyword_counts, dtype=np.float64) / tokens
    mean = density.mean()
    relative = density / mean if mean > 0 else np.ones(n)
    position = 1 + position_strength * (1 - (np.arange(n) + 0.5) / n)
    weights = tokens * position * np.clip(relative**density_strength, 0.5, 2.0)
    return np.asarray(weights / weights.sum())


def pool(vectors: npt.NDArray[np.float32], weights: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """The weighted mean of unit vectors (n, dim), scaled to unit length: float32 (dim,).

    Opposite vectors that cancel out have no direction: the heaviest window stands for the chunk then.
    """
    mean = weights @ vectors.astype(np.float64)
    length = float(np.linalg.norm(mean))
    if length < 1e-6:
        return np.array(vectors[int(weights.argmax())])
    return np.array(mean / length, dtype=np.float32)
