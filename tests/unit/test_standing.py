"""Which of several documents is in force."""

from __future__ import annotations

import pytest

from app.generation.standing import order_standings, read_standing


@pytest.mark.parametrize(
    ("title", "source", "head"),
    [
        ("Travel rules", "travel.md", '> This document is superseded by "Travel" of 2026.'),
        ("差旅制度（已废止）", "a.md", "旧的内容"),
        ("差旅制度", "a.md", "本制度已于2026年3月1日废止，仅供查阅。"),
        ("DRAFT: Canteen rules", "draft-canteen.md", "Not approved."),
        ("用車規定", "車.md", "本規定尚未批准"),
        ("Old prices", "obsolete/prices (superseded).csv", ""),
    ],
)
def test_documents_that_say_that_they_are_not_in_force(title: str, source: str, head: str) -> None:
    """F-751."""
    assert not read_standing(title, source, head).is_in_force


@pytest.mark.parametrize(
    ("title", "head"),
    [
        ("Travel and expenses", "Valid from 1 February 2026. It replaces the travel rules of 2024."),
        ("差旅与报销制度", "自2026年3月1日起施行，2023年版同时废止。"),
        ("Deprecation of drafts in our editor", "How drafts are kept."),
    ],
)
def test_documents_that_replace_others_are_in_force(title: str, head: str) -> None:
    assert read_standing(title, "rules.md", head).is_superseded is False


def test_of_one_name_the_latest_is_in_force_unless_another_year_is_asked_for() -> None:
    standings = {
        year: read_standing(f"Prices {year}", f"lists/prices-{year}.csv", "")
        for year in ("2024", "2025", "2026")
    }
    assert order_standings(standings) == {"2024": 1, "2025": 1, "2026": 0}
    assert order_standings(standings, ["2025"]) == {"2024": 1, "2025": 0, "2026": 1}


def test_versions_are_a_family_and_product_numbers_are_not() -> None:
    releases = {v: read_standing(f"Desk {v}", f"releases/{v}.md", "") for v in ("2.3.0", "2.10.0")}
    assert order_standings(releases) == {"2.3.0": 1, "2.10.0": 0}
    manuals = {n: read_standing(f"LX-{n} manual", f"lx-{n}-manual.md", "") for n in ("200", "300")}
    assert set(order_standings(manuals).values()) == {0}


def test_an_amendment_comes_before_what_it_changes() -> None:
    standings = {
        "old": read_standing("Agreement", "msa.md", "Contract number C-2024-017."),
        "new": read_standing("Amendment 1", "amendment-1.md", "Changes contract C-2024-017."),
    }
    assert order_standings(standings) == {"old": 1, "new": 0}
