"""The command line of `rag-eval`: measure retrieval and answers on a corpus with questions.

    rag-eval run --corpus DIR --questions FILE.jsonl --limit 300 --out out/
    rag-eval run --corpus NAME=DIR --corpus NAME2=DIR2 --questions FILE.jsonl --polite TEMPLATES.jsonl --switch
    rag-eval compare A B
    rag-eval sweep --corpus DIR --questions FILE.jsonl --out out/ --grid dense_weight=.3,.5,.7

Standard output gets a table and, as its last line, one JSON object; progress goes to standard error.
Exit code 0: measured; 1: `compare` found a significant loss, or some points of a `sweep` failed; 2: could not start,
or every question or point failed.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import shlex
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from app.errors import InvalidRequestError, PgaskError
from app.logs import configure_logs
from app.trial.question_file import LanguageField, Question, load_dialogues, load_questions
from eval.compare_cli import add_compare
from eval.corpora import Corpora, Half, choose_half, make_corpora, parse_corpora
from eval.progress import open_progress
from eval.report import RunAbout, make_folder, make_json_line, make_notes, make_table, write_report
from eval.report_verdicts import make_tables
from eval.runner import AlsoAsked, Evaluation, run
from eval.sweep import OpenSystem
from eval.sweep_cli import add_sweep
from eval.templates import load_templates
from eval.wordnet import load_synonyms


def build_cli(open_system: OpenSystem) -> typer.Typer:
    """The command line for one way of opening the system under evaluation."""
    cli = typer.Typer(
        help="Measure retrieval and answers of pgask.", no_args_is_help=True, add_completion=False
    )

    @cli.command("run")
    def _run(
        *,
        corpus: Annotated[list[str], typer.Option(metavar="[NAME=]DIR", help="Folder of documents; may be given "
                  "several times with the names of the collections that questions name. One without a name is that "
                  "of most questions.")],
        questions: Annotated[Path, typer.Option(help="Question file, JSON Lines.", exists=True, dir_okay=False)],
        limit: Annotated[int | None, typer.Option(min=1, help="Ask only the first N questions.")] = None,
        half: Annotated[Half | None, typer.Option(help="Ask only the questions and dialogues with an odd or an even "
                                                       "number in their id.")] = None,
        polite: Annotated[Path | None, typer.Option(help="Templates, JSON Lines: ask what is answered right once more "
                                                         "in each.", exists=True, dir_okay=False)] = None,
        dialogues: Annotated[Path | None, typer.Option(help="Dialogues, JSON Lines: ask their turns with history.",
                                                       exists=True, dir_okay=False)] = None,
        switch: Annotated[bool, typer.Option("--switch", help="Ask each question once more after an unrelated one.")]
        = False,
        out: Annotated[Path | None, typer.Option(help="Folder for questions.jsonl, summary.json and "
                                                      "report.html.", file_okay=False)] = None,
        top_k: Annotated[int, typer.Option(min=1, max=50, help="Chunks retrieved for each question.")] = 10,
        collection: Annotated[str | None, typer.Option(help="Collection to use; else one of its own, named "
                                                            "after the corpus.")] = None,
        language_field: Annotated[LanguageField, typer.Option(help="question_en asks the English originals "
                                                                   "of translated questions.")]
        = LanguageField.QUESTION,
        json_only: Annotated[bool, typer.Option("--json", help="Print the JSON line only.")] = False,
    ) -> None:  # fmt: skip
        """Ingest each corpus into a collection, ask every question, print the figures.

        Example: rag-eval run --corpus docs/ --questions questions.jsonl --limit 100 --out out/
        """
        started_at = datetime.now(UTC)
        err = Console(stderr=True)
        try:
            if out is not None:
                make_folder(out)  # before the long part
            given = parse_corpora(corpus)
            asked = _choose(questions, limit, half, language_field)
            also = AlsoAsked(
                templates=load_templates(polite) if polite else (),
                dialogues=choose_half(load_dialogues(dialogues), half) if dialogues else (),
                switch=switch,
            )
            evaluation = asyncio.run(
                _evaluate(
                    open_system,
                    corpora=make_corpora(given, _name_collections(given, collection), asked),
                    questions=asked,
                    also=also,
                    top_k=top_k,
                    language_field=language_field,
                    err=err,
                )
            )
            _print(evaluation, err, json_only=json_only)
            if out is not None:
                about = RunAbout(", ".join(corpus), str(questions), started_at, shlex.join(sys.argv))
                write_report(evaluation, about, out)
        except PgaskError as error:
            err.print(f"rag-eval: {error}", style="red", markup=False, highlight=False, soft_wrap=True)
            raise typer.Exit(2) from error
        if evaluation.figures["failed"] == evaluation.figures["questions"]:
            raise typer.Exit(2)

    add_compare(cli)
    add_sweep(cli, open_system)
    return cli


def name_collection(corpus: Path) -> str:
    """The collection of a corpus: the same for the same folder, so that a second run re-embeds nothing.

    >>> name_collection(Path("/data/squad_dev/corpus"))
    'eval-squad-dev-corpus-3fc0ea85'
    """
    path = corpus.resolve()
    words = re.findall("[a-z0-9]+", "/".join(path.parts[-2:]).lower())
    digest = hashlib.sha256(str(path).encode()).hexdigest()[:8]
    return "-".join(["eval", *words])[:48] + f"-{digest}"


def _name_collections(given: Sequence[tuple[str | None, Path]], collection: str | None) -> list[str]:
    if collection is None:
        return [name_collection(folder) for _, folder in given]
    if len(given) > 1:
        raise InvalidRequestError(
            "--collection names one collection, and there are several --corpus: leave it out."
        )
    return [collection]


def _choose(
    questions: Path, limit: int | None, half: Half | None, language_field: LanguageField
) -> list[Question]:
    """The first `limit` questions of a half."""
    if half is None:
        return load_questions(questions, limit, language_field)
    chosen = choose_half(load_questions(questions, None, language_field), half)[:limit]
    if not chosen:
        raise InvalidRequestError(f"{questions} has no question in its {half.value} half.")
    return chosen


def main() -> None:
    """Entry point of `rag-eval`."""
    from eval.system import SystemOpener

    configure_logs("warning")
    build_cli(SystemOpener())()


async def _evaluate(
    open_system: OpenSystem,
    *,
    corpora: Corpora,
    questions: Sequence[Question],
    also: AlsoAsked,
    top_k: int,
    language_field: LanguageField,
    err: Console,
) -> Evaluation:
    with open_progress(err) as show:
        async with open_system() as system:
            return await run(
                system,
                system,
                corpora=corpora,
                questions=questions,
                synonyms=load_synonyms(),
                on_progress=show,
                top_k=top_k,
                wording=language_field.value,
                also=also,
            )


def _print(evaluation: Evaluation, err: Console, *, json_only: bool) -> None:
    if not json_only:
        Console().print(make_table(evaluation), *make_tables(evaluation), sep="\n\n")
    for note in make_notes(evaluation):
        err.print(note, markup=False, highlight=False, soft_wrap=True)
    # Not through rich: a terminal's width must not break the line that programs read.
    typer.echo(make_json_line(evaluation))
