"""A thumb on a reply: kept with what it is about, told to admins alone, made into cases that stop a bad change."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from app.cli import app as cli
from app.main import create_app, open_components
from app.store import kept_replies, ratings
from app.store.connection import Database, connect
from eval.ablation import Ablation
from eval.cli import build_cli
from eval.system import EvaluatedSystem
from tests.fakes import FakeEmbedder
from tests.integration.api.conftest import BASE_URL, DOCUMENTS, MakeClient, settings_for, write_documents
from tests.integration.api.test_api_access import bearer, make_key
from tests.integration.ingesting import random_text

QUESTION = "How many ivfflat lists should I choose?"


def ask(client: TestClient, question: str = QUESTION, **more: Any) -> Any:
    headers = more.pop("headers", {})
    reply = client.post("/ask", json={"question": question, **more}, headers=headers)
    assert reply.status_code == 200, reply.text
    return reply


def rate(client: TestClient, request_id: str, rating: str = "up", **more: Any) -> int:
    headers = more.pop("headers", {})
    body = {"request_id": request_id, "rating": rating, **more}
    return client.post("/feedback", json=body, headers=headers).status_code


def test_a_rating_is_kept_with_all_that_it_is_about(own: Database, make_client: MakeClient) -> None:
    client = make_client(own)
    said = ask(client).json()
    assert rate(client, said["request_id"], "down", reason="wrong_source", comment="旧版") == 204
    assert rate(client, said["request_id"], "up") == 204  # thought again
    streamed = ask(client, "重叠保持多少词元？", stream=True).text
    done = json.loads(streamed.split("event: done\ndata: ")[1].split("\n")[0])
    assert rate(client, done["request_id"], "down", reason="should_have_refused", comment="不对") == 204
    latest, first = client.get("/feedback").json()["feedback"]
    assert (first["rating"], first["reason"], first["comment"]) == ("up", None, "")
    assert first["question"] == QUESTION
    assert first["answer"] == said["answer"]
    assert first["citations"] == said["citations"]
    assert first["scope"]["collections"] == ["default"]
    assert first["state"]["generator"] == "extractive"
    assert (latest["reason"], latest["comment"]) == ("should_have_refused", "不对")
    assert (latest["case"]["answerable"], latest["case"]["question"]) == (False, latest["question"])
    assert first["case"]["doc"] == said["citations"][0]["source"]
    assert client.get("/feedback", params={"rating": "down"}).json()["feedback"] == [latest]
    page = client.get("/feedback", params={"limit": 1}).json()
    assert page["next_before"] == latest["id"]
    assert client.get("/feedback", params={"limit": 1, "before": page["next_before"]}).json() == {
        "feedback": [first],
        "next_before": None,
    }


def test_only_who_asked_may_rate_and_only_admins_read(own: Database, make_client: MakeClient) -> None:
    client = make_client(own, auth="keys")
    ada, bob, admin = (
        bearer(make_key(own, role, name=name))  # type: ignore[arg-type]
        for name, role in (("Ada", "reader"), ("Bob", "reader"), ("root", "admin"))
    )
    said = ask(client, headers=ada).json()
    assert rate(client, said["request_id"], headers=bob) == 410
    assert rate(client, said["request_id"], headers=ada) == 204
    assert client.get("/feedback", headers=ada).status_code == 403
    assert [one["actor"] for one in client.get("/feedback", headers=admin).json()["feedback"]] == ["Ada"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"request_id": "unknown-id", "rating": "up"}, 410),
        ({"request_id": "x", "rating": "sideways"}, 422),
        ({"request_id": "x", "rating": "up", "reason": "because"}, 422),
        ({"request_id": "x", "rating": "up", "comment": "x" * 2_001}, 422),
        ({"request_id": "x\0", "rating": "up"}, 422),
        ({"rating": "up"}, 422),
        ({"request_id": "x" * 81, "rating": "up"}, 422),
        (
            {"request_id": "x", "rating": "up", "reason": "should_have_refused"},
            422,
        ),  # would be a refusal's case
        ({"request_id": "x", "rating": "up", "actor": "somebody else"}, 422),
    ],
)
def test_what_is_no_rating_is_refused(client: TestClient, body: Any, status: int) -> None:
    assert client.post("/feedback", json=body).status_code == status


def test_ratings_of_one_reader_are_bounded_and_take_no_room_of_others(
    own: Database, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ratings, "MOST_OF_ONE", 3)
    client = make_client(own, auth="keys")
    ada, bob = (bearer(make_key(own, "reader", name=name)) for name in ("Ada", "Bob"))
    first = ask(client, headers=bob).json()["request_id"]
    assert rate(client, first, headers=bob) == 204
    for number in range(5):
        said = ask(client, f"{QUESTION} {number}", headers=ada).json()
        assert rate(client, said["request_id"], comment="x" * 2_000, headers=ada) == 204
    admin = bearer(make_key(own, "admin"))
    kept = client.get("/feedback", headers=admin).json()["feedback"]
    assert [(one["actor"], one["question"][-1]) for one in kept] == [
        ("Ada", "4"),
        ("Ada", "3"),
        ("Ada", "2"),
        ("Bob", "?"),
    ]


def test_control_characters_of_a_comment_do_nothing_to_a_terminal(
    own: Database, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = make_client(own)
    said = ask(client).json()
    comment = "\x1b]0;owned\x07\x1b[2J\u202egood\r\nOK"
    assert rate(client, said["request_id"], comment=comment) == 204
    assert client.get("/feedback").json()["feedback"][0]["comment"] == comment
    monkeypatch.setenv("PGASK_DATABASE_URL", own.app)
    shown = CliRunner().invoke(cli, ["feedback", "list"])
    assert shown.exit_code == 0
    assert not [c for c in shown.output if not c.isprintable() and c != "\n"]


def test_without_retention_nothing_is_kept(make_client: MakeClient) -> None:
    client = make_client(feedback_days=0)
    assert (
        client.post(
            "/feedback", json={"request_id": ask(client).json()["request_id"], "rating": "up"}
        ).json()["code"]
        == "feedback_off"
    )
    assert client.app.state.components.replies is None  # type: ignore[attr-defined]


def wait_for_replies(database: Database, number: int) -> None:
    """They are written beside the answer's path."""
    deadline = time.monotonic() + 20
    with connect(database.owner) as owner:
        while owner.execute("SELECT count(*) FROM pgask.replies").fetchone() != (number,):
            assert time.monotonic() < deadline
            time.sleep(0.02)


def test_replies_are_kept_in_number_and_time(
    own: Database, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_replies, "MOST", 2)
    client = make_client(own)
    ids = [ask(client).json()["request_id"] for _ in range(3)]
    wait_for_replies(own, 2)
    assert [rate(client, one) for one in ids] == [410, 204, 204]
    monkeypatch.setattr(kept_replies, "KEPT", timedelta(0))
    assert rate(client, ids[2]) == 410
    make_client(own, feedback_days=0)
    wait_for_replies(own, 0)


def test_a_reply_is_rated_after_a_restart_and_by_another_process(
    own: Database, make_client: MakeClient
) -> None:
    """What /v1 answered, too, by the id that its client has."""
    body = {"model": "pgask", "messages": [{"role": "user", "content": QUESTION}]}
    second = make_client(own)
    with TestClient(create_app(settings_for(), own, FakeEmbedder()), base_url=BASE_URL) as first:
        said = ask(first).json()
        chat = first.post("/v1/chat/completions", json=body).json()
        streamed = first.post("/v1/chat/completions", json=body | {"stream": True}).text
        wait_for_replies(own, 3)
        assert rate(second, said["request_id"]) == 204
    third = make_client(own)
    streamed_id = json.loads(streamed.split("data: ")[1].split("\n")[0])["id"]
    assert rate(third, chat["id"]) == rate(third, streamed_id, "down", reason="incomplete") == 204
    assert rate(third, said["request_id"], "down") == 204  # thought again
    kept = third.get("/feedback").json()["feedback"]
    assert [(one["rating"], one["answer"]) for one in kept] == [
        ("down", said["answer"]),
        ("down", said["answer"]),
        ("up", said["answer"]),
    ]
    assert kept[0]["citations"] == said["citations"]
    assert f"chatcmpl-{kept[1]['request_id']}" == streamed_id


def test_cases_made_from_thumbs_stop_a_bad_change(
    own: Database, make_client: MakeClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No question file is written by hand: readers' thumbs alone make the gate."""
    folder = write_documents(tmp_path / "docs")
    for number in range(40):  # what a ruined search finds instead
        (folder / f"noise{number:02}.md").write_text(
            f"# Noise {number}\n\n{random_text(number, 12)}\n", "utf-8"
        )
    client = make_client(own)
    asked = {
        "guide/lists.md": [
            "How do I choose the number of ivfflat lists?",
            "What do probes say?",
            "Where do parrots sit?",
            "What raises recall?",
            "What is a good start for the number of lists?",
        ],
        "guide/backup.md": [
            "When should I write a backup?",
            "Where do I keep the backup?",
            "How often is a backup written?",
            "On which disk is the backup?",
        ],
        "zh/chunking.md": [
            "分块大小默认为多少词元？",
            "重叠保持在多少词元？",
            "默认的分块大小是多少？",
            "重叠是多少词元？",
        ],
    }
    assert set(asked) == set(DOCUMENTS)
    for questions in asked.values():
        for question in questions:
            said = ask(client, question).json()
            assert said["citations"], question
            assert rate(client, said["request_id"], "up") == 204
    wrong = ask(client, "How many lists?").json()
    assert rate(client, wrong["request_id"], "down", reason="wrong_source") == 204

    monkeypatch.setenv("PGASK_DATABASE_URL", own.app)
    cases = tmp_path / "cases.jsonl"
    exported = CliRunner().invoke(cli, ["feedback", "export", str(cases), "--json"])
    assert exported.exit_code == 0, exported.output
    assert json.loads(exported.stdout) == {"file": str(cases), "cases": 13, "without": 1}
    listed = CliRunner().invoke(cli, ["feedback", "list", "--rating", "down", "--json"])
    assert [one["reason"] for one in json.loads(listed.stdout)["feedback"]] == ["wrong_source"]

    def run(name: str, embedder: FakeEmbedder, **settings: Any) -> Path:
        @asynccontextmanager
        async def open_system(**_: object) -> AsyncIterator[EvaluatedSystem]:
            async with open_components(settings_for(**settings), own, embedder) as parts:
                yield EvaluatedSystem(parts, own, embedder, Ablation())

        result = CliRunner().invoke(
            build_cli(open_system),
            [
                *("run", "--corpus", str(folder), "--questions", str(cases)),
                *("--out", str(tmp_path / name), "--collection", name, "--json"),
            ],
        )
        assert result.exit_code == 0, result.output
        return tmp_path / name

    before = run("before", FakeEmbedder())
    same = CliRunner().invoke(build_cli(None), ["compare", str(before), str(run("same", FakeEmbedder()))])  # type: ignore[arg-type]
    assert same.exit_code == 0, same.output
    ruined = run("ruined", FakeEmbedder(model="coarse", dimension=2), dense_weight=1.0)
    refuses = run("refuses", FakeEmbedder(), abstain_threshold=1.0)  # finds the same, and says nothing of it
    noticed = CliRunner().invoke(build_cli(None), ["compare", str(before), str(refuses), "--json"])  # type: ignore[arg-type]
    assert (noticed.exit_code, json.loads(noticed.stdout)["losses"]) == (1, ["decided_rightly", "cites_gold"])
    stopped = CliRunner().invoke(build_cli(None), ["compare", str(before), str(ruined)])  # type: ignore[arg-type]
    assert stopped.exit_code == 1, stopped.output
