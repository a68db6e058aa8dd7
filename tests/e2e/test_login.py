"""A service that asks for keys (PGASK_AUTH=keys): the way in, what is kept, and the way out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.chat import Chat
from tests.e2e.conftest import PHONE, OpenChat, copy_home
from tests.e2e.served import Served, kill_all, run
from tests.e2e.test_screens import assert_axe_is_content

pytestmark = [pytest.mark.e2e, pytest.mark.model]

QUESTION = {"en": "How do I choose the number of ivfflat lists?", "zh": "如何选择分块大小？"}


@pytest.fixture(scope="module")
def guarded(made_home: Path) -> Iterator[Served]:
    """The service without a language model, for those who have a key."""
    service = Served(copy_home(made_home, "guarded"), auth="keys")
    try:
        service.start()
        service.wait_until_ready()
        yield service
    finally:
        service.close()
        kill_all(service.home)


def make_key(service: Served, name: str) -> str:
    created = run(service.home, "pgask", "keys", "create", "--name", name, "--role", "writer")
    return next(word for word in created.split() if word.startswith("pgask_"))


def log_in(chat: Chat, key: str) -> None:
    chat.part("login-key").fill(key)
    chat.part("login-key").press("Enter")
    expect(chat.input).to_be_visible()


@pytest.mark.parametrize(
    ("locale", "viewport"), [("en-GB", None), ("zh-CN", None), ("zh-CN", PHONE)], ids=["en", "zh", "phone"]
)
def test_a_key_opens_the_page(
    open_chat: OpenChat, guarded: Served, locale: str, viewport: dict[str, int] | None
) -> None:
    language, suffix = locale[:2], "-phone" if viewport else ""
    key = make_key(guarded, f"Ada {language}{suffix}")
    options = {"viewport": viewport, "color_scheme": "dark"} if viewport else {}
    chat = open_chat(guarded, shows="login-key", locale=locale, **options)
    expect(chat.part("login-key")).to_be_focused()
    assert not chat.scrolls_sideways()
    assert_axe_is_content(chat, "login")
    chat.shoot(f"login-{language}{suffix}")
    chat.page.keyboard.type("pgask_wrong")
    chat.page.keyboard.press("Enter")
    expect(chat.page.get_by_role("alert")).to_contain_text(
        {"en": "opens nothing", "zh": "无法登录"}[language]
    )
    chat.shoot(f"login-refused-{language}{suffix}")
    log_in(chat, key)

    chat.ask(QUESTION[language])
    expect(chat.answer).to_be_visible()
    chat.markers.first.click()
    expect(chat.part("cited-span").first).to_be_visible()
    chat.part("close-source").click()
    if viewport:
        chat.part("menu").click()
    expect(chat.part("account")).to_contain_text(f"Ada {language}{suffix}")
    chat.shoot(f"logged-in-{language}{suffix}")
    chat.part("log-out").click()
    expect(chat.part("login-key")).to_be_visible()
    assert not [cookie for cookie in chat.page.context.cookies() if cookie.get("name") == "pgask_session"]


def test_a_revoked_key_leads_back_to_the_login_and_loses_nothing(
    open_chat: OpenChat, guarded: Served
) -> None:
    key = make_key(guarded, "Bo")
    chat = open_chat(guarded, shows="login-key")
    log_in(chat, key)
    chat.ask(QUESTION["en"])
    said = chat.answer.inner_text()
    run(guarded.home, "pgask", "keys", "revoke", key[:12])
    chat.input.fill("What are probes?")
    chat.input.press("Enter")
    expect(chat.part("login-text")).to_contain_text("Your session has ended")
    chat.shoot("login-revoked")

    log_in(chat, make_key(guarded, "Cy"))  # somebody else, who sees nothing of it
    expect(chat.part("account")).to_contain_text("Cy")
    expect(chat.turns).to_have_count(0)
    chat.part("log-out").click()
    log_in(chat, make_key(guarded, "Bo"))
    chat.part("conversations").get_by_role("link").click()
    expect(chat.turns).to_have_count(2)
    assert chat.turns.first.get_by_test_id("answer").inner_text() == said
    chat.part("retry").click()
    chat.wait_for("done")
    expect(chat.answer).to_contain_text("probes")


def test_f_1047_conversations_are_there_on_another_machine(open_chat: OpenChat, guarded: Served) -> None:
    key = make_key(guarded, "Di")
    one = open_chat(guarded, shows="login-key")
    log_in(one, key)
    with one.page.expect_response(
        lambda reply: "/conversations/" in reply.url and reply.request.method == "PUT"
    ) as sent:
        one.ask(QUESTION["en"])
    assert sent.value.ok
    said = one.answer.inner_text()

    other = open_chat(guarded, shows="login-key", locale="zh-CN")
    log_in(other, key)
    other.part("conversations").get_by_role("link").click()
    expect(other.turns).to_have_count(1)
    assert other.answer.inner_text() == said
    other.part("conversations").get_by_role("listitem").hover()
    other.part("delete").click()
    with other.page.expect_response(lambda reply: reply.request.method == "DELETE"):
        other.part("confirm-delete").click()
    expect(other.turns).to_have_count(0)

    one.reload()
    expect(one.turns).to_have_count(0)
    expect(one.part("conversations")).to_have_count(0)
