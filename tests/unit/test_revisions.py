"""Which code works on which schema: of two versions side by side, each knows of the other what it can."""

from __future__ import annotations

import pytest
from alembic.script import ScriptDirectory

from app.store.migrate import revision_refusal
from app.store.revisions import (
    MIGRATIONS,
    head_revision,
    is_whole,
    kind_of,
    known_revisions,
    last_before_post,
    left_to_do,
    needed_revision,
    oldest_code,
    oldest_to_write,
    works_on,
)


def test_the_files_say_what_alembic_finds() -> None:
    found = reversed(list(ScriptDirectory(str(MIGRATIONS)).walk_revisions()))
    said = [(script.revision, getattr(script.module, "KIND", None)) for script in found]
    assert [(revision, kind_of(revision)) for revision in known_revisions()] == said


def test_code_works_before_and_after_what_it_no_longer_needs_is_taken_away() -> None:
    known = known_revisions()
    needed = known.index(needed_revision())
    assert kind_of(needed_revision()) != "post"
    assert all(kind_of(revision) == "post" for revision in known[needed + 1 :])
    assert [works_on(revision, None) for revision in known] == [
        place >= needed for place in range(len(known))
    ]


def test_code_of_before_works_on_what_was_added_and_not_where_something_is_gone() -> None:
    assert oldest_code("0025") == "0021"
    assert oldest_code("0026") == "0035"
    assert oldest_code("0021") == "0021"  # of before there were kinds: its own code alone
    assert last_before_post("0021") == "0035"
    assert last_before_post(head_revision()) == head_revision()
    assert [is_whole(revision) for revision in ("0021", "0025", head_revision(), "9999")] == [
        False,
        False,
        True,
        True,
    ]


def test_a_schema_that_was_past_what_was_put_in_front_lacks_it_until_all_is_done() -> None:
    """At 0026 to 0034 before 0032, or 0035, stood in front of them."""
    for found in ("0026", "0030", "0031", "0034"):
        assert works_on(found, "0035")
        assert works_on(found, None)  # whose comment is lost
        for oldest in ("0025", "0029", "0032"):
            assert not works_on(found, oldest)
            assert "lacks" in revision_refusal(found, oldest)
            assert "pgask migrate" in revision_refusal(found, oldest)
    assert oldest_to_write("0030", "0026", "0025") == "0025"  # on the way, and stopped there
    assert oldest_to_write("0031", "0030", "0025") == "0025"
    assert oldest_to_write(head_revision(), "0033", "0025") == oldest_code(head_revision())
    assert oldest_to_write("0026", "0035", "0021") == "0035"
    assert oldest_to_write("0032", "0029", "0021") == "0021"
    assert oldest_to_write("0021", None, None) == "0021"


def test_what_is_left_to_do_is_told_where_the_code_works() -> None:
    assert left_to_do(head_revision()) is None
    assert left_to_do("9999") is None
    assert left_to_do(needed_revision()) == head_revision()


@pytest.mark.parametrize(
    ("found", "oldest", "works", "refusal"),
    [
        ("9999", "0021", True, ""),
        ("9999", "9998", False, "Upgrade pgask"),
        ("9999", None, False, "Upgrade pgask"),
        (None, None, False, "pgask migrate"),
        ("0001", "0001", False, "pgask migrate"),
    ],
)
def test_a_schema_of_a_later_version(
    found: str | None, oldest: str | None, works: bool, refusal: str
) -> None:
    assert works_on(found, oldest) is works
    assert works or refusal in revision_refusal(found, oldest)
