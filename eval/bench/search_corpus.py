"""The corpus of eval/bench/search.py: passages of real text with their real vectors, and passages between them.

Embedding 100,000 passages would take half an hour, so only the first are embedded: sentences and pairs of sentences
of the given files, up to a number of tokens. The others lie between a real passage and one of its near neighbours:
their vectors are mixed from both with noise, of unit length, and their words are taken from both, so that both legs
of a search meet what real text has (skewed terms, clusters). Questions are real sentences that are not in the corpus.
Kept in a file, since all of it depends on the arguments and the model alone.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from app.embedding import FloatMatrix, SentenceTransformerEmbedder
from app.sentences import split_sentences

FEWEST_CHARS: Final = 30
MOST_CHARS: Final = 600
NEAR: Final = 8  # neighbours that a passage may be mixed with
NOISE: Final = 0.35  # length of the noise beside a mixture of unit length
_BATCH: Final = 2_000


@dataclass(frozen=True, slots=True)
class SearchCorpus:
    """`texts` and `vectors` float32 (n, dimension) of unit length, the first `real` of them embedded text; `questions`
    and their vectors likewise."""

    texts: Sequence[str]
    vectors: FloatMatrix
    real: int
    questions: Sequence[str]
    question_vectors: FloatMatrix


def load_corpus(
    folders: Sequence[Path], cache: Path, *, rows: int, questions: int, tokens: int, seed: int
) -> SearchCorpus:
    """The corpus of these arguments, read from the cache or made."""
    if cache.exists():
        with np.load(cache, allow_pickle=False) as kept:
            if kept["arguments"].tolist() == [rows, questions, tokens, seed]:
                return SearchCorpus(
                    str(kept["texts"]).split("\n"), kept["vectors"], int(kept["real"]),
                    str(kept["questions"]).split("\n"), kept["question_vectors"],
                )  # fmt: skip
    made = _make(folders, rows=rows, questions=questions, tokens=tokens, seed=seed)
    np.savez(
        cache,
        arguments=np.array([rows, questions, tokens, seed]),
        texts=np.array("\n".join(made.texts)),
        vectors=made.vectors,
        real=np.array(made.real),
        questions=np.array("\n".join(made.questions)),
        question_vectors=made.question_vectors,
    )
    return made


def _make(folders: Sequence[Path], *, rows: int, questions: int, tokens: int, seed: int) -> SearchCorpus:
    embedder = SentenceTransformerEmbedder()
    rng = random.Random(seed)  # noqa: S311 - a sample
    passages = _passages(folders, rng)
    asked, passages = passages[:questions], passages[questions:]
    spent, count = 0, 0
    while count < min(len(passages), rows) and spent < tokens:
        spent += len(embedder.tokenize(passages[count]))
        count += 1
    real = passages[:count]
    vectors = embedder.embed_passages(real)
    mixed, texts = _between(vectors, real, rows - count, seed)
    return SearchCorpus(
        [*real, *texts], np.vstack([vectors, mixed]), count, asked, embedder.embed_queries(asked)
    )


def _passages(folders: Sequence[Path], rng: random.Random) -> list[str]:
    """Sentences, then pairs of them; each in random order, none twice, none that another one holds the start of."""
    sentences: list[str] = []
    pairs: list[str] = []
    for path in sorted(path for folder in folders for path in folder.rglob("*.md")):
        text = path.read_text("utf-8")
        spans = split_sentences(text)
        sentences += [" ".join(text[start:end].split()) for start, end in spans]
        pairs += [
            " ".join(text[spans[place][0] : spans[place + 1][1]].split()) for place in range(len(spans) - 1)
        ]
    kept = []
    for found in (sentences, pairs):
        fitting = [text for text in dict.fromkeys(found) if FEWEST_CHARS <= len(text) <= MOST_CHARS]
        rng.shuffle(fitting)
        kept += fitting
    return kept


def _between(
    vectors: FloatMatrix, texts: Sequence[str], count: int, seed: int
) -> tuple[FloatMatrix, list[str]]:
    """`count` vectors and texts between passages and their near neighbours."""
    rng = np.random.default_rng(seed)
    near = _neighbours(vectors)
    first = rng.integers(len(vectors), size=count)
    second = near[first, rng.integers(NEAR, size=count)]
    share = rng.uniform(0.2, 0.8, size=(count, 1)).astype(np.float32)
    noise = rng.standard_normal((count, vectors.shape[1])).astype(np.float32)
    noise *= NOISE / np.linalg.norm(noise, axis=1, keepdims=True)
    mixed = share * vectors[first] + (1 - share) * vectors[second] + noise
    words = random.Random(seed)  # noqa: S311 - a sample
    made = []
    for a, b, part in zip(first.tolist(), second.tolist(), share[:, 0].tolist(), strict=True):
        ours, theirs = texts[a].split(), texts[b].split()
        cut = max(1, round(part * len(ours)))
        start = words.randrange(max(1, len(theirs) - 1))
        made.append(" ".join([*ours[:cut], *theirs[start : start + max(3, len(ours) - cut)]]))
    return np.asarray(mixed / np.linalg.norm(mixed, axis=1, keepdims=True), dtype=np.float32), made


def _neighbours(vectors: FloatMatrix) -> npt.NDArray[np.int64]:
    """The NEAR nearest others of each vector (n, NEAR), in no order."""
    found: list[npt.NDArray[Any]] = []
    for start in range(0, len(vectors), _BATCH):
        cosines = vectors[start : start + _BATCH] @ vectors.T
        cosines[np.arange(len(cosines)), np.arange(start, start + len(cosines))] = -2
        found.append(np.argpartition(-cosines, NEAR, axis=1)[:, :NEAR])
    return np.vstack(found)
