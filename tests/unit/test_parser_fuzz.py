"""Mutated files of all formats, through the sandbox: each ends in a document or a reason code (R27, CI's size)."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path

from tests.chaos.fuzz_parsers import built_seeds, real_seeds, run

FILES = int(os.environ.get("PGASK_FUZZ_FILES", "2000"))
SEED = int(os.environ.get("PGASK_FUZZ_SEED", "20261124"))
CORPUS = Path(__file__).parents[2] / "corpus"


def test_every_mutated_file_ends_in_a_document_or_a_reason() -> None:
    figures = run(built_seeds() + real_seeds([CORPUS]), FILES, SEED)
    print(json.dumps(asdict(figures)))
    assert figures.passed(), figures
    assert figures.ready > FILES / 5  # mutations so wild that nothing is read would prove little
    assert len(figures.failed) > 3
