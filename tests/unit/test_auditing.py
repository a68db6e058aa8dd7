"""Refusals are counted: whoever is refused a thousand times a minute writes two lines, and none is lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from app.api.auditing import MOST_KINDS, Refusals
from app.store.accounts import Deed

AT = datetime(2026, 11, 30, 12, 0, 5, tzinfo=UTC)
DEED = Deed(
    AT, "unknown", "GET /documents", "/documents", 401, address="192.0.2.1", detail={"request_id": "a"}
)


def lines_of(deeds: list[Deed]) -> list[Deed]:
    """What stands in the record of these refusals, once the service has ended."""
    refusals, lines = Refusals(), []
    for deed in deeds:
        lines += refusals.end(deed.at)
        if refusals.take(deed):
            lines.append(deed)
    return lines + refusals.end(None)


def count(lines: list[Deed]) -> int:
    return sum(line.detail.get("requests", 1) for line in lines)


def test_the_first_is_a_line_and_the_others_of_its_minute_one_more() -> None:
    deeds = [replace(DEED, at=AT + timedelta(seconds=second)) for second in range(120)]
    lines = lines_of(deeds)
    assert [(line.at.minute, line.detail.get("requests")) for line in lines] == [
        (0, None), (0, 54), (1, None), (1, 59), (2, None), (2, 4),
    ]  # fmt: skip
    assert count(lines) == 120


def test_one_alone_is_one_line() -> None:
    assert lines_of([DEED]) == [DEED]


def test_addresses_actions_statuses_and_callers_are_told_apart() -> None:
    others = [
        replace(DEED, address="192.0.2.2"),
        replace(DEED, action="POST /ask"),
        replace(DEED, status=403),
        replace(DEED, actor="Ada"),
        replace(DEED, tenant=2),
    ]
    assert lines_of([DEED, *others]) == [DEED, *others]


def test_strangers_from_everywhere_fill_no_table_and_hide_no_one_else() -> None:
    strangers = [replace(DEED, address=f"198.51.100.{number % 256}") for number in range(1_000)]
    known = replace(DEED, actor="Ada", status=403)
    lines = lines_of([*strangers, known])
    assert len(lines) <= 2 * MOST_KINDS + 2
    assert count(lines) == 1_001
    assert known in lines
    rest = next(line for line in lines if line.action == "refused")
    assert (rest.address, rest.target, rest.status) == (None, "", 401)
