"""A sweep on the tiny system: grid, points and collections, resuming, failures, the report."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
import typer
from typer.testing import CliRunner, Result

from app.errors import InvalidRequestError
from eval.cli import build_cli
from eval.sweep import OpenSystem, PointResult, name_point, parse_grid, read_points
from eval.sweep_html import render_sweep
from eval.sweep_plot import main as draw
from eval.sweep_plot import plot_setting

from .conftest import TinySystem
from .test_cli import parse

Sweep = Callable[..., Result]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def sweep(open_tiny_system: OpenSystem, corpus: Path, question_file: Path, out: Path) -> Sweep:
    fixed = ["sweep", "--corpus", corpus, "--questions", question_file, "--out", out]

    def invoke(*grids: str, more: tuple[str, ...] = ()) -> Result:
        asked = [part for grid in grids for part in ("--grid", grid)]
        return CliRunner().invoke(build_cli(open_tiny_system), [*map(str, fixed), *asked, *more])

    return invoke


def last_line(result: Result) -> dict[str, list[dict[str, object]]]:
    line = json.loads(result.stdout.splitlines()[-1])
    assert isinstance(line, dict)
    return line


class TestGrid:
    @pytest.mark.parametrize(
        ("grid", "fault"),
        [
            (["temperature=1,2"], "settings that can be swept are chunk_tokens"),
            (["pooling=mean,median"], "some of weighted, mean, first, max"),
            (["top_k=5", "top_k=10"], "stands twice"),
            (["top_k=five"], "with numbers"),
            (["top_k=2.5"], "with numbers"),
            (["dense_weight"], "with numbers"),
            ([f"{name}={','.join(map(str, range(40)))}" for name in ("candidates", "top_k")], "1600 points"),
            ([], "0 points"),
        ],
    )
    def test_refuses(self, grid: list[str], fault: str) -> None:
        with pytest.raises(InvalidRequestError, match=fault):
            parse_grid(grid)

    def test_a_value_given_twice_is_one_point(self) -> None:
        assert parse_grid(["dense_weight=.5,0.5,.50"]) == {"dense_weight": [0.5]}


def test_points_with_other_chunks_have_a_collection_of_their_own(
    sweep: Sweep, tiny_system: TinySystem
) -> None:
    result = sweep("dense_weight=.3,.7", "chunk_tokens=256,512")
    assert result.exit_code == 0
    points = last_line(result)["points"]
    assert [point["settings"] for point in points] == tiny_system.opened_with == [
        {"chunk_tokens": chunk, "dense_weight": weight} for chunk in (256, 512) for weight in (0.3, 0.7)
    ]  # fmt: skip
    collections = [point["collection"] for point in points]
    assert collections[0] == collections[1] != collections[2] == collections[3]


def test_top_k_is_the_runs_and_no_setting_of_the_system(sweep: Sweep, tiny_system: TinySystem) -> None:
    points = last_line(sweep("top_k=5,10"))["points"]
    figures = [point["figures"] for point in points]
    assert [one["ndcg@10"] for one in figures if isinstance(one, dict)] == [None, 1.0]
    assert tiny_system.opened_with == [{}, {}]


class TestVariants:
    def test_points_of_another_pooling_or_dimension_share_nothing(
        self, sweep: Sweep, tiny_system: TinySystem
    ) -> None:
        points = last_line(sweep("pooling=weighted,mean", "dimension=64,384"))["points"]
        assert tiny_system.opened_with == [
            {"dimension": size, "pooling": pooling} for size in (64, 384) for pooling in ("weighted", "mean")
        ]
        assert len({str(point["collection"]) for point in points}) == 4

    def test_searching_alone_leaves_answers_undefined(self, sweep: Sweep, tiny_system: TinySystem) -> None:
        searched = last_line(sweep("dense_weight=.5", more=("--retrieval-only",)))["points"][0]
        assert tiny_system.opened_with == [{"dense_weight": 0.5, "answers": False}]
        figures = searched["figures"]
        assert isinstance(figures, dict)
        assert figures["ndcg@10"] == 1.0
        undefined = {"answer_contains_gold", "token_f1", "bleu", "abstain_recall", "abstain_auroc",
                     "answerable_refused", "mean_answer_words", "citation_exact"}  # fmt: skip
        assert {key for key, value in figures.items() if value is None} >= undefined
        answered = last_line(sweep("dense_weight=.5"))["points"][0]
        assert answered["reused"] is False
        assert isinstance(answered["figures"], dict)
        assert answered["figures"]["abstain_recall"] == 1.0


class TestWording:
    def test_the_english_originals_are_asked_and_are_another_sweep(
        self, sweep: Sweep, tiny_system: TinySystem, question_file: Path
    ) -> None:
        question_file.write_text(
            '{"question": "茶的原产地是哪里？", "question_en": "Where does tea come from?", "doc": "zh/tea.md"}\n',
            encoding="utf-8",
        )
        sweep("dense_weight=.3")
        english = sweep("dense_weight=.3", more=("--language-field", "question_en"))
        assert last_line(english)["points"][0]["reused"] is False
        assert tiny_system.asked == ["茶的原产地是哪里？", "Where does tea come from?"]

    def test_questions_without_an_english_original_are_refused(self, sweep: Sweep) -> None:
        result = sweep("dense_weight=.3", more=("--language-field", "question_en"))
        assert result.exit_code == 2
        assert "question_en" in result.stderr


class TestIndex:
    def test_its_recall_is_kept_with_the_point(self, sweep: Sweep, out: Path) -> None:
        for reused in (False, True):
            point = last_line(sweep("probes=1"))["points"][0]
            assert point["reused"] is reused
            assert isinstance(point["figures"], dict)
            assert point["figures"]["index_recall"] == 0.75
        assert "<th>index recall</th>" in (out / "sweep.html").read_text(encoding="utf-8")

    def test_points_without_an_index_have_no_column_of_it(self, sweep: Sweep, out: Path) -> None:
        sweep("dense_weight=.3")
        assert "index recall" not in (out / "sweep.html").read_text(encoding="utf-8")


class TestResuming:
    def test_finished_points_are_not_run_again(self, sweep: Sweep, tiny_system: TinySystem) -> None:
        first = last_line(sweep("dense_weight=.3"))["points"]
        second = last_line(sweep("dense_weight=.3,.5"))["points"]
        assert [point["reused"] for point in second] == [True, False]
        assert second[0]["figures"] == first[0]["figures"]
        assert tiny_system.opened_with == [{"dense_weight": 0.3}, {"dense_weight": 0.5}]

    def test_a_point_that_was_cut_off_is_run_again(self, sweep: Sweep, out: Path) -> None:
        sweep("dense_weight=.3,.5,.7")
        (out / "points" / "dense_weight=0.3" / "point.json").unlink()
        (out / "points" / "dense_weight=0.5" / "summary.json").write_text('{"figures": ', encoding="utf-8")
        points = last_line(sweep("dense_weight=.3,.5,.7"))["points"]
        assert [point["reused"] for point in points] == [False, False, True]

    def test_another_limit_is_another_sweep(self, sweep: Sweep) -> None:
        sweep("dense_weight=.3")
        assert last_line(sweep("dense_weight=.3", more=("--limit", "1")))["points"][0]["reused"] is False

    def test_a_changed_corpus_is_another_sweep(self, sweep: Sweep, corpus: Path) -> None:
        sweep("dense_weight=.3")
        (corpus / "rivers.md").write_text("The Rhine.\n", encoding="utf-8")
        assert last_line(sweep("dense_weight=.3"))["points"][0]["reused"] is False

    def test_another_setting_outside_the_grid_is_another_sweep(
        self, sweep: Sweep, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sweep("dense_weight=.3")
        monkeypatch.setenv("PGASK_BM25_B", "0.5")
        assert last_line(sweep("dense_weight=.3"))["points"][0]["reused"] is False

    def test_what_a_point_is_known_by_holds_no_secret(
        self, sweep: Sweep, out: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PGASK_DATABASE_URL", "postgresql://someone:s3cret@localhost/db")
        monkeypatch.setenv("PGASK_LLM_API_KEY", "s3cret-key")
        sweep("dense_weight=.3")
        point = (out / "points" / "dense_weight=0.3" / "point.json").read_text("utf-8")
        assert "s3cret" not in point
        settings = json.loads(point)["settings"]
        assert {"dense_weight", "window_share", "embedding_model", "exact_max_rows"} <= settings.keys()


class TestFailures:
    def test_a_failing_point_is_told_and_the_rest_goes_on(self, sweep: Sweep) -> None:
        result = sweep("dense_weight=2,.5", "top_k=10,99")
        assert result.exit_code == 1
        points = last_line(result)["points"]
        assert [point["error"] is None for point in points] == [False, False, True, False]
        assert "PGASK_DENSE_WEIGHT" in str(points[0]["error"])
        assert "PGASK_DENSE_WEIGHT" in result.stderr

    def test_a_failed_point_is_tried_again(self, sweep: Sweep, corpus: Path, tmp_path: Path) -> None:
        moved = [(path, path.read_bytes()) for path in corpus.rglob("*.md")]
        for path, _ in moved:
            path.unlink()
        assert sweep("dense_weight=.5").exit_code == 2  # every point failed
        for path, content in moved:
            path.write_bytes(content)
        assert sweep("dense_weight=.5").exit_code == 0

    def test_an_unknown_setting_stops_before_anything_is_made(self, sweep: Sweep, out: Path) -> None:
        result = sweep("temperature=1")
        assert result.exit_code == 2
        assert "chunk_tokens" in result.stderr
        assert not out.exists()


class TestReport:
    def test_table_and_plots_without_network(self, sweep: Sweep, out: Path) -> None:
        sweep("chunk_tokens=256,512", "dense_weight=.3,.7")
        tags, references, text = parse((out / "sweep.html").read_text("utf-8"))
        assert {"table", "svg", "polyline", "circle"} <= tags
        assert not {"script", "img", "link", "iframe"} & tags
        assert all(not reference.startswith(("http", "//", "data")) for reference in references)
        assert "ndcg@10 by dense_weight" in text
        assert json.loads((out / "sweep.json").read_text("utf-8"))["failed"] == 0

    def test_plots_are_files_too(self, sweep: Sweep, out: Path) -> None:
        sweep("chunk_tokens=256,512", "dense_weight=.3")
        names = {path.name for path in (out / "plots").iterdir()}
        assert "ndcg@10-by-chunk_tokens.svg" in names
        assert "ndcg@10-by-dense_weight.svg" not in names
        root = ElementTree.fromstring((out / "plots" / "ndcg@10-by-chunk_tokens.svg").read_text("utf-8"))
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert "dense_weight 0.3" in "".join(root.itertext())  # the legend is inside

    def test_finished_points_are_drawn_later(self, sweep: Sweep, out: Path, tmp_path: Path) -> None:
        sweep("chunk_tokens=256,512", "dense_weight=.3,.7")
        (out / "points" / "chunk_tokens=512,dense_weight=0.7" / "point.json").unlink()  # cut off
        (out / "points" / "notes").mkdir()
        assert [name_point(result.point) for result in read_points(out)] == [
            "chunk_tokens=256,dense_weight=0.3",
            "chunk_tokens=256,dense_weight=0.7",
            "chunk_tokens=512,dense_weight=0.3",
        ]
        file = tmp_path / "plot.svg"
        draw(sweep=[f"tiny={out}"], by="chunk_tokens", out=file, where=["dense_weight=0.3"])
        plot = file.read_text("utf-8")
        assert plot.count("<title>") == 2
        assert "set tiny, dense_weight 0.3" in plot
        with pytest.raises(typer.BadParameter, match="top_k"):
            draw(sweep=[f"tiny={out}"], by="top_k", out=file)

    def test_a_line_a_combination_of_the_others(self) -> None:
        results = [
            PointResult({"chunk_tokens": chunk, "dense_weight": weight}, {"ndcg@10": weight})
            for chunk in (256, 512)
            for weight in (0.7, 0.3)
        ]
        plot = plot_setting(results, "dense_weight", "ndcg@10")
        assert plot.count("<polyline") == 2
        assert plot.count("<title>") == 4  # one a point
        first = plot.split('points="')[1].split('"')[0].split()
        (left, low), (right, high) = (map(float, point.split(",")) for point in first)
        assert left < right  # in the order of the values
        assert low > high  # y goes down on a screen: a greater figure is drawn higher

    def test_words_stand_side_by_side(self) -> None:
        results = [
            PointResult({"pooling": word}, {"ndcg@10": figure})
            for word, figure in (("weighted", 0.7), ("first", 0.3), ("mean", 0.6))
        ]
        plot = plot_setting(results, "pooling", "ndcg@10")
        line = plot.split('points="')[1].split('"')[0].split()
        across = [float(point.split(",")[0]) for point in line]
        assert across == sorted(across)
        assert len(set(across)) == 3
        labels = [plot.index(f">{word}<") for word in ("weighted", "first", "mean")]
        assert labels == sorted(labels)

    def test_one_value_has_no_plot(self) -> None:
        assert plot_setting([PointResult({"top_k": 5}, {"ndcg@10": 1.0})], "top_k", "ndcg@10") == ""

    def test_text_is_escaped(self) -> None:
        failed = PointResult({"top_k": 5}, error="<script>alert(1)</script>")
        page = render_sweep([failed], "rag-eval --out '<b>'")
        assert "<script>" not in page
        assert "<b>" not in page


def test_a_point_where_every_question_fails(sweep: Sweep, question_file: Path) -> None:
    question_file.write_text('{"question": "explode"}\n', encoding="utf-8")
    result = sweep("dense_weight=.5")
    assert result.exit_code == 2
    assert "It exploded." in result.stderr
