"""A sweep: the same questions under every combination of some settings, each point kept in a folder of its own.

Knows the system by `OpenSystem` only. A point's folder holds the report of its run and, written last, point.json:
its settings and what else its figures depend on. A point whose point.json agrees with both is not run again. Points
that differ in search settings alone share a collection, so that only the first of them ingests.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, Protocol, get_args

from app.config import IndexMethod, Settings, VectorPrecision, load_settings
from app.errors import ConfigError, InvalidRequestError, PgaskError
from app.trial.question_file import Question
from eval.ablation import POOLINGS
from eval.corpora import make_corpora
from eval.report import RunAbout, make_folder, write_report
from eval.runner import Ask, Evaluation, Ingest, OnProgress, Wording, run
from eval.summary import METRIC_KEYS
from eval.wordnet import Synonyms

Value = int | float | str
Kind = type[int] | type[float] | tuple[str, ...]  # numbers, or the words there are

# Settings of the product and, of eval/ablation.py, what no setting does. Order matters: points that share a collection
# follow one another.
INGEST_SETTINGS: Final[Mapping[str, Kind]] = {"chunk_tokens": int, "overlap": int, "window_tokens": int}
INGEST_VARIANTS: Final[Mapping[str, Kind]] = {
    "dimension": int,
    "pooling": POOLINGS,
}
INDEX_SETTINGS: Final[Mapping[str, Kind]] = {
    "index_method": get_args(IndexMethod), "vector_precision": get_args(VectorPrecision),
}  # fmt: skip
INDEX_VARIANTS: Final[Mapping[str, Kind]] = {"lists": int, "probes": int}
SEARCH_SETTINGS: Final[Mapping[str, Kind]] = {
    "dense_weight": float, "window_share": float, "candidates": int, "bm25_k1": float, "bm25_b": float,
    "max_per_document": int, "rerank_candidates": int,
}  # fmt: skip
VARIANTS: Final = INGEST_VARIANTS.keys() | INDEX_VARIANTS.keys()
SWEPT: Final[Mapping[str, Kind]] = {
    **INGEST_SETTINGS, **INGEST_VARIANTS, **INDEX_SETTINGS, **INDEX_VARIANTS, **SEARCH_SETTINGS, "top_k": int,
}  # fmt: skip
INDEX_RECALL: Final = "index_recall"  # of an index of the point's own, beside the figures of its run
DEFAULT_TOP_K: Final = 10
MAX_POINTS: Final = 1000  # more is a slip of the keyboard
# Settings that no figure depends on; all others are part of what a point is known by.
_IMMATERIAL: Final = frozenset(
    {
        "home",
        "host",
        "port",
        "allowed_hosts",
        "log_level",
        "log_questions",
        "max_body_bytes",
        "max_concurrent_asks",
    }
)

Point = Mapping[str, Value]  # setting → value, the settings of the grid only


class System(Ingest, Ask, Protocol):
    """The system under evaluation: both protocols in one object."""


class OpenSystem(Protocol):
    """Opens the system under evaluation."""

    def __call__(self, **overrides: object) -> AbstractAsyncContextManager[System]:
        """With the configured settings, `overrides` in their place. Raises PgaskError."""
        ...


@dataclass(frozen=True, slots=True)
class SweepInput:
    """What every point is measured on."""

    corpus: Path
    question_file: Path
    questions: Sequence[Question]
    synonyms: Synonyms
    command: str
    answers: bool = True  # False: questions are only searched for
    wording: Wording = "question"


@dataclass(frozen=True, slots=True)
class PointResult:
    """A point that was measured (`figures`), now or before (`reused`), or that failed (`error`)."""

    point: Point
    figures: Mapping[str, float | int | None] | None = None
    intervals: Mapping[str, Sequence[float]] | None = None
    collection: str | None = None
    reused: bool = False
    error: str | None = None


def parse_grid(texts: Sequence[str]) -> dict[str, list[Value]]:
    """Settings and their values, ingest settings first. Raises InvalidRequestError for an unknown or repeated
    setting, and for what is no value of it; ranges are the settings' own and show when a point is run.

    >>> parse_grid(["dense_weight=.3,.5", "chunk_tokens=256", "pooling=mean"])
    {'chunk_tokens': [256], 'pooling': ['mean'], 'dense_weight': [0.3, 0.5]}
    """
    grid: dict[str, list[Value]] = {}
    for text in texts:
        name, _, listed = text.partition("=")
        name = name.strip()
        if name not in SWEPT:
            raise _wrong_grid(f"{text!r}: the settings that can be swept are {', '.join(SWEPT)}")
        if name in grid:
            raise _wrong_grid(f"{name} stands twice: give its values in one --grid, with commas")
        try:
            values = [_read_value(SWEPT[name], value.strip()) for value in listed.split(",")]
        except ValueError as error:
            kind = SWEPT[name]
            wanted = f"some of {', '.join(kind)}" if isinstance(kind, tuple) else "numbers"
            raise _wrong_grid(f"{text!r}: write {name}=VALUE,VALUE with {wanted}") from error
        grid[name] = list(dict.fromkeys(values))
    ordered = {name: grid[name] for name in SWEPT if name in grid}
    points = 1
    for values in ordered.values():
        points *= len(values)
    if not ordered or points > MAX_POINTS:
        raise _wrong_grid(f"{points if ordered else 0} points, where 1 to {MAX_POINTS} can be run")
    return ordered


def list_points(grid: Mapping[str, Sequence[Value]]) -> list[Point]:
    """Every combination, the last setting changing fastest.

    >>> list_points({"chunk_tokens": [256], "dense_weight": [0.3, 0.5]})
    [{'chunk_tokens': 256, 'dense_weight': 0.3}, {'chunk_tokens': 256, 'dense_weight': 0.5}]
    """
    return [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]


def name_point(point: Point) -> str:
    """The name of a point's folder.

    >>> name_point({"chunk_tokens": 256, "pooling": "mean", "dense_weight": 0.3})
    'chunk_tokens=256,pooling=mean,dense_weight=0.3'
    """
    return ",".join(f"{name}={format_value(value)}" for name, value in point.items())


def format_value(value: Value) -> str:
    """A setting's value as short as it can be.

    >>> format_value(0.50), format_value(512), format_value("mean")
    ('0.5', '512', 'mean')
    """
    return value if isinstance(value, str) else f"{value:g}"


async def run_sweep(
    open_system: OpenSystem,
    points: Sequence[Point],
    *,
    measured_on: SweepInput,
    out: Path,
    on_progress: OnProgress,
    on_result: Callable[[PointResult], None],
) -> list[PointResult]:
    """Measure each point in turn and tell its result; a point that fails does not stop the others. Raises
    ConfigError where `out` can't be written, InvalidRequestError where the corpus can't be read."""
    corpus_digest = _digest_corpus(measured_on.corpus)
    results = []
    for done, point in enumerate(points):
        on_progress("point", done, len(points))
        result = await _run_point(
            open_system,
            point,
            measured_on=measured_on,
            corpus_digest=corpus_digest,
            out=out,
            on_progress=on_progress,
        )
        on_result(result)
        results.append(result)
    on_progress("point", len(points), len(points))
    return results


def read_points(out: Path) -> list[PointResult]:
    """The points that a sweep has finished in its folder, by their values; whatever they were measured with."""
    results = []
    for folder in sorted((out / "points").glob("*")):
        pairs = [part.partition("=") for part in folder.name.split(",")]
        try:
            point = {name: _read_value(SWEPT[name], text) for name, _, text in pairs}
        except (KeyError, ValueError):
            continue  # no folder of ours
        summary = _read_summary(folder) if (folder / "point.json").exists() else None
        if summary is not None:
            results.append(PointResult(point, *summary, reused=True))
    return sorted(results, key=lambda result: [(isinstance(v, str), v) for v in result.point.values()])


def describe_sweep(results: Sequence[PointResult]) -> dict[str, Any]:
    """The JSON line of a sweep: each point with its figures or its error, and how many failed."""
    return {
        "points": [
            {
                "settings": dict(result.point),
                "figures": result.figures and {key: _round(value) for key, value in result.figures.items()},
                "collection": result.collection,
                "reused": result.reused,
                "error": result.error,
            }
            for result in results
        ],
        "failed": sum(result.error is not None for result in results),
    }


async def _run_point(
    open_system: OpenSystem,
    point: Point,
    *,
    measured_on: SweepInput,
    corpus_digest: str,
    out: Path,
    on_progress: OnProgress,
) -> PointResult:
    folder = out / "points" / name_point(point)
    try:
        described = _describe_point(point, measured_on, corpus_digest)
        finished = _read_finished(folder, point, described)
        if finished is not None:
            return finished
        started_at = datetime.now(UTC)
        evaluation = await _measure(open_system, point, described, measured_on, on_progress)
        _write_point(folder, evaluation, described, measured_on, started_at)
    except PgaskError as error:
        return PointResult(point, error=f"{error.code}: {error}")
    figures = {**evaluation.figures, INDEX_RECALL: evaluation.ingested.index_recall}
    return PointResult(point, figures, evaluation.intervals, evaluation.collection)


async def _measure(
    open_system: OpenSystem,
    point: Point,
    described: Mapping[str, Any],
    measured_on: SweepInput,
    on_progress: OnProgress,
) -> Evaluation:
    overrides: dict[str, object] = {name: value for name, value in point.items() if name != "top_k"}
    if not measured_on.answers:
        overrides["answers"] = False
    if _varies_index(point):
        overrides["space"] = described["collection"]
    async with open_system(**overrides) as system:
        evaluation = await run(
            system,
            system,
            corpora=make_corpora(
                [(None, measured_on.corpus)], [described["collection"]], measured_on.questions
            ),
            questions=measured_on.questions,
            synonyms=measured_on.synonyms,
            on_progress=on_progress,
            top_k=described["settings"]["top_k"],
            wording=measured_on.wording,
        )
    if evaluation.figures["failed"] == evaluation.figures["questions"]:
        raise InvalidRequestError(f"every question failed; the first: {evaluation.replies[0].error}")
    return evaluation


def _describe_point(point: Point, measured_on: SweepInput, corpus_digest: str) -> dict[str, Any]:
    """All that a point's figures depend on. Raises ConfigError or InvalidRequestError for a value out of range."""
    top_k = int(point.get("top_k", DEFAULT_TOP_K))
    if not 1 <= top_k <= 50:
        raise InvalidRequestError(f"top_k is {top_k}; it can be 1 to 50.")
    settings = load_settings(
        **{name: value for name, value in point.items() if name != "top_k" and name not in VARIANTS}
    )
    path = hashlib.sha256(str(measured_on.corpus.resolve()).encode()).hexdigest()[:8]
    ingested = [str(getattr(settings, name)) for name in INGEST_SETTINGS]
    ingested += [str(point[name]) for name in INGEST_VARIANTS if name in point]
    ingested += ["index"] if _varies_index(point) else []
    asked = "\n".join(map(repr, measured_on.questions))
    return {
        "settings": {**_list_settings(settings), "top_k": top_k},
        "variant": {name: point[name] for name in VARIANTS & point.keys()},
        "answers": measured_on.answers,
        "wording": measured_on.wording,
        "collection": "-".join(["eval-sweep", path, *ingested]),
        "corpus_sha256": corpus_digest,
        "questions_sha256": hashlib.sha256(asked.encode("utf-8", "surrogatepass")).hexdigest(),
        "pgask": version("pgask"),
    }


def _list_settings(settings: Settings) -> dict[str, Any]:
    """The settings that figures may depend on; nothing secret."""
    return {
        name: value
        for name in type(settings).model_fields
        if name not in _IMMATERIAL
        and isinstance(value := getattr(settings, name), int | float | str | None)  # no SecretStr
    }


def _varies_index(point: Point) -> bool:
    """Whether the point is about the index: it is then built over this collection alone and searched at any size."""
    return not point.keys().isdisjoint(INDEX_SETTINGS.keys() | INDEX_VARIANTS.keys())


def _read_value(kind: Kind, text: str) -> Value:
    """Raises ValueError for what is no value of this kind."""
    if not isinstance(kind, tuple):
        return kind(text)
    return kind[kind.index(text)]


def _read_finished(folder: Path, point: Point, described: Mapping[str, Any]) -> PointResult | None:
    """The result that the folder keeps, if it is of the same settings, corpus, questions and version."""
    try:
        if json.loads((folder / "point.json").read_text(encoding="utf-8")) != described:
            return None
    except (OSError, ValueError):
        return None  # not there, or cut off while it was written: run it again
    summary = _read_summary(folder)
    return summary and PointResult(point, *summary, described["collection"], reused=True)


def _read_summary(
    folder: Path,
) -> tuple[Mapping[str, float | int | None], Mapping[str, Sequence[float]]] | None:
    """Figures and intervals that a point's folder keeps; None where they are not whole."""
    try:
        summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
        figures = {key: summary["figures"][key] for key in METRIC_KEYS}
        return {**figures, INDEX_RECALL: summary["run"][INDEX_RECALL]}, summary["intervals_95"]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write_point(
    folder: Path,
    evaluation: Evaluation,
    described: Mapping[str, Any],
    measured_on: SweepInput,
    started_at: datetime,
) -> None:
    make_folder(folder)
    mark = folder / "point.json"
    try:
        mark.unlink(missing_ok=True)  # a report half written over must not look finished
        about = RunAbout(
            str(measured_on.corpus), str(measured_on.question_file), started_at, measured_on.command
        )
        write_report(evaluation, about, folder)
        mark.write_text(json.dumps(described, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{folder} can't be written: {error.strerror}.") from error


def _digest_corpus(corpus: Path) -> str:
    digest = hashlib.sha256()
    try:
        for path in sorted(path for path in corpus.rglob("*") if path.is_file()):
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            digest.update(
                f"{path.relative_to(corpus).as_posix()}\0{content}\n".encode("utf-8", "surrogateescape")
            )
    except OSError as error:
        raise InvalidRequestError(f"{corpus} can't be read: {error.strerror}.") from error
    return digest.hexdigest()


def _round(value: float | int | None) -> float | int | None:
    return round(value, 6) if isinstance(value, float) else value


def _wrong_grid(fault: str) -> InvalidRequestError:
    return InvalidRequestError(f"Wrong grid: {fault}.", code="invalid_grid")
