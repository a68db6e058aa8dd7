"""Marks stand where the service says and open their own claim's evidence; quotes are shown letter by letter."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.chat import Chat
from tests.e2e.conftest import OpenChat
from tests.e2e.documents import MUSEUM_QUOTE
from tests.e2e.served import Served
from tests.fakes import ScriptedLlm

pytestmark = [pytest.mark.e2e, pytest.mark.model]

LISTS = "How do I choose the number of ivfflat lists?"
TRUE_CLAIMS = (
    "Choose the number of ivfflat lists from the number of rows: about the square root of the row count",
    "Lists are the clusters into which an ivfflat index divides the vectors when it is built",
)
UNTRUE_CLAIM = "A thousand unicorns voted for purple probes on Tuesday"
UNCITED_CLAIM = "Everybody **likes** to measure unicorns"


def quotes_behind(chat: Chat) -> list[list[str]]:
    """The marked stretches of the source behind each mark of the last answer."""
    found = []
    for index in range(chat.markers.count()):
        chat.markers.nth(index).click()
        expect(chat.part("cited-span").first).to_be_visible()
        found.append(chat.part("cited-span").all_text_contents())
        chat.part("close-source").click()
    return found


def test_f_601_a_number_in_a_quoted_document_is_no_button(open_chat: OpenChat, service: Served) -> None:
    """F-601: a survey's own [1] and [2] stay text, and no mark opens the sentence that says the opposite."""
    chat = open_chat(service)
    chat.choose("literal")
    chat.ask("When do quolls migrate?")
    expect(chat.answer).to_contain_text("in two valleys [2].")
    behind = quotes_behind(chat)
    assert len(behind) == 2
    assert "Quolls migrate in spring" in behind[0][0]
    assert "do not migrate at all" in behind[1][0]
    chat.shoot("survey")


@pytest.mark.parametrize(
    ("question", "words"),
    [
        (
            "Where is the configuration file of the Wombat agent on Windows?",
            r"is C:\new_folder\*_config\agent.ini on Windows.",
        ),
        (
            "What does the Wombat agent call before __main__?",
            "calls __init__ before __main__ and multiplies 2 * 3 * 4",
        ),
        (
            "What is the Wombat price?",
            "is $5 to $10, see [1] and ~old~ price list at https://wombat.example/prices.",
        ),
    ],
    ids=["path", "names", "strike"],
)
def test_f_1001_a_quote_is_shown_letter_by_letter(
    open_chat: OpenChat, service: Served, question: str, words: str
) -> None:
    """F-1001: no Markdown over quoted text; the answer shows what the document holds."""
    chat = open_chat(service)
    chat.choose("literal")
    chat.ask(question)
    assert words in (chat.answer.text_content() or "")
    expect(chat.answer.locator("del, em, strong, code, a")).to_have_count(0)
    assert any(words in spans[0] for spans in quotes_behind(chat))


def test_f_602_claims_on_one_marker_open_their_own_sentences(
    open_chat: OpenChat, model_service: Served, scripted: ScriptedLlm
) -> None:
    """F-602: three claims on source 1 lead to their own evidence; only what is not there is marked, quietly."""
    scripted.answer = (
        " ".join(f"{claim} [1]." for claim in (*TRUE_CLAIMS, UNTRUE_CLAIM)) + f" {UNCITED_CLAIM}."
    )
    chat = open_chat(model_service)
    chat.ask(LISTS)
    expect(chat.markers).to_have_count(3)
    dashed = ["marker-unsupported" in (chat.markers.nth(n).get_attribute("class") or "") for n in range(3)]
    assert dashed == [False, False, True]
    behind = quotes_behind(chat)
    assert "square root of the row count" in behind[0][0]
    assert "clusters into which" in behind[1][0]
    expect(chat.answer.locator(".claim-unsupported")).to_have_text(UNTRUE_CLAIM)
    expect(chat.answer.locator(".claim-sourceless").last).to_contain_text("measure unicorns")
    expect(chat.turn.get_by_test_id("claim-legend")).to_be_visible()
    expect(chat.turn.get_by_test_id("source-card")).to_have_count(1)
    chat.shoot("claims")
    chat.reload()
    expect(chat.markers).to_have_count(3)


@pytest.mark.parametrize(
    ("question", "collection", "locale"),
    [
        ("Who repairs the harbour lantern of the quoll?", "literal", "en-GB"),
        ("Who repairs the harbour lantern of the quoll?", "literal", "zh-CN"),
    ],
    ids=["en", "zh"],
)
def test_f_811_a_refusal_leads_on_to_the_nearest_passages(
    open_chat: OpenChat, service: Served, question: str, collection: str, locale: str
) -> None:
    """F-811: a refusal shows what came nearest and why it does not do, and opens it in its document."""
    chat = open_chat(service, locale=locale)
    chat.choose(collection)
    chat.ask(question)
    expect(chat.turn.get_by_test_id("abstained")).to_be_visible()
    near = chat.turn.get_by_test_id("nearest-passage")
    expect(near.first).to_be_visible()
    assert near.count() <= 3
    expect(near.first.locator(".source-why")).not_to_be_empty()
    near.first.click()
    expect(chat.part("cited-span").first).to_be_visible()
    chat.shoot(f"nearest-{locale[:2]}")


# Where a line's last character stands, from the left, against the middle of the line.
LAST_IS_LEFT = """element => {
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  let last = null;
  for (let node = walker.nextNode(); node; node = walker.nextNode()) if (node.data.trim()) last = node;
  const box = (start, end) => {
    const range = document.createRange();
    range.setStart(last, start);
    range.setEnd(last, end);
    return range.getBoundingClientRect();
  };
  const end = last.data.trimEnd().length;
  return box(end - 1, end).left < box(0, end).left + box(0, end).width / 2;
}"""


def test_text_from_right_to_left_runs_so_and_the_paragraph_beside_it_does_not(
    open_chat: OpenChat, service: Served
) -> None:
    """Issue 13.5: in the reader a full stop stood at the wrong end of the line, and lists at the wrong side."""
    chat = open_chat(service)
    chat.choose("literal")
    chat.ask("המוזיאון נפתח בשעה תשע בבוקר")
    expect(chat.answer).to_contain_text(MUSEUM_QUOTE)
    chat.markers.first.click()
    expect(chat.part("cited-span").first).to_have_text(MUSEUM_QUOTE)
    text = chat.part("source-text")
    paragraphs = text.locator("p")
    assert paragraphs.first.evaluate(LAST_IS_LEFT)
    assert not paragraphs.last.evaluate(LAST_IS_LEFT)
    items, table = text.locator("li"), text.locator("td, th")
    assert items.first.evaluate("item => getComputedStyle(item).direction") == "rtl"
    first, second = (table.nth(at).bounding_box() for at in range(2))
    assert first is not None
    assert second is not None
    assert first["x"] > second["x"]
    chat.shoot("museum")
