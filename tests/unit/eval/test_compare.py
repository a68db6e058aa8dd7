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
        assert {one["questions"] for one in line["metrics"].values()} == {2}

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
