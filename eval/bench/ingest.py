"""Ingest speed: this pipeline against LangChain, LlamaIndex and Haystack on the same files, weights and server.

    python3.11 -m venv RIVALS && RIVALS/bin/pip install -r eval/bench/rivals.txt
    python -m eval.bench.ingest CORPUS --rivals RIVALS/bin/python [--rounds 5] [--kilobytes 250] [--encoder none]
        [--model multilingual]
    python -m eval.bench.ingest CORPUS --memory 1000 [--encoder none]

Takes text files of CORPUS up to `--kilobytes`. Every pipeline is a process of its own with its model loaded, and a
database of its own on one temporary embedded PostgreSQL; they take turns, in another order each round, and only one
works at a time. From reading the files to the last commit is measured; loading, and deleting afterwards, is not. All
cut to about 200 tokens with an overlap of an eighth: LangChain counts characters (900), Haystack words (140),
LlamaIndex tokens (200), ours fills chunks of at most 256. pgask-512 is our default. KB of text a second is the
fair figure, since each splits differently. `cpu_ms_per_kb` is the processor time of the pipeline's own process, which
other work on the machine changes little; the server's and, for ours, the parsing child's are not in it. A round that
is not counted comes first; after it models and servers are warm, and ours knows the words of these texts, as it does
in the later part of a long run.

`--encoder none` puts constant vectors in the place of the encoder's: what is left is everything else, in ms a chunk.
`--memory N` takes in N MB made from CORPUS by repeating and altering its files, and prints the peak memory of the
process and of its parsing child, at each tenth of the way. Prints one JSON object last.
"""

from __future__ import annotations

import json
import platform
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import typer

from app.encoders.model_folder import find_model
from app.encoders.packaged_e5 import find_multilingual
from app.server.embedded import EmbeddedPostgres
from app.store.connection import Database
from app.store.migrate import migrate
from eval.bench.ingest_memory import measure_memory

ROOT: Final = Path(__file__).parents[2]
SIZES: Final = {
    "chunk_chars": 900,
    "overlap_chars": 112,
    "chunk_tokens": 200,
    "overlap_tokens": 25,
    "chunk_words": 140,
    "overlap_words": 18,
}
RIVALS: Final = ("langchain", "llama_index", "haystack")
COMPARABLE: Final[Mapping[str, object]] = {"chunk_tokens": 256, "overlap": 32}
OURS: Final[Mapping[str, Mapping[str, object]]] = {
    "pgask": COMPARABLE,
    "pgask-512": {},
    "pgask-int8": {**COMPARABLE, "embedding_dtype": "int8"},
    "pgask-torch": {**COMPARABLE, "embedding_runtime": "torch"},
    "pgask-torch-float32": {**COMPARABLE, "embedding_runtime": "torch", "embedding_dtype": "float32"},
}


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A pipeline that waits in its process."""

    name: str
    process: subprocess.Popen[str]

    def ask(self, request: Mapping[str, object]) -> dict[str, Any]:
        """One request and its reply."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(json.dumps(request), file=self.process.stdin, flush=True)
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.name} ended with {self.process.wait()}; its messages are above")
        reply: dict[str, Any] = json.loads(line)
        return reply


@contextmanager
def started(name: str, command: Sequence[str], setup: Mapping[str, object]) -> Iterator[Pipeline]:
    """A pipeline that is ready to work."""
    process = subprocess.Popen(  # noqa: S603 - interpreters that the caller named
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        pipeline = Pipeline(name, process)
        print(f"{name}: {pipeline.ask(setup)}", file=sys.stderr)
        yield pipeline
    finally:
        process.kill()
        process.wait()


def take_files(corpus: Path, folder: Path, kilobytes: int) -> int:
    """Copy text files of a corpus, in a fixed random order, up to `kilobytes`; their size in bytes."""
    files = sorted(path for path in corpus.rglob("*") if path.suffix in {".md", ".txt"})
    random.Random(1).shuffle(files)  # noqa: S311 - a sample
    total = 0
    for number, file in enumerate(files):
        size = file.stat().st_size
        if total + size <= kilobytes * 1000:
            shutil.copy(file, folder / f"{number:05}-{file.name}")
            total += size
    if total == 0:
        raise SystemExit(f"{corpus} holds no .md or .txt file of at most {kilobytes} KB")
    return total


def summary(rounds: Sequence[Mapping[str, float]], size_bytes: int) -> dict[str, float]:
    """Medians over the rounds of one pipeline."""

    def median(figure: str) -> float:
        return statistics.median(one[figure] for one in rounds)

    seconds, chunks = median("seconds"), median("chunks")
    outside = statistics.median(one["seconds"] - one["model_seconds"] for one in rounds)
    return {
        "kb_per_s": round(size_bytes / 1000 / seconds, 2),
        "chunks_per_s": round(chunks / seconds, 1),
        "tokens_per_s": round(median("tokens") / seconds),
        "cpu_ms_per_kb": round(1_000_000 * median("cpu_seconds") / size_bytes, 1),
        "outside_model_share": round(outside / seconds, 4),
        "outside_model_ms_per_chunk": round(1000 * outside / chunks, 3),
        "chunks": chunks,
        "tokens": median("tokens"),
        "tokens_lost_share": round(median("tokens_lost") / (median("tokens") + median("tokens_lost")), 5),
        "seconds": round(seconds, 3),
        "fastest_s": round(min(one["seconds"] for one in rounds), 3),
        "slowest_s": round(max(one["seconds"] for one in rounds), 3),
    }


def ratios(
    rounds: Mapping[str, Sequence[Mapping[str, float]]], names: Sequence[str]
) -> dict[str, dict[str, float]]:
    """How many times as fast as each rival our pipelines were: medians of the ratios within a round."""
    return {
        ours: {
            rival: round(
                statistics.median(
                    theirs["seconds"] / mine["seconds"]
                    for mine, theirs in zip(rounds[ours], rounds[rival], strict=True)
                ),
                2,
            )
            for rival in names
            if rival not in OURS
        }
        for ours in names
        if ours in OURS
    }


def machine() -> dict[str, object]:
    """Where it was measured, and which code."""
    cpu = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    git = shutil.which("git") or "git"
    commit = subprocess.run(  # noqa: S603 - fixed
        [git, "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.strip()
    return {"commit": commit, "cpu": cpu, "python": platform.python_version()}


def folder_of(model: str, home: Path) -> str:
    """The folder of a packaged model, for those that know none by its name: read out of its package first."""
    folder = find_multilingual(home / "models") if model == "multilingual" else find_model(None)
    return str(folder)


def compare(
    corpus: Path,
    rivals: Path | None,
    names: Sequence[str],
    *,
    rounds: int,
    kilobytes: int,
    stub: bool,
    home: Path,
    model: str = "english",
) -> dict[str, Any]:
    """Run the pipelines `names` in turns; summaries, ratios and the rounds themselves."""
    measured: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    with ExitStack() as stack:
        server = EmbeddedPostgres(home / "postgres")
        server.start()
        stack.callback(server.stop)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pgask-bench-")))
        size_bytes = take_files(corpus, folder, kilobytes)
        pipelines = []
        for number, name in enumerate(names):
            urls = server.create_database(f"bench{number}_test")
            stack.callback(server.drop_database, f"bench{number}_test")
            setup: dict[str, object] = {"stub": stub, "model": folder_of(model, home)}
            if name in OURS:
                migrate(Database(owner=urls.owner, app=urls.app))
                command = [sys.executable, "-m", "eval.bench.ingest_ours"]
                setup |= {"url": urls.app, "owner_url": urls.owner}
                setup["settings"] = {**OURS[name], "home": str(home), "embedding_model": model}
            else:
                assert rivals is not None
                command = [str(rivals), str(ROOT / "eval" / "bench" / "ingest_rivals.py"), name]
                setup |= {"url": urls.owner, **SIZES}
            pipelines.append(stack.enter_context(started(name, command, setup)))
        for number in range(rounds + 1):  # the first warms up
            for pipeline in pipelines[number % len(pipelines) :] + pipelines[: number % len(pipelines)]:
                reply = pipeline.ask({"folder": str(folder)})
                if number:
                    measured[pipeline.name].append(reply)
                    speed = size_bytes / 1000 / reply["seconds"]
                    print(f"round {number}: {pipeline.name} {speed:.1f} KB/s", file=sys.stderr)
    return {
        "bytes": size_bytes,
        "medians": {name: summary(measured[name], size_bytes) for name in names},
        "times_as_fast": ratios(measured, names),
        "rounds": measured,
    }


def main(  # noqa: PLR0917 - a command line
    corpus: Annotated[Path, typer.Argument(exists=True, file_okay=False, help="Folder with text files.")],
    rivals: Annotated[
        Path | None, typer.Option(help="Interpreter with eval/bench/rivals.txt installed.")
    ] = None,
    rounds: Annotated[int, typer.Option(min=1)] = 5,
    kilobytes: Annotated[int, typer.Option(min=1, help="How much text to take in.")] = 250,
    encoder: Annotated[str, typer.Option(help="real, or none for constant vectors.")] = "real",
    only: Annotated[str | None, typer.Option(help="Comma-separated pipelines; unset: all.")] = None,
    model: Annotated[Literal["english", "multilingual"], typer.Option(help="For all pipelines.")] = "english",
    memory: Annotated[int | None, typer.Option(help="Measure memory on so many MB instead.")] = None,
    limit_s: Annotated[float, typer.Option(help="With --memory: stop after so many seconds.")] = 300,
    home: Annotated[Path | None, typer.Option(help="Folder for the server; unset: a temporary one.")] = None,
) -> None:
    """Measure, print progress to standard error and one JSON object to standard output."""
    stub = encoder == "none"
    with ExitStack() as stack:
        if home is None:
            home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pgask-bench-home-")))
        if memory is not None:
            figures = measure_memory(corpus, home, megabytes=memory, stub=stub, limit_s=limit_s)
        else:
            names = only.split(",") if only else [*OURS, *(RIVALS if rivals is not None else ())]
            figures = compare(
                corpus, rivals, names, rounds=rounds, kilobytes=kilobytes, stub=stub, home=home, model=model
            )
    print(json.dumps({**machine(), "corpus": corpus.name, "encoder": encoder, "model": model, **figures}))


if __name__ == "__main__":
    typer.run(main)
