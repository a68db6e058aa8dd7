"""Cosines in units of their space: standard deviations above what a question has with texts that don't answer it; pure.

    standard score = (cosine − mean) / deviation
    mean = (1 − w) · mean of the texts + w · mean of the collection
    deviation² = (1 − w) · variance of the texts + w · variance of the collection

Each model has its cosines elsewhere: unrelated ones at .04 ± .1 for one, at .75 ± .03 for another, and at .70 where
question and text are of two languages. So each question is held against two backgrounds, of the language of the text
that is scored: passages about everyday things, and a sample of the collection's own windows. w grows with the sample,
to half. The sample alone would not do: in a collection about one thing all of it is near to each question about that,
and what answers would not stand out; nor would the passages: some texts are near to every question. For the same reason
the variance between the two is left out (eval/LOG.md, ADR 30).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from app.embedding import FloatMatrix, FloatVector
from app.store.backgrounds import LANGUAGES

MOST_OWN: Final = 0.5  # weight of the collection's own windows
HALF_TRUSTED: Final = 48  # windows: as many as there are passages, and they weigh as much
LEAST_DEVIATION: Final = 1e-3
SPAN: Final = 10.0  # standard deviations that count as 1, as the highest BM25 does
IDEAL_SHARE: Final = 0.4  # of what a text full of every term would get: the least that BM25 is divided by


@dataclass(frozen=True, slots=True)
class Standard:
    """What a question's cosines with texts of one language are measured by."""

    mean: float
    deviation: float

    def score(self, cosine: float) -> float:
        """The cosine in standard deviations above the mean.

        >>> round(Standard(0.75, 0.03).score(0.87), 2), round(Standard(0.04, 0.1).score(0.44), 2)
        (4.0, 4.0)
        """
        return (cosine - self.mean) / self.deviation


Standards = Mapping[str, Standard]  # by the text's language: "en", "zh", "und"


def standard_of(standards: Standards, language: str) -> Standard:
    """That of a text's language, or of texts in any."""
    return standards.get(language) or standards["und"]


Windows = Mapping[str, FloatMatrix]  # a collection's sample by language; without those that it has no text in


@dataclass(frozen=True, slots=True)
class Background:
    """The vectors, float32 (n, dimension) of unit length, by language: of the passages, and of the sample of each
    collection that is asked; `chunk_counts` are the chunks that each sample stands for."""

    texts: Mapping[str, FloatMatrix]
    samples: Sequence[Windows] = ()
    chunk_counts: Sequence[int] = ()

    @property
    def languages(self) -> frozenset[str]:
        """Those that the collections were seen to have text in."""
        return frozenset().union(*self.samples)

    def crowding(self, vectors: FloatMatrix, asked: str, told: str) -> FloatVector:
        """How much nearer each of the unit vectors (n, dimension), of texts in the language `told`, is to passages
        about everyday things in the language `asked` than such passages in `told` are: a difference of cosines, (n,).
        Some texts are near to all that is asked in another language: names, numbers, a sentence of three words."""
        if asked not in self.texts or told not in self.texts:
            return np.zeros(len(vectors), dtype=np.float32)
        usual = float((self.texts[told] @ self.texts[asked].T).mean())
        return np.asarray((vectors @ self.texts[asked].T).mean(axis=1) - usual, dtype=np.float32)

    def against(self, question: FloatMatrix) -> Standards:
        """The standards of a question's unit vector (dimension,), one a language: the same for all collections, as if
        they were one, or what is near to the question in one would be held against it."""
        standards = {}
        for language in LANGUAGES:
            texts = [self.texts[language]] if language in self.texts else list(self.texts.values())
            general = np.concatenate(texts) @ question
            mean, variance = float(general.mean()), float(general.var())
            if own := self._own(language, question):
                count, own_mean, own_variance = own
                weight = min(MOST_OWN, count / (count + HALF_TRUSTED))
                mean = (1 - weight) * mean + weight * own_mean
                variance = (1 - weight) * variance + weight * own_variance
            standards[language] = Standard(mean, max(float(np.sqrt(variance)), LEAST_DEVIATION))
        return standards

    def _own(self, language: str, question: FloatMatrix) -> tuple[int, float, float] | None:
        """How many windows of all samples are in a language, and the mean and variance of their cosines, where each
        counts for as many chunks as it stands for."""
        cosines, counts = [], []
        for windows, chunks in zip(self.samples, self.chunk_counts, strict=True):
            if language in windows:
                cosines.append(windows[language] @ question)
                counts.append(max(chunks, 1) / sum(map(len, windows.values())))
        if not cosines:
            return None
        together = np.concatenate(cosines)
        if len(cosines) == 1:
            return len(together), float(together.mean()), float(together.var())
        weights = np.repeat(counts, list(map(len, cosines)))
        mean = float(np.average(together, weights=weights))
        return len(together), mean, float(np.average((together - mean) ** 2, weights=weights))
