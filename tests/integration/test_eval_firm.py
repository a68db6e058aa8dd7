"""`rag-eval run` as a company uses it, on the real store: two collections, patterns, courtesy, dialogues, a switch."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from app.config import Settings
from app.main import open_components
from app.store.connection import Database
from eval.ablation import Ablation
from eval.cli import build_cli
from eval.system import EvaluatedSystem
from tests.fakes import FakeEmbedder

pytestmark = pytest.mark.integration

TRAVEL = "# Travel\n\nA hotel in Germany may cost 130 EUR a night.\n\nMeals are paid with 42 EUR a day.\n"
LEAVE = "# 假期\n\n员工结婚享有婚假10天。\n\n年假为15天。\n"
PRICES = "# Prices\n\nThe gateway GW-7 costs 640 EUR by the list of 2026.\n"

QUESTIONS: list[dict[str, Any]] = [
    {"id": "q-1", "kind": "plain-fact", "lang": "en", "collection": "firm", "answerable": True,
     "question": "What may a hotel in Germany cost a night?", "expected": "130 EUR", "gold_regex": "130 EUR && hotel"},
    {"id": "q-2", "kind": "plain-fact-zh", "lang": "zh", "collection": "firm", "answerable": True,
     "question": "员工结婚享有婚假多少天？", "expected": "10天", "gold_regex": "10天", "must_not_regex": "^.*130 EUR"},
    {"id": "q-3", "kind": "near-miss-refuse", "lang": "en", "collection": "firm", "answerable": False,
     "question": "Who was the first astronaut on Mars?", "expected": "a refusal", "gold_regex": None},
    {"id": "q-4", "kind": "greeting-meta", "lang": "en", "collection": "firm", "answerable": True,
     "question": "Hello", "expected": "a friendly word", "gold_regex": None, "about_collection": True},
    {"id": "q-5", "kind": "table-lookup", "lang": "en", "collection": "prices", "answerable": True,
     "question": "What does the gateway GW-7 cost?", "expected": "640 EUR", "gold_regex": "640 EUR"},
    {"id": "q-6", "kind": "plain-fact", "lang": "en", "collection": "elsewhere", "answerable": True,
     "question": "Where is it?", "expected": "elsewhere", "gold_regex": "elsewhere"},
]  # fmt: skip
TEMPLATES = [
    {"id": "please", "lang": "en", "template": "Could you please tell me: {question} Thank you!",
     "transform": "first letter of the question in lower case, unless its second letter is a capital"},
    {"id": "capitals", "lang": "en", "template": "{question}", "transform": "all in capitals"},
    {"id": "qing", "lang": "zh", "template": "请问{question}"},
]  # fmt: skip
DIALOGUES = [
    {"id": "hotel-1", "kind": "new-topic", "lang": "en", "collection": "firm", "turns": [
        {"question": "What may a hotel in Germany cost a night?", "gold_regex": "130 EUR", "answerable": True},
        {"question": "Meals are paid with how much a day?", "gold_regex": "42 EUR", "answerable": True}]},
    {"id": "gone-2", "kind": "why", "lang": "en", "collection": "elsewhere", "turns": [
        {"question": "Why?", "gold_regex": "x", "answerable": True}]},
]  # fmt: skip


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in (("firm/travel.md", TRAVEL), ("firm/假期.md", LEAVE), ("prices/list.md", PRICES)):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    write(tmp_path / "questions.jsonl", QUESTIONS)
    write(tmp_path / "templates.jsonl", TEMPLATES)
    write(tmp_path / "dialogues.jsonl", DIALOGUES)
    return tmp_path


def evaluate(database: Database, *arguments: object) -> Result:
    settings = Settings(_env_file=None)  # type: ignore[call-arg]

    @asynccontextmanager
    async def open_system(**overrides: object) -> AsyncIterator[EvaluatedSystem]:
        assert overrides == {}
        embedder = FakeEmbedder()
        async with open_components(settings, database, embedder) as parts:
            yield EvaluatedSystem(parts, database, embedder, Ablation())

    return CliRunner().invoke(build_cli(open_system), ["run", *map(str, arguments)])


def test_all_at_once(database: Database, folder: Path) -> None:
    out = folder / "out"
    result = evaluate(
        database,
        *("--corpus", folder / "firm", "--corpus", f"prices={folder / 'prices'}"),
        *("--questions", folder / "questions.jsonl", "--polite", folder / "templates.jsonl"),
        *("--dialogues", folder / "dialogues.jsonl", "--switch", "--out", out),
    )
    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout.splitlines()[-1])
    assert (figures["questions"], figures["failed"], figures["citation_exact"]) == (5, 0, 1.0)
    assert figures["fact_first"] == figures["fact_anywhere"] == figures["fact_first_one_language"] == 1.0
    assert figures["fact_wrong"] == figures["fact_refused"] == figures["near_miss_answered"] == 0.0
    assert figures["off_topic_answered"] is None
    assert figures["answerable_refused"] == 0.0  # the greeting is neither here nor there
    assert set(figures["collections"]) == {"firm", "prices"}
    assert figures["followup_right"] == 1.0

    assert "were not asked" in result.stderr
    assert "elsewhere 1" in result.stderr
    assert "Dialogues that were not held" in result.stderr
    for shown in ("fact first", "plain-fact-zh", "qing", "no longer right", "rightly"):
        assert shown.split()[0] in result.stdout

    rows = {
        row["id"]: row for row in map(json.loads, (out / "questions.jsonl").read_text("utf-8").splitlines())
    }
    assert {name: row["verdict"] for name, row in rows.items() if name != "q-4"} == {
        "q-1": "first", "q-2": "first", "q-3": "rightly_refused", "q-5": "first",
    }  # fmt: skip
    assert rows["q-4"]["verdict"] in ("about_answered", "about_abstained")
    assert rows["q-5"]["chunks"][0]["source"] == "list.md"  # asked in its own collection alone
    assert rows["q-1"]["values"]["fact_first"] == 1.0
    summary = json.loads((out / "summary.json").read_text("utf-8"))
    assert summary["verdicts"]["kind"]["plain-fact"] == {"first": 1}
    assert summary["verdicts"]["language"]["zh"] == {"first": 1}
    polite = summary["probes"]["polite"]
    assert {name: count["asked"] for name, count in polite.items()} == {"please": 2, "capitals": 2, "qing": 1}
    assert summary["probes"]["dialogues"]["skipped"] == 1
    refused = sum(count["refused"] for count in polite.values()) / 5
    assert figures["polite_refused_more"] == pytest.approx(refused)
    switch = summary["probes"]["switch"]
    assert switch["asked"] == 1  # the astronaut after the hotel: the others have no unrelated one beside them
    assert figures["joined"] == pytest.approx(len(switch["joined"]) / switch["asked"])
    turns = [json.loads(line) for line in (out / "dialogues.jsonl").read_text("utf-8").splitlines()]
    assert [turn["verdict"] for turn in turns] == ["first", "first"]
    page = (out / "report.html").read_text("utf-8")
    assert "Verdicts by kind and language" in page
    assert "Turns of dialogues after the first" in page


def test_a_half_is_asked_alone(database: Database, folder: Path) -> None:
    arguments = ("--corpus", f"firm={folder / 'firm'}", "--questions", folder / "questions.jsonl", "--json")
    odd = json.loads(evaluate(database, *arguments, "--half", "odd").stdout)
    assert (odd["questions"], odd["fact_first"], odd["near_miss_answered"]) == (2, 1.0, 0.0)
    assert "polite_refused_more" not in odd
    even = evaluate(database, *arguments, "--half", "even", "--dialogues", folder / "dialogues.jsonl")
    assert json.loads(even.stdout)["questions"] == 2
    assert json.loads(even.stdout)["followup_right"] is None  # hotel-1 is odd
