"""pgask as one side of the comparison: a process of its own, with the service's own parts and default settings.

Reads and answers JSON lines as sides_rivals.py does. What is timed is a search, question's embedding included, as
for the rivals; whether it would answer is asked for separately.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from app.domain import ScoredChunk
from eval.system import EvaluatedSystem, open_system

COLLECTION = "compared"


async def answer(system: EvaluatedSystem, question: str, top_k: int) -> dict[str, Any]:
    """The reply to one question."""
    started = time.perf_counter()
    found = await system.retrieve(question, COLLECTION, top_k)
    milliseconds = (time.perf_counter() - started) * 1000
    asked = await system.ask(question, COLLECTION, 6)
    assert asked.answer is not None
    return {
        "hits": [
            {"source": hit.source, "text": hit.text, "exact": await is_exact(system, hit)}
            for hit in found.hits
        ],
        "score": asked.answer.answerability,
        "refused": asked.answer.abstained,
        "milliseconds": milliseconds,
    }


async def is_exact(system: EvaluatedSystem, hit: ScoredChunk) -> bool:
    """Whether the offsets of a hit lead to its text in the stored text."""
    stored = await system.stored_text(str(hit.document_id))
    return stored[hit.char_start : hit.char_end] == hit.text


async def serve(replies: Any) -> None:
    """Answer requests until standard input ends: the set-up and the corpus first, then questions."""
    setup = json.loads(sys.stdin.readline())
    async with open_system(**setup["settings"]) as system:
        started = time.perf_counter()
        taken = await system.ingest(Path(setup["corpus"]), COLLECTION, lambda _done, _total: None)
        seconds = time.perf_counter() - started
        if taken.failed:
            raise SystemExit(f"not all files went in: {dict(list(taken.failed.items())[:3])}")
        print(json.dumps({"seconds": seconds}), file=replies, flush=True)
        for line in sys.stdin:
            request = json.loads(line)
            reply = await answer(system, request["question"], setup["top_k"])
            print(json.dumps(reply), file=replies, flush=True)


if __name__ == "__main__":
    kept = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    asyncio.run(serve(kept))
