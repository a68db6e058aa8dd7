"""`pgask upgrade`: kept questions before and after, and what moved."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.embedding import SentenceTransformerEmbedder
from app.store.connection import Database, connect
from tests.integration.ingesting import ingest
from tests.integration.test_cli import Pgask, pgask

pytestmark = [pytest.mark.integration, pytest.mark.model, pytest.mark.long]
__all__ = ["pgask"]


def test_what_moved_is_shown_and_more_than_the_bound_is_exit_code_1(
    database: Database, pgask: Pgask, tmp_path: Path
) -> None:
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "leave.md").write_text("# Leave\n\nEvery employee has thirty days of annual leave.\n", "utf-8")
    (folder / "travel.md").write_text("# Travel\n\nA hotel may cost 120 euros a night.\n", "utf-8")
    embedder = SentenceTransformerEmbedder()
    ingest(database, folder, embedder=embedder)
    questions = tmp_path / "questions.jsonl"
    asked = [
        "How many days of annual leave are there?",
        "What may a hotel cost a night?",
        "Who won the 1998 final?",
    ]
    questions.write_text("".join(json.dumps({"question": one}) + "\n" for one in asked), "utf-8")

    before = str(tmp_path / "before.json")
    assert pgask("upgrade", "--save", before, "--json").json["error"]["code"] == "no_questions"
    assert pgask("upgrade", "--json").json["error"]["code"] == "one_of_two"
    done = pgask("upgrade", "--save", before, "--questions", str(questions))
    assert (done.code, "3 questions" in done.out) == (0, True), done.err
    told = json.loads(Path(before).read_text("utf-8"))["replies"]
    assert [one["refused"] for one in told] == [False, False, True]
    same = pgask("upgrade", "--check", before, "--bound", "0", "--json")
    assert (same.code, same.json["ok"], same.json["moved"]) == (0, True, [])

    with connect(database.owner) as owner:  # an upgrade that loses a document
        owner.execute("DELETE FROM pgask.documents WHERE source LIKE '%travel.md'")
    moved = pgask("upgrade", "--check", before, "--json")
    assert (moved.code, moved.json["ok"]) == (1, False)
    kinds = {one["question"]: one["kind"] for one in moved.json["moved"]}
    assert kinds[asked[1]] == "refused"
    assert "120 euros" in next(one["before"] for one in moved.json["moved"] if one["question"] == asked[1])
    shown = pgask("upgrade", "--check", before)
    assert (shown.code, "refused" in shown.out, "more than the bound of 5.0%" in shown.out) == (1, True, True)
    assert pgask("upgrade", "--check", before, "--bound", "1").code == 0
