"""BM25 in PostgreSQL against BM25 in memory (bm25s), on the same terms: do they rank alike?

    python -m eval.bench.lexical_agreement --sets squad_dev,cmrc_dev --data DIR [--limit N]

DIR/SET holds `questions.jsonl`. The units are the questions' passages, each stored once as a document of one chunk by
the product's ingest in a temporary embedded PostgreSQL; the encoder is left out. Each question goes through the
product's retriever, whose candidates are put in the order of their BM25, and through bm25s over the postings read back
from the database.

Prints one JSON object for each set: nDCG@10 and recall of both, `same_top_10`, the share of questions with the same ten
passages in the same order, `overlap_at_10`, the mean share of common ones, `largest_difference` between two scores of
one passage, as a share of the higher, and `same_terms`, the share of passages whose stored terms are those of their
text and of a title that it does not say. Needs the dev group (bm25s).
"""

from __future__ import annotations

import asyncio
import json
import re
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Final

import numpy as np
import typer

from app.domain import Document
from app.embedding import EmbeddingSpace, FloatMatrix, IntVector, Tokens
from app.errors import InvalidRequestError
from app.lexicon import terms
from app.question.content import read_question
from app.question.courtesy import bare_question
from app.retrieval.retriever import RetrievalSettings, Retriever
from app.server.embedded import EmbeddedPostgres
from app.store.connection import Database, connect, open_pool
from app.store.migrate import migrate
from app.store.spaces import ensure_collection, ensure_space
from app.store.texts import whole_text
from eval.bench.bm25 import score_terms
from eval.bench.pooling_ways import rank
from eval.dataset import Question, load_questions
from eval.metrics import rank_scores
from ingest.lead import lead_of
from ingest.options import IngestOptions
from ingest.parsers import parse
from ingest.pipeline import IngestRun

TOP_K: Final = 10
COLLECTION: Final = "lexical-agreement"
# One passage, one chunk, one window.
OPTIONS: Final = IngestOptions(chunk_tokens=1024, overlap=0, window_tokens=8192, duplicates="keep_all")


@dataclass(frozen=True, slots=True)
class Agreement:
    """The figures named above."""

    passages: int
    questions: int
    ndcg_postgresql: float
    ndcg_bm25s: float
    recall_1_postgresql: float
    recall_1_bm25s: float
    same_top_10: float
    overlap_at_10: float
    largest_difference: float
    same_terms: float


class BlindEmbedder:
    """Reads nothing: every text has the same vector. Satisfies app.embedding.Embedder; a token is a word, or a part of
    one, so that no passage is too long for a chunk."""

    space = EmbeddingSpace("blind", "0" * 64, 2, "", "")
    window_tokens = 8192

    def tokenize(self, text: str) -> Tokens:
        spans = np.array([match.span() for match in re.finditer(r"\S{1,64}", text)], dtype=np.int32)
        starts, ends = spans.reshape(-1, 2).T
        return Tokens(ids=np.zeros(len(starts), dtype=np.int32), starts=starts, ends=ends, unknown=0)

    def embed_windows(self, windows: Sequence[IntVector]) -> FloatMatrix:
        return _same_vectors(len(windows))

    def embed_passages(self, texts: Sequence[str]) -> FloatMatrix:
        return _same_vectors(len(texts))

    def embed_queries(self, texts: Sequence[str]) -> FloatMatrix:
        return _same_vectors(len(texts))


class _Silent:
    """Ingest's progress, shown to no one."""

    def stage(self, name: str, total: int) -> None: ...

    def advance(self, source: str, *, chunks: int = 0, tokens: int = 0) -> None: ...


@dataclass(frozen=True, slots=True)
class _Stored:
    """The chunks in the order of their ids."""

    ids: Sequence[int]
    sources: Sequence[str]
    terms: Sequence[Mapping[str, int]]
    same_terms: float


async def agree(database: Database, passages: Sequence[str], asked: Sequence[tuple[str, int]]) -> Agreement:
    """Store the passages in a migrated, empty database and ask (question, its passage's place) both ways."""
    stored = _store(database, passages)
    questions = [question for question, _ in asked]
    golds = [_name(place) for _, place in asked]
    in_memory = score_terms(
        stored.terms, [list(read_question(bare_question(question)).terms) for question in questions]
    )
    at_id = {chunk_id: at for at, chunk_id in enumerate(stored.ids)}
    by_bm25s = [[at for at in rank(scores)[:TOP_K] if scores[at] > 0] for scores in in_memory]
    by_postgresql: list[list[int]] = []
    largest = 0.0
    async with open_pool(database.app, size=1, statement_timeout_s=60) as pool:
        settings = RetrievalSettings()
        retriever = Retriever(pool, BlindEmbedder(), settings)
        for question, scores in zip(questions, in_memory, strict=True):
            hits = (await retriever.retrieve(question, COLLECTION, 6 * settings.candidates)).hits
            found = [(at_id[int(hit.chunk_id)], hit.scores.lexical) for hit in hits if hit.scores.lexical]
            found = sorted(found, key=lambda hit: (-hit[1], hit[0]))[:TOP_K]
            by_postgresql.append([at for at, _ in found])
            for at, score in found:
                largest = max(largest, abs(score - scores[at]) / max(score, scores[at]))
    ours, theirs = (_figures(stored, golds, rankings) for rankings in (by_postgresql, by_bm25s))
    pairs = list(zip(by_postgresql, by_bm25s, strict=True))
    return Agreement(
        passages=len(passages),
        questions=len(asked),
        ndcg_postgresql=ours["ndcg@10"],
        ndcg_bm25s=theirs["ndcg@10"],
        recall_1_postgresql=ours["recall@1"],
        recall_1_bm25s=theirs["recall@1"],
        same_top_10=sum(a == b for a, b in pairs) / len(pairs),
        overlap_at_10=sum(_overlap(a, b) for a, b in pairs) / len(pairs),
        largest_difference=largest,
        same_terms=stored.same_terms,
    )


def split_passages(questions: Sequence[Question]) -> tuple[list[str], list[tuple[str, int]]]:
    """The passages of a question file, each once, and its answerable questions with their passage's place. Raises
    InvalidRequestError where no question has a passage."""
    places: dict[str, int] = {}
    asked = [
        (question.question, places.setdefault(question.context, len(places)))
        for question in questions
        if question.answerable and question.context
    ]
    if not asked:
        raise InvalidRequestError("No question of the file has a passage (context).")
    return list(places), asked


def _store(database: Database, passages: Sequence[str]) -> _Stored:
    with (
        tempfile.TemporaryDirectory(prefix="pgask-bench-") as folder,
        connect(database.owner) as owner,
        connect(database.app) as app,
    ):
        for place, passage in enumerate(passages):
            (Path(folder) / _name(place)).write_text(passage, encoding="utf-8")
        embedder = BlindEmbedder()
        collection = ensure_collection(app, COLLECTION, ensure_space(owner, embedder.space))
        run = IngestRun(app, collection, embedder, OPTIONS, _Silent(), parse=parse)
        run.execute(run.plan([Path(folder)]))
        rows = app.execute(
            f"SELECT k.id, d.source, d.title, {whole_text('d.id')},"  # noqa: S608 - constants only
            "       jsonb_object_agg(p.term, p.term_frequency)"
            "  FROM pgask.chunks k JOIN pgask.documents d ON d.id = k.document_id"
            "  JOIN pgask.postings p ON p.chunk_id = k.id"
            " WHERE k.collection_id = %s GROUP BY k.id, d.id ORDER BY k.id",
            [collection.id],
        ).fetchall()
    same = []
    for _, _, title, text, found in rows:
        lead = lead_of(Document(text, title, "text/markdown", "und"), text)
        same.append(Counter(terms(text)) + Counter(terms(lead)) == Counter(found))
    return _Stored(
        ids=[row[0] for row in rows],
        sources=[row[1] for row in rows],
        terms=[row[4] for row in rows],
        same_terms=sum(same) / max(1, len(same)),
    )


def _figures(stored: _Stored, golds: Sequence[str], rankings: Sequence[Sequence[int]]) -> dict[str, float]:
    hits = {
        str(at): [stored.sources[found] == gold for found in ranking]
        for at, (gold, ranking) in enumerate(zip(golds, rankings, strict=True))
    }
    scores = rank_scores(hits)
    return {key: sum(row[key] for row in scores.values()) / len(scores) for key in ("ndcg@10", "recall@1")}


def _overlap(a: Sequence[int], b: Sequence[int]) -> float:
    """The share of common ones; two empty rankings agree."""
    return len({*a} & {*b}) / len({*a} | {*b}) if a or b else 1.0


def _name(place: int) -> str:
    return f"{place:05}.txt"


def _same_vectors(count: int) -> FloatMatrix:
    return np.tile(np.array([1, 0], dtype=np.float32), (count, 1))


def main(
    *,
    sets: Annotated[str, typer.Option(help="Names of sets, with commas.")],
    data: Annotated[Path, typer.Option(help="Folder of the sets.", exists=True, file_okay=False)],
    limit: Annotated[int | None, typer.Option(min=1, help="Ask only the first N questions.")] = None,
) -> None:
    """Print the figures of each set as one JSON object."""
    for name in sets.split(","):
        passages, asked = split_passages(load_questions(data / name / "questions.jsonl"))
        with (
            tempfile.TemporaryDirectory(prefix="pgask-bench-") as folder,
            EmbeddedPostgres(Path(folder)) as server,
        ):
            urls = server.create_database("lexical_agreement_test")
            database = Database(owner=urls.owner, app=urls.app)
            migrate(database)
            found = asyncio.run(agree(database, passages, asked[:limit]))
        figures = {key: round(value, 6) for key, value in asdict(found).items()}
        print(json.dumps({"set": name, **figures}), flush=True)


if __name__ == "__main__":
    typer.run(main)
