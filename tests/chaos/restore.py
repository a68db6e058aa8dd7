"""A backup restored elsewhere, and a server taken back to a moment before a mishap: the same hits (R14).

    .venv/bin/python -m tests.chaos.restore [--documents N] [--questions N] [--seed S] [--out FOLDER]

First `pgask backup` of an embedded PostgreSQL, and `pgask restore` into a server made by hand (tests/chaos/moving.py).
Then that server, which archives its log: a base backup, more documents, a moment, and somebody who deletes half of
them; it is recovered to the moment by PostgreSQL's own means, which pgBackRest and CloudNativePG use as well. Prints
one JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from app.server.account import server_account
from app.server.cluster import Layout, locate_binaries
from app.server.embedded import EmbeddedPostgres
from app.store.backup import back_up, restore
from app.store.connection import Database, connect
from app.store.migrate import migrate
from tests.chaos.evidence import report
from tests.chaos.moving import own_postgres
from tests.integration.ingesting import ingest, random_text, write_corpus
from tests.integration.test_export import lists


@dataclass(slots=True)
class Figures:
    """What was asked, and for how many questions the hits differ, by way."""

    documents: int = 0
    questions: int = 0
    hits: int = 0
    file_bytes: int = 0
    restored_s: float = 0.0
    recovered_s: float = 0.0
    lost_by_mishap: int = 0  # questions whose hits the mishap changed
    different: dict[str, int] = field(default_factory=dict)

    def passed(self) -> bool:
        """Tell whether all lists are the same after both."""
        return self.hits > 0 and self.lost_by_mishap > 0 and not any(self.different.values())


def found(database: Database, asked: Sequence[str]) -> list[Any]:
    """The hits of each question, ids and scores and all."""
    told: list[Any] = json.loads(asyncio.run(lists(database, list(asked), "default")))
    return told


def differ(one: Sequence[Any], other: Sequence[Any]) -> int:
    """How many questions have other hits."""
    return sum(hits != others for hits, others in zip(one, other, strict=True))


def back_up_and_restore(
    home: Database, own: Database, folder: Path, asked: Sequence[str], figures: Figures
) -> None:
    """Ask `home`, back it up, restore into `own`, ask that."""
    before = found(home, asked)
    figures.hits = sum(map(len, before))
    figures.file_bytes = back_up(home, folder / "all.dump")
    began = time.monotonic()
    restore(own, folder / "all.dump")
    migrate(own)
    figures.restored_s = round(time.monotonic() - began, 1)
    figures.different["restored elsewhere"] = differ(before, found(own, asked))


def take_back(own: Database, folder: Path, archive: Path, asked: Sequence[str], figures: Figures) -> None:
    """A base backup, more documents, a mishap, and recovery to the moment before it on another port."""
    account = server_account(folder)
    binaries = locate_binaries(Layout(folder / "programs"), account)
    server = own.owner.partition("@")[2].partition("/")[0]
    base = folder / "base"
    base.mkdir(mode=0o700)
    account.own(base)
    made = account.run(
        [
            str(binaries / "pg_basebackup"),
            "-d",
            f"postgresql://postgres@{server}",
            "-D",
            str(base),
            "-X",
            "none",
            "--checkpoint=fast",
        ]
    )
    assert made.returncode == 0, made.stderr
    more = folder / "more"
    more.mkdir()
    for number in range(figures.documents // 2):
        (more / f"later{number}.md").write_text(
            random_text(number + 10**6, 40, chinese=number % 3 == 0) + "\n", "utf-8"
        )
    assert ingest(own, more).failed == []
    before = found(own, asked)
    with psycopg.connect(f"postgresql://postgres@{server}/rag", autocommit=True) as connection:
        row = connection.execute("SELECT clock_timestamp()::text").fetchone()
        assert row is not None
        moment = row[0]
        time.sleep(0.05)
        connection.execute("DELETE FROM pgask.documents WHERE abs(hashtext(source)) % 2 = 0")  # the mishap
        figures.lost_by_mishap = differ(before, found(own, asked))
        (segment,) = connection.execute("SELECT pg_walfile_name(pg_switch_wal())").fetchone() or ("",)
        archived, deadline = "", time.monotonic() + 60
        while archived < segment:
            assert time.monotonic() < deadline, "the log is not archived"
            time.sleep(0.1)
            row = connection.execute(
                "SELECT coalesce(last_archived_wal, '') FROM pg_stat_archiver"
            ).fetchone()
            archived = row[0] if row else ""
    (base / "recovery.signal").touch()
    account.own(base / "recovery.signal")
    port = int(server.rpartition(":")[2]) + 1
    began = time.monotonic()
    as_user: dict[str, Any] = {"user": account.uid, "group": account.gid} if account.is_other else {}
    recovered = subprocess.Popen(
        [
            *(str(binaries / "postgres"), "-D", str(base), "-p", str(port), "-k", "", "-h", "127.0.0.1"),
            *("-c", f"restore_command=cp {archive}/%f %p", "-c", f"recovery_target_time={moment}"),
            *("-c", "recovery_target_action=promote", "-c", "archive_mode=off"),
        ],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **as_user,
    )  # fmt: skip
    try:
        owner_url, app_url = (url.replace(server, f"127.0.0.1:{port}") for url in (own.owner, own.app))
        there = Database(owner=owner_url, app=app_url)
        _wait_until_promoted(f"postgresql://postgres@127.0.0.1:{port}/rag")
        figures.recovered_s = round(time.monotonic() - began, 1)
        figures.different["taken back"] = differ(before, found(there, asked))
        with connect(there.owner) as owner:
            owner.execute("SELECT 1 FROM pgask.documents LIMIT 1")
    finally:
        recovered.terminate()
        recovered.wait(60)


def _wait_until_promoted(url: str) -> None:
    deadline = time.monotonic() + 120
    while True:
        try:
            with psycopg.connect(url) as connection:
                if connection.execute("SELECT pg_is_in_recovery()").fetchone() == (False,):
                    return
        except psycopg.OperationalError:
            pass
        assert time.monotonic() < deadline, "it was not recovered"
        time.sleep(0.2)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; exit status 0 if all lists are the same."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--documents", type=int, default=400)
    options.add_argument("--questions", type=int, default=500)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--out", type=Path)
    chosen = options.parse_args(arguments)
    figures = Figures(documents=chosen.documents, questions=chosen.questions)
    numbers = range(chosen.questions)
    asked = [random_text(chosen.seed * 10_000 + number, 1, chinese=number % 3 == 0) for number in numbers]
    folder = Path(tempfile.mkdtemp(prefix="pgask-restore-"))
    try:
        own_folder, archive = folder / "own", folder / "own/archive"
        archive.mkdir(parents=True)
        folder.chmod(0o755)
        server_account(folder).own(archive)
        logged = (
            "-c",
            "archive_mode=on",
            "-c",
            f"archive_command=cp %p {archive}/%f",
            "-c",
            "archive_timeout=60",
        )
        with EmbeddedPostgres(folder / "home") as server, own_postgres(own_folder, *logged) as own:
            urls = server.start()
            home = Database(owner=urls.owner, app=urls.app)
            migrate(home)
            assert ingest(home, write_corpus(folder / "corpus", chosen.documents)).failed == []
            back_up_and_restore(home, own, folder, asked, figures)
            take_back(own, own_folder, archive, asked, figures)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    told = asdict(figures) | {"passed": figures.passed()}
    return 0 if report("restore", chosen.seed, told, out=chosen.out) else 1


if __name__ == "__main__":
    sys.exit(main())
