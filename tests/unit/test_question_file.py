from __future__ import annotations

from pathlib import Path

import pytest

from app.errors import InvalidRequestError
from app.trial.question_file import Question, load_dialogues, load_questions, locate_context


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "q.jsonl"
    path.write_text(text, encoding="utf-8")
    return path


def test_every_key_of_a_line_is_read(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        '{"id": "a", "question": "谁？", "question_en": "Who?", "answers": ["陆羽"], "doc": "tea.md",'
        ' "context": "陆羽写了", "context_start": 4, "context_end": 8, "answer_start": 4}',
    )
    assert load_questions(path) == [
        Question("a", "谁？", ("陆羽",), "tea.md", ("tea.md",), "陆羽写了", 4, 8, True, "Who?")
    ]


def test_tolerates_what_people_write(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        '\ufeff{"question": "one", "answers": "1", "doc": null}\n\n'
        '{"id": 7, "question": "two", "doc": "a.md", "docs": ["b.md"], "context": "xy", "context_start": 3}\n',
    )
    one, two = load_questions(path)
    assert (one.id, one.answers, one.docs) == ("1", ("1",), ())
    assert (two.id, two.docs, two.context_end) == ("7", ("a.md", "b.md"), 5)


@pytest.mark.parametrize(
    ("line", "answerable"),
    [
        ('{"question": "q", "answers": [], "docs": ["zh/a.md", "en/a.md"]}', True),
        ('{"question": "q", "answers": [], "answerable": false}', False),
        ('{"question": "q", "unanswerable": true, "context": "near miss", "context_start": 0}', False),
        ('{"question": "q", "answers": ["x"], "unanswerable": false}', True),
    ],
)
def test_only_the_set_itself_says_that_a_question_is_unanswerable(
    tmp_path: Path, line: str, answerable: bool
) -> None:
    assert load_questions(write(tmp_path, line))[0].answerable is answerable


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"question": "q"', "delimiter"),
        ('["q"]', "JSON object"),
        ('{"id": "a"}', '"question" is missing'),
        ('{"question": "q", "answers": [1]}', '"answers" must be a list of strings'),
        ('{"question": "q", "answers": ["x"], "answerable": false}', "can't have answers"),
        ('{"question": "q", "answerable": false, "unanswerable": false}', "contradict"),
        ('{"question": "q", "answerable": "no"}', "true or false"),
        ('{"question": "q", "context_start": -1}', "whole number from 0"),
        ('{"question": "q", "context_start": 5, "context_end": 5}', "greater"),
        ('{"question": "q", "context_start": 5}', '"context_end" or "context"'),
        ('{"id": "first", "question": "q"}', "already on line 1"),
    ],
)
def test_errors_name_the_line_and_the_reason(tmp_path: Path, line: str, reason: str) -> None:
    path = write(tmp_path, '{"id": "first", "question": "fine"}\n\n' + line)
    with pytest.raises(InvalidRequestError) as caught:
        load_questions(path)
    assert "line 3" in str(caught.value)
    assert reason in str(caught.value)
    assert caught.value.code == "invalid_question_file"


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xff\xfe{}"])
def test_a_file_without_readable_questions_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "q.jsonl"
    path.write_bytes(content)
    with pytest.raises(InvalidRequestError):
        load_questions(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequestError, match="can't be read"):
        load_questions(tmp_path / "none.jsonl")


def test_limit_stops_reading(tmp_path: Path) -> None:
    path = write(tmp_path, '{"question": "a"}\n{"question": "b"}\nnot JSON\n')
    assert [q.question for q in load_questions(path, limit=2)] == ["a", "b"]


class TestLocateContext:
    def test_offsets_of_the_file_hold_where_the_stored_text_is_the_file(self) -> None:
        assert locate_context("同样的话。同样的话。", "同样的话。", near=5) == (5, 10)

    def test_nearest_verbatim_occurrence_when_the_text_moved(self) -> None:
        text = "gold ... gold ......... gold"
        assert locate_context(text, "gold", near=11) == (9, 13)

    def test_whitespace_may_differ(self) -> None:
        text = "intro\n\nThe  gold\npassage is here. End"
        found = locate_context(text, "The gold passage\nis here.", near=0)
        assert found is not None
        assert text[slice(*found)] == "The  gold\npassage is here."

    def test_whitespace_may_be_gone_between_han_characters(self) -> None:
        text = "前言。茶的原产地是中国。"
        found = locate_context(text, "茶的 原产地\n是中国。", near=0)
        assert found is not None
        assert text[slice(*found)] == "茶的原产地是中国。"

    def test_a_passage_that_is_not_there(self) -> None:
        assert locate_context("some text", "other text", near=0) is None
        assert locate_context("some text", " \n", near=0) is None


class TestPatterns:
    def test_every_key_of_a_judged_question_is_read(self, tmp_path: Path) -> None:
        path = write(
            tmp_path,
            '{"id": "a", "kind": "table-lookup", "lang": "en", "collection": "firm", "question": "How much?",'
            ' "expected": "130 EUR", "gold_regex": "130 EUR && Berlin", "must_not_regex": "^110",'
            ' "about_collection": null, "answerable": true}\n'
            '{"id": "b", "question": "你好", "gold_regex": null, "about_collection": true, "answerable": true}\n',
        )
        one, two = load_questions(path)
        assert [pattern.pattern for pattern in one.gold_patterns] == ["130 EUR", "Berlin"]
        assert one.must_not is not None
        assert (one.must_not.pattern, one.kind, one.lang, one.collection) == (
            "^110",
            "table-lookup",
            "en",
            "firm",
        )
        assert (one.expected, one.has_gold, one.about_collection) == ("130 EUR", True, False)
        assert (two.has_gold, two.about_collection, two.language, one.language) == (False, True, "zh", "en")

    @pytest.mark.parametrize(
        ("line", "reason"),
        [
            ('{"question": "q", "gold_regex": "(unclosed"}', '"gold_regex" is no regular expression'),
            ('{"question": "q", "gold_regex": "fine && [z-a]"}', '"gold_regex" is no regular expression'),
            ('{"question": "q", "gold_regex": ""}', "empty pattern"),
            ('{"question": "q", "must_not_regex": "*"}', '"must_not_regex" is no regular expression'),
            ('{"question": "q", "must_not_regex": 5}', '"must_not_regex" must be a string'),
            ('{"question": "q", "gold_regex": "x{99999999999}"}', "no regular expression"),
            ('{"question": "q", "gold_regex": "' + "x" * 2001 + '"}', "longer than 2000"),
            ('{"question": "q", "gold_regex": "x", "answerable": false}', "can't have answers"),
            ('{"question": "q", "about_collection": "yes"}', "true or false"),
            ('{"question": "q", "kind": 1}', '"kind" must be a string'),
        ],
    )
    def test_errors_name_the_file_and_the_line(self, tmp_path: Path, line: str, reason: str) -> None:
        path = write(tmp_path, '{"question": "fine"}\n' + line)
        with pytest.raises(InvalidRequestError) as caught:
            load_questions(path)
        assert f"{path}, line 2" in str(caught.value)
        assert reason in str(caught.value)


class TestDialogues:
    def test_turns_take_what_their_dialogue_says(self, tmp_path: Path) -> None:
        path = write(
            tmp_path,
            '{"id": "d", "kind": "why", "lang": "zh", "collection": "firm", "thread": "a/b#1", "turns": ['
            '{"question": "何时？", "gold_regex": "5月", "answerable": true},'
            ' {"question": "Why?", "gold_regex": null, "answerable": false, "must_not_regex": "5"}]}',
        )
        (dialogue,) = load_dialogues(path)
        assert (dialogue.id, dialogue.collection) == ("d", "firm")
        assert [(turn.id, turn.kind, turn.lang) for turn in dialogue.turns] == [
            ("d/0", "why", "zh"),
            ("d/1", "why", "zh"),
        ]
        assert dialogue.turns[1].answerable is False

    @pytest.mark.parametrize(
        ("line", "reason"),
        [
            ('{"id": "d"}', '"turns"'),
            ('{"id": "d", "turns": []}', '"turns"'),
            ('{"id": "d", "turns": ["q"]}', '"turns"'),
            ("[]", "JSON object"),
            ('{"id": "d", "turns": [{"question": "q", "gold_regex": "("}]}', "no regular expression"),
        ],
    )
    def test_errors_name_the_line_and_the_reason(self, tmp_path: Path, line: str, reason: str) -> None:
        with pytest.raises(InvalidRequestError, match="line 1") as caught:
            load_dialogues(write(tmp_path, line))
        assert reason in str(caught.value)
