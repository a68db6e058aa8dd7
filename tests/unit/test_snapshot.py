"""What is kept of replies before an upgrade, and what is told of those after it."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

import pytest

from app.domain import Answer
from app.errors import InvalidRequestError, NotFoundError
from app.exchange import AskRequest
from app.trial import snapshot
from app.trial.snapshot import (
    FORMAT,
    Place,
    Replied,
    Snapshot,
    ask_all,
    compare,
    read_snapshot,
    write_snapshot,
)

HITS: Final = (Place("default", "a.md", 0, 100), Place("default", "b.md", 50, 90))
REPLIED: Final = Replied("多少天？", ("default",), False, "三十天。[1]", HITS)
REFUSED: Final = replace(REPLIED, refused=True, answer="It is not in the documents.")
TAKEN: Final = Snapshot("0.1.0", "0023", "all-MiniLM-L6-v2", (REPLIED,))


@pytest.mark.parametrize(
    ("before", "now", "kind", "kept"),
    [
        (REPLIED, REPLIED, "same", 1.0),
        (REPLIED, REFUSED, "refused", 1.0),
        (REFUSED, REPLIED, "answered", 1.0),
        (REPLIED, replace(REPLIED, answer="二十天。[1]"), "other answer", 1.0),
        (REPLIED, replace(REPLIED, hits=HITS[::-1]), "other hits", 1.0),
        (REPLIED, replace(REPLIED, hits=HITS[1:]), "other hits", 0.5),
        # the same passage, cut otherwise; then another file, and the end of a half-open span
        (REPLIED, replace(REPLIED, hits=(Place("default", "a.md", 99, 120), HITS[1])), "other hits", 1.0),
        (REPLIED, replace(REPLIED, hits=(Place("default", "c.md", 0, 100), HITS[1])), "other hits", 0.5),
        (REPLIED, replace(REPLIED, hits=(Place("default", "a.md", 100, 120), HITS[1])), "other hits", 0.5),
        (REPLIED, replace(REPLIED, hits=(Place("staff", "a.md", 0, 100), HITS[1])), "other hits", 0.5),
        (REPLIED, replace(REPLIED, hits=(), answer="", code="not_found"), "fails", 0.0),
        (replace(REFUSED, hits=()), replace(REFUSED, hits=HITS), "other hits", 1.0),
    ],
)
def test_what_moved_is_told_by_its_gravest_part(
    before: Replied, now: Replied, kind: str, kept: float
) -> None:
    compared = compare(replace(TAKEN, replies=(before,)), [now])
    assert (compared.moved[0].kind, compared.moved[0].kept) == (kind, kept)


def test_the_bound_is_on_replies_and_on_hits_by_themselves() -> None:
    many = replace(TAKEN, replies=(REPLIED,) * 20)
    assert not compare(many, [REPLIED] * 20).exceeds(0)
    one_refused = compare(many, [REFUSED, *[REPLIED] * 19])
    assert (one_refused.replies_changed, one_refused.hits_lost) == (0.05, 0)
    assert not one_refused.exceeds(0.05)
    assert one_refused.exceeds(0.04)
    half_lost = compare(many, [replace(REPLIED, hits=HITS[:1])] * 20)
    assert (half_lost.replies_changed, half_lost.hits_lost) == (0, 0.5)
    assert half_lost.exceeds(0.4)


def test_a_file_holds_all_and_is_its_owners_alone(tmp_path: Path) -> None:
    file = tmp_path / "before.json"
    write_snapshot(file, TAKEN)
    assert read_snapshot(file) == TAKEN
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    for path, code in ((file, "file_exists"), (tmp_path / "no/such/folder", "file_refused")):
        with pytest.raises(InvalidRequestError) as refused:
            write_snapshot(path, TAKEN)
        assert refused.value.code == code


def _changed(change: Callable[[dict[str, Any]], object]) -> str:
    written = json.loads(json.dumps({"format": FORMAT, **asdict(TAKEN)}))
    change(written)
    return json.dumps(written)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "[" * 100_000,
        _changed(lambda it: it.update(format=2)),
        _changed(lambda it: it.update(replies=[])),
        _changed(lambda it: it.update(model=None)),
        _changed(lambda it: it["replies"][0].pop("answer")),
        _changed(lambda it: it["replies"][0].update(question=7)),
        _changed(lambda it: it["replies"][0].update(collections=[])),
        _changed(lambda it: it["replies"][0].update(refused="no")),
        _changed(lambda it: it["replies"][0]["hits"][0].update(start="0")),
    ],
)
def test_another_file_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "before.json"
    file.write_text(text, "utf-8")
    with pytest.raises(InvalidRequestError) as refused:
        read_snapshot(file)
    assert refused.value.code == "invalid_snapshot"
    assert "pgask upgrade --save" in str(refused.value)


def test_a_file_beyond_the_limit_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "before.json"
    write_snapshot(file, TAKEN)
    monkeypatch.setattr(snapshot, "MOST_BYTES", 100)
    with pytest.raises(InvalidRequestError, match="more than 100 bytes"):
        read_snapshot(file)
    with pytest.raises(InvalidRequestError, match="can't be read"):
        read_snapshot(tmp_path / "missing.json")


async def test_an_error_is_noted_in_place_of_a_reply(monkeypatch: pytest.MonkeyPatch) -> None:
    async def ask(request: AskRequest) -> Answer:
        assert request.quotes_only
        if request.collection == ("gone",):
            raise NotFoundError("There is no collection 'gone'.", code="collection_not_found")
        return Answer("Thirty days.", False, "extractive", (), request.question)

    counted: list[int] = []
    asked = [("How many days?", ("default",)), ("And here?", ("gone",))]
    replies = await ask_all(ask, asked, lambda: counted.append(1))
    assert [(one.answer, one.code) for one in replies] == [
        ("Thirty days.", None),
        ("", "collection_not_found"),
    ]
    assert len(counted) == 2
    monkeypatch.setattr(snapshot, "MOST_QUESTIONS", 1)
    with pytest.raises(InvalidRequestError) as refused:
        await ask_all(ask, asked, lambda: None)
    assert refused.value.code == "too_many_questions"
