"""Ask, and follow a citation to the sentence it rests on, in English and in Chinese."""

from __future__ import annotations

from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Route, expect

from tests.e2e.chat import Chat, fully_visible
from tests.e2e.conftest import OpenChat
from tests.e2e.served import Served

pytestmark = [pytest.mark.e2e, pytest.mark.model]

ENGLISH = ("How do I choose the number of ivfflat lists?", "en/ivfflat.md", "square root of the row count")
CHINESE = ("如何选择分块大小？", "zh/chunking.md", "512 个词元")


def citations(service: Served, question: str) -> list[dict[str, Any]]:
    return cast("list[dict[str, Any]]", service.ask(question)["citations"])


def marked_citations(service: Served, question: str) -> list[dict[str, Any]]:
    """What each mark of the answer leads to, in the order of the marks."""
    reply = cast("dict[str, Any]", service.ask(question))
    marked = [claim for claim in reply["claims"] if claim["mark_start"] is not None]
    in_order = sorted(marked, key=lambda claim: int(claim["mark_start"]))
    return [reply["citations"][claim["citations"][0]] for claim in in_order]


def follow(chat: Chat, index: int) -> str:
    """Follow a marker; returns the highlighted text, after it was seen to be in view."""
    chat.markers.nth(index).click()
    span, body = chat.part("cited-span"), chat.part("source-pane").locator(".pane-body")
    expect(span).to_be_visible()
    assert fully_visible(span, body)
    return span.text_content() or ""


@pytest.mark.parametrize(("question", "source", "words"), [ENGLISH, CHINESE], ids=["en", "zh"])
def test_an_answer_comes_from_the_right_document_and_its_citations_open_at_their_quotes(
    open_chat: OpenChat, service: Served, question: str, source: str, words: str
) -> None:
    language = source[:2]
    chat = open_chat(service, locale={"en": "en-GB", "zh": "zh-CN"}[language])
    chat.shoot(f"welcome-{language}")
    chat.ask(question)
    expect(chat.answer).to_contain_text(words)
    expect(chat.answer).to_have_attribute("lang", language)
    chat.shoot(f"answer-{language}")

    expected = marked_citations(service, question)
    assert expected
    expect(chat.markers).to_have_count(len(expected))
    assert [chat.markers.nth(n).get_attribute("data-marker") for n in range(len(expected))] == [
        str(citation["marker"]) for citation in expected
    ]
    for index, citation in enumerate(expected):
        assert citation["source"] == source
        start, end = citation["char_start"], citation["char_end"]
        text = service.get(f"/documents/{citation['document_id']}/text", start=start, end=end)["text"]
        assert follow(chat, index) == citation["quote"] == text
        folder, _, name = source.partition("/")
        expect(chat.part("source-pane").locator(".pane-title")).to_contain_text(name)
        expect(chat.part("source-pane").locator(".source-place")).to_contain_text(f"default › {folder}")
    chat.shoot(f"citation-{language}")
    chat.part("close-source").click()
    expect(chat.part("source-pane")).to_have_count(0)


def test_a_source_card_opens_the_same_place_as_its_marker(open_chat: OpenChat, service: Served) -> None:
    chat = open_chat(service)
    chat.ask(ENGLISH[0])
    followed = follow(chat, 0)
    chat.part("close-source").click()
    chat.turn.get_by_test_id("source-card").first.click()
    expect(chat.part("cited-span")).to_have_text(followed, use_inner_text=False)


def test_the_text_around_a_citation_loads_up_to_both_ends_of_the_document(
    open_chat: OpenChat, service: Served
) -> None:
    chat = open_chat(service)
    chat.ask(ENGLISH[0])
    follow(chat, 0)
    chat.part("view-text").click()
    for edge in ("load-before", "load-after"):
        while chat.part(edge).count():
            before = len(chat.part("source-text").text_content() or "")
            chat.part(edge).click()
            chat.page.wait_for_function(
                "before => document.querySelector('[data-testid=source-text]').textContent.length > before",
                arg=before,
            )
    document_id = citations(service, ENGLISH[0])[0]["document_id"]
    whole = service.get(f"/documents/{document_id}/text", start=0, end=1_000_000)["text"]
    assert chat.part("source-text").text_content() == whole


def test_f_1022_the_end_of_a_megabyte_is_two_actions_away(open_chat: OpenChat, service: Served) -> None:
    """The service tells of one document that it has a megabyte of text: to embed one would take minutes."""
    chat = open_chat(service)
    text = "".join(f"Line {n} of a long report.\n" for n in range(40_000))
    assert len(text) > 1_000_000

    def stretch(route: Route) -> None:
        about = parse_qs(urlsplit(route.request.url).query)
        start, end = int(about["start"][0]), min(int(about["end"][0]), len(text))
        route.fulfill(json={"text": text[start:end], "start": start, "end": end, "total_chars": len(text)})

    def detail(route: Route) -> None:
        told = {"chars": len(text), "media_type": "text/plain", "sections": [], "page_spans": []}
        route.fulfill(json=route.fetch().json() | told)

    document_id = citations(service, ENGLISH[0])[0]["document_id"]
    chat.page.route(f"**/documents/{document_id}", detail)
    chat.page.route(f"**/documents/{document_id}/text?*", stretch)
    chat.page.goto(f"{service.url}/#/d/{document_id}")
    expect(chat.part("source-text")).to_contain_text("Line 1 of a long report.")
    chat.part("outline").select_option(label="End of the document")
    expect(chat.part("source-text")).to_contain_text("Line 39999 of a long report.")
    chat.part("source-pane").get_by_role("region").press("End")
    expect(chat.part("source-text").get_by_text("Line 39999", exact=False)).to_be_in_viewport()


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ("Who won the football world cup of 1998?", "The documents do not contain the answer."),
        ("谁赢得了1998年世界杯？", "文档中没有这个问题的答案。"),
    ],
    ids=["en", "zh"],
)
def test_a_question_that_no_document_answers_is_told_as_such(
    open_chat: OpenChat, service: Served, question: str, sentence: str
) -> None:
    chinese = not question.isascii()
    chat = open_chat(service, locale="zh-CN" if chinese else "en-GB", color_scheme="dark")
    chat.ask(question)
    expect(chat.part("abstained")).to_contain_text(sentence)
    for absent in ("answer", "citation-marker", "sources"):
        expect(chat.part(absent)).to_have_count(0)
    chat.shoot(f"abstained-{'zh' if chinese else 'en'}-dark")


def test_a_follow_up_shows_the_question_that_was_searched_for(open_chat: OpenChat, service: Served) -> None:
    chat = open_chat(service)
    chat.ask(ENGLISH[0])
    expect(chat.part("standalone-question")).to_have_count(0)
    chat.ask("And how many probes does it need?")
    expect(chat.turn.get_by_test_id("standalone-question")).to_contain_text(
        f"{ENGLISH[0]} And how many probes does it need?"
    )
    expect(chat.answer).to_contain_text("probes")
    chat.shoot("follow-up")
