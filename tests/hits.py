"""Documents → hits without a database: the real parser and chunker, with scores that the test sets."""

from __future__ import annotations

from app.domain import RetrievalScores, ScoredChunk
from app.lexicon import terms
from ingest.chunking import chunk
from ingest.parsers import parse
from tests.fakes import FakeEmbedder


def hits_of(*texts: str, chunk_tokens: int = 512, scores: tuple[float, ...] = ()) -> list[ScoredChunk]:
    """The chunks of Markdown documents d1, d2, … in order, ranked from 1; `scores` are theirs, by default 0.5."""
    hits: list[ScoredChunk] = []
    for number, text in enumerate(texts, 1):
        document = parse(text.encode(), "text/markdown", f"d{number}.md")
        tokens = FakeEmbedder().tokenize(document.text)
        cut = chunk(document, tokens, chunk_tokens=chunk_tokens, overlap=0, window_tokens=128)
        for piece in cut.chunks:
            score = scores[len(hits)] if scores else 0.5
            hits.append(
                ScoredChunk(
                    chunk_id=f"d{number}-{piece.chunk_index}",
                    document_id=f"d{number}",
                    collection="default",
                    source=f"d{number}.md",
                    title=document.title,
                    page=piece.page,
                    heading=piece.heading,
                    char_start=piece.char_start,
                    char_end=piece.char_end,
                    text=document.text[piece.char_start : piece.char_end],
                    score=score,
                    scores=RetrievalScores(score, 10 * score, None),
                    standard=10 * score,
                    rank=len(hits) + 1,
                    places=piece.places,
                    sentences=piece.sentences,
                )
            )
    return hits


def weights_of(question: str, **weights: float) -> dict[str, float]:
    """A weight for each term of a question: 1, or the one given."""
    return {term: weights.get(term, 1.0) for term in terms(question)}
