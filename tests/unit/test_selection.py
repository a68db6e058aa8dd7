"""Which ranked candidates become hits: the best, no text twice, no more of a document than it may give."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import NOT_SEARCHED, RetrievalScores
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


def sent(*senders: str | None, bm25: float = 5.0, standard: float = 0.0) -> list[RankedChunk]:
    """Candidates 1, 2, … by these senders, each a document of its own, all alike."""
    scores = RetrievalScores(0.5, bm25, None)
    return [
        RankedChunk(place, f"d{place}", 0.5, scores, standard, sender=sender)
        for place, sender in enumerate(senders, 1)
    ]


@pytest.mark.parametrize("other", [None, "bob"])
def test_no_one_sender_has_all_places(other: str | None) -> None:
    candidates = sent("ann", "ann", "ann", "ann", other, None)
    chosen, dropped = select(candidates, 3, 0, {}, highest_bm25=10)
    assert chosen == [1, 2, 5]
    assert dropped == {3: Dropped("sender_cap"), 4: Dropped("top_k"), 6: Dropped("top_k")}


def test_a_third_of_the_places_is_for_others_as_far_as_there_are_any() -> None:
    anns = ["ann"] * 6
    for others, top_k, hits in (
        (["bob", "eve", None], 6, [1, 2, 3, 4, 7, 8]),
        (["bob"], 6, [1, 2, 3, 4, 5, 7]),
        (["bob", "eve"], 5, [1, 2, 3, 4, 7]),
        (["bob", "eve"], 2, [1, 7]),
    ):
        chosen, dropped = select(sent(*anns, *others), top_k, 0, {}, highest_bm25=10)
        assert chosen == hits
        assert len(chosen) + len(dropped) == len(anns + others)
    assert select(sent("ann", "bob", *anns, "eve"), 6, 0, {}, highest_bm25=10)[0] == [1, 2, 3, 4, 5, 9]


def test_of_two_places_one_goes_by_words() -> None:
    """What is planted for a question takes weight from its words, and so moves others in front of what has them."""
    words = [3.0, 2.0, 9.0, 9.0]
    others = [
        replace(one, scores=replace(one.scores, lexical=n))
        for one, n in zip(sent(*"bcde"), words, strict=True)
    ]
    candidates = [*sent(*["ann"] * 6), *(replace(one, chunk_id=one.chunk_id + 6) for one in others)]
    assert select(candidates, 6, 0, {}, highest_bm25=10)[0] == [1, 2, 3, 4, 7, 9]
    assert select(candidates, 5, 0, {}, highest_bm25=10)[0] == [1, 2, 3, 4, 7]


def test_nobody_gives_more_of_a_document_than_it_may_in_the_place_of_another() -> None:
    others = [replace(one, document_id="b") for one in sent("bob", "bob", "eve")]
    candidates = [
        replace(one, chunk_id=place, document_id="c" if one.sender == "eve" else one.document_id)
        for place, one in enumerate([*sent(*["ann"] * 6), *others], 1)
    ]
    assert select(candidates, 6, 1, {}, highest_bm25=10)[0] == [1, 2, 3, 4, 7, 9]


@pytest.mark.parametrize(
    ("senders", "top_k"),
    [
        (("ann", "ann", "ann"), 2),  # nobody else is there
        (("ann", "ann", None), 1),  # the one place is the best one's
        (("ann", None, "ann", "bob"), 3),
        ((None, "bob", "ann", "ann", "ann", "ann", "eve"), 6),
        ((None, None, "ann"), 2),  # what the operator took in is vouched for
        (("ann", "ann", None), 3),
    ],
)
def test_else_the_best_are_hits_whoever_sent_them(senders: tuple[str | None, ...], top_k: int) -> None:
    chosen, dropped = select(sent(*senders), top_k, 0, {}, highest_bm25=10)
    assert chosen == list(range(1, top_k + 1))
    assert set(dropped.values()) <= {Dropped("top_k")}


def test_what_is_left_out_takes_no_place_of_a_sender_s() -> None:
    left_out = {4: Dropped("deleted"), 5: Dropped("near_identical", of=1)}
    chosen, _ = select(sent("ann", "ann", "ann", None, "bob", "eve"), 2, 1, left_out, highest_bm25=10)
    assert chosen == [1, 6]


@pytest.mark.parametrize(
    ("bm25", "standard", "is_heard"),
    [(1.4, 3.9, False), (1.5, 0.0, True), (0.0, 4.0, True), (0.0, -3.0, False)],
)
def test_another_is_heard_that_bears_on_the_question_however_high_the_others_score(
    bm25: float, standard: float, is_heard: bool
) -> None:
    """Each chunk by itself: who plants can raise all scores but that."""
    candidates = [replace(one, score=1.0) for one in sent("ann", "ann")]
    (other,) = sent(None, bm25=bm25, standard=standard)
    candidates.append(replace(other, chunk_id=3, score=0.1))
    chosen, _ = select(candidates, 2, 0, {}, highest_bm25=10)
    assert chosen == ([1, 3] if is_heard else [1, 2])


def test_without_terms_the_cosine_alone_tells() -> None:
    near, far = sent("ann", "ann", None, standard=5.0), sent("ann", "ann", None, bm25=0.0)
    assert (select(near, 2, 0, {})[0], select(far, 2, 0, {})[0]) == ([1, 3], [1, 2])


def test_an_upload_does_not_fold_what_another_says_nearly_alike() -> None:
    """The number may be what was changed."""
    text = text_of(1)
    other = change(text, 0.02)
    by_ann, by_bob, operators = (
        RankedChunk(1, "a", 0.5, NOT_SEARCHED, sender=name) for name in ("ann", "bob", None)
    )
    mine, theirs = (
        replace(by_ann, chunk_id=2, document_id="b"),
        replace(operators, chunk_id=2, document_id="b"),
    )
    for better, worse, folds in (
        (by_ann, theirs, False),
        (by_bob, mine, False),
        (by_ann, mine, True),
        (operators, mine, True),
    ):
        found = find_near_identical([(better, text), (worse, other)])
        assert found == ({2: Dropped("near_identical", of=1)} if folds else {})
        assert find_near_identical([(better, text), (worse, text)]) == {2: Dropped("near_identical", of=1)}
