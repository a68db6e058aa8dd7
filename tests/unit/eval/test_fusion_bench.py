"""The bench of fusion: candidates as the service has them, the product's way itself, mixtures that keep their gold."""

from __future__ import annotations

import json
import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from app.retrieval.fusion import fuse
from app.retrieval.retriever import RetrievalSettings
from app.search.candidates import WINDOW_K1
from eval.bench.encoded import Cache, EncodedSet, encode_set
from eval.bench.fusion import PRODUCT, candidates_of, make_table, mix, ways
from eval.bench.pooling import Part
from ingest.options import IngestOptions
from ingest.parsers import parse
from tests.fakes import FakeEmbedder

TEXTS = {"a.txt": "The river Rhine. " * 40, "b.txt": "Tea and books. " * 30 + "The Danube. " * 30}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two sets, one of each text, with a question each."""
    for name, text in TEXTS.items():
        folder = tmp_path / f"set_{name[0]}"
        (folder / "corpus").mkdir(parents=True)
        (folder / "corpus" / name).write_text(text, "utf-8")
        end = 12 if name == "b.txt" else 16
        start = text.rindex("The")
        question = {
            "id": "1", "question": "Which river?" if name == "a.txt" else "What about the Danube?", "answers": ["x"],
            "doc": name, "context": text[start : start + end], "context_start": start,
        }  # fmt: skip
        (folder / "questions.jsonl").write_text(json.dumps(question) + "\n", "utf-8")
    return tmp_path


def encode(data: Path, *sets: str) -> EncodedSet:
    out = data / "out"
    out.mkdir(exist_ok=True)
    mixture = mix(sets, data, data / "mixed", 10, Part.ALL)
    embedder = FakeEmbedder()
    return encode_set(
        mixture.corpus,
        mixture.questions,
        mixture.wordings,
        embedder=embedder,
        cache=Cache(out, embedder, "fake"),
        options=IngestOptions(chunk_tokens=128, overlap=16, window_tokens=32),
        parse=parse,
    )


def test_a_mixture_asks_each_set_s_questions_of_all_documents(data: Path) -> None:
    encoded = encode(data, "set_a", "set_b")
    assert set(encoded.sources) == {"set_a/a.txt", "set_b/b.txt"}
    assert [gold.missing for gold in encoded.golds] == [False, False]
    for at, gold in enumerate(encoded.golds):
        hits = [chunk for chunk in range(len(encoded.sources)) if encoded.hits(at, [chunk]) == [True]]
        assert hits
        assert {encoded.sources[chunk] for chunk in hits} == set(gold.sources)


def test_candidates_have_every_window_once_and_its_bm25(data: Path) -> None:
    encoded = encode(data, "set_b")
    (found,) = candidates_of(encoded)
    assert [one.chunk_id for one in found] == list(range(len(encoded.sources)))
    windows = [one.first_window + at for one in found for at in range(len(one.cosines))]
    assert windows == list(range(len(encoded.windows)))
    holding = sum("danub" in counts for counts in encoded.chunk_terms())
    idf = math.log(1 + (len(found) - holding + 0.5) / (holding + 0.5))
    for one in found:
        for at, (cosine, lexical) in enumerate(zip(one.cosines, one.window_lexicals, strict=True)):
            counts: Counter[str] = encoded.window_terms[one.first_window + at]
            assert lexical == pytest.approx(
                idf * counts["danub"] * (WINDOW_K1 + 1) / (counts["danub"] + WINDOW_K1)
            )
            vector = encoded.windows[one.first_window + at]
            assert cosine == pytest.approx(float(np.dot(encoded.questions[0], vector)), abs=1e-6)
        assert (one.lexical > 0) == (one.lexical_rank is not None)


def test_the_product_s_way_is_the_product(data: Path) -> None:
    (found,) = candidates_of(encode(data, "set_b"))
    settings = RetrievalSettings()
    order = [one.candidate.chunk_id for one in fuse(found, settings.dense_weight, settings.window_share, 0.2)]
    assert ways([])[PRODUCT](found, 0.2) == order
    for way in ways([(0.5, 0.5)]).values():
        assert sorted(way(found, 0.2)) == sorted(order)


def test_the_table_has_a_row_for_each_way_and_no_difference_of_the_product_to_itself(data: Path) -> None:
    encoded = encode(data, "set_a", "set_b")
    tried = ways([(0.5, 0.5)])
    lines = make_table("both", encoded, [0, 1], tried).splitlines()
    assert len(lines) == 4 + len(tried)
    assert lines[4].startswith(f"| {PRODUCT} | ")
    assert lines[4].endswith("| +0.000 (+0.000 to +0.000) | 1.000 |")
