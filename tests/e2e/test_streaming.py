"""Answers of a language model as they arrive: stop, failure in the middle, markers, what stays in view."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.chat import Chat
from tests.e2e.conftest import OpenChat
from tests.e2e.served import Served, wait_until
from tests.fakes import ScriptedLlm

pytestmark = [pytest.mark.e2e, pytest.mark.model]

QUESTION = "How do I choose the number of ivfflat lists?"
CLAIM = "Choose the number of ivfflat lists from the number of rows: about the square root of the row count"
LONG = "\n\n".join(
    f"{n}. {CLAIM}, for example 100 lists for 10,000 rows; and paragraph {n} goes on." for n in range(1, 21)
)


def test_stop_keeps_what_has_arrived_and_cancels_the_models_work(
    open_chat: OpenChat, model_service: Served, scripted: ScriptedLlm
) -> None:
    scripted.answer, scripted.token_delay_s = LONG, 0.05
    chat = open_chat(model_service)
    chat.send(QUESTION)
    expect(chat.answer).to_contain_text("Choose the number of ivfflat")
    chat.shoot("streaming")
    chat.part("stop").click()
    assert scripted.completions[-1].disconnected.wait(1.0)

    chat.wait_for("stopped")
    expect(chat.turn.get_by_test_id("stopped")).to_be_visible()
    kept = chat.answer.text_content() or ""
    assert "Choose the number of ivfflat" in kept
    assert "paragraph 20" not in kept
    expect(chat.part("send")).to_be_visible()
    expect(chat.input).to_be_focused()
    chat.shoot("stopped")
    chat.reload()
    expect(chat.answer).to_have_text(kept)


def test_a_reload_takes_up_the_stream_where_it_is(
    open_chat: OpenChat, model_service: Served, scripted: ScriptedLlm
) -> None:
    """The model is not asked again; a page that is closed is tests/unit/test_api_resumable.py's."""
    scripted.answer, scripted.token_delay_s = LONG, 0.01
    chat = open_chat(model_service)
    chat.send(QUESTION)
    expect(chat.answer).to_contain_text("paragraph 1 goes on")
    asked = len(scripted.completions)
    chat.reload()
    chat.wait_for("done")
    expect(chat.answer).to_contain_text("paragraph 20 goes on.")
    assert len(scripted.completions) == asked
    assert not scripted.completions[-1].disconnected.is_set()


def test_a_model_that_fails_in_the_middle_is_replaced_by_an_extractive_answer_and_a_notice(
    open_chat: OpenChat, model_service: Served, scripted: ScriptedLlm
) -> None:
    scripted.answer, scripted.mode = (
        "Whatever you like, with no evidence at all. " * 4,
        "disconnect_mid_stream",
    )
    chat = open_chat(model_service)
    chat.ask(QUESTION)
    expect(chat.turn.get_by_test_id("degraded")).to_be_visible()
    expect(chat.answer).to_contain_text("square root of the row count")
    expect(chat.answer).not_to_contain_text("Whatever you like")
    expect(chat.markers.first).to_be_visible()
    chat.shoot("degraded")


def test_markers_of_a_model_become_citations_of_what_they_claim(
    open_chat: OpenChat, model_service: Served, scripted: ScriptedLlm
) -> None:
    scripted.answer = f"**{CLAIM}** [1]. Nobody has ever claimed this [77]."
    chat = open_chat(model_service)
    chat.ask(QUESTION)
    expect(chat.answer.locator("strong")).to_contain_text("square root")
    expect(chat.markers).to_have_count(1)
    expect(chat.answer).not_to_contain_text("77")
    expect(chat.turn).to_contain_text(scripted.model)
    chat.markers.first.click()
    expect(chat.part("cited-span")).to_contain_text("square root of the row count")
    chat.shoot("model-answer")


def test_the_question_stays_in_view_while_its_answer_arrives(
    open_chat: OpenChat, model_service: Served, scripted: ScriptedLlm
) -> None:
    chat = open_chat(model_service)
    scripted.answer = LONG
    chat.ask(QUESTION)  # so that the second question has to rise
    scripted.token_delay_s = 0.003
    chat.send("What are ivfflat lists and probes?")
    for paragraph in (2, 8, 14, 20):
        expect(chat.answer).to_contain_text(f"paragraph {paragraph} goes on.")
        assert question_is_in_view(chat)
    chat.wait_for("done")
    assert question_is_in_view(chat)
    chat.shoot("long-answer")


def test_who_reads_elsewhere_is_left_there_while_an_answer_arrives(
    open_chat: OpenChat, model_service: Served, scripted: ScriptedLlm
) -> None:
    chat = open_chat(model_service)
    scripted.answer = LONG
    chat.ask(QUESTION)
    scripted.token_delay_s = 0.003
    chat.send("What are ivfflat lists and probes?")
    expect(chat.answer).to_contain_text("paragraph 8 goes on.")
    chat.page.locator(".chat").hover()
    chat.page.mouse.wheel(0, -100_000)
    wait_until(lambda: top_of_view(chat) == 0)
    chat.wait_for("done")
    assert top_of_view(chat) == 0
    chat.page.locator(".to-latest").click()
    expect(chat.page.locator(".to-latest")).to_have_count(0)
    assert top_of_view(chat) > 0


def question_is_in_view(chat: Chat) -> bool:
    return bool(
        chat.turn.locator(".question").evaluate(
            "question => { const box = question.getBoundingClientRect(), view = question.closest('.chat')"
            ".getBoundingClientRect(); return view.top <= box.top && box.bottom <= view.bottom; }"
        )
    )


def top_of_view(chat: Chat) -> float:
    return float(chat.page.locator(".chat").evaluate("chat => chat.scrollTop"))
