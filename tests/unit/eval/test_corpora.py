from __future__ import annotations

from pathlib import Path

import pytest

from app.errors import InvalidRequestError
from app.trial.question_file import Question
from eval.corpora import Half, choose_half, find_half, make_corpora, parse_corpora


def on(*collections: str | None) -> list[Question]:
    return [Question(f"q{at}", "q", collection=name) for at, name in enumerate(collections)]


def route(given: list[str | None], questions: list[Question]) -> list[str | None]:
    """For each question the folder of the corpus that it asks."""
    folders = [(name, Path(f"dir{at}")) for at, name in enumerate(given)]
    corpora = make_corpora(folders, [f"c{at}" for at in range(len(given))], questions)
    found = [corpora.find(question) for question in questions]
    assert [q for q, corpus in zip(questions, found, strict=True) if corpus] == corpora.keep(questions)
    return [str(corpus.folder) if corpus else None for corpus in found]


@pytest.mark.parametrize(
    ("given", "collections", "asked"),
    [
        ([None], [None, None], ["dir0", "dir0"]),  # a plain set
        (["a"], [None], ["dir0"]),
        (
            [None],
            ["x", "firm", "firm", None],
            [None, "dir0", "dir0", "dir0"],
        ),  # DIR is what most questions name
        ([None, "firm"], ["x", "firm", "firm"], ["dir0", "dir1", "dir1"]),  # … of what was not given by name
        (["a", "b"], ["b", "a", "c", None], ["dir1", "dir0", None, None]),
        ([None, "b"], [None, "b"], ["dir0", "dir1"]),
        ([None], ["y", "x"], ["dir0", None]),  # the first of equals
    ],
)
def test_which_corpus_a_question_asks(
    given: list[str | None], collections: list[str | None], asked: list[str | None]
) -> None:
    assert route(given, on(*collections)) == asked


def test_placing_what_was_not_kept_is_an_error() -> None:
    questions = on("a", "b")
    corpora = make_corpora([("a", Path())], ["c"], questions)
    with pytest.raises(LookupError, match="q1"):
        corpora.place(questions[1])


def test_names_and_folders(tmp_path: Path) -> None:
    (tmp_path / "a=b").mkdir()
    plain, named = tmp_path / "a=b", f"三-1={tmp_path}"
    assert parse_corpora([str(plain), named]) == [(None, plain), ("三-1", tmp_path)]


@pytest.mark.parametrize(
    ("texts", "reason"),
    [
        (["{0}", "{0}"], "Two corpora have no name"),
        (["a={0}", "a={0}"], "Two corpora are named a"),
        (["{0}/none"], "There is no folder"),
        (["a={0}/none"], "There is no folder"),
        ([], "No corpus"),
    ],
)
def test_corpora_that_can_not_be(tmp_path: Path, texts: list[str], reason: str) -> None:
    with pytest.raises(InvalidRequestError, match=reason):
        parse_corpora([text.format(tmp_path) for text in texts])


def test_halves_are_all_of_the_set() -> None:
    questions = [Question(name, "q") for name in ("firm-001", "firm-002", "pronoun", "why", "DEV_3_QUERY_10")]
    odd, even = choose_half(questions, Half.ODD), choose_half(questions, Half.EVEN)
    assert sorted([*odd, *even], key=questions.index) == questions == choose_half(questions, None)
    assert odd[0].id == "firm-001"
    assert find_half("DEV_3_QUERY_10") is Half.EVEN
