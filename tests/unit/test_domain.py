"""Where an offset of a chunk stands."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from app.domain import NOT_SEARCHED, Place, ScoredChunk

CHUNK = ScoredChunk(
    chunk_id="c1",
    document_id="d1",
    collection="default",
    source="a.md",
    title="A",
    page=3,
    heading="A",
    char_start=100,
    char_end=200,
    text="x" * 100,
    score=0.5,
    scores=NOT_SEARCHED,
    rank=1,
    places=(Place(100, 3, "A"), Place(150, 3, "A › B"), Place(180, 4, "A › B")),
)


@pytest.mark.parametrize(
    ("at", "page", "heading"),
    [
        (100, 3, "A"),
        (149, 3, "A"),
        (150, 3, "A › B"),
        (179, 3, "A › B"),
        (180, 4, "A › B"),
        (199, 4, "A › B"),
    ],
)
def test_the_last_place_at_or_before_an_offset_counts(at: int, page: int, heading: str) -> None:
    place = CHUNK.place_at(at)
    assert (place.page, place.heading) == (page, heading)


def test_before_the_first_place_the_chunk_s_own_page_and_heading_stand_in() -> None:
    assert CHUNK.place_at(50) == Place(100, 3, "A")


def test_values_can_not_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        CHUNK.rank = 2  # type: ignore[misc]
