"""What holds of an embedder that encodes several batches at once, whatever runs the model."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from app.embedding import SentenceTransformerEmbedder
from app.encoders.batching import STREAM_BATCH_TOKENS


def check_streams(embedder: SentenceTransformerEmbedder) -> None:
    """Two callers hand over windows enough for several batches: each gets the vector of each of its own."""
    tokens = embedder.tokenize("Use one list for every thousand rows, and measure the recall. " * 200).ids
    windows = [tokens[start : start + 20 + start % 90] for start in range(0, 2_400, 60)]
    assert sum(map(len, windows)) > STREAM_BATCH_TOKENS
    with ThreadPoolExecutor(2) as threads:
        there, back = threads.map(embedder.embed_windows, [windows, windows[::-1]])
    for row, window in enumerate(windows):
        alone = embedder.embed_windows([window])[0]
        assert there[row] @ alone > 0.999
        assert back[-1 - row] @ alone > 0.999
