"""What kills, dead lines and changed rows do to jobs; `make chaos` has a thousand faults."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path

import pytest

from app.store.connection import Database
from tests.chaos.workers import FAST, HUNG_END, STICKY, Experiment, crew, cut_off, hang, hold, send, take_over
from tests.integration.ingesting import open_collection

pytestmark = pytest.mark.integration

SEED = int(os.environ.get("PGASK_CHAOS_SEED", "20261129"))


def test_r8_faults_leave_no_job_unended_doubled_or_without_a_reason(
    database: Database, tmp_path: Path
) -> None:
    figures = Experiment(database, SEED, tmp_path).run(10)
    print(json.dumps(asdict(figures)))
    assert figures.passed(), figures
    assert sum(figures.faults.values()) == 10
    assert figures.succeeded > 0


def test_r6_a_killed_workers_job_is_done_by_another(database: Database) -> None:
    assert take_over(database, FAST, SEED) < 60


def test_r7_a_worker_ends_that_has_lost_the_database_without_a_word(
    database: Database, tmp_path: Path
) -> None:
    assert cut_off(database, FAST, tmp_path) < 30


@pytest.mark.long
def test_r8_a_job_that_hangs_ends_with_a_reason_and_its_other_files_go_in(database: Database) -> None:
    ends = hang(database, STICKY, has_hung=True)
    assert len(ends) == 4
    assert ends == {name: HUNG_END[name == "hang 1.md"] for name in ends}


def test_r8_a_worker_that_can_not_run_ends(database: Database) -> None:
    with crew(database, 1, STICKY) as lone:
        open_collection(database)
        send(database, {"freeze.md": b"It KEEPSTHEINTERPRETER for itself."})
        assert lone.running[0].wait(120) == 1


def test_r8_a_job_that_a_live_worker_does_nothing_for_is_done(database: Database) -> None:
    assert hold(database, FAST) < 60
