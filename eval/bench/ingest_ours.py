"""This project's ingest, for eval/bench/ingest.py: a process of its own, as the rivals have.

Reads and answers JSON lines as eval/bench/ingest_rivals.py does; the set-up may hold settings of app.config. Parsing
runs in its confined child, as in `ingest`.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from app.config import load_settings
from app.embedding import EmbeddingSpace, FloatMatrix, IntVector, SentenceTransformerEmbedder, Tokens
from app.store.connection import Connection, connect
from app.store.sources import remove_documents
from app.store.spaces import Collection, ensure_collection, ensure_space
from ingest.pipeline import IngestOptions, IngestRun
from ingest.sandbox import SandboxedParser


class TimedEmbedder:
    """An embedder that notes how long its forward passes take, or puts constant vectors in their place."""

    def __init__(self, embedder: SentenceTransformerEmbedder, *, stub: bool) -> None:
        self._embedder, self._stub = embedder, stub
        self.seconds = 0.0
        self.tokens = 0

    @property
    def space(self) -> EmbeddingSpace:
        return self._embedder.space

    @property
    def window_tokens(self) -> int:
        return self._embedder.window_tokens

    def tokenize(self, text: str) -> Tokens:
        return self._embedder.tokenize(text)

    def embed_windows(self, windows: Sequence[IntVector]) -> FloatMatrix:
        started = time.perf_counter()
        try:
            self.tokens += sum(map(len, windows))
            if self._stub:
                size = self.space.dimension
                return np.full((len(windows), size), size**-0.5, dtype=np.float32)
            return self._embedder.embed_windows(windows)
        finally:
            self.seconds += time.perf_counter() - started

    def embed_passages(self, texts: Sequence[str]) -> FloatMatrix:
        return self._embedder.embed_passages(texts)

    def embed_queries(self, texts: Sequence[str]) -> FloatMatrix:
        return self._embedder.embed_queries(texts)


class Quiet:
    """Progress that nobody looks at."""

    def stage(self, name: str, total: int) -> None: ...

    def advance(self, source: str, *, chunks: int = 0, tokens: int = 0) -> None: ...

    def page(self, source: str, page: int, pages: int) -> None: ...


def ingest_once(
    connection: Connection,
    collection: Collection,
    embedder: TimedEmbedder,
    options: IngestOptions,
    *,
    parser: SandboxedParser,
    folder: Path,
) -> dict[str, Any]:
    """Plan and take in a folder; the reply's figures. The collection is left as it was."""
    embedder.seconds, embedder.tokens = 0.0, 0
    started, used = time.perf_counter(), time.process_time()
    run = IngestRun(connection, collection, embedder, options, Quiet(), parse=parser.parse)
    report = run.execute(run.plan([folder]))
    seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - used
    if report.failed:
        raise SystemExit(f"not all files went in: {report.failed[:3]}")
    sources = [
        row[0]
        for row in connection.execute(
            "SELECT source FROM pgask.documents WHERE collection_id = %s", [collection.id]
        )
    ]
    remove_documents(connection, collection, sources)
    return {
        "seconds": seconds,
        "model_seconds": embedder.seconds,
        "cpu_seconds": cpu_seconds,
        "chunks": report.chunks,
        "tokens": embedder.tokens,
        "tokens_lost": report.tokens - embedder.tokens,  # below 0: tokens that were encoded twice
    }


def main() -> None:
    """Answer requests until standard input ends."""
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    setup = json.loads(sys.stdin.readline())
    settings = load_settings(**setup["settings"])
    options = IngestOptions.from_settings(settings, prune=False)
    made = SentenceTransformerEmbedder.from_settings(settings)
    embedder = TimedEmbedder(made, stub=setup["stub"])
    with (
        connect(setup["url"]) as connection,
        connect(setup["owner_url"]) as owner,
        SandboxedParser() as parser,
    ):
        collection = ensure_collection(connection, "bench", ensure_space(owner, made.space))
        print(json.dumps({"ready": True, "runtime": made.runtime}), file=replies, flush=True)
        for line in sys.stdin:
            reply = ingest_once(
                connection,
                collection,
                embedder,
                options,
                parser=parser,
                folder=Path(json.loads(line)["folder"]),
            )
            owner.execute("VACUUM")
            print(json.dumps(reply), file=replies, flush=True)


if __name__ == "__main__":
    main()
