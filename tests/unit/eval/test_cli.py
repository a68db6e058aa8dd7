"""The command on the tiny system: exit codes, standard output, the report's files."""

from __future__ import annotations

import json
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from eval.cli import build_cli
from eval.summary import METRIC_KEYS
from eval.sweep import OpenSystem

Invoke = Callable[..., Result]


@pytest.fixture
def invoke(open_tiny_system: OpenSystem) -> Invoke:
    cli = build_cli(open_tiny_system)
    return lambda *arguments: CliRunner().invoke(cli, ["run", *map(str, arguments)])


def test_the_contracts_keys_come_first() -> None:
    named = (
        "recall@1 recall@5 recall@10 mrr@10 ndcg@10 mean_words_per_chunk answer_contains_gold exact_match "
        "token_f1 bleu rouge1 rouge2 rougeL rougeS meteor abstain_precision abstain_recall abstain_auroc "
        "citation_exact questions p50_ms p95_ms"
    )
    assert " ".join(METRIC_KEYS).startswith(f"{named} ")


def test_prints_a_table_and_one_json_line_last(invoke: Invoke, corpus: Path, question_file: Path) -> None:
    result = invoke("--corpus", corpus, "--questions", question_file)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert any("recall@5" in line and "1.000" in line for line in lines[:-1])
    figures = json.loads(lines[-1])
    assert set(METRIC_KEYS) <= figures.keys()
    assert figures["recall@5"] == 1.0
    assert figures["collection"].startswith("eval-")


def test_json_prints_nothing_else(invoke: Invoke, corpus: Path, question_file: Path) -> None:
    result = invoke(
        "--corpus", corpus, "--questions", question_file, "--limit", 1, "--collection", "mine", "--json"
    )
    figures = json.loads(result.stdout)
    assert (figures["questions"], figures["collection"], figures["abstain_auroc"]) == (1, "mine", None)
    assert "METEOR" in result.stderr


class TestReport:
    def test_holds_every_question_and_the_figures(
        self, invoke: Invoke, corpus: Path, question_file: Path, tmp_path: Path
    ) -> None:
        out = tmp_path / "deep" / "out"
        result = invoke("--corpus", corpus, "--questions", question_file, "--out", out)
        assert result.exit_code == 0, result.stderr
        rows = [json.loads(line) for line in (out / "questions.jsonl").read_text("utf-8").splitlines()]
        assert [row["id"] for row in rows] == ["en", "zh", "none"]
        first = rows[0]["chunks"][0]
        assert (first["source"], first["rank"], first["hit"]) == ("paper.md", 1, True)
        assert rows[1]["values"]["answer_contains_gold"] == 1.0
        assert rows[1]["citations"][0]["exact"] is True
        assert rows[2]["values"] == {}
        summary = json.loads((out / "summary.json").read_text("utf-8"))
        printed = json.loads(result.stdout.splitlines()[-1])
        assert summary["figures"] == pytest.approx({key: printed[key] for key in METRIC_KEYS}, abs=1e-6)
        assert summary["run"]["top_k"] == 10
        assert summary["intervals_95"]["recall@1"] == [1.0, 1.0]

    def test_page_is_self_contained_and_shows_untrusted_text_as_text(
        self, invoke: Invoke, corpus: Path, tmp_path: Path
    ) -> None:
        attack = '<script>alert(1)</script><img src="//evil.example/x">'
        (corpus / "evil.md").write_text(f"Attack {attack} payload.\n", encoding="utf-8")
        row = {"id": attack, "question": f"Attack payload {attack}", "answers": [attack], "doc": "paper.md",
               "context": "It is made of plant fibres.", "context_start": 0}  # fmt: skip
        questions = tmp_path / "evil.jsonl"
        questions.write_text(json.dumps(row), encoding="utf-8")
        out = tmp_path / "out"
        assert invoke("--corpus", corpus, "--questions", questions, "--out", out).exit_code == 0
        page = (out / "report.html").read_text("utf-8")
        tags, references, text = parse(page)
        assert tags.isdisjoint({"script", "img", "link", "iframe", "a"})
        assert references == []
        assert text.count(attack) >= 4  # as the question, its id, the gold answer, the answer, a passage
        assert "gold passage" in text

    def test_only_questions_that_went_wrong_are_shown(
        self, invoke: Invoke, corpus: Path, question_file: Path, tmp_path: Path
    ) -> None:
        assert invoke("--corpus", corpus, "--questions", question_file, "--out", tmp_path).exit_code == 0
        assert "No question went wrong" in (tmp_path / "report.html").read_text("utf-8")

    def test_a_folder_that_can_not_be_made_is_told_before_the_long_part(
        self, invoke: Invoke, corpus: Path, question_file: Path, tmp_path: Path
    ) -> None:
        (tmp_path / "file").touch()
        result = invoke("--corpus", corpus, "--questions", question_file, "--out", tmp_path / "file" / "out")
        assert result.exit_code == 2
        assert "can't be written" in result.stderr
        assert result.stdout == ""


class TestExitCode2:
    def test_bad_question_file(self, invoke: Invoke, corpus: Path, tmp_path: Path) -> None:
        path = tmp_path / "bad.jsonl"
        path.write_text("{}\n", encoding="utf-8")
        result = invoke("--corpus", corpus, "--questions", path)
        assert result.exit_code == 2
        assert "line 1" in result.stderr

    def test_no_corpus(self, invoke: Invoke, question_file: Path, tmp_path: Path) -> None:
        assert invoke("--corpus", tmp_path / "none", "--questions", question_file).exit_code == 2

    def test_ingestion_that_can_not_start(self, invoke: Invoke, question_file: Path, tmp_path: Path) -> None:
        empty = tmp_path / "empty"
        empty.mkdir()
        result = invoke("--corpus", empty, "--questions", question_file)
        assert result.exit_code == 2
        assert "holds no documents" in result.stderr

    @pytest.mark.parametrize(
        ("row", "arguments", "reason"),
        [
            ('{"question": "q", "gold_regex": "("}', (), "line 1"),
            ('{"question": "q", "collection": "x"}', ("--corpus", "a={0}", "--corpus", "b={0}"), "name x"),
            ('{"question": "q"}', ("--corpus", "{0}", "--corpus", "{0}"), "NAME=DIR"),
            ('{"question": "q"}', ("--corpus", "b={0}", "--collection", "mine"), "leave it out"),
            ('{"id": "2", "question": "q"}', ("--half", "odd"), "odd half"),
        ],
    )
    def test_questions_that_ask_no_corpus(
        self,
        invoke: Invoke,
        corpus: Path,
        *,
        tmp_path: Path,
        row: str,
        arguments: tuple[str, ...],
        reason: str,
    ) -> None:
        path = tmp_path / "q.jsonl"
        path.write_text(row + "\n", encoding="utf-8")
        given = [argument.format(corpus) for argument in arguments]
        plain = [] if sum(argument == "--corpus" for argument in given) > 1 else ["--corpus", corpus]
        result = invoke(*plain, *given, "--questions", path)
        assert result.exit_code == 2
        assert reason in result.stderr

    def test_every_question_failed(self, invoke: Invoke, corpus: Path, tmp_path: Path) -> None:
        path = tmp_path / "q.jsonl"
        path.write_text('{"question": "explode"}\n', encoding="utf-8")
        result = invoke("--corpus", corpus, "--questions", path)
        assert result.exit_code == 2
        assert "It exploded." in result.stderr

    def test_no_english_original_to_ask(self, invoke: Invoke, corpus: Path, question_file: Path) -> None:
        result = invoke("--corpus", corpus, "--questions", question_file, "--language-field", "question_en")
        assert result.exit_code == 2
        assert "question_en" in result.stderr


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.references: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.references += [value or "" for name, value in attrs if name in {"src", "href", "style"}]

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def parse(page: str) -> tuple[set[str], list[str], str]:
    """Tags, references to elsewhere, and the text that a reader sees."""
    parser = _Page()
    parser.feed(page)
    return parser.tags, parser.references, "".join(parser.text)
