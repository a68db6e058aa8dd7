"""The pooling ablation: ways of scoring a chunk, their agreement with the product, the cache of vectors."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from app.embedding import FloatMatrix, IntVector
from eval.bench.bm25 import score_terms
from eval.bench.encoded import Cache, EncodedSet, encode_set
from eval.bench.pooling import Part, choose_questions, make_table, measure
from eval.bench.pooling_ways import BEST_WINDOW, DEFAULT_WAY, late_ways, pooled_ways, rank
from eval.dataset import Question, load_questions
from eval.replies import Gold
from ingest.options import IngestOptions
from ingest.parsers import parse
from ingest.pooling import pool, window_weights
from tests.fakes import FakeEmbedder

RANGES = [(0, 1), (1, 3), (2, 6), (6, 9)]  # the second and the third chunk share a window


def unit(rows: FloatMatrix) -> FloatMatrix:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


@pytest.fixture
def encoded() -> EncodedSet:
    random = np.random.default_rng(7)
    windows = unit(random.standard_normal((9, 16)).astype(np.float32))
    words = [["rhine", "river"], ["danube"], ["danube", "sea"], ["tea"], ["tea", "book"], ["paper"], ["ink"], ["pen"],
             ["pen", "ink", "ink"]]  # fmt: skip
    return EncodedSet(
        sources=["a", "b", "b", "c"],
        spans=np.array([(0, 100), (0, 200), (100, 500), (0, 300)]),
        ranges=np.array(RANGES),
        window_tokens=[40, 50, 60, 128, 100, 90, 30, 20, 10],
        window_terms=[Counter(found) for found in words],
        windows=windows,
        heads=windows[[0, 1, 2, 6]],
        questions=unit(random.standard_normal((5, 16)).astype(np.float32)),
        question_terms=[["danube"], ["ink", "pen"], ["tea", "tea"], ["unheard"], ["rhine", "paper"]],
        golds=[Gold(("b",), (90, 190)), Gold(("c",), None), Gold(("b",), (400, 450)), Gold(("a",), (0, 90)),
               Gold(("z",), None, missing=True)],
    )  # fmt: skip


def test_the_default_way_is_the_products_vector(encoded: EncodedSet) -> None:
    scores = pooled_ways(encoded)[DEFAULT_WAY](encoded)
    for at, (first, after) in enumerate(RANGES):
        counts = [len(found) for found in encoded.window_terms[first:after]]
        vector = pool(
            encoded.windows[first:after], window_weights(counts, encoded.window_tokens[first:after])
        )
        assert scores[:, at] == pytest.approx(encoded.questions @ vector, abs=1e-6)


def test_ways_on_windows(encoded: EncodedSet) -> None:
    scores = {name: way(encoded) for name, way in late_ways().items()}
    for at, (first, after) in enumerate(RANGES):
        cosines = np.sort(encoded.questions @ encoded.windows[first:after].T, axis=1)[:, ::-1]
        assert scores[BEST_WINDOW][:, at] == pytest.approx(cosines[:, 0])
        assert scores["mean of the two best windows"][:, at] == pytest.approx(
            cosines[:, :2].mean(axis=1), abs=1e-6
        )
        soft = scores["soft maximum of windows"][:, at]
        assert np.all(soft <= cosines[:, 0] + 1e-6)
        assert np.all(soft >= cosines.mean(axis=1) - 1e-6)
    halves = scores["better of two vectors, one for each half"]
    assert halves[:, :2] == pytest.approx(
        scores[BEST_WINDOW][:, :2], abs=1e-6
    )  # chunks of one window and of two


def test_every_way_scores_one_window_as_that_window(encoded: EncodedSet) -> None:
    """A chunk of one window leaves nothing to weigh; only centring moves the vectors themselves."""
    cosines = encoded.questions @ encoded.windows[0]
    ways = pooled_ways(encoded) | late_ways()
    del ways["mean of windows less the corpus' mean"]
    for name, way in ways.items():
        assert way(encoded)[:, 0] == pytest.approx(cosines, abs=1e-6), name


def test_ranks_by_score_then_by_tie_then_by_place() -> None:
    scores = np.array([0.5, 0.9, 0.5, -np.inf, 0.5])
    assert rank(scores) == [1, 0, 2, 4]
    assert rank(scores, np.array([0.0, 0.0, 0.0, 9.0, 1.0])) == [1, 4, 0, 2]


def test_the_first_row_is_half_best_window_and_half_bm25(encoded: EncodedSet) -> None:
    """All four chunks are candidates here, so that nothing is left out before the sum."""
    row = next(row for row in measure(encoded) if row.leg == "hybrid")
    cosines = late_ways()[BEST_WINDOW](encoded)
    lexical = score_terms(encoded.chunk_terms(), encoded.question_terms)
    firsts = []
    for at, (dense, terms) in enumerate(zip(cosines.tolist(), lexical.tolist(), strict=True)):
        sums = [0.5 * max(0, d) + 0.5 * t / (max(terms) or 1) for d, t in zip(dense, terms, strict=True)]
        firsts.append(encoded.hits(at, [sums.index(max(sums))])[0])
    assert row.figures["recall@1"] == pytest.approx(np.mean(firsts))
    assert row.difference == 0
    assert row.p == 1


def test_hits_follow_the_contract(encoded: EncodedSet) -> None:
    assert encoded.hits(0, [0, 1, 2]) == [
        False,
        True,
        True,
    ]  # [90, 190) in [0, 200) and, by 90 of 100, in [100, 500)
    assert encoded.hits(1, [3, 0]) == [True, False]
    assert encoded.hits(4, [0, 1, 2, 3]) == [False] * 4


def test_bm25_is_the_formula() -> None:
    documents = [Counter({"a": 2, "b": 1}), Counter({"b": 1}), Counter({"c": 5})]
    scores = score_terms(documents, [["a", "a", "missing"], ["missing"], []], k1=1.2, b=0.75)
    idf = math.log(1 + (3 - 1 + 0.5) / (1 + 0.5))
    assert scores[0].tolist() == pytest.approx([idf * 2 * 2.2 / (2 + 1.2 * (0.25 + 0.75 * 3 / 3)), 0, 0])
    assert not scores[1:].any()


def test_both_halves_are_all_questions() -> None:
    questions = [Question(str(at), "?", doc="d", docs=("d",)) for at in range(40)] + [Question("no doc", "?")]
    halves = [choose_questions(questions, 30, part) for part in (Part.EVEN, Part.ODD)]
    assert {q.id for half in halves for q in half} == {
        q.id for q in choose_questions(questions, 30, Part.ALL)
    }
    assert min(map(len, halves)) > 5
    assert sum(map(len, halves)) == 30


class CountingEmbedder(FakeEmbedder):
    """Counts what it is asked to encode."""

    encoded = 0

    def embed_windows(self, windows: Sequence[IntVector]) -> FloatMatrix:
        self.encoded += len(windows)
        return super().embed_windows(windows)


def test_a_second_run_encodes_nothing(corpus: Path, question_file: Path, tmp_path: Path) -> None:
    questions = choose_questions(load_questions(question_file), 10, Part.ALL)
    embedder, cache = CountingEmbedder(), tmp_path / "vectors"
    cache.mkdir()

    def encode(dtype: str) -> EncodedSet:
        return encode_set(
            corpus,
            questions,
            [question.question for question in questions],
            embedder=embedder,
            cache=Cache(cache, embedder, dtype),
            options=IngestOptions(),
            parse=parse,
        )

    first = encode("float32")
    once = embedder.encoded
    assert once > 0
    second = encode("float32")
    assert embedder.encoded == once
    assert np.array_equal(first.windows, second.windows)
    encode("bfloat16")
    assert embedder.encoded > once
    table = make_table("tiny", measure(first), len(questions), first)
    assert "| hybrid | BM25 alone | 1.000 |" in table


def test_answerable_questions_with_a_document_are_asked(question_file: Path) -> None:
    unanswerable = {"none"}
    assert {json.loads(line)["id"] for line in question_file.read_text("utf-8").splitlines()} > unanswerable
    chosen = choose_questions(load_questions(question_file), 10, Part.ALL)
    assert {question.id for question in chosen} == {"en", "zh"}
