"""A question set encoded once: chunks, windows and their vectors, the questions' vectors, and where the gold lies.

Everything comes from the product's own parser, chunker, lexicon and embedder; only the vectors, which take minutes, are
kept in a file (`Cache`), named after the weights and after what was encoded, so that no stale ones are ever read.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from app.embedding import Embedder, FloatMatrix, IntVector, Tokens
from app.errors import ConfigError, DocumentError
from app.lexicon import terms
from eval.dataset import Question
from eval.metrics import is_hit
from eval.replies import Gold, place_gold
from ingest.chunking import ChunkedDocument, chunk
from ingest.options import IngestOptions
from ingest.pipeline import Parse
from ingest.roots import name_paths
from ingest.sources import find_sources, read_source

Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class EncodedSet:
    """Chunks in the order of their sources, windows likewise, questions in the order of their file.

    `spans` (chunks, 2) are characters, `ranges` (chunks, 2) windows, both half-open. Vectors are float32 rows of unit
    length: of `windows`, of the `heads` (the first tokens of each chunk that the encoder reads in one pass) and of the
    `questions`.
    """

    sources: Sequence[str]
    spans: Indices
    ranges: Indices
    window_tokens: Sequence[int]
    window_terms: Sequence[Counter[str]]
    windows: FloatMatrix
    heads: FloatMatrix
    questions: FloatMatrix
    question_terms: Sequence[Sequence[str]]
    golds: Sequence[Gold]
    unknown_shares: Sequence[
        float
    ] = ()  # of the tokens of each chunk's document, those that the model can't read
    question_unknown_shares: Sequence[float] = ()

    def chunk_terms(self) -> list[Counter[str]]:
        """Term → frequency of each chunk, as ingest counts them."""
        return [sum(self.window_terms[first:after], Counter()) for first, after in self.ranges.tolist()]

    def hits(self, question: int, ranking: Sequence[int]) -> list[bool]:
        """For each chunk of a ranking, whether it hits."""
        gold = self.golds[question]
        return [
            not gold.missing
            and self.sources[at] in gold.sources
            and (gold.span is None or is_hit((int(self.spans[at, 0]), int(self.spans[at, 1])), gold.span))
            for at in ranking
        ]


class Cache:
    """Vectors in files of a folder, by what was encoded with which weights."""

    def __init__(self, folder: Path, embedder: Embedder, runtime: str) -> None:
        """`runtime` says how the model computes: float32 and bfloat16 give other vectors. Makes the folder."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._embedder = folder, embedder
        self._space = f"{embedder.space}|{runtime}"

    def embed_windows(self, slices: Sequence[IntVector]) -> FloatMatrix:
        """`Embedder.embed_windows`, read from the file where there is one."""
        key = hashlib.sha256(self._space.encode())
        for window in slices:
            key.update(window.tobytes() + b"|")
        return self._keep(key.hexdigest(), lambda: self._embedder.embed_windows(slices))

    def embed_queries(self, texts: Sequence[str]) -> FloatMatrix:
        """`Embedder.embed_queries`, read from the file where there is one."""
        key = hashlib.sha256("\0".join([self._space, *texts]).encode("utf-8", "surrogatepass"))
        return self._keep(key.hexdigest(), lambda: self._embedder.embed_queries(texts))

    def _keep(self, key: str, embed: Callable[[], FloatMatrix]) -> FloatMatrix:
        file = self._folder / f"vectors-{key[:24]}.npz"
        if file.exists():
            with np.load(file, allow_pickle=False) as kept:
                return np.asarray(kept["vectors"], dtype=np.float32)
        vectors = embed()
        unfinished = file.with_suffix(".part.npz")
        np.savez(unfinished, vectors=vectors)
        unfinished.replace(file)
        return vectors


def encode_set(
    corpus: Path,
    questions: Sequence[Question],
    wordings: Sequence[str],
    *,
    embedder: Embedder,
    cache: Cache,
    options: IngestOptions,
    parse: Parse,
) -> EncodedSet:
    """Encode the files of a folder and `wordings`, what is asked for each question; each question names a document.
    Files that can't be parsed are left out. Raises ConfigError for a folder without any document."""
    sources: list[str] = []
    spans: list[tuple[int, int]] = []
    ranges: list[tuple[int, int]] = []
    slices: list[IntVector] = []
    heads: list[IntVector] = []
    window_terms: list[Counter[str]] = []
    texts: dict[str, str] = {}
    unknown_shares: list[float] = []
    for file in find_sources(name_paths([corpus])).files:
        try:
            document = parse(read_source(file, options.max_file_bytes).content, file.media_type, file.source)
        except DocumentError:
            continue
        texts[file.source] = document.text
        tokens = embedder.tokenize(document.text)
        cut = chunk(
            document,
            tokens,
            chunk_tokens=options.chunk_tokens,
            overlap=options.overlap,
            window_tokens=min(options.window_tokens, embedder.window_tokens),
        )
        before = len(slices)
        slices += [tokens.ids[window.token_start : window.token_end] for window in cut.windows]
        window_terms += [Counter(terms(document.text[w.char_start : w.char_end])) for w in cut.windows]
        heads += _heads(tokens.ids, cut, embedder.window_tokens)
        spans += [(found.char_start, found.char_end) for found in cut.chunks]
        ranges += [(before + first, before + after) for first, after in cut.chunk_windows]
        sources += [file.source] * len(cut.chunks)
        unknown_shares += [_unknown_share(tokens)] * len(cut.chunks)
    if not sources:
        raise ConfigError(f"{corpus} holds no document that can be read.")
    return EncodedSet(
        sources=sources,
        spans=np.array(spans),
        ranges=np.array(ranges),
        window_tokens=[len(window) for window in slices],
        window_terms=window_terms,
        windows=cache.embed_windows(slices),
        heads=cache.embed_windows(heads),
        questions=cache.embed_queries(wordings),
        question_terms=[terms(wording) for wording in wordings],
        golds=[_gold(question, texts) for question in questions],
        unknown_shares=unknown_shares,
        question_unknown_shares=[_unknown_share(embedder.tokenize(wording)) for wording in wordings],
    )


def _unknown_share(tokens: Tokens) -> float:
    return tokens.unknown / max(1, len(tokens))


def _heads(ids: IntVector, cut: ChunkedDocument, most: int) -> list[IntVector]:
    """The first `most` tokens of each chunk."""
    starts = [cut.windows[first].token_start for first, _ in cut.chunk_windows]
    return [
        ids[start : start + min(most, found.token_count)]
        for start, found in zip(starts, cut.chunks, strict=True)
    ]


def _gold(question: Question, texts: dict[str, str]) -> Gold:
    """As in eval.runner: the gold passage, or any chunk of the gold documents where the set names no passage."""
    if question.context is None and question.context_start is None:
        return Gold(question.docs, None, missing=texts.keys().isdisjoint(question.docs))
    source = question.doc or question.docs[0]
    return place_gold(question, source, texts.get(source))
