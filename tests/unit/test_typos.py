"""Which words may be mended, what is near them, and which spelling is the likelier one."""

from __future__ import annotations

import random

import pytest

from app.lexicon import terms
from app.question.typos import (
    Spelling,
    Word,
    find_prefixes,
    find_variants,
    find_words,
    is_spelt_right,
    most_edits,
    rank_spelling,
    weigh_edits,
    write_like,
)


def distance(a: str, b: str) -> int:
    """Optimal string alignment by its definition: an oracle without weights."""
    table = [[max(i, j) if 0 in (i, j) else 0 for j in range(len(b) + 1)] for i in range(len(a) + 1)]
    for i in range(1, len(a) + 1):
        for j in range(1, len(b) + 1):
            table[i][j] = min(
                table[i - 1][j] + 1, table[i][j - 1] + 1, table[i - 1][j - 1] + (a[i - 1] != b[j - 1])
            )
            if i > 1 and j > 1 and a[i - 1] == b[j - 2] and a[i - 2] == b[j - 1]:
                table[i][j] = min(table[i][j], table[i - 2][j - 2] + 1)
    return table[-1][-1]


def test_edits_are_the_optimal_string_alignment() -> None:
    rng = random.Random(7)
    for _ in range(2_000):
        a, b = ("".join(rng.choices("abce", k=rng.randint(1, 7))) for _ in range(2))
        if distance(a, b) <= 4:  # beyond it unlikeliness may be carried over
            assert weigh_edits(a, b)[0] == distance(a, b), (a, b)
        near = weigh_edits(a, b, most=2)[0]
        assert near == distance(a, b) if distance(a, b) <= 2 else near > 2, (a, b)


def test_variants_are_all_words_at_one_edit_with_the_first_letter_kept() -> None:
    variants = find_variants("Retrun")
    assert {"return", "retru", "retruns", "rerrun", "ertrun"} <= variants
    assert all(distance("retrun", variant) == 1 for variant in variants)
    assert all(variant[0] == "r" or variant == "ertrun" for variant in variants)
    assert len(variants) < 60 * len("retrun")


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("How many days of anual leev do I get?", ["many", "days", "anual", "leev"]),
        ("E-107 v2.4.0 GW7 LX-200-A covid19", []),
        ("maintenance_work_mem a.user@example.com https://example.com/peroid setup.yaml maxRetries", []),
        ("What does OIDC mean?", ["What", "does", "mean"]),
        ("如何重制网关passwrod？", ["passwrod"]),
        ("the long-trem plan's gaol", ["long", "trem", "plan", "gaol"]),
        ("PASSWROD RULES", ["PASSWROD", "RULES"]),
    ],
)
def test_words_that_may_be_mended(question: str, words: list[str]) -> None:
    """F-771: nothing with a digit, no identifier, no address, no acronym, nothing of less than four letters."""
    found = find_words(question)
    assert [word.text for word in found] == words
    assert all(question[word.start : word.end] == word.text for word in found)


def test_a_capital_inside_a_sentence_makes_a_name() -> None:
    found = {word.text: word.is_name for word in find_words("Notice of Nordwnd? Peroid then")}
    assert found == {"Notice": False, "Nordwnd": True, "Peroid": False, "then": False}


@pytest.mark.parametrize(
    "word",
    [
        "weather",
        "France",
        "bread",
        "salaries",
        "grandchild",
        "cancelled",
        "reimbursement",
        "organise",
        "colour",
    ],
)
def test_frequent_words_are_spelt_right(word: str) -> None:
    """F-771: a real word that the collection lacks is not twisted into another one."""
    assert is_spelt_right(word)


@pytest.mark.parametrize(
    "word",
    ["passwrod", "lenght", "anual", "leev", "peroid", "retrun", "recieve", "adress", "webhok", "goverment"],
)
def test_misspelt_words_are_not(word: str) -> None:
    assert not is_spelt_right(word)


def rank(
    typed: str, right: str, chunks: int = 1, *, name: bool = False, written_as_name: bool = False
) -> tuple[int, int, int, str] | None:
    spelling = Spelling(right, terms(right)[0], chunks, written_as_name)
    return rank_spelling(Word(typed, 0, len(typed), name), spelling, terms(typed)[0])


@pytest.mark.parametrize(
    ("typed", "right"),
    [
        ("anual", "annual"),
        ("leev", "leave"),
        ("passwrod", "password"),
        ("lenght", "length"),
        ("calibraton", "calibration"),
        ("acomodation", "accommodation"),
        ("reimbersment", "reimbursement"),
    ],
)
def test_slips_of_the_finger_and_the_ear(typed: str, right: str) -> None:
    """F-771."""
    assert rank(typed, right) is not None


@pytest.mark.parametrize(
    ("typed", "right"),
    [
        ("cost", "post"),  # another first letter
        ("wexther", "leather"),
        ("lenghth", "long"),  # too far
        ("sociability", "social"),  # an ending is no slip
        ("tram", "ram"),  # three letters
        ("blint", "blast"),  # two edits in a short word
        ("plent", "plelt"),  # an unlikely letter in a short word
    ],
)
def test_what_is_no_slip(typed: str, right: str) -> None:
    """F-771."""
    assert rank(typed, right) is None


def test_a_name_is_mended_to_a_name_alone() -> None:
    assert rank("Nordwnd", "Nordwind", name=True, written_as_name=True) is not None
    assert rank("Brede", "breed", name=True) is None
    assert rank("Brede", "breed") is not None


def test_order_of_spellings() -> None:
    """Fewer edits, then likelier ones, then more chunks."""
    for better, worse in (
        (rank("managemnt", "management"), rank("managemnt", "managements")),
        (rank("fromat", "format"), rank("fromat", "fromats")),
        (rank("leavr", "leaver", 9), rank("leavr", "leaver", 3)),
        (rank("leavr", "leaver", 3), rank("leavr", "leavre", 2)),
    ):
        assert better is not None
        assert worse is not None
        assert better < worse


def test_two_edits_from_eight_letters_on() -> None:
    assert [most_edits("x" * length) for length in (3, 4, 7, 8)] == [0, 1, 1, 2]


@pytest.mark.parametrize(
    ("typed", "beginning"), [("acomodation", "acco"), ("reimbersment", "reim"), ("maintainance", "main")]
)
def test_prefixes_of_words_at_two_edits(typed: str, beginning: str) -> None:
    prefixes = find_prefixes(typed)
    assert beginning in prefixes
    assert len(prefixes) < 50
    assert all(len(prefix) == 4 for prefix in prefixes)


@pytest.mark.parametrize(
    ("typed", "right", "written"),
    [
        ("peroid", "period", "period"),
        ("Peroid", "period", "Period"),
        ("PEROID", "period", "PERIOD"),
        ("nordwnd", "Nordwind", "Nordwind"),
    ],
)
def test_written_like_what_was_typed(typed: str, right: str, written: str) -> None:
    assert write_like(typed, right) == written
