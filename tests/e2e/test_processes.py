"""The service's life: killed, started again, told to end; and what a reader sees of it."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import OpenChat, copy_home
from tests.e2e.served import Served, kill_all, processes_of, wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.model]

QUESTION = "How do I choose the number of ivfflat lists?"


@pytest.fixture
def own_service(made_home: Path) -> Iterator[Served]:
    """A service with a database of its own, to be killed."""
    home = copy_home(made_home, "own")
    served = Served(home)
    try:
        served.start()
        served.wait_until_ready()
        yield served
    finally:
        served.close()
        kill_all(home)


def test_a_killed_service_loses_nothing_and_ctrl_c_ends_everything(
    open_chat: OpenChat, own_service: Served
) -> None:
    documents = own_service.get("/documents", collection="default", limit=100)["documents"]
    answer = own_service.ask(QUESTION)
    chat = open_chat(own_service)
    chat.ask(QUESTION)

    kill_all(own_service.home)
    assert own_service.end() == -signal.SIGKILL
    wait_until(lambda: not processes_of(own_service.home))
    chat.ask("What are probes?", status="failed")
    expect(chat.part("error")).to_contain_text("can't be reached")
    expect(chat.turns.first.get_by_test_id("answer")).to_contain_text("square root")
    chat.shoot("error")

    own_service.start()
    own_service.wait_until_ready()
    chat.part("retry").click()
    chat.wait_for("done")
    expect(chat.part("error")).to_have_count(0)
    expect(chat.answer).to_contain_text("probes")
    chat.reload()
    expect(chat.turns).to_have_count(2)

    assert own_service.get("/documents", collection="default", limit=100)["documents"] == documents
    again = own_service.ask(QUESTION)
    assert (again["answer"], again["citations"]) == (answer["answer"], answer["citations"])

    own_service.interrupt()
    assert own_service.end() == 0
    wait_until(lambda: not processes_of(own_service.home))
    assert "Traceback" not in own_service.log()
