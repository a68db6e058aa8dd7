"""The comparison with other systems judges all of them by one rule (eval/bench/compare)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.trial.question_file import Question
from eval.bench.compare.__main__ import FOREIGN, Set, interpreters_of, load_sets, text_search, ways_of
from eval.bench.compare.open_sets import main as make_set
from eval.bench.compare.scoring import Corpus, Hit, Letters, Reply, against, figures, judge
from eval.bench.compare.sides_rivals import word_splitter
from eval.bench.compare.table import write_page

FILE = "# Pumps\n\nThe *feed pump* is oiled\nevery 500 hours.\n\nThe filter is changed in May.\n"
PASSAGE = "The *feed pump* is oiled\nevery 500 hours."
GOLD = Question(
    "q",
    "When is it oiled?",
    answers=("every 500 hours",),
    doc="pumps.md",
    context=PASSAGE,
    context_start=FILE.index(PASSAGE),
)


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    (tmp_path / "pumps.md").write_text(FILE, "utf-8")
    return Corpus(tmp_path)


def reply(
    *texts: str, score: float | None = 0.5, refused: bool | None = None, source: str = "pumps.md"
) -> Reply:
    return Reply(tuple(Hit(source, text, True) for text in texts), score, refused, 10.0)


@pytest.mark.parametrize(
    ("text", "is_hit"),
    [
        (PASSAGE, True),
        ("The feed pump is oiled every 500 hours.", True),  # markup removed, a line joined
        ("pump is oiled every 500", True),  # wholly inside the passage
        ("hours.\n\nThe filter is changed in May.", False),  # a tenth of the passage
        ("The feed pump is oiled every 600 hours.", False),  # not what the file says
        ("", False),
    ],
)
def test_a_chunk_hits_where_its_letters_cover_the_passage(corpus: Corpus, text: str, is_hit: bool) -> None:
    assert judge(reply(text), GOLD, corpus) == [is_hit]


def test_the_same_words_of_another_file_do_not_hit(corpus: Corpus) -> None:
    assert judge(reply(PASSAGE, source="other.md"), GOLD, corpus) == [False]


def test_of_two_places_the_one_near_the_passage_counts() -> None:
    text = "Same line.\n" + "x " * 50 + "Same line."
    assert Letters(text).find("Same line.", near=100) == (111, 120)
    assert Letters(text).find("Same line.", near=0) == (0, 9)


def test_a_long_chunk_is_found_by_its_ends_where_its_middle_was_written_otherwise() -> None:
    begin, end = (
        "a beginning of more than forty letters, as chunks have",
        "and an end of more than forty letters, which is the very last",
    )
    text = f"before {begin} [a link](http://x.invalid/y) {end} after"
    assert Letters(text).find(f"{begin} a link {end}") == (
        7,
        7 + len(f"{begin} [a link](http://x.invalid/y) {end}"),
    )


def test_figures_of_a_system_that_refuses_and_of_one_that_can_not(corpus: Corpus) -> None:
    near = Question("n", "When is the boiler oiled?", answerable=False)
    foreign = Question("f", "Who was Napoleon's cook?", answerable=False, kind=FOREIGN)
    questions = [GOLD, near, foreign]
    ours, our_ndcg = figures(
        {
            "q": reply("no", PASSAGE, score=0.9),
            "n": reply("no", score=0.95),
            "f": reply(score=0.1, refused=True),
        },
        questions,
        corpus,
        foreign=FOREIGN,
    )
    assert (ours["recall@1"], ours["recall@5"], ours["ndcg@10"]) == (
        0.0,
        1.0,
        pytest.approx(0.6309, abs=1e-4),
    )
    assert (ours["auroc_foreign"], ours["auroc_near_miss"]) == (1.0, 0.0)
    assert (ours["refused_foreign"], ours["refused_near_miss"]) == (1.0, None)
    theirs, their_ndcg = figures(
        {"q": reply(PASSAGE), "n": reply(), "f": reply(score=None)}, questions, corpus, foreign=FOREIGN
    )
    assert theirs["refused_with_answer"] is None
    assert theirs["auroc_foreign"] == 1.0  # without a hit there is no answer
    difference = against(our_ndcg, their_ndcg)
    assert difference.difference == pytest.approx(-0.369, abs=1e-3)


def test_a_set_in_squad_s_form_is_asked_with_questions_of_the_others(tmp_path: Path) -> None:
    for name, title, text in (("one", "Pumps", "Pumps are oiled."), ("two", "泵", "泵每月加油。")):
        told = {
            "data": [
                {
                    "title": title,
                    "paragraphs": [
                        {
                            "context": text,
                            "qas": [
                                {"id": f"{name}-1", "question": "When?", "answers": [{"text": text[:3]}]},
                                {"id": f"{name}-2", "question": "Who?", "answers": [], "is_impossible": True},
                            ],
                        }
                    ],
                }
            ]
        }
        file = tmp_path / f"{name}.json"
        file.write_text(json.dumps(told), "utf-8")
        make_set(file, tmp_path / name)
    one, two = load_sets(tmp_path, "one:english,two:english", 10)
    assert [(q.id, q.answerable, q.kind) for q in sorted(one.questions, key=lambda q: q.id)] == [
        ("one-1", True, None),
        ("one-2", False, None),
        ("two/two-1", False, FOREIGN),
    ]
    read = Corpus(two.corpus)
    gold = next(q for q in two.questions if q.id == "two-1")
    assert judge(reply("泵每月加油。", source=gold.doc or ""), gold, read) == [True]
    assert text_search(one) == "english"


def test_a_system_is_asked_where_its_interpreter_was_named() -> None:
    rivals, haiku = Path("rivals/python"), Path("haiku/python")
    assert list(interpreters_of(None, None)) == ["pgask", "pgask-256"]
    assert "haiku_rag" not in interpreters_of(rivals, None)
    both = interpreters_of(rivals, haiku)
    assert (both["langchain"], both["haiku_rag"]) == (rivals, haiku)


def test_chinese_words_are_told_apart_for_pg_textsearch_and_asked_without_that_too() -> None:
    chinese = Set("zh", "multilingual", Path(), (Question("q", "泵何时加油？"),))
    english = Set("en", "english", Path(), (GOLD,))
    assert ways_of("pg_textsearch", chinese) == (*ways_of("pg_textsearch", english), "unsplit")
    assert "unsplit" not in ways_of("langchain", chinese)
    assert word_splitter({"text_search": text_search(english)})("When is it oiled?") == "When is it oiled?"


def test_the_page_shows_losses_as_plainly_as_wins(corpus: Corpus, tmp_path: Path) -> None:
    found, _ = figures({"q": reply(PASSAGE)}, [GOLD], corpus, foreign=FOREIGN)
    lost = {"difference": -0.125, "low": -0.25, "high": -0.0625, "p": 0.0004}
    systems = {
        "pgask-256": {**found, "ready_s": 4.0},
        "other": {**found, "ready_s": 3.0, "ours_minus_this": lost},
    }
    page = {
        "commit": "abc",
        "cpu": "x",
        "python": "3.11",
        "limit": 1,
        "sets": {"one": {"model": "english", "systems": systems}},
    }
    write_page(page, tmp_path / "results.md")
    assert "-0.125 (-0.250 to -0.062), p < .001" in (tmp_path / "results.md").read_text("utf-8")
