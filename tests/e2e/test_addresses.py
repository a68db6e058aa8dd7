"""Addresses, paper and several tabs: what a browser does around the page."""

from __future__ import annotations

import io
from collections import Counter
from typing import Any

import pypdfium2
import pytest
from playwright.sync_api import expect

from tests.e2e.chat import Chat
from tests.e2e.conftest import PHONE, OpenChat
from tests.e2e.served import ROOT, Served

pytestmark = [pytest.mark.e2e, pytest.mark.model]

QUESTION = "How do I choose the number of ivfflat lists?"


def test_f_1043_back_closes_the_source_on_a_phone_and_a_link_opens_it(
    open_chat: OpenChat, service: Served
) -> None:
    chat = open_chat(service, viewport=PHONE, has_touch=True, is_mobile=True)
    chat.ask(QUESTION)
    chat.markers.first.tap()
    cited = chat.part("cited-span")
    expect(cited).to_be_visible()
    quote, link = cited.inner_text(), chat.page.url
    chat.page.go_back()
    expect(chat.part("source-pane")).to_have_count(0)
    expect(chat.answer).to_be_visible()

    another = open_chat(service)
    another.page.goto(link)
    expect(another.part("cited-span")).to_have_text(quote)
    another.shoot("link-to-a-place")
    another.part("close-source").click()
    another.part("nav-library").click()
    with another.page.context.expect_page() as opened:
        another.part("document").first.click(modifiers=["ControlOrMeta"])
    tab = Chat(opened.value, service.url)
    expect(tab.part("source-text")).to_be_visible()
    assert tab.page.title().endswith(" · pgask")


def test_f_1044_every_question_is_on_paper(open_chat: OpenChat, service: Served) -> None:
    chat = open_chat(service)
    chat.ask(QUESTION)
    chat.page.evaluate(
        "const key = Object.keys(localStorage).find((one) => one.includes('.conversation.'));"
        "const kept = JSON.parse(localStorage.getItem(key));"
        "kept.turns = Array.from({length: 100}, (_, n) =>"
        "  ({...kept.turns[0], id: `turn${n}`, question: `Question number ${n}?`}));"
        "localStorage.setItem(key, JSON.stringify(kept));"
    )
    chat.reload()
    expect(chat.turns).to_have_count(100)
    with pypdfium2.PdfDocument(io.BytesIO(chat.page.pdf(format="A4"))) as paper:
        pages = [page.get_textpage().get_text_bounded() for page in paper]
    assert all(len(text.strip()) > 200 for text in pages[:-1])
    text = " ".join(pages)
    assert not [n for n in range(100) if f"Question number {n}?" not in text]
    assert "Ask your documents" not in text
    assert "[1]" in text


def test_f_1046_two_tabs_keep_both_questions(open_chat: OpenChat, service: Served) -> None:
    chat = open_chat(service)
    chat.ask(QUESTION)
    with chat.page.context.expect_page() as opened:
        chat.page.evaluate("window.open(location.href, '_blank', 'noopener')")
    other = Chat(opened.value, service.url)
    expect(other.turns).to_have_count(1)
    chat.send("What are probes?")
    other.input.fill("What is BM25?")  # `send` counts turns, and the first tab's may come in between
    other.input.press("Enter")
    for tab in (chat, other):
        expect(tab.turns).to_have_count(3)
        expect(tab.page.locator('.turn[data-status="done"]')).to_have_count(3)
    chat.reload()
    expect(chat.turns).to_have_count(3)


def test_f_1042_a_reload_in_mid_answer_is_no_fault(
    open_chat: OpenChat, model_service: Served, scripted: object
) -> None:
    scripted.answer, scripted.token_delay_s = "word " * 200, 0.1  # type: ignore[attr-defined]
    chat = open_chat(model_service)
    chat.send(QUESTION)
    expect(chat.answer).to_contain_text("word word")
    chat.reload()
    expect(chat.answer).to_contain_text("word word")  # its stream is taken up
    expect(chat.turns).to_have_count(1)
    expect(chat.part("error")).to_have_count(0)
    chat.part("stop").click()
    chat.wait_for("stopped")
    chat.reload()
    chat.wait_for("stopped")


def test_f_1062_the_first_screen_begins_at_its_heading(open_chat: OpenChat, service: Served) -> None:
    chat = open_chat(service, viewport={"width": 640, "height": 400})
    expect(chat.page.locator(".welcome-title")).to_be_in_viewport()
    assert chat.page.locator(".chat").evaluate("chat => chat.scrollTop") == 0
    chat.page.set_viewport_size({"width": 320, "height": 256})
    title, foot = (
        chat.page.locator(".welcome-title").bounding_box(),
        chat.page.locator(".chat-foot").bounding_box(),
    )
    assert title is not None
    assert foot is not None
    assert title["y"] + title["height"] <= foot["y"]  # the question box covers no word
    chat.shoot("zoom-400")


def test_f_1061_the_first_answer_weighs_less_than_its_budget(open_chat: OpenChat, service: Served) -> None:
    chat = open_chat(service, shows="question-input")
    address = chat.page.url
    chat.page.goto("about:blank")  # what the first loading still asks for is not counted
    devtools = chat.page.context.new_cdp_session(chat.page)
    devtools.send("Network.enable")
    devtools.send("Network.setCacheDisabled", {"cacheDisabled": True})
    sent: Counter[str] = Counter()

    def count(event: dict[str, Any]) -> None:
        sent[event["requestId"]] += event["encodedDataLength"]

    def count_whole(event: dict[str, Any]) -> None:  # with its headers
        sent[event["requestId"]] = event["encodedDataLength"]

    devtools.on("Network.dataReceived", count)
    devtools.on("Network.loadingFinished", count_whole)
    chat.page.goto(address)
    chat.ask(QUESTION)
    assert 100_000 < sent.total() <= 160_000


def test_the_whole_page_weighs_less_than_its_budget() -> None:
    """All that can ever be fetched, packed, but what draws formulas."""
    packed = {path.name: path.stat().st_size for path in (ROOT / "app" / "static").rglob("*.br")}
    assert len(packed) > 10
    assert (
        sum(size for name, size in packed.items() if not name.startswith(("Formula-", "remark-math-")))
        <= 250_000
    )
