"""What kills leave of an ingest, at the size for every commit; `make chaos` does the same two hundred times."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path

import pytest

from app.config import load_settings
from app.embedding import SentenceTransformerEmbedder
from app.store.connection import Database
from tests.chaos import recovery, rivals
from tests.chaos.corpus import BROKEN, Corpus
from tests.chaos.kills import Experiment, Figures, Target, hurt

pytestmark = pytest.mark.integration

SEED = int(os.environ.get("PGASK_CHAOS_SEED", "20261124"))


def judge(figures: Figures, kills: int) -> None:
    print(json.dumps(asdict(figures), ensure_ascii=False))
    assert figures.passed(), figures
    assert figures.kills == kills
    assert figures.files > len(BROKEN)


def test_kills_of_the_worker_lose_double_and_show_nothing_half(database: Database, tmp_path: Path) -> None:
    figures = Experiment(Target(database), Corpus(SEED, 30), tmp_path, "worker", SEED).run(2)
    judge(figures, 2)
    assert len(figures.moments) > 1  # not all at the same place


@pytest.mark.long
def test_kills_of_everything_at_once(home: Path, tmp_path: Path) -> None:
    figures = hurt(
        "everything", kills=2, seed=SEED, files=20, home=home, folder=tmp_path / "corpus", installed=False
    )
    judge(figures, 2)


@pytest.mark.long
@pytest.mark.model
def test_ctrl_c_at_any_moment_ends_with_130_and_the_next_run_finishes(
    database: Database, tmp_path: Path
) -> None:
    target = Target(database, SentenceTransformerEmbedder.from_settings(load_settings()), installed=True)
    corpus = Corpus(SEED, 12, sentences=(4, 8))
    judge(Experiment(target, corpus, tmp_path, "interrupt", SEED, versions=1).run(1), 1)


@pytest.mark.long
def test_eight_processes_that_take_in_one_file_store_it_once(database: Database, tmp_path: Path) -> None:
    figures = rivals.run(database, tmp_path, rounds=1, seed=SEED)
    print(json.dumps(asdict(figures), ensure_ascii=False))
    assert figures.passed(), figures
    assert figures.rounds == 1


def test_a_crash_with_pending_log_needs_no_hand(home: Path) -> None:
    figures = recovery.run(home, 64)
    print(json.dumps(asdict(figures)))
    assert figures.passed(), figures
    assert figures.pending_mb >= 64
