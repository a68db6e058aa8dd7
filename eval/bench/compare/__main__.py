"""Compare pgask with LangChain, LlamaIndex, Haystack, pg_textsearch with DiskANN, and haiku.rag, on open question sets.

    make compare DATA=folder OUT=folder [SETS=squad_dev:english,cmrc_dev:multilingual] [LIMIT=200] [HAIKU=python3.12]
    python -m eval.bench.compare DATA --rivals RIVALS/bin/python [--haiku HAIKU/bin/python] --out OUT

DATA/NAME holds `corpus/` and `questions.jsonl` (docs/tuning.md has the format; eval/bench/compare/open_sets.py makes
them from SQuAD's form, in which most open sets are published). Each system is a process with a database of its own on
a temporary embedded PostgreSQL, one after the other; what was measured is kept in OUT, and the same command goes on
where it stopped. Every system sees the same files, the same model's weights and the same questions: `--limit` of a
set's own, and half as many of the other sets with that model, which its corpus can't answer. Prints one JSON object
last, and writes OUT/results.md.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from app.encoders.model_folder import find_model, prefixes_of
from app.encoders.packaged_e5 import find_multilingual
from app.server.embedded import EmbeddedPostgres
from app.trial.question_file import Question, load_questions
from eval.bench.compare.scoring import Corpus, Hit, Reply, against, figures, settings_id
from eval.bench.compare.table import write_page
from eval.bench.ingest import machine

ROOT: Final = Path(__file__).parents[3]
OURS: Final = "pgask"
SHORT: Final = "pgask-256"  # chunks about as long as the rivals': longer ones cover a passage more easily
SETTINGS: Final[Mapping[str, Mapping[str, object]]] = {OURS: {}, SHORT: {"chunk_tokens": 256, "overlap": 32}}
WAYS: Final[Mapping[str, Sequence[str]]] = {
    OURS: ("default",),
    SHORT: ("default",),
    "langchain": ("dense", "hybrid"),
    "llama_index": ("dense", "hybrid"),
    "haystack": ("dense", "hybrid"),
    "pg_textsearch": ("words", "dense", "hybrid"),
    "haiku_rag": ("words", "dense", "hybrid"),
}
NEWER: Final = "haiku_rag"  # needs Python 3.12, so it has an interpreter of its own
TOP_K: Final = 10
FOREIGN: Final = "foreign"  # kind of the questions that belong to another corpus


@dataclass(frozen=True, slots=True)
class Set:
    """Questions on one corpus, asked with one model."""

    name: str
    model: str  # "english" or "multilingual"
    folder: Path
    questions: tuple[Question, ...]

    @property
    def corpus(self) -> Path:
        """The folder of its files."""
        return self.folder / "corpus"


def load_sets(data: Path, named: str, limit: int) -> list[Set]:
    """The sets of `NAME:MODEL,…`, each with a sample of its own questions and of those that others with the same
    model ask on files that it hasn't."""
    own: list[Set] = []
    for part in named.split(","):
        name, _, model = part.partition(":")
        every = load_questions(data / name / "questions.jsonl")
        taken = random.Random(1).sample(every, min(limit, len(every)))  # noqa: S311 - a sample
        own.append(Set(name, model or "english", data / name, tuple(taken)))
    return [replace(one, questions=(*one.questions, *_foreign(one, own, limit // 2))) for one in own]


def _foreign(one: Set, every: Sequence[Set], limit: int) -> list[Question]:
    names = {file.name for file in one.corpus.rglob("*")}
    found = [
        replace(
            question, id=f"{other.name}/{question.id}", answerable=False, kind=FOREIGN, doc=None, context=None
        )
        for other in every
        if other.model == one.model and other is not one
        for question in other.questions
        if question.answerable and question.doc and Path(question.doc).name not in names
    ]
    return random.Random(1).sample(found, min(limit, len(found)))  # noqa: S311 - a sample


@contextmanager
def started(command: Sequence[str], setup: Mapping[str, object]) -> Iterator[subprocess.Popen[str]]:
    """A system's process with its set-up told."""
    process = subprocess.Popen(  # noqa: S603 - interpreters that the caller named
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield _tell(process, setup)
    finally:
        process.kill()
        process.wait()


def _tell(process: subprocess.Popen[str], line: Mapping[str, object]) -> subprocess.Popen[str]:
    assert process.stdin is not None
    print(json.dumps(line), file=process.stdin, flush=True)
    return process


def _hear(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise SystemExit(f"{process.args!r} ended with {process.wait()}; its messages are above")
    heard: dict[str, Any] = json.loads(line)
    return heard


def interpreters_of(rivals: Path | None, haiku: Path | None) -> dict[str, Path]:
    """The interpreter of each system that has one: ours run in this one."""
    named = {
        name: Path(sys.executable) if name in SETTINGS else haiku if name == NEWER else rivals
        for name in WAYS
    }
    return {name: path for name, path in named.items() if path is not None}


def ways_of(system: str, one: Set) -> Sequence[str]:
    """The ways in which a system is asked: where words had to be told apart for it, without that, too."""
    unsplit = system == "pg_textsearch" and text_search(one) == "simple"
    return (*WAYS[system], "unsplit") if unsplit else WAYS[system]


def measure(
    one: Set, system: str, *, url: str, folder: Path, home: Path, interpreter: Path
) -> dict[str, Any]:
    """All replies of a system to a set, by the ways that it has: `{"seconds", "ways": {way: {id: reply}}}`."""
    query_prefix, passage_prefix = prefixes_of(folder)
    setup: dict[str, Any] = {"corpus": str(one.corpus), "top_k": TOP_K}
    if system in SETTINGS:
        command = [sys.executable, "-m", "eval.bench.compare.sides_ours"]
        setup["settings"] = {**SETTINGS[system], "home": str(home), "embedding_model": one.model}
    else:
        command = [str(interpreter), str(Path(__file__).with_name("sides_rivals.py")), system]
        setup |= {"url": url, "model": str(folder), "query_prefix": query_prefix}
        setup |= {"passage_prefix": passage_prefix, "text_search": text_search(one)}
    begun = time.perf_counter()
    with started(command, setup) as process:
        _hear(process)
        seconds = time.perf_counter() - begun
        ways = {
            way: {
                question.id: _hear(_tell(process, {"question": question.question, "way": way}))
                for question in one.questions
            }
            for way in ways_of(system, one)
        }
    return {"seconds": seconds, "ways": ways}


def text_search(one: Set) -> str:
    """PostgreSQL's configuration for a set's language: it has none for Chinese."""
    chinese = sum(question.language == "zh" for question in one.questions)
    return "simple" if 2 * chinese > len(one.questions) else "english"


def read_reply(told: Mapping[str, Any]) -> Reply:
    """A reply as it was kept."""
    hits = tuple(Hit(hit["source"], hit["text"], hit["exact"]) for hit in told["hits"])
    return Reply(hits, told["score"], told["refused"], told["milliseconds"])


def score(one: Set, measured: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Figures of each system and way, beside ours: `{"langchain hybrid": {…, "ours_minus_this": …}}`."""
    corpus = Corpus(one.corpus)
    told: dict[str, dict[str, Any]] = {}
    values: dict[str, dict[str, float]] = {}
    for system, found in measured.items():
        for way, replies in found["ways"].items():
            name = system if system in SETTINGS else f"{system} {way}"
            read = {key: read_reply(reply) for key, reply in replies.items()}
            told[name], values[name] = figures(read, one.questions, corpus, foreign=FOREIGN)
            told[name]["ready_s"] = round(found["seconds"], 1)
    for name, found_figures in told.items():
        if name not in SETTINGS and SHORT in told:
            found_figures["ours_minus_this"] = asdict(against(values[SHORT], values[name]))
    return told


def main(  # noqa: PLR0917 - a command line
    data: Annotated[Path, typer.Argument(exists=True, file_okay=False, help="Folder of the sets.")],
    out: Annotated[Path, typer.Option(help="Where measured replies and the page go.")],
    rivals: Annotated[
        Path | None, typer.Option(help="Interpreter with eval/bench/rivals.txt installed.")
    ] = None,
    haiku: Annotated[
        Path | None,
        typer.Option(help="Interpreter, 3.12 or newer, with eval/bench/rivals_haiku.txt installed."),
    ] = None,
    sets: Annotated[str, typer.Option(help="NAME:MODEL, comma-separated.")] = "squad_dev:english",
    limit: Annotated[int, typer.Option(min=1, help="Questions of each set.")] = 200,
    only: Annotated[str | None, typer.Option(help="Comma-separated systems; unset: all.")] = None,
) -> None:
    """Measure what is not kept yet, write the page, and print one JSON object."""
    interpreters = interpreters_of(rivals, haiku)
    systems = only.split(",") if only else list(interpreters)
    if lacking := [name for name in systems if name not in interpreters]:
        raise typer.BadParameter(f"no interpreter (--rivals, --haiku) for {', '.join(lacking)}")
    results: dict[str, Any] = {}
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pgask-compare-")))
        server = EmbeddedPostgres(home / "rivals")
        server.start()
        stack.callback(server.stop)
        for one in load_sets(data, sets, limit):
            folder = find_model(None) if one.model == "english" else find_multilingual(home / "models")
            measured = {}
            for system in systems:
                about = {"set": one.name, "model": one.model, "system": system}
                kept = (
                    out
                    / f"{one.name}-{system}-{settings_id({**about, 'ids': [q.id for q in one.questions]})}.json"
                )
                if not kept.exists():
                    print(f"{one.name}: {system}", file=sys.stderr)
                    url = server.create_database("compared_test").owner
                    place = home / one.name / system
                    interpreter = interpreters[system]
                    found = measure(one, system, url=url, folder=folder, home=place, interpreter=interpreter)
                    server.drop_database("compared_test")
                    out.mkdir(parents=True, exist_ok=True)
                    kept.write_text(json.dumps(found), "utf-8")
                measured[system] = json.loads(kept.read_text("utf-8"))
            results[one.name] = {"model": one.model, "systems": score(one, measured)}
    page = {**machine(), "limit": limit, "sets": results}
    write_page(page, out / "results.md")
    print(json.dumps(page))


if __name__ == "__main__":
    typer.run(main)
