"""Which way from a chunk's windows to its vector finds the most? An ablation on whole question sets.

    python -m eval.bench.pooling --sets squad_dev,cmrc_dev,fastapi_docs_dev --data DIR --out DIR

DIR/SET holds `corpus/` and `questions.jsonl`; `SET:en` asks the English wording of translated questions. Each set is
cut as ingest cuts it and encoded once; the vectors stay in --out, so that a second run takes seconds. Then every way
of eval/bench/pooling_ways.py ranks all chunks exactly, by itself and as half of a sum with BM25 (as in
app/retrieval/fusion.py), and some find candidates that are rescored by their best window, as the service does.

Differences are to the product's own way: its pooled vector where a way stands alone, its rescored candidates where it
stands with BM25. Intervals are 95 % by bootstrap over questions, p by the paired randomisation test (eval/compare.py),
not corrected for the number of ways. `--part even` and `--part odd` take the questions whose id has such a SHA-1, to
choose on one half and report on the other.

Prints a table of Markdown for each set and writes all figures to --out/pooling.json. Needs the dev group (bm25s).
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

import numpy as np
import numpy.typing as npt
import typer

from app.config import load_settings
from app.embedding import SentenceTransformerEmbedder
from app.errors import InvalidRequestError
from eval.bench.bm25 import score_terms
from eval.bench.encoded import Cache, EncodedSet, encode_set
from eval.bench.pooling_ways import (
    BEST_WINDOW,
    DEFAULT_WAY,
    Scores,
    late_ways,
    name_weights,
    pooled_ways,
    rank,
)
from eval.compare import mean_interval, paired_p_value
from eval.dataset import Question, load_questions
from eval.metrics import first_hit_rank, rank_scores
from ingest.options import IngestOptions
from ingest.sandbox import SandboxedParser

Floats = npt.NDArray[np.float64]
Rankings = Sequence[Sequence[int]]  # for each question, chunks, best first

CANDIDATES: Final = 50
DENSE_WEIGHT: Final = 0.5
DRAWS: Final = 2_000  # of the bootstrap and of the test: p is at least 1/2,001
FIGURES: Final = ("recall@1", "recall@5", "recall@10", "ndcg@10", "found@20", "found@50")
RESCORED: Final = "candidates of [{}], rescored by best window"
_FINDERS: Final = (
    DEFAULT_WAY, name_weights(0, 0), "mean of windows", "first window", "maximum by element",
    "truncated: what the encoder reads of the chunk at once",
)  # fmt: skip


class Part(StrEnum):
    """Which questions are asked."""

    ALL = "all"
    EVEN = "even"
    ODD = "odd"


@dataclass(frozen=True, slots=True)
class Row:
    """One way on one set, alone ("dense") or with BM25 ("hybrid"). `found@k` is the share of questions with a hit among
    the first k; `low`, `high` bound nDCG@10; `difference` is that to the product's way."""

    way: str
    leg: str
    figures: Mapping[str, float]
    low: float
    high: float
    difference: float
    difference_low: float
    difference_high: float
    p: float


def measure(encoded: EncodedSet, only: str = "") -> list[Row]:
    """Every way whose name holds `only`, alone and with BM25; the product's own way first in each half."""
    lexical = score_terms(encoded.chunk_terms(), encoded.question_terms)
    dense = {
        name: way(encoded)
        for name, way in (pooled_ways(encoded) | late_ways()).items()
        if only in name or name in (BEST_WINDOW, *_FINDERS)
    }
    # A name set first stays first, whatever is set for it later.
    alone: dict[str, Rankings] = {
        DEFAULT_WAY: [],
        **{name: _rank_all(scores) for name, scores in dense.items()},
    }
    product = RESCORED.format(DEFAULT_WAY)
    mixed: dict[str, Rankings] = {product: [], "BM25 alone": _rank_all(lexical)}
    best = dense[BEST_WINDOW]
    for name in _FINDERS:
        found = [rank(scores)[:CANDIDATES] for scores in dense[name]]
        alone[RESCORED.format(name)] = _rescore(best, found)
        both = [
            sorted({*by_dense, *rank(scores)[:CANDIDATES]})
            for by_dense, scores in zip(found, lexical, strict=True)
        ]
        mixed[RESCORED.format(name)] = _rescore(_fuse(best, lexical), both, lexical)
    mixed |= {name: _rank_all(_fuse(scores, lexical), lexical) for name, scores in dense.items()}
    compared = {DEFAULT_WAY, product}
    alone, mixed = (
        {name: found for name, found in rankings.items() if only in name or name in compared}
        for rankings in (alone, mixed)
    )
    return [*_rows(encoded, alone, "dense"), *_rows(encoded, mixed, "hybrid")]


def choose_questions(questions: Sequence[Question], limit: int, part: Part) -> list[Question]:
    """The answerable questions that name a document: the `limit` with the lowest SHA-1 of their id, of one part."""
    chosen = sorted((q for q in questions if q.answerable and q.docs), key=_digest)[:limit]
    wanted = {Part.ALL: (0, 1), Part.EVEN: (0,), Part.ODD: (1,)}[part]
    return [question for question in chosen if _digest(question)[-1] % 2 in wanted]


def make_table(title: str, rows: Sequence[Row], questions: int, encoded: EncodedSet) -> str:
    """A set's figures in Markdown."""
    lines = [
        f"### {title}: {questions} questions, {len(encoded.sources)} chunks, {len(encoded.window_tokens)} windows",
        "",
        "| leg | way | recall@1 | recall@5 | recall@10 | nDCG@10 (95 %) | found@20 | found@50 "
        "| to the product's (95 %) | p |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        f = {key: f"{value:.3f}" for key, value in row.figures.items()}
        lines.append(
            f"| {row.leg} | {row.way} | {f['recall@1']} | {f['recall@5']} | {f['recall@10']} | {f['ndcg@10']} "
            f"({row.low:.3f} to {row.high:.3f}) | {f['found@20']} | {f['found@50']} | {row.difference:+.3f} "
            f"({row.difference_low:+.3f} to {row.difference_high:+.3f}) | {row.p:.4f} |"
        )
    return "\n".join([*lines, ""])


def _rank_all(scores: Scores, ties: Floats | None = None) -> Rankings:
    return [rank(row, None if ties is None else ties[at]) for at, row in enumerate(scores)]


def _rescore(scores: Scores, candidates: Rankings, ties: Floats | None = None) -> Rankings:
    """Each question's candidates by `scores`."""
    rankings = []
    for at, chosen in enumerate(candidates):
        of_chosen = np.full(scores.shape[1], -np.inf)
        of_chosen[list(chosen)] = scores[at, list(chosen)]
        rankings.append(rank(of_chosen, None if ties is None else ties[at]))
    return rankings


def _fuse(dense: Scores, lexical: Floats) -> Floats:
    """The sum of app/retrieval/fusion.py, over all chunks."""
    highest = np.maximum(lexical.max(axis=1, keepdims=True), 1e-12)
    return np.asarray(DENSE_WEIGHT * np.maximum(dense, 0) + (1 - DENSE_WEIGHT) * lexical / highest)


def _rows(encoded: EncodedSet, rankings: Mapping[str, Rankings], leg: str) -> list[Row]:
    """A row for each ranking; the first is what the others are compared with."""
    scored = {name: _score(encoded, ranking) for name, ranking in rankings.items()}
    baseline = next(iter(scored.values()))["ndcg@10"]
    rows = []
    for name, values in scored.items():
        gain = values["ndcg@10"] - baseline
        low, high = mean_interval(values["ndcg@10"], DRAWS)
        gain_low, gain_high = mean_interval(gain, DRAWS)
        rows.append(
            Row(
                name,
                leg,
                {key: float(value.mean()) for key, value in values.items()},
                low,
                high,
                float(gain.mean()),
                gain_low,
                gain_high,
                paired_p_value(gain, DRAWS),
            )
        )
    return rows


def _score(encoded: EncodedSet, rankings: Rankings) -> dict[str, Floats]:
    """Each figure for every question, in their order."""
    hits = {str(at): encoded.hits(at, ranking[:CANDIDATES]) for at, ranking in enumerate(rankings)}
    scores = rank_scores({question: flags[:10] for question, flags in hits.items()})
    values = {key: np.array([scores[question][key] for question in hits]) for key in FIGURES[:4]}
    for key, depth in (("found@20", 20), ("found@50", 50)):
        found = [first_hit_rank(flags[:depth]) is not None for flags in hits.values()]
        values[key] = np.array(found, dtype=np.float64)
    return values


def _digest(question: Question) -> bytes:
    return hashlib.sha1(question.id.encode("utf-8", "surrogatepass"), usedforsecurity=False).digest()


def _wording(question: Question, *, english: bool) -> str:
    if not english:
        return question.question
    if question.question_en is None:
        raise InvalidRequestError(f"Question {question.id} has no English wording.")
    return question.question_en


def main(
    *,
    sets: Annotated[str, typer.Option(help="Names of sets, with commas; SET:en asks the English wording.")],
    data: Annotated[Path, typer.Option(help="Folder of the sets.", exists=True, file_okay=False)],
    out: Annotated[Path, typer.Option(help="Folder for vectors and pooling.json.", file_okay=False)],
    limit: Annotated[int, typer.Option(min=1, help="At most so many questions of a set.")] = 1_000,
    part: Annotated[Part, typer.Option(help="Half of the questions, by the parity of their id's SHA-1.")] = Part.ALL,
    only: Annotated[str, typer.Option(help="Only ways whose name holds this.")] = "",
    chunk_tokens: Annotated[int | None, typer.Option(help="PGASK_CHUNK_TOKENS")] = None,
    window_tokens: Annotated[int | None, typer.Option(help="PGASK_WINDOW_TOKENS")] = None,
) -> None:  # fmt: skip
    """Measure every way on every set."""
    settings = load_settings(chunk_tokens=chunk_tokens, window_tokens=window_tokens)
    embedder = SentenceTransformerEmbedder.from_settings(settings)
    out.mkdir(parents=True, exist_ok=True)
    runtime = {
        name: getattr(settings, name)
        for name in sorted(type(settings).model_fields)
        if name.startswith("embedding_")
    }
    cache = Cache(out, embedder, str(runtime))
    found: dict[str, Any] = {"command": sys.argv, "space": asdict(embedder.space)}
    for name in sets.split(","):
        folder, _, language = name.partition(":")
        questions = choose_questions(load_questions(data / folder / "questions.jsonl"), limit, part)
        wordings = [_wording(question, english=language == "en") for question in questions]
        with SandboxedParser() as parser:
            encoded = encode_set(
                data / folder / "corpus", questions, wordings, embedder=embedder, cache=cache,
                options=IngestOptions.from_settings(settings, prune=False), parse=parser.parse,
            )  # fmt: skip
        rows = measure(encoded, only)
        found[name] = [asdict(row) for row in rows]
        print(make_table(name, rows, len(questions), encoded), flush=True)
    (out / "pooling.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
