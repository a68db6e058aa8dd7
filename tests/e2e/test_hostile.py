"""Documents, file names and models that attack the page. `open_chat` also fails on any request to another origin,
any violation of the content policy and any script error."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, expect

from tests.e2e.chat import Chat
from tests.e2e.conftest import OpenChat
from tests.e2e.documents import BIDI_NAME, FAILED, HOSTILE_ANSWER, HOSTILE_NAME
from tests.e2e.served import Served
from tests.fakes import ScriptedLlm

pytestmark = [pytest.mark.e2e, pytest.mark.model]

QUESTION = "When is the harbour lantern lit by the keeper?"
ACTIVE = (
    "img, picture, video, audio, iframe, object, embed, svg, style, script, link, base, form, "
    "a[href]:not([href^='#'])"
)


def assert_harmless(chat: Chat, part: Locator) -> None:
    """Nothing active in `part` but the page's own icons, and nothing that ran."""
    assert part.locator(ACTIVE).evaluate_all("found => found.filter(e => !e.closest('svg.icon')).length") == 0
    assert chat.page.evaluate("window.attacked") is None


def test_a_hostile_document_is_only_text_in_answers_and_sources(open_chat: OpenChat, service: Served) -> None:
    chat = open_chat(service)
    chat.choose("hostile")
    chat.ask(QUESTION)
    expect(chat.answer).to_contain_text("lit at dusk by the keeper")
    expect(chat.turn.get_by_test_id("source-card").first).to_contain_text(HOSTILE_NAME)
    assert_harmless(chat, chat.turn)
    chat.markers.first.click()
    expect(chat.part("cited-span")).to_contain_text("lit at dusk by the keeper")
    expect(chat.part("source-text")).to_contain_text("<script>window.attacked = true</script>")
    assert_harmless(chat, chat.part("source-pane"))
    chat.shoot("hostile-document")


def test_a_hostile_page_is_only_text(open_chat: OpenChat, service: Served) -> None:
    chat = open_chat(service)
    chat.choose("hostile")
    chat.ask("Where do the pilots of the estuary sleep?")
    expect(chat.answer).to_contain_text("aboard the cutter")
    chat.markers.first.click()
    expect(chat.part("cited-span")).to_be_visible()
    assert_harmless(chat, chat.part("source-pane"))
    assert_harmless(chat, chat.turn)


def test_a_hostile_models_answer_loads_nothing_and_leads_nowhere(
    open_chat: OpenChat, model_service: Served, scripted: ScriptedLlm
) -> None:
    scripted.answer = HOSTILE_ANSWER
    chat = open_chat(model_service)
    chat.choose("hostile")
    chat.ask(QUESTION)
    expect(chat.answer).to_contain_text("a map of the harbour")
    assert_harmless(chat, chat.answer)
    expect(chat.markers).to_have_count(1)  # the button that the model wrote is none
    chat.shoot("hostile-answer")
    chat.reload()
    expect(chat.answer).to_contain_text("a map of the harbour")
    assert_harmless(chat, chat.answer)


def test_hostile_names_are_only_text_in_the_documents_view(open_chat: OpenChat, service: Served) -> None:
    chat = open_chat(service)
    chat.choose("hostile")
    chat.part("nav-library").click()
    view = chat.part("documents")
    expect(view).to_contain_text(HOSTILE_NAME)
    assert_harmless(chat, view)
    expect(view).to_contain_text(BIDI_NAME.replace("\u202e", "[U+202E]"))
    assert "\u202e" not in (view.text_content() or "")
    view.locator("tr", has_text="Tide").get_by_test_id("document").click()
    expect(chat.part("source-text")).to_contain_text("ferry office")
    chat.shoot("hostile-names")


@pytest.mark.parametrize(
    ("locale", "words"),
    [
        ("en-GB", ("damaged", "no text", "Files of this type are not read")),
        ("zh-CN", ("已损坏", "没有文字", "不支持这种类型")),
    ],
    ids=["en", "zh"],
)
def test_failed_files_are_listed_with_their_reason(
    open_chat: OpenChat, service: Served, locale: str, words: tuple[str, str, str]
) -> None:
    chat = open_chat(service, locale=locale)
    chat.choose("hostile")
    chat.part("nav-library").click()
    for (name, code), sentence in zip(FAILED.items(), words, strict=True):
        row = chat.part("documents").locator("tr", has_text=name)
        expect(row.locator(".document-reason")).to_contain_text(sentence)
        expect(row.locator(".document-reason")).to_have_attribute("title", code)
    chat.shoot(f"documents-{locale[:2]}")
