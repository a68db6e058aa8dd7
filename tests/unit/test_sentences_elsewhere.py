"""app.sentences: text files with underlines, other languages, and text without stops."""

from __future__ import annotations

import unicodedata

import pytest

from app.generation.units import read_units
from app.sentences import LEAST_CLAUSES_CHARS, MAX_SENTENCE_CHARS, split_sentences
from app.stored_markdown import Kind
from tests.hits import hits_of


def split(text: str) -> list[str]:
    return [text[a:b] for a, b in split_sentences(text)]


UNDERLINED = "Boiler\n~~~~~~\n\nThe valve is opened when the\npressure is high. Then it is\nclosed.\n"


def test_an_underline_of_tildes_is_no_fence() -> None:
    """F-1104: in a text or log file, every line after one was a sentence of its own."""
    sentences = ["The valve is opened when the\npressure is high.", "Then it is\nclosed."]
    assert split(UNDERLINED) == ["Boiler", "~~~~~~", *sentences]
    units = read_units(hits_of(UNDERLINED))
    assert [unit.text for unit in units if unit.kind is Kind.PROSE][1:] == sentences
    assert not any(unit.kind is Kind.CODE for unit in units)


@pytest.mark.parametrize("before", ["Run:\n\n", "Then run this:\n", ""])
def test_a_fence_of_tildes_is_one(before: str) -> None:
    text = f"{before}~~~~\nls\ncd x\n~~~~\n\nThen it\nends.\n"
    assert split(text)[-5:] == ["~~~~", "ls", "cd x", "~~~~", "Then it\nends."]
    assert [unit.text for unit in read_units(hits_of(text)) if unit.kind is Kind.CODE] == ["ls\ncd x"]


@pytest.mark.parametrize(
    "sentences",
    [
        ["환불은 칠 일 안에 됩니다.", "영수증이 필요합니다.", "문의는 메일로 하세요."],
        ["يفتح المتجر يوم الأحد.", "هل يغلق مبكرا؟", "لا."],
        ["दुकान सोमवार को खुलती है।", "रविवार को बंद रहती है।"],
        ["Клапан открыт в полдень.", "Давление падает!", "Конец."],
        ["Билет стоит 500 руб. в кассе.", "Касса открыта."],  # a small letter goes on
        ["Είναι κλειστό τη Δευτέρα;", "Ναι."],
        ["Թանգարանը բացվում է ժամը ինին։", "Տոմսը արժե հազար դրամ։"],
        ["རྒྱལ་ས་ནི་ལྷ་ས་ཡིན།", "སྒོ་ཕྱེ།"],
        ["រាជធានីគឺភ្នំពេញ។", "សារមន្ទីរបើករាល់ថ្ងៃពីម៉ោង ៨ ដល់ម៉ោង ៥។", "តម្លៃសំបុត្រគឺ ១០ ដុល្លារ។"],
        ["မြို့တော်မှာ နေပြည်တော် ဖြစ်သည်။", "ပြတိုက်ကို နေ့တိုင်း ဖွင့်သည်။"],
        ["የመግቢያ ዋጋ ሃምሳ ብር ነው።", "ሙዚየሙ በየቀኑ ይከፈታል።"],
    ],
    ids=["ko", "ar", "hi", "ru", "abbreviation", "el", "hy", "bo", "km", "my", "am"],
)
def test_other_languages_end_their_sentences(sentences: list[str]) -> None:
    """F-1133: sentences without a Latin letter were not split."""
    assert split(" ".join(sentences)) == sentences


def test_what_is_said_stays_with_who_says_it() -> None:
    assert split("「本当ですか。」と彼は言った。はい。") == ["「本当ですか。」と彼は言った。", "はい。"]


def test_no_sentence_begins_with_a_mark() -> None:
    text = "ประเทศไทยมีภูมิอากาศแบบร้อนชื้นฤดูฝนเริ่มตั้งแต่เดือนพฤษภาคมถึงเดือนตุลาคม" * 40
    found = split(text)
    assert "".join(found) == text
    assert all(unicodedata.category(sentence[0])[0] != "M" for sentence in found)


def test_text_without_stops_is_cut_at_its_spaces() -> None:
    """F-1120: a page of Thai was one sentence, and the answer all of it."""
    clauses = ["ห้องสมุดเปิดทุกวันจันทร์ถึงวันศุกร์เวลาเก้าโมงเช้า", "ค่าปรับวันละห้าบาท", "หนังสือยืมได้สองสัปดาห์"] * 20
    found = split(" ".join(clauses))
    assert " ".join(found) == " ".join(clauses)
    assert all(LEAST_CLAUSES_CHARS <= len(sentence) < LEAST_CLAUSES_CHARS + 60 for sentence in found[:-1])
    assert split("The word สวัสดี means hello and is said by everybody, at any time of the day, by anyone") == [
        "The word สวัสดี means hello and is said by everybody, at any time of the day, by anyone"
    ]


@pytest.mark.parametrize("text", ["x" * 160_041, "word, " * 2_000, "没有句号的文字，" * 1_000])
def test_no_sentence_is_longer_than_anyone_reads(text: str) -> None:
    found = split(text)
    assert max(map(len, found)) <= MAX_SENTENCE_CHARS
    assert "".join("".join(found).split()) == "".join(text.split())
    assert all(sentence.endswith((",", "，")) for sentence in found) or "," not in text
