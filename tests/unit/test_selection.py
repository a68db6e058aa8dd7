"""Which ranked candidates become hits: the best, no text twice, no more of a document than it may give."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import NOT_SEARCHED
from app.retrieval.selection import Dropped, find_near_identical, select
from app.search.ranking import RankedChunk

WORDS = [f"word{number}" for number in range(400)]


def ranked(*documents: str) -> list[RankedChunk]:
    """Candidates 1, 2, … of these documents, all with one score."""
    return [RankedChunk(place, document, 0.5, NOT_SEARCHED) for place, document in enumerate(documents, 1)]


def is_near_identical(a: str, b: str) -> bool:
    """Whether the second of two documents is left out for its text."""
    return 2 in find_near_identical(zip(ranked("a", "b"), [a, b], strict=True))


def text_of(seed: int, count: int = 200) -> str:
    return " ".join(random.Random(seed).choices(WORDS, k=count)) + "."


def change(text: str, share: float, seed: int = 1) -> str:
    """`text` with a stretch of this share of its words replaced by others."""
    words = text.split(" ")
    count = round(share * len(words))
    at = random.Random(seed).randrange(len(words) - count + 1)
    return " ".join([*words[:at], *(f"other{n}" for n in range(count)), *words[at + count :]])


def test_the_best_become_hits_and_the_rest_is_beyond_top_k() -> None:
    chosen, dropped = select(ranked("a", "a", "b"), 2, 0, {})
    assert chosen == [1, 2]
    assert dropped == {3: Dropped("top_k")}


def test_a_document_gives_no_more_than_it_may_and_others_move_up() -> None:
    chosen, dropped = select(ranked("a", "a", "b", "a", "c"), 3, 1, {})
    assert chosen == [1, 3, 5]
    assert dropped == {2: Dropped("document_cap"), 4: Dropped("document_cap")}


def test_what_is_left_out_takes_no_place_and_none_of_its_document_s() -> None:
    left_out = {1: Dropped("near_identical", of=9)}
    chosen, dropped = select(ranked("a", "a", "b"), 2, 1, left_out)
    assert chosen == [2, 3]
    assert dropped == left_out


@given(st.lists(st.sampled_from("abcd"), max_size=30), st.integers(1, 12), st.integers(0, 4))
def test_every_candidate_is_a_hit_or_says_why_not(documents: list[str], top_k: int, cap: int) -> None:
    candidates = ranked(*documents)
    chosen, dropped = select(candidates, top_k, cap, {})
    assert sorted([*chosen, *dropped]) == [one.chunk_id for one in candidates]
    assert chosen == sorted(chosen)
    assert len(chosen) <= top_k
    given_by = Counter(documents[chunk_id - 1] for chunk_id in chosen)
    assert not cap or all(count <= cap for count in given_by.values())
    if any(drop.reason == "top_k" for drop in dropped.values()):
        assert len(chosen) == top_k


def test_the_lower_of_two_same_texts_is_left_out_and_named() -> None:
    text, other = text_of(1), text_of(2)
    found = find_near_identical(list(zip(ranked("a", "b", "c"), [text, other, text], strict=True)))
    assert found == {3: Dropped("near_identical", of=1)}


def test_of_three_the_best_alone_stays() -> None:
    text = text_of(1)
    found = find_near_identical(
        list(zip(ranked("a", "b", "c"), [text, change(text, 0.02), text], strict=True))
    )
    assert found == {2: Dropped("near_identical", of=1), 3: Dropped("near_identical", of=1)}


def test_chunks_of_one_document_and_of_distant_scores_are_not_compared() -> None:
    text = text_of(1)
    assert find_near_identical(list(zip(ranked("a", "a"), [text, text], strict=True))) == {}
    distant = [RankedChunk(1, "a", 0.9, NOT_SEARCHED), RankedChunk(2, "b", 0.5, NOT_SEARCHED)]
    assert find_near_identical(list(zip(distant, [text, text], strict=True))) == {}


@pytest.mark.parametrize("seed", range(20))
def test_little_changes_are_nearly_identical_and_large_ones_are_not(seed: int) -> None:
    text = text_of(seed)
    assert is_near_identical(text, change(text, 0.05, seed))
    assert is_near_identical(change(text, 0.05, seed), text)
    assert not is_near_identical(text, change(text, 0.3, seed))
    assert not is_near_identical(text, text_of(seed + 100))


def test_chinese_is_compared_by_character() -> None:
    text = "".join(random.Random(3).choices("索引列表召回查询文档分块窗口词语语料回答来源页码", k=300))
    assert is_near_identical(text, text[:150] + "新" + text[151:])
    assert not is_near_identical(text, text[150:] + "".join(reversed(text[:150])))


def test_short_texts() -> None:
    assert is_near_identical("One line.", "One  line")
    assert not is_near_identical("One line.", "Two lines.")
    assert is_near_identical("", "")
    assert not is_near_identical("", "a")
