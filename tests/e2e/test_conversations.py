"""Conversations, language and colours: kept in the browser, over a reload."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import OpenChat
from tests.e2e.served import Served

pytestmark = [pytest.mark.e2e, pytest.mark.model]

FIRST = "How do I choose the number of ivfflat lists?"
SECOND = "如何选择分块大小？"


def test_conversations_survive_a_reload_and_can_be_begun_renamed_and_deleted(
    open_chat: OpenChat, service: Served
) -> None:
    chat = open_chat(service)
    chat.ask(FIRST)
    answer = chat.answer.text_content() or ""
    chat.part("new-conversation").click()
    expect(chat.turns).to_have_count(0)
    expect(chat.input).to_be_focused()
    chat.ask(SECOND)

    chat.reload()
    listed = chat.part("conversations").get_by_role("listitem")
    expect(listed).to_have_count(2)
    expect(listed.first).to_contain_text(SECOND)
    listed.filter(has_text=FIRST).locator(".conversation-open").click()
    expect(chat.answer).to_have_text(answer)
    chat.markers.first.click()  # its citations still lead into the source
    expect(chat.part("cited-span")).to_be_visible()

    row = listed.filter(has_text=FIRST)
    row.hover()
    row.get_by_test_id("rename").click()
    chat.part("conversation-name").fill("Lists 列表")
    chat.part("conversation-name").press("Enter")
    expect(listed.filter(has_text="Lists 列表")).to_have_count(1)
    chat.shoot("conversations")

    row = listed.filter(has_text=SECOND)
    row.hover()
    row.get_by_test_id("delete").click()
    chat.shoot("confirm-delete")
    chat.part("confirm-delete").click()
    expect(listed).to_have_count(1)
    chat.reload()
    expect(listed).to_have_count(1)
    expect(listed).to_contain_text("Lists 列表")
    assert not chat.page.evaluate(f"JSON.stringify(localStorage).includes({SECOND!r})")


def test_f_1002_what_is_asked_again_is_asked_where_it_was(open_chat: OpenChat, service: Served) -> None:
    """Asked in one collection; then another is chosen. What is copied names its sources."""
    chat = open_chat(service)
    chat.ask(FIRST)
    chat.choose("literal")
    with chat.page.expect_request(lambda request: request.url.endswith("/ask")) as asked:
        chat.turn.get_by_test_id("again").click()
    assert json.loads(asked.value.post_data or "{}")["collection"] == "default"
    chat.wait_for("done")
    expect(chat.turn.get_by_test_id("scope")).to_contain_text("In “default”")
    chat.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    chat.turn.get_by_test_id("copy-with-sources").click()
    copied = chat.page.evaluate("navigator.clipboard.readText()")
    assert "[1]" in copied
    assert "en/ivfflat.md" in copied
    assert "#/d/" in copied


def test_the_language_and_the_colours_are_kept(open_chat: OpenChat, service: Served) -> None:
    chat = open_chat(service)
    root = chat.page.locator("html")
    expect(root).to_have_attribute("lang", "en")
    light = luminance(root.evaluate(_BACKGROUND))
    chat.part("language-switch").click()
    chat.part("theme-switch").click()
    for _ in range(2):
        expect(root).to_have_attribute("lang", "zh")
        expect(root).to_have_attribute("data-theme", "dark")
        expect(chat.input).to_have_attribute("placeholder", re.compile(r"[\u4e00-\u9fff]"))
        assert luminance(root.evaluate(_BACKGROUND)) < light / 2
        chat.shoot("welcome-zh-dark")
        chat.reload()
    chat.part("language-switch").click()
    expect(root).to_have_attribute("lang", "en")


def test_an_answer_in_the_dark_with_its_source(open_chat: OpenChat, service: Served) -> None:
    chat = open_chat(service, color_scheme="dark", locale="zh-CN")
    chat.ask(SECOND)
    chat.markers.first.click()
    mark = chat.part("cited-span")
    expect(mark).to_be_visible()
    ink, ground = mark.evaluate(
        "mark => [getComputedStyle(mark).color, getComputedStyle(mark).backgroundColor]"
    )
    assert contrast(ink, ground) >= 4.5  # WCAG 2.2, 1.4.3
    chat.shoot("citation-zh-dark")


_BACKGROUND = "root => getComputedStyle(root).backgroundColor"


def luminance(colour: str) -> float:
    """The relative luminance of a CSS colour (WCAG 2.2), 0 to 1."""
    channels = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two CSS colours (WCAG 2.2), 1 to 21."""
    dark, bright = sorted((luminance(one), luminance(other)))
    return (bright + 0.05) / (dark + 0.05)
