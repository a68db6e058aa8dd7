"""What a reader sees when the service refuses, and the way on."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import OpenChat
from tests.e2e.served import Served

pytestmark = [pytest.mark.e2e, pytest.mark.model]

QUESTION = "How do I choose the number of ivfflat lists?"


def test_a_refusal_shows_its_code_and_can_be_tried_again(open_chat: OpenChat, service: Served) -> None:
    """A conversation in a collection that is gone, then moved to one that is there."""
    chat = open_chat(service)
    chat.ask(QUESTION)
    chat.page.evaluate(
        "for (const [key, value] of Object.entries(localStorage)) if (key.includes('.conversation.'))"
        " localStorage.setItem(key, value.replace('\"default\"', '\"gone\"'))"
    )
    chat.reload()
    expect(chat.part("collection-picker")).to_have_value("gone")
    chat.ask("What are probes?", status="failed")
    error = chat.part("error")
    for shown in ("There is no collection 'gone'", "not_found", "404"):
        expect(error).to_contain_text(shown)
    chat.shoot("refused")
    chat.part("retry").click()  # asks where it was asked
    expect(error).to_contain_text("There is no collection 'gone'")
    chat.choose("default")
    chat.ask("What are probes?")
    expect(chat.answer).to_contain_text("probes")


def test_a_question_over_the_limit_cannot_be_sent(open_chat: OpenChat, service: Served) -> None:
    chat = open_chat(service)
    chat.input.fill("问" * 8_001)
    expect(chat.part("counter")).to_be_visible()
    expect(chat.part("send")).to_be_disabled()
    chat.input.press("Enter")
    expect(chat.turns).to_have_count(0)
    chat.shoot("too-long")
    chat.input.fill("问" * 8_000)
    expect(chat.part("send")).to_be_enabled()


def test_no_markup_of_the_service_can_be_framed_or_scripted_from_outside(service: Served) -> None:
    import httpx2

    reply = httpx2.get(service.url)
    policy = dict(
        part.strip().split(" ", 1)
        for part in reply.headers["content-security-policy"].split(";")
        if part.strip()
    )
    assert policy["default-src"] == policy["script-src"] == policy["style-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["object-src"] == "'none'"
    problem = httpx2.get(f"{service.url}/documents/no-such-id")
    assert problem.headers["content-type"].startswith("application/problem+json")
    assert json.loads(problem.text)["status"] == problem.status_code
