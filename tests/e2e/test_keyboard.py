"""Without a mouse, and with an input method."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.chat import Chat
from tests.e2e.conftest import OpenChat
from tests.e2e.served import Served

pytestmark = [pytest.mark.e2e, pytest.mark.model]

QUESTION = "How do I choose the number of ivfflat lists?"
_MOST_TABS = 40


def test_everything_can_be_reached_by_keyboard(open_chat: OpenChat, service: Served) -> None:
    chat = open_chat(service)
    keys = chat.page.keyboard
    expect(chat.input).to_be_focused()
    keys.type(QUESTION)
    keys.press("Shift+Enter")
    expect(chat.input).to_have_value(f"{QUESTION}\n")
    expect(chat.turns).to_have_count(0)
    keys.press("Enter")
    chat.wait_for("done")

    tab_to(chat, "citation-marker", "Shift+Tab")
    chat.shoot("keyboard-focus")
    keys.press("Enter")
    expect(chat.part("cited-span")).to_be_visible()
    expect(chat.part("source-pane").locator(".pane-title")).to_be_focused()
    keys.press("Escape")
    expect(chat.part("source-pane")).to_have_count(0)
    expect(chat.markers.last).to_be_focused()

    tab_to(chat, "nav-library", "Shift+Tab")
    keys.press("Enter")
    expect(chat.part("documents")).to_be_visible()
    tab_to(chat, "document", "Tab")
    keys.press("Enter")
    expect(chat.part("source-text")).to_be_visible()
    keys.press("Escape")
    expect(chat.part("source-pane")).to_have_count(0)


def tab_to(chat: Chat, test_id: str, key: str) -> None:
    for _ in range(_MOST_TABS):
        chat.page.keyboard.press(key)
        if chat.page.evaluate("document.activeElement.dataset.testid") == test_id:
            return
    raise AssertionError(f"{key} never reached {test_id}")


def test_the_enter_that_ends_a_composition_does_not_send(open_chat: OpenChat, service: Served) -> None:
    chat = open_chat(service, locale="zh-CN")
    chat.input.focus()
    devtools = chat.page.context.new_cdp_session(chat.page)

    def compose(text: str) -> None:
        devtools.send(
            "Input.imeSetComposition",
            {"text": text, "selectionStart": len(text), "selectionEnd": len(text)},
        )

    def press_taken_enter(code: int) -> None:
        """What browsers report of an Enter that the input method takes: its own code, or 229 for every such key."""
        for kind in ("rawKeyDown", "keyUp"):
            devtools.send(
                "Input.dispatchKeyEvent",
                {"type": kind, "key": "Enter", "code": "Enter", "windowsVirtualKeyCode": code},
            )

    composition = "() => window.composed.join()"
    chat.page.evaluate(
        "window.composed = []; for (const kind of ['compositionstart', 'compositionend'])"
        " document.addEventListener(kind, () => window.composed.push(kind), true)"
    )
    for code in (13, 229):
        compose("ruhe")
        compose("如何")
        expect(chat.input).to_have_value("如何")
        press_taken_enter(code)
        expect(chat.input).to_have_value("如何")
        expect(chat.turns).to_have_count(0)
        devtools.send("Input.insertText", {"text": "如何"})
        expect(chat.input).to_have_value("如何")
        chat.input.fill("")
    assert chat.page.evaluate(composition) == ",".join(["compositionstart", "compositionend"] * 2)

    compose("如何选择分块大小？")
    devtools.send("Input.insertText", {"text": "如何选择分块大小？"})
    expect(chat.turns).to_have_count(0)
    chat.page.keyboard.press("Enter")
    chat.wait_for("done")
    expect(chat.turn.locator(".question")).to_contain_text("如何选择分块大小？")


def test_escape_stops_an_answer_or_closes_the_source_first(open_chat: OpenChat, service: Served) -> None:
    chat = open_chat(service)
    chat.ask(QUESTION)
    chat.markers.first.click()
    expect(chat.part("cited-span")).to_be_visible()
    chat.page.keyboard.press("Escape")
    expect(chat.part("source-pane")).to_have_count(0)
    expect(chat.turn).to_have_attribute("data-status", "done")
