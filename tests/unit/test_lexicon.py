"""Text → terms: English and Chinese, whole and in parts, the same for all spellings of one text, in linear time."""

from __future__ import annotations

import re
import unicodedata
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.lexicon import (
    _MARKED_TOKEN,
    _MAY_HAVE_MARKS,
    _TOKEN,
    CHINESE_STOP_WORDS,
    ENGLISH_STOP_WORDS,
    LEXICON_VERSION,
    MAX_TERM_CHARS,
    is_chinese,
    terms,
)
from tests.growth import assert_linear


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("How do I choose the number of ivfflat lists?", ["choos", "number", "ivfflat", "list"]),
        ("Choosing, chose; CHOOSES", ["choos", "chose", "choos"]),
        ("dog's dogs’ dogs", ["dog", "dog", "dog"]),
        ("the and of", []),
        ("", []),
        ("… -- _ !? 😀", []),
    ],
)
def test_english_words_are_stemmed_and_stop_words_dropped(text: str, expected: list[str]) -> None:
    assert terms(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("maintenance_work_mem", ["maintenance_work_mem", "mainten", "work", "mem"]),
        ("PGASK_LLM_BASE_URL", ["pgask_llm_base_url", "pgask", "llm", "base", "url"]),
        ("GPT-4o", ["gpt4o", "gpt"]),
        ("LX-200-A", ["lx200a", "lx200", "lx", "200"]),
        ("CVE-2024-50602", ["cve202450602", "cve2024", "cve", "2024", "50602"]),
        ("1990s", ["1990s", "1990"]),
        ("v1.2.3", ["1.2.3"]),
        ("C++ C#", ["c++", "c#"]),
        ("node.js", ["node.js", "node", "js"]),
        ("camelCaseWord", ["camelcaseword", "camel", "case", "word"]),
        ("user@example.com", ["user@example.com", "user", "exampl", "com"]),
        ("__init__ _private", ["init", "privat"]),
        ("--format=custom", ["format", "custom"]),
        ("50GB", ["50gb", "50", "gb"]),
    ],
)
def test_identifiers_are_kept_whole_and_in_parts(text: str, expected: list[str]) -> None:
    assert terms(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1,000,000", ["1000000"]),
        ("1000000", ["1000000"]),
        ("3.14", ["3.14"]),
        ("100%", ["100"]),
        ("In 1889.", ["1889"]),
        ("2024-01-02", ["2024-01-02", "2024", "01", "02", "@01-02", "@2024-01-02"]),
    ],
)
def test_numbers(text: str, expected: list[str]) -> None:
    assert terms(text) == expected


def test_a_list_of_years_is_not_one_number() -> None:
    assert {"2019", "2020", "2021"} <= set(terms("2019,2020,2021"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Amazônia café naïve", ["amazonia", "cafe", "naiv"]),
        ("e\u0301tat", ["etat"]),
        ("Straße", ["strass"]),
        ("İstanbul", ["istanbul"]),
        ("ＡＢＣ　１２３", ["abc", "123"]),
        ("ﬁle", ["file"]),
        ("Привет", ["привет"]),
    ],
)
def test_accents_and_widths_are_folded(text: str, expected: list[str]) -> None:
    assert terms(text) == expected


def test_chinese_words_and_pairs() -> None:
    found = terms("如何选择分块大小？")
    assert set(found) == {"选择", "分块", "大小", "择分", "块大"}
    assert found.count("分块") == 2  # as a word and as a pair


def test_chinese_function_words_are_dropped_and_no_pair_made_across_them() -> None:
    assert set(terms("索引的列表")) == {"索引", "列表"}
    assert terms("什么是") == []
    assert set(terms("什么是拒答？")) == {"拒答"}


def test_a_name_that_no_dictionary_has_is_found_by_its_pairs() -> None:
    assert set(terms("魑魅酱")) & set(terms("关于魑魅酱的传说"))


def test_a_single_character_is_a_term() -> None:
    assert terms("猫") == ["猫"]


def test_mixed_text_gives_the_terms_of_both_languages() -> None:
    assert terms("ivfflat索引的lists参数") == ["ivfflat", "索引", "索引", "list", "参数", "参数"]
    assert set(terms("用GPT-4o回答")) >= {"gpt4o", "回答"}


def test_traditional_japanese_and_korean_are_found_by_pairs() -> None:
    assert {"检索", "资料", "料库"} <= set(terms("檢索資料庫"))
    assert {"日本", "テキ", "スト"} <= set(terms("これは日本語のテキストです。"))
    assert {"한국", "국어", "문장"} <= set(terms("한국어 문장"))


def test_rare_characters_beyond_the_basic_plane() -> None:
    assert terms("𠮷野家")[-1:] == ["野家"]
    assert "𠮷野" in terms("𠮷野家")


@given(st.text(max_size=60))
def test_all_spellings_of_one_text_have_the_same_terms(text: str) -> None:
    expected = terms(text)
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        assert terms(unicodedata.normalize(form, text)) == expected


@given(st.text(st.characters(codec=None), max_size=80))
def test_any_text_gives_short_terms_without_blanks(text: str) -> None:
    for term in terms(text):
        assert 0 < len(term) <= MAX_TERM_CHARS
        assert not any(character.isspace() for character in term)
        assert term not in ENGLISH_STOP_WORDS


@given(st.text(max_size=40), st.text(max_size=40))
def test_lines_have_their_terms_apart(first: str, second: str) -> None:
    """What is counted for a document is the sum of its windows."""
    assert terms(f"{first}\n{second}") == terms(first) + terms(second)


@pytest.mark.parametrize("character", ["\ud800", "\ue000", "\uf8ff", "\u200b"])
def test_what_is_no_letter_is_no_term(character: str) -> None:
    """Half a surrogate pair comes with broken JSON; nothing may choke on it."""
    assert terms(character) == []
    assert terms(f"分块{character}大小") == terms("分块 大小")


def test_question_and_text_meet_in_case_and_number() -> None:
    assert terms("Which INDEX builds?") == terms("the indexes build")


def test_over_long_words_are_cut() -> None:
    assert terms("x" * 1_000) == ["x" * MAX_TERM_CHARS]
    many = ",".join(f"name{n}" for n in range(10, 500))
    assert terms(many)[1:] == ["name", *(str(n) for n in range(10, 500))]  # their parts are all found


@pytest.mark.parametrize(
    "unit",
    ["a", "字", "'", "1,", "a-", "++", "_", "e\u0301"],
    ids=lambda unit: unit.encode("unicode_escape").decode(),
)
def test_text_without_a_border_takes_linear_time(unit: str) -> None:
    assert_linear(lambda size: partial(terms, unit * (size // len(unit))), 8_000)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("如何选择分块大小？", True),
        ("How do I choose lists?", False),
        ("ivfflat 的 lists 怎么选？", True),
        ("ivfflat 应该设多少个 lists？", True),
        ("PGASK_LLM_BASE_URL 怎么设置？", True),
        ("How does 分块 work?", False),
        ("pgask 是什么？有什么用？", True),
        ("北京 means Beijing, the capital", False),
        ("㐀", True),
        ("123 !?", False),
        ("", False),
    ],
)
def test_the_language_that_is_spoken_back(text: str, expected: bool) -> None:
    assert is_chinese(text) is expected


def test_stop_words_are_single_folded_words() -> None:
    assert all(word == word.casefold() for word in ENGLISH_STOP_WORDS | CHINESE_STOP_WORDS)
    assert {"the", "and"} <= ENGLISH_STOP_WORDS
    assert {"的", "什么"} <= CHINESE_STOP_WORDS


@pytest.mark.parametrize(("one", "other"), [("E107", "E-107"), ("v2.4.0", "2.4.0"), ("GW_7", "gw-7")])
def test_a_code_is_found_with_and_without_joiners(one: str, other: str) -> None:
    """F-773, F-774: the same first term, which is the whole."""
    assert terms(one)[0] == terms(other)[0]


@pytest.mark.parametrize(
    ("traditional", "simplified"),
    [("報銷期限", "报销期限"), ("門禁時間是幾點", "门禁时间是几点"), ("臺灣", "台湾")],
)
def test_traditional_and_simplified_meet(traditional: str, simplified: str) -> None:
    """F-761."""
    assert terms(traditional) == terms(simplified)


def test_contractions_of_not_are_no_terms() -> None:
    """F-731: don't was the two terms don't and don."""
    assert terms("I don't, can’t, won't; we'll") == []


# The expression that words were found by when stored terms got their version: slower, and what must not change.
_CJK = r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u3040-\u30ff\uac00-\ud7af\U00020000-\U0003FFFF"
_WORDS_OF_VERSION_5 = re.compile(
    rf"[{_CJK}]+|[^\W_](?:[^\W{_CJK}]|(?<=\w)[.\-/+#@:'’,](?=[^\W{_CJK}]))*(?:\+\+|#(?!\w))?"
)


@given(st.text(st.one_of(st.sampled_from("aZ9_.-/+#@:'’, \n中々ｱ가é²"), st.characters()), max_size=40))
def test_words_are_found_as_when_the_version_was_made(text: str) -> None:
    assert LEXICON_VERSION == 5
    assert _TOKEN.findall(text) == _WORDS_OF_VERSION_5.findall(text)
    if not _MAY_HAVE_MARKS.search(text):
        assert _MARKED_TOKEN.findall(text) == _TOKEN.findall(text)


@pytest.mark.parametrize(
    ("document", "question"),
    [
        ("ห้องสมุดเปิดทุกวันจันทร์ถึงวันศุกร์เวลาเก้าโมงเช้า", "ห้องสมุด"),
        ("ห้องสมุดเปิดทุกวันจันทร์ถึงวันศุกร์เวลาเก้าโมงเช้า", "วันศุกร์"),
        ("ร้านขายยาอยู่ชั้นหนึ่ง", "ยา"),
        ("ຫ້ອງສະໝຸດເປີດແຕ່ວັນຈັນຫາວັນສຸກເວລາແປດໂມງ", "ວັນຈັນ"),
        ("បណ្ណាល័យបើកពីថ្ងៃចន្ទដល់ថ្ងៃសុក្រម៉ោងប្រាំបី", "ថ្ងៃសុក្រ"),
        ("စာကြည့်တိုက်ဖွင့်ချိန်", "တိုက်"),
    ],
)
def test_a_word_is_found_where_no_space_sets_it_apart(document: str, question: str) -> None:
    """F-1120: words of Thai were cut at their vowel signs, and two of three not found."""
    assert set(terms(question)) <= set(terms(document))


def test_tones_and_vowels_tell_words_apart() -> None:
    assert not set(terms("ข้าว")) & set(terms("ขาว"))
    assert not set(terms("ปู่")) & set(terms("ปี"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("हिन्दी की किताब", ["हिनदी", "की", "किताब"]),
        ("مُحَمَّد", terms("محمد")),
        ("x\u0302y", ["xy"]),
        ("รุ่น LX-200", ["รุ่", "รุ่น", "lx200", "lx", "200"]),
        ("25 วัน", ["25", "วั", "วัน"]),
    ],
)
def test_marks_stay_with_their_letters(text: str, expected: list[str]) -> None:
    assert terms(text) == expected
