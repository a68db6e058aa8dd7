"""Comparison of two runs: the test's figures, what it refuses, the command's exit codes."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from app.errors import InvalidRequestError
from app.trial.significance import mean_interval, paired_p_value
from eval.cli import build_cli
from eval.compare import (
    DEFAULT_METRICS,
    QuestionValues,
    Run,
    compare_runs,
    load_run,
)
from eval.sweep import OpenSystem


def make_run(values: Sequence[float], metric: str = "ndcg@10") -> Run:
    return {f"q{at}": QuestionValues(f"question {at}", {metric: value}) for at, value in enumerate(values)}


def write_run(folder: Path, values: Sequence[float], metric: str = "ndcg@10") -> Path:
    folder.mkdir()
    rows = [
        {"id": f"q{at}", "question": f"第 {at} 问？", "answers": ["是"], "answerable": True,
         "values": {metric: value}}
        for at, value in enumerate(values)
    ]  # fmt: skip
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    (folder / "questions.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def write_replies(folder: Path, replies: Sequence[dict[str, object]]) -> Path:
    """A run as thumbs make it: no gold answers, half of the questions to be refused."""
    folder.mkdir()
    gold = {"sources": ["a.md"], "span": [100, 200], "missing": False}
    lines = [
        json.dumps(
            {
                "id": f"q{at}",
                "question": f"question {at}",
                "answers": [],
                "answerable": at % 2 == 0,
                "verdict": "unjudged",
                "gold": gold if at % 2 == 0 else None,
                "values": {"ndcg@10": 1.0} if at % 2 == 0 else {},
                **reply,
            }
        )
        for at, reply in enumerate(replies)
    ]
    (folder / "questions.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def cited(start: int, end: int, source: str = "a.md") -> dict[str, object]:
    return {
        "abstained": False,
        "citations": [{"source": source, "char_start": start, "char_end": end}],
    }


REFUSED: dict[str, object] = {"abstained": True, "citations": []}
GOOD: list[dict[str, object]] = [cited(100, 150), REFUSED] * 10


class TestReplies:
    """What the passages that are found say nothing of: a change that refuses, answers or cites what it should not."""

    def compared(self, tmp_path: Path, other: Sequence[dict[str, object]]) -> tuple[int, list[str]]:
        a, b = write_replies(tmp_path / "a", GOOD), write_replies(tmp_path / "b", other)
        result = CliRunner().invoke(build_cli(None), ["compare", str(a), str(b), "--json"])  # type: ignore[arg-type]
        assert result.exit_code in (0, 1), result.output
        return result.exit_code, json.loads(result.stdout)["losses"]

    def test_the_same_is_the_same(self, tmp_path: Path) -> None:
        assert self.compared(tmp_path, GOOD) == (0, [])

    @pytest.mark.parametrize(
        ("good", "to_refuse", "losses"),
        [
            (REFUSED, REFUSED, ["decided_rightly", "cites_gold"]),
            (cited(100, 150), cited(0, 10), ["decided_rightly"]),
            (cited(300, 350), REFUSED, ["cites_gold"]),
            (cited(100, 150, "b.md"), REFUSED, ["cites_gold"]),
            ({"error": "llm_timeout"}, REFUSED, ["decided_rightly", "cites_gold"]),
        ],
    )
    def test_a_loss_is_noticed(
        self, tmp_path: Path, good: dict[str, object], to_refuse: dict[str, object], losses: list[str]
    ) -> None:
        assert self.compared(tmp_path, [good, to_refuse] * 10) == (1, losses)

    def test_where_a_run_only_searched_nothing_is_said_of_it(self, tmp_path: Path) -> None:
        assert self.compared(tmp_path, [{}] * 20) == (0, [])

    def test_a_greeting_may_be_answered_or_not(self, tmp_path: Path) -> None:
        a = load_run(write_replies(tmp_path / "a", [{**REFUSED, "verdict": "about_abstained"}]))
        assert "decided_rightly" not in a["q0"].values


def invoke(open_system: OpenSystem, *arguments: object) -> Result:
    return CliRunner().invoke(build_cli(open_system), ["compare", *map(str, arguments)])


class TestPairedTest:
    def test_the_p_value_is_near_the_exact_one(self) -> None:
        differences = np.array([0.5, 0.5, -0.2, 0.3, 1.0, 0.4, -0.1, 0.6])
        flips = [
            abs(np.dot(signs, differences)) for signs in itertools.product((1, -1), repeat=differences.size)
        ]
        exact = np.mean([flip >= abs(differences.sum()) - 1e-9 for flip in flips])
        assert paired_p_value(differences) == pytest.approx(exact, abs=0.008)

    def test_its_sign_does_not_matter(self) -> None:
        differences = np.array([0.5, -0.25, 0.75, 1.0])
        assert paired_p_value(differences) == pytest.approx(paired_p_value(-differences), abs=0.02)

    def test_unchanged_questions_do_not_change_the_p_value(self) -> None:
        changed = np.array([1.0, 1.0, 1.0, -1.0])
        assert paired_p_value(np.concatenate([changed, np.zeros(500)])) == paired_p_value(changed)

    def test_noise_is_rarely_significant(self) -> None:
        random = np.random.default_rng(1)
        found = [paired_p_value(random.normal(size=40), draws=500) < 0.05 for _ in range(200)]
        assert 0.01 <= np.mean(found) <= 0.10

    def test_the_interval_is_that_of_a_mean(self) -> None:
        differences = np.random.default_rng(2).normal(0.1, 1.0, size=400)
        low, high = mean_interval(differences)
        half = 1.96 * differences.std() / np.sqrt(400)
        assert low == pytest.approx(differences.mean() - half, abs=0.015)
        assert high == pytest.approx(differences.mean() + half, abs=0.015)


class TestCompareRuns:
    def test_a_loss_and_a_gain(self) -> None:
        good, bad = make_run([1.0] * 30), make_run([0.5] * 30)
        loss = compare_runs(good, bad, ["ndcg@10"])["ndcg@10"]
        assert (loss.a, loss.b, loss.difference, loss.questions) == (1.0, 0.5, -0.5, 30)
        assert loss.verdict == "loss"
        assert compare_runs(bad, good, ["ndcg@10"])["ndcg@10"].verdict == "gain"

    def test_a_small_change_either_way_is_the_same(self) -> None:
        found = compare_runs(make_run([1, 0, 1, 1]), make_run([0, 1, 0, 1]), ["ndcg@10"])["ndcg@10"]
        assert found.verdict == "same"
        assert found.p is not None
        assert found.p > 0.3

    def test_the_order_of_questions_does_not_matter(self) -> None:
        run = make_run([0.1, 0.9, 0.5])
        backwards = dict(reversed(list(run.items())))
        assert compare_runs(run, backwards, ["ndcg@10"])["ndcg@10"].difference == 0.0

    def test_a_measure_that_no_question_has(self) -> None:
        found = compare_runs(make_run([1.0]), make_run([1.0]), DEFAULT_METRICS)
        assert found["answer_contains_gold"].verdict == "none"
        assert found["answer_contains_gold"].questions == 0

    def test_refuses_other_questions_and_names_them(self) -> None:
        with pytest.raises(InvalidRequestError, match=r"only A has 2 \(q3, q4\)\."):
            compare_runs(make_run([1] * 5), make_run([1] * 3))
        with pytest.raises(InvalidRequestError, match=r"only B has 5 \(q0, q1, q2, …\)"):
            compare_runs({"x": QuestionValues("x", {})}, make_run([1] * 5))
        asked_otherwise = {**make_run([1, 1]), "q1": QuestionValues("another", {"ndcg@10": 1})}
        with pytest.raises(InvalidRequestError, match=r"asked otherwise: 1 \(q1\)"):
            compare_runs(make_run([1, 1]), asked_otherwise)

    def test_refuses_a_measure_of_one_run_only(self) -> None:
        with pytest.raises(InvalidRequestError, match="top_k"):
            compare_runs(make_run([1]), make_run([1], "recall@1"), ["ndcg@10"])

    def test_refuses_an_unknown_measure(self) -> None:
        with pytest.raises(InvalidRequestError, match="choose from recall@1"):
            compare_runs(make_run([1]), make_run([1]), ["p50_ms"])


class TestCommand:
    def test_a_run_against_itself(
        self, open_tiny_system: OpenSystem, corpus: Path, question_file: Path, tmp_path: Path
    ) -> None:
        """What `run` writes, `compare` reads."""
        out = tmp_path / "out"
        run = ["run", "--corpus", str(corpus), "--questions", str(question_file), "--out", str(out)]
        assert CliRunner().invoke(build_cli(open_tiny_system), run).exit_code == 0
        result = invoke(open_tiny_system, out, out / "questions.jsonl")
        assert result.exit_code == 0
        line = json.loads(result.stdout.splitlines()[-1])
        assert line["questions"] == 3
        assert list(line["metrics"]) == list(DEFAULT_METRICS)
        assert {one["p"] for one in line["metrics"].values()} == {1.0}
        assert [one["questions"] for one in line["metrics"].values()] == [2, 2, 2, 3, 2]

    def test_a_significant_loss_exits_1(self, open_tiny_system: OpenSystem, tmp_path: Path) -> None:
        a, b = write_run(tmp_path / "a", [1.0] * 20), write_run(tmp_path / "b", [0.0] * 20)
        result = invoke(open_tiny_system, a, b)
        assert result.exit_code == 1
        line = json.loads(result.stdout.splitlines()[-1])
        assert line["losses"] == ["ndcg@10"]
        assert "-1.000" in result.stdout
        gain = invoke(open_tiny_system, b, a, "--json")
        assert gain.exit_code == 0
        assert json.loads(gain.stdout)["gains"] == ["ndcg@10"]

    def test_a_loss_in_a_measure_that_was_not_chosen(
        self, open_tiny_system: OpenSystem, tmp_path: Path
    ) -> None:
        a, b = write_run(tmp_path / "a", [1.0] * 20), write_run(tmp_path / "b", [0.0] * 20)
        assert invoke(open_tiny_system, a, b, "--metric", "recall@1").exit_code == 0

    @pytest.mark.parametrize("content", ["", "{}\n", "[1]\n", "no JSON\n", '{"id": 1, "values": [2]}\n'])
    def test_a_file_that_is_no_run_exits_2(
        self, open_tiny_system: OpenSystem, tmp_path: Path, content: str
    ) -> None:
        path = tmp_path / "questions.jsonl"
        path.write_text(content, encoding="utf-8")
        result = invoke(open_tiny_system, path, path)
        assert result.exit_code == 2
        assert "questions.jsonl" in result.stderr
        assert result.stdout == ""

    def test_a_folder_without_a_run_exits_2(self, open_tiny_system: OpenSystem, tmp_path: Path) -> None:
        assert invoke(open_tiny_system, tmp_path, tmp_path).exit_code == 2


def test_an_id_that_stands_twice(tmp_path: Path) -> None:
    path = write_run(tmp_path / "a", [1.0]) / "questions.jsonl"
    path.write_text(path.read_text("utf-8") * 2, encoding="utf-8")
    with pytest.raises(InvalidRequestError, match="line 2: the id q0 stands twice"):
        load_run(path)
