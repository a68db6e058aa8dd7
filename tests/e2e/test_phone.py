"""360 pixels wide: nothing scrolls sideways, the source is a sheet, the conversations a drawer."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.chat import fully_visible
from tests.e2e.conftest import PHONE, OpenChat
from tests.e2e.served import Served
from tests.e2e.test_screens import assert_axe_is_content
from tests.fakes import ScriptedLlm

pytestmark = [pytest.mark.e2e, pytest.mark.model]

WIDE_ANSWER = (
    "Choose the number of ivfflat lists from the number of rows [1].\n\n"
    "| rows | lists | probes | recall | milliseconds | comment |\n|---|---|---|---|---|---|\n"
    "| 100,000 | 316 | 18 | 0.95 | 2.1 | measured |\n\n"
    f"```sql\nSELECT {', '.join(f'column_{n}' for n in range(20))} FROM chunks;\n```\n\n{'x' * 300}"
)


@pytest.mark.parametrize(("locale", "scheme"), [("en-GB", "light"), ("zh-CN", "dark")], ids=["en", "zh"])
def test_a_phone_shows_everything_in_its_width(
    open_chat: OpenChat, service: Served, locale: str, scheme: str
) -> None:
    language = locale[:2]
    question = {"en": "How do I choose the number of ivfflat lists?", "zh": "如何选择分块大小？"}[language]
    chat = open_chat(
        service, viewport=PHONE, locale=locale, color_scheme=scheme, has_touch=True, is_mobile=True
    )
    assert not chat.scrolls_sideways()
    chat.shoot(f"phone-welcome-{language}")
    chat.ask(question)
    assert not chat.scrolls_sideways()
    chat.shoot(f"phone-answer-{language}")

    chat.markers.first.tap()
    pane = chat.part("source-pane")
    expect(pane).to_have_attribute("role", "dialog")
    expect(chat.part("cited-span")).to_be_visible()
    assert fully_visible(chat.part("cited-span"), pane)
    box = pane.bounding_box()
    assert box is not None
    assert box["width"] == PHONE["width"]
    assert 0.6 < box["height"] / PHONE["height"] < 0.9  # F-1064: what was asked stays in sight above it
    steps = pane.locator(".pane-steps").bounding_box() if pane.locator(".pane-steps").count() else None
    assert steps is None or steps["y"] > box["y"] + box["height"] / 2
    assert not chat.scrolls_sideways()
    chat.shoot(f"phone-source-{language}")
    chat.part("close-source").tap()
    expect(pane).to_have_count(0)

    chat.part("menu").tap()
    expect(chat.part("conversations")).to_contain_text(question)
    assert not chat.scrolls_sideways()
    chat.shoot(f"phone-menu-{language}")
    chat.page.keyboard.press("Escape")
    expect(chat.part("conversations")).to_have_count(0)

    chat.choose("hostile")
    chat.part("nav-library").tap()
    expect(chat.part("document").first).to_be_visible()
    assert not chat.scrolls_sideways()
    chat.shoot(f"phone-documents-{language}")


def test_wide_tables_and_code_scroll_by_themselves(
    open_chat: OpenChat, model_service: Served, scripted: ScriptedLlm
) -> None:
    scripted.answer = WIDE_ANSWER
    chat = open_chat(model_service, viewport=PHONE, has_touch=True, is_mobile=True)
    chat.ask("How do I choose the number of ivfflat lists?")
    expect(chat.answer.locator("table")).to_be_visible()
    assert not chat.scrolls_sideways()
    assert chat.page.locator(".chat").evaluate("chat => chat.scrollWidth <= chat.clientWidth")
    chat.answer.locator("table").scroll_into_view_if_needed()
    chat.shoot("phone-wide-answer")


def test_at_400_percent_the_source_has_room(open_chat: OpenChat, service: Served) -> None:
    chat = open_chat(service, viewport={"width": 320, "height": 256})
    found = service.get("/documents", q="ivfflat.md")["documents"]
    assert isinstance(found, list)
    chat.page.goto(f"{service.url}/#/d/{found[0]['id']}")
    body = chat.part("source-pane").get_by_role("region")
    body.scroll_into_view_if_needed()
    box = body.bounding_box()
    assert box is not None
    assert box["height"] > 200
    assert not chat.scrolls_sideways()
    chat.page.goto(f"{service.url}/#/status")
    expect(chat.part("light").first).to_be_visible()
    assert_axe_is_content(chat, "the status at 400 %")
