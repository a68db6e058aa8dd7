"""PGASK_ANSWER_CACHE_HOURS: a model's answer is given again to the same question of the same reader, and never after
anything that decides it has changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.store.completions import Completions
from app.store.connection import Database, connect
from app.store.connection_pool import open_pool
from app.store.tenancy import DEFAULT, Scope, working_for
from app.store.tenant_list import create_tenant
from tests.chaos.tenants import bearer, make_key
from tests.fakes import ScriptedLlm
from tests.integration.api.conftest import MakeClient, write_documents
from tests.integration.api.test_api_questions import events
from tests.integration.ingesting import ingest

pytestmark = pytest.mark.integration

QUESTION = "How many ivfflat lists should I choose?"
SAID = "Take the square root of the rows [1]."


@pytest.fixture
def llm() -> Iterator[ScriptedLlm]:
    with ScriptedLlm(SAID) as scripted:
        yield scripted


@pytest.fixture
def caching(own: Database, make_client: MakeClient, llm: ScriptedLlm) -> TestClient:
    return make_client(own, llm_base_url=llm.base_url, answer_cache_hours=1)


def ask(client: TestClient, key: str = "", **body: Any) -> Any:
    headers = bearer(key) if key else {}
    reply = client.post("/ask", json={"question": QUESTION} | body, headers=headers)
    assert reply.status_code == 200, reply.text
    return reply.json()


def without_times(reply: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in reply.items() if name not in ("timings_ms", "request_id", "usage")}


def stored(database: Database) -> int:
    with connect(database.owner) as owner:
        row = owner.execute("SELECT count(*) FROM pgask.completions").fetchone()
    assert row is not None
    return int(row[0])


def test_the_same_question_is_answered_without_the_model_and_alike(
    caching: TestClient, llm: ScriptedLlm, own: Database
) -> None:
    first = ask(caching)
    llm.mode = "error_500"  # nobody would answer
    again = ask(caching)
    streamed = events(caching.post("/ask", json={"question": QUESTION, "stream": True}).text)
    assert len(llm.completions) == 1
    assert not first["degraded"]
    assert without_times(again) == without_times(first) == without_times(streamed[-1][1])
    assert "".join(told["text"] for name, told in streamed if name == "token").startswith("Take the square")
    assert again["usage"] == {"prompt_tokens": 0, "completion_tokens": 0}
    assert stored(own) == 1
    assert (
        'pgask_llm_completions_total{outcome="answered",server="cache"} 2.0' in caching.get("/metrics").text
    )


def test_it_is_off_unless_asked_for(own: Database, make_client: MakeClient, llm: ScriptedLlm) -> None:
    client = make_client(own, llm_base_url=llm.base_url)
    ask(client)
    ask(client)
    assert len(llm.completions) == 2
    assert stored(own) == 0


@pytest.mark.parametrize(
    "changed",
    [
        {"generation": {"temperature": 0.9}},
        {"generation": {"max_tokens": 9}},
        {"top_k": 1},
        {"filter": {"source_prefix": "guide/lists"}},
        {"question": "How many ivfflat lists should one choose?"},
        {
            "history": [
                {"role": "user", "content": "Hm?"},
                {"role": "assistant", "content": "Which lists? [1]"},
            ]
        },
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_another_request_is_another_question(
    caching: TestClient, llm: ScriptedLlm, changed: dict[str, Any]
) -> None:
    ask(caching)
    ask(caching, **changed)
    assert len(llm.completions) > 1  # a follow-up is made to stand alone as well


def test_a_changed_document_is_answered_from_anew(
    caching: TestClient, llm: ScriptedLlm, own: Database, tmp_path: Path
) -> None:
    ask(caching)
    folder = write_documents(tmp_path / "own")
    text = (folder / "guide/lists.md").read_text("utf-8")
    (folder / "guide/lists.md").write_text(text.replace("square root", "cube root"), "utf-8")
    assert ingest(own, folder).failed == []
    assert ask(caching)["answer"]
    assert len(llm.completions) == 2
    assert "cube root" in str(llm.completions[1].body)


def test_another_model_says_it_anew(own: Database, make_client: MakeClient, llm: ScriptedLlm) -> None:
    for number, llm.model in enumerate(("llama-one", "llama-two")):
        client = make_client(own, llm_base_url=llm.base_url, answer_cache_hours=1)
        ask(client, question=f"What raises recall? {number}")  # its name is known from here on
        ask(client)
        assert ask(client)["generator"] == llm.model
        assert len(llm.completions) == 2 * (number + 1)


def test_readers_of_other_rights_and_other_tenants_share_nothing(
    own: Database, make_client: MakeClient, llm: ScriptedLlm, tmp_path: Path
) -> None:
    """Though all of them see the same."""
    with connect(own.owner) as owner:
        create_tenant(owner, "other")
        row = owner.execute("SELECT id FROM pgask.tenants WHERE name = 'other'").fetchone()
    assert row is not None
    with working_for(Scope(row[0])):
        ingest(own, write_documents(tmp_path / "other"))
    keys = [
        make_key(own, 1, "reader"),
        make_key(own, 1, "reader", ["default"]),
        make_key(own, 1, "reader", groups=["hr"]),
        make_key(own, row[0], "reader"),
    ]
    client = make_client(own, llm_base_url=llm.base_url, answer_cache_hours=1, auth="keys")
    for _ in range(2):
        for key in keys:
            ask(client, key)
    assert len(llm.completions) == len(keys)
    ask(client, make_key(own, 1, "reader"))  # another person with the same rights
    assert len(llm.completions) == len(keys)


@pytest.mark.parametrize("reason", ["length", None])
def test_what_was_cut_off_is_not_kept(caching: TestClient, llm: ScriptedLlm, reason: str | None) -> None:
    llm.finish_reason = reason or "stop"
    llm.mode = "answer" if reason else "disconnect_mid_stream"
    ask(caching)
    llm.finish_reason, llm.mode = "stop", "answer"
    assert ask(caching)["answer"].startswith("Take the square root")
    assert len(llm.completions) == 2


def test_a_prompt_that_had_to_be_shortened_is_not_kept(
    own: Database, make_client: MakeClient, llm: ScriptedLlm, tmp_path: Path
) -> None:
    """Its [2] may be another source than that of the whole one."""
    (tmp_path / "long").mkdir()
    text = " ".join(f"Number {number} of the ivfflat lists is the {number}th." for number in range(300))
    (tmp_path / "long/lists.md").write_text(f"# Ivfflat lists\n\n{text}\n", "utf-8")
    assert ingest(own, tmp_path / "long").failed == []
    client = make_client(own, llm_base_url=llm.base_url, llm_context_tokens=1_200, answer_cache_hours=1)
    ask(client)
    ask(client)
    assert (len(llm.completions), stored(own)) == (2, 0)


async def test_the_old_ones_go_those_of_all_tenants(
    caching: TestClient, llm: ScriptedLlm, own: Database
) -> None:
    ask(caching)
    with connect(own.owner) as owner:
        owner.execute("UPDATE pgask.completions SET at = now() - interval '61 minutes'")
    ask(caching)
    assert len(llm.completions) == 2
    assert stored(own) == 1  # the newer one in its place
    async with open_pool(own.app, size=1, statement_timeout_s=5, otherwise=DEFAULT) as pool:
        await Completions(pool, 1).forget()
        assert stored(own) == 1
        await Completions(pool, 0).forget()
    assert stored(own) == 0


def test_without_its_table_the_model_is_asked(caching: TestClient, llm: ScriptedLlm, own: Database) -> None:
    with connect(own.owner) as owner:
        owner.execute("REVOKE ALL ON pgask.completions FROM PUBLIC, pgask_app")
    assert not ask(caching)["degraded"]
    assert not ask(caching)["degraded"]
    assert len(llm.completions) == 2
