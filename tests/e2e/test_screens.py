"""The screens beside the conversation in a browser, and that axe finds nothing in any of them."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any

import httpx2
import pytest
from playwright.sync_api import expect

from tests.e2e.chat import Chat, fully_visible
from tests.e2e.conftest import PHONE, OpenChat
from tests.e2e.served import Served
from tests.fakes import ScriptedLlm
from tests.pdfs import build_pdf

pytestmark = [pytest.mark.e2e, pytest.mark.model]

AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
# Drops files, given as [name, base64], on the page as a file manager does.
DROP = """files => {
  const given = new DataTransfer();
  for (const [name, data] of files) {
    given.items.add(new File([Uint8Array.from(atob(data), (one) => one.charCodeAt(0))], name));
  }
  for (const kind of ["dragover", "drop"]) {
    document.body.dispatchEvent(new DragEvent(kind, {dataTransfer: given, bubbles: true, cancelable: true}));
  }
}"""
LISTS = "How do I choose the number of ivfflat lists?"
# Every feature of Markdown that a model uses, and what looks like one.
RICH = r"""## Summary

The number of lists is about the square root of the rows [1]. It costs $O(\sqrt{n})$, not $5 and $6 a month.

$$
C(n) = \frac{n}{L} \cdot P + L
$$

#### Too deep a heading

| Rows | Lists |
|---:|:---:|
| 10 000 | 100 |

```python
def lists(rows: int) -> int:
    return round(rows ** 0.5)
```

1. First **this** [1].
   - *then* `that`

- [x] measured
- [ ] plotted

> Measure before you tune. ~~Old advice.~~ See https://example.com/tuning.[^1]

[^1]: It says so.
"""


def assert_axe_is_content(chat: Chat, where: str) -> None:
    """No rule of WCAG 2.2 A and AA, and no best practice, is broken."""
    if not AXE.is_file():
        pytest.skip("the page's packages are not installed: make web")
    if not chat.page.evaluate("typeof window.axe === 'object'"):
        chat.page.evaluate(AXE.read_text("utf-8"))
    found: dict[str, Any] = chat.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    broken = [(one["id"], [node["html"][:120] for node in one["nodes"]]) for one in found["violations"]]
    assert not broken, f"{where}: {json.dumps(broken, ensure_ascii=False, indent=1)}"


@pytest.mark.parametrize(("locale", "scheme"), [("en-GB", "light"), ("zh-CN", "dark")], ids=["en", "zh"])
def test_axe_finds_nothing_on_any_screen(
    open_chat: OpenChat, model_service: Served, scripted: ScriptedLlm, locale: str, scheme: str
) -> None:
    scripted.answer = RICH
    chat = open_chat(model_service, locale=locale, color_scheme=scheme)
    expect(chat.part("example").first).to_be_visible()
    assert_axe_is_content(chat, "welcome")
    chat.ask(LISTS)
    expect(chat.answer.locator("math")).to_have_count(2)
    expect(chat.answer).to_contain_text("$5 and $6 a month")
    expect(chat.answer.locator(".hljs-keyword").first).to_be_visible()
    expect(chat.answer.locator("section.footnotes li")).to_contain_text("It says so.")
    chat.shoot(f"rich-answer-{locale[:2]}")
    chat.markers.first.hover()
    expect(chat.part("mark-card")).to_be_visible()
    assert_axe_is_content(chat, "an answer and its card")
    chat.markers.first.click()
    expect(chat.part("cited-span").first).to_be_visible()
    assert_axe_is_content(chat, "the reader")
    chat.part("view-text").click()
    expect(chat.part("cited-span").first).to_be_visible()
    chat.part("close-source").click()
    chat.part("add-filter").click()
    expect(chat.part("filter-panel")).to_be_visible()
    assert_axe_is_content(chat, "filters")
    chat.page.keyboard.press("Escape")
    chat.part("settings").click()
    expect(chat.part("settings-drawer")).to_be_visible()
    assert_axe_is_content(chat, "settings")
    chat.page.keyboard.press("Escape")
    for screen, shows in (
        ("search", "search"),
        ("library", "document"),
        ("activity", "activity"),
        ("status", "light"),
    ):
        chat.part(f"nav-{screen}").click()
        expect(chat.part(shows).first).to_be_visible()
        if screen == "search":
            chat.part("search-input").fill(LISTS)
            expect(chat.part("hit").first).to_be_visible()
        assert_axe_is_content(chat, screen)
        chat.shoot(f"screen-{screen}-{locale[:2]}")
    chat.page.keyboard.press("Control+k")
    expect(chat.part("palette")).to_be_visible()
    assert_axe_is_content(chat, "palette")


def test_a_question_is_narrowed_and_says_so_after_a_reload(open_chat: OpenChat, service: Served) -> None:
    chat = open_chat(service)
    chat.part("add-filter").click()
    chat.part("filter-panel").get_by_role("checkbox", name="Chinese").check()
    chat.page.keyboard.press("Escape")
    expect(chat.part("filter-chip")).to_have_text("Chinese")
    chat.ask("ivfflat lists")
    expect(chat.turn.get_by_test_id("scope")).to_contain_text("In “default” · Chinese")
    expect(chat.turn.get_by_test_id("source-card").first).to_contain_text("zh/")
    chat.reload()
    expect(chat.turn.get_by_test_id("scope")).to_contain_text("Chinese")
    expect(chat.part("filter-chip")).to_have_text("Chinese")


def test_passages_are_found_as_one_types_and_asked_alone(open_chat: OpenChat, service: Served) -> None:
    chat = open_chat(service, viewport=PHONE, has_touch=True, is_mobile=True)
    chat.part("nav-search").tap()
    chat.part("search-input").press_sequentially("ivfflat lists", delay=15)
    expect(chat.part("hit").first.locator("mark").first).to_be_visible()
    assert_axe_is_content(chat, "the search on a phone")
    assert not chat.scrolls_sideways()
    chat.shoot("phone-search")
    address = chat.page.url
    chat.part("hit").first.tap()
    expect(chat.part("source-text")).to_be_visible()
    chat.page.go_back()
    expect(chat.part("source-pane")).to_have_count(0)
    assert chat.page.url == address
    chat.part("ask-with-these").tap()
    chat.wait_for("done")
    expect(chat.turn.get_by_test_id("scope")).to_contain_text("documents")


def test_f_1048_the_library_is_narrowed_and_a_deletion_taken_back(
    open_chat: OpenChat, service: Served
) -> None:
    chat = open_chat(service)
    chat.part("nav-library").click()
    names = chat.part("document")
    expect(names.first).to_be_visible()
    whole = names.count()
    chat.page.get_by_role("navigation", name="Collections").get_by_role("link", name="zh").click()
    expect(names).to_have_count(2)
    assert chat.page.url.endswith("#/library/default/zh")
    chat.part("document-search").fill("CHUNK")
    expect(names).to_have_text(["chunking.md"])
    chat.part("delete-document").click()
    expect(names).to_have_count(0)
    assert_axe_is_content(chat, "a toast")
    chat.part("toast-act").click()
    expect(names).to_have_text(["chunking.md"])
    chat.page.go_back()
    expect(names).to_have_count(whole)
    assert fully_visible(names.first)


def test_the_state_of_the_service_is_told(open_chat: OpenChat, service: Served) -> None:
    chat = open_chat(service, locale="zh-CN")
    chat.part("nav-status").click()
    lights = chat.part("light")
    expect(lights).to_have_count(5)
    expect(lights.nth(0)).to_have_attribute("data-light", "good")
    expect(lights.nth(3)).to_contain_text("未配置")


def test_f_1041_files_dropped_anywhere_answer_without_a_terminal(
    open_chat: OpenChat, service: Served
) -> None:
    """A PDF that can be read, and one that can't: the first answers, the second says why."""
    good = build_pdf([["The lighthouse of Fellgate was built in 1821 by Ada Marrow."]])
    chat = open_chat(service)
    dropped = [
        ["fellgate.pdf", base64.b64encode(good).decode()],
        ["torn.pdf", base64.b64encode(b"%PDF-1.7").decode()],
    ]
    chat.page.evaluate(DROP, dropped)
    expect(chat.part("dropped-files")).to_contain_text("fellgate.pdf")
    expect(chat.part("planned-file").first).to_have_attribute("data-outcome", "new")
    assert_axe_is_content(chat, "what becomes of dropped files")
    chat.part("send-files").click()
    upload = chat.part("upload")
    expect(upload).to_have_attribute("data-state", "succeeded", timeout=60_000)
    expect(upload).to_contain_text("1 file is in, 1 failed.")
    expect(upload.get_by_test_id("job-file").first).to_contain_text("The file is damaged")
    assert_axe_is_content(chat, "an upload")
    chat.shoot("upload")
    upload.get_by_role("button", name="Close").click()
    chat.ask("When was the lighthouse of Fellgate built?")
    expect(chat.answer).to_contain_text("1821")
    expect(chat.turn.get_by_test_id("source-card")).to_contain_text("fellgate.pdf")
    chat.markers.first.click()  # the page itself, with the words in a rectangle on it
    expect(chat.part("page-view").first.get_by_role("img")).to_be_visible()
    expect(chat.part("page-box").first).to_be_visible()
    assert fully_visible(chat.part("page-box").first, chat.part("source-pane"))
    chat.shoot("upload-page")
    line = chat.part(
        "page-line"
    ).first  # its words lie over the picture, and can be taken along with their place
    expect(line).to_contain_text("Ada Marrow")
    box = line.bounding_box()
    assert box is not None
    chat.page.mouse.move(box["x"] + 1, box["y"] + box["height"] / 2)
    chat.page.mouse.down()
    chat.page.mouse.move(box["x"] + box["width"] - 1, box["y"] + box["height"] / 2, steps=4)
    chat.page.mouse.up()
    assert (
        chat.page.evaluate("String(getSelection())")
        .strip()
        .startswith("The lighthouse of Fellgate was built")
    )
    assert_axe_is_content(chat, "words selected on a page's picture")
    chat.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    chat.part("copy-selection").click()
    copied = chat.page.evaluate("navigator.clipboard.readText()")
    assert "by Ada Marrow" in copied
    assert re.search(r"#/d/[0-9a-f-]{36}\?at=0-\d+&page=1$", copied), copied
    chat.shoot("page-selection")
    chat.part("view-text").click()
    expect(chat.part("cited-span")).to_contain_text("1821")
    chat.part("close-source").click()
    chat.part("thumb-up").click()
    expect(chat.part("thumb-up")).to_have_attribute("aria-pressed", "true")
    chat.part("nav-activity").click()
    expect(chat.part("job").first).to_have_attribute("data-state", "succeeded")
    for name in ("fellgate.pdf", "torn.pdf"):  # other tests count what is there
        found = service.get("/documents", q=name)["documents"]
        assert isinstance(found, list)
        for document in found:
            httpx2.delete(f"{service.url}/documents/{document['id']}", timeout=30).raise_for_status()
