"""Which sum of scores ranks best? Ways of fusing what the two searches propose, on whole question sets, offline.

    python -m eval.bench.fusion --sets squad_dev,cmrc_dev,fastapi_docs_dev --data DIR --out DIR [--part even]

DIR/SET holds `corpus/` and `questions.jsonl`; `SET:en` asks the English wording of translated questions, `SET+SET`
puts the corpora of several sets into one and asks the questions of each (a mixed corpus: one row of figures a part).
Each set is cut as ingest cuts it and encoded once; vectors stay in --out. Candidates are those that the service would
have: 50 by the pooled vector and 50 by BM25. The product's own way calls app.retrieval.fusion itself. `--part even` and
`--part odd` take half of the questions, to choose on one and report on the other; `--weights .5:.67,.6:.67` adds rows
of the product's way with other dense weights and window shares.

Prints a table of Markdown for each set: difference of nDCG@10 to the product's way with its 95 % interval by bootstrap,
p by the paired randomisation test. Needs the dev group (bm25s).
"""

from __future__ import annotations

import math
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Final

import numpy as np
import typer

from app.config import load_settings
from app.embedding import SentenceTransformerEmbedder
from app.retrieval.fusion import fuse
from app.retrieval.retriever import RetrievalSettings
from app.search.candidates import WINDOW_K1, Candidate
from eval.bench.bm25 import score_terms
from eval.bench.encoded import Cache, EncodedSet, encode_set
from eval.bench.pooling import DRAWS, Part, choose_questions
from eval.bench.pooling_ways import DEFAULT_WAY, pooled_ways, rank
from eval.compare import mean_interval, paired_p_value
from eval.dataset import Question, load_questions
from eval.metrics import rank_scores
from ingest.options import IngestOptions
from ingest.sandbox import SandboxedParser

RRF_K: Final = 60
PRODUCT: Final = "product"

Way = Callable[
    [Sequence[Candidate], float], Sequence[int]
]  # candidates, question's unknown share → ids, best first


@dataclass(frozen=True, slots=True)
class Mixture:
    """Questions with the set that each comes from, and the folder of their documents."""

    corpus: Path
    questions: Sequence[Question]
    wordings: Sequence[str]
    parts: Sequence[str]


def candidates_of(encoded: EncodedSet, *, window_k1: float = WINDOW_K1) -> list[list[Candidate]]:
    """For each question what the service's two searches would propose; ids are places of chunks."""
    chunk_terms = encoded.chunk_terms()
    lexical = score_terms(chunk_terms, encoded.question_terms)
    pooled = pooled_ways(encoded)[DEFAULT_WAY](encoded)
    cosines = encoded.questions @ encoded.windows.T
    holding: dict[str, int] = {}
    for counts in chunk_terms:
        for term in counts:
            holding[term] = holding.get(term, 0) + 1
    own = _own_windows(encoded)
    limit = RetrievalSettings().candidates
    found = []
    for question, terms in enumerate(encoded.question_terms):
        idf = {
            term: math.log(1 + (len(chunk_terms) - holding[term] + 0.5) / (holding[term] + 0.5))
            for term in set(terms)
            if term in holding
        }
        by_dense = rank(pooled[question])[:limit]
        by_words = [chunk for chunk in rank(lexical[question])[:limit] if lexical[question, chunk] > 0]
        found.append(
            [
                Candidate(
                    chunk,
                    encoded.sources[chunk],
                    first,
                    tuple(cosines[question, first:after].tolist()),
                    tuple(
                        sum(
                            weight * counts[term] * (window_k1 + 1) / (counts[term] + window_k1)
                            for term, weight in idf.items()
                        )
                        for counts in encoded.window_terms[first:after]
                    ),
                    float(lexical[question, chunk]),
                    by_dense.index(chunk) + 1 if chunk in by_dense else None,
                    by_words.index(chunk) + 1 if chunk in by_words else None,
                    encoded.unknown_shares[chunk],
                )
                for chunk in sorted({*by_dense, *by_words})
                for first, after in [own[chunk]]
            ]
        )
    return found


def ways(weights: Sequence[tuple[float, float]]) -> dict[str, Way]:
    """Every way by name, the product's own first; `weights` are further (dense weight, window share) of its formula."""
    settings = RetrievalSettings()
    chosen = settings.dense_weight, settings.window_share
    found: dict[str, Way] = {
        PRODUCT: _fused(*chosen),
        "product, every cosine trusted": lambda candidates, _: _fused(*chosen)(_readable(candidates), 0.0),
        "dense: best window": _by(lambda one: max(one.cosines)),
        "BM25 of the chunk": _by(lambda one: one.lexical),
        "BM25 of the best window": _by(lambda one: max(one.window_lexicals)),
        "reciprocal rank": _reciprocal_rank,
        ".5 best cosine + .5 BM25 of the chunk": lambda candidates, _: _sum(candidates, 0.5, 0.0),
        "the product's weights, each on its own best window": lambda candidates, _: _sum(candidates, *chosen),
    }
    return found | {f"product, {dense:g}:{share:g}": _fused(dense, share) for dense, share in weights}


def _fused(dense_weight: float, window_share: float) -> Way:
    return lambda candidates, unknown: [
        one.candidate.chunk_id for one in fuse(candidates, dense_weight, window_share, unknown)
    ]


def _readable(candidates: Sequence[Candidate]) -> list[Candidate]:
    return [replace(one, unknown_share=0.0) for one in candidates]


def _by(score: Callable[[Candidate], float]) -> Way:
    return lambda candidates, _: [
        one.chunk_id for one in sorted(candidates, key=lambda one: (-score(one), -one.lexical, one.chunk_id))
    ]


def _reciprocal_rank(candidates: Sequence[Candidate], _: float) -> Sequence[int]:
    def score(one: Candidate) -> float:
        return sum(1 / (RRF_K + rank) for rank in (one.dense_rank, one.lexical_rank) if rank is not None)

    return _by(score)(candidates, 0.0)


def _sum(candidates: Sequence[Candidate], dense: float, share: float) -> Sequence[int]:
    """Scores added after the best window of each was taken; the cosine trusted everywhere."""
    chunk = max((one.lexical for one in candidates), default=0.0) or 1.0
    window = max((max(one.window_lexicals) for one in candidates), default=0.0) or 1.0

    def score(one: Candidate) -> float:
        words = share * max(one.window_lexicals) / window + (1 - share) * one.lexical / chunk
        return dense * max(0.0, *one.cosines) + (1 - dense) * words

    return _by(score)(candidates, 0.0)


def _own_windows(encoded: EncodedSet) -> list[tuple[int, int]]:
    """For each chunk the windows that the chunk before does not hold, half-open."""
    own: list[tuple[int, int]] = []
    for chunk, (first, after) in enumerate(encoded.ranges.tolist()):
        follows = chunk > 0 and encoded.sources[chunk - 1] == encoded.sources[chunk]
        own.append((max(first, int(encoded.ranges[chunk - 1, 1])) if follows else first, after))
    return own


def make_table(title: str, encoded: EncodedSet, asked: Sequence[int], tried: Mapping[str, Way]) -> str:
    """The figures of the questions at the places `asked`, in Markdown."""
    candidates = candidates_of(encoded)
    lines = [
        f"### {title}: {len(asked)} questions, {len(encoded.sources)} chunks",
        "",
        "| way | recall@1 | recall@5 | recall@10 | nDCG@10 | to the product's (95 %) | p |",
        "|---|---|---|---|---|---|---|",
    ]
    baseline = None
    for name, way in tried.items():
        hits = {
            str(at): encoded.hits(at, way(candidates[at], encoded.question_unknown_shares[at])[:10])
            for at in asked
        }
        scores = rank_scores(hits)
        ndcg = np.array([scores[at]["ndcg@10"] for at in hits])
        baseline = ndcg if baseline is None else baseline
        low, high = mean_interval(ndcg - baseline, DRAWS)
        figures = " | ".join(
            f"{np.mean([scores[at][key] for at in hits]):.3f}"
            for key in ("recall@1", "recall@5", "recall@10", "ndcg@10")
        )
        lines.append(
            f"| {name} | {figures} | {(ndcg - baseline).mean():+.3f} ({low:+.3f} to {high:+.3f}) | "
            f"{paired_p_value(ndcg - baseline, DRAWS):.3f} |"
        )
    return "\n".join([*lines, ""])


def mix(sets: Sequence[str], data: Path, folder: Path, limit: int, part: Part) -> Mixture:
    """The questions of some sets; of several, their documents are copied side by side into `folder`."""
    names = [name.partition(":") for name in sets]
    questions: list[Question] = []
    wordings: list[str] = []
    parts: list[str] = []
    for name, _, language in names:
        chosen = choose_questions(load_questions(data / name / "questions.jsonl"), limit, part)
        wordings += [
            (question.question_en or question.question) if language else question.question
            for question in chosen
        ]
        parts += [name] * len(chosen)
        if len(names) > 1:
            shutil.copytree(data / name / "corpus", folder / name)
            chosen = [
                replace(
                    question,
                    id=f"{name}/{question.id}",
                    doc=question.doc and f"{name}/{question.doc}",
                    docs=tuple(f"{name}/{document}" for document in question.docs),
                )
                for question in chosen
            ]
        questions += chosen
    corpus = folder if len(names) > 1 else data / names[0][0] / "corpus"
    return Mixture(corpus, questions, wordings, parts)


def main(
    *,
    sets: Annotated[str, typer.Option(help="Names of sets, with commas; SET:en, SET+SET.")],
    data: Annotated[Path, typer.Option(help="Folder of the sets.", exists=True, file_okay=False)],
    out: Annotated[Path, typer.Option(help="Folder for vectors.", file_okay=False)],
    limit: Annotated[int, typer.Option(min=1, help="At most so many questions of a set.")] = 1_000,
    part: Annotated[Part, typer.Option(help="Half of the questions, by the parity of their id's SHA-1.")] = Part.ALL,
    weights: Annotated[str, typer.Option(help="Further DENSE:SHARE of the product's way, with commas.")] = "",
) -> None:  # fmt: skip
    """Measure every way on every set."""
    settings = load_settings()
    embedder = SentenceTransformerEmbedder.from_settings(settings)
    out.mkdir(parents=True, exist_ok=True)
    cache = Cache(out, embedder, f"{settings.embedding_runtime} {settings.embedding_dtype}")
    pairs = [tuple(map(float, pair.split(":"))) for pair in weights.split(",") if pair]
    tried = ways([(dense, share) for dense, share in pairs])
    for name in sets.split(","):
        with tempfile.TemporaryDirectory() as folder, SandboxedParser() as parser:
            mixture = mix(name.split("+"), data, Path(folder), limit, part)
            encoded = encode_set(
                mixture.corpus, mixture.questions, mixture.wordings, embedder=embedder, cache=cache,
                options=IngestOptions.from_settings(settings, prune=False), parse=parser.parse,
            )  # fmt: skip
        for of in dict.fromkeys(mixture.parts):
            asked = [at for at, found in enumerate(mixture.parts) if found == of]
            title = name if len(set(mixture.parts)) == 1 else f"{name}, questions of {of}"
            print(make_table(title, encoded, asked, tried), flush=True)


if __name__ == "__main__":
    typer.run(main)
