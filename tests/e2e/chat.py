"""The chat page as a reader uses it, over Playwright. Names are the page's test ids (web/README.md)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import cast

from playwright.sync_api import Locator, Page, expect

SCREENSHOTS = Path(__file__).parents[2] / "test-results"
WHOLE_NUMBER = re.compile(r"^\d+$")


class Chat:
    """One page. It records every request, violation of the content policy and script error from the start."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.requests: list[str] = []
        self.errors: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.add_init_script(
            "window.violations = [];"
            "document.addEventListener('securitypolicyviolation',"
            " (event) => window.violations.push(`${event.violatedDirective} ${event.blockedURI}`));"
        )

    def open(self, shows: str = "question-input") -> Chat:
        """Go to the page and wait until it can be used: until the part with the test id `shows` is there."""
        self.page.goto(self.url)
        expect(self.part(shows)).to_be_visible()
        return self

    def reload(self) -> None:
        self.page.reload()
        expect(self.input).to_be_visible()

    def part(self, test_id: str) -> Locator:
        return self.page.get_by_test_id(test_id)

    @property
    def input(self) -> Locator:
        return self.part("question-input")

    @property
    def turns(self) -> Locator:
        return self.page.locator("article.turn")

    @property
    def turn(self) -> Locator:
        """The last turn."""
        return self.turns.last

    @property
    def answer(self) -> Locator:
        """The text of the last answer."""
        return self.turn.get_by_test_id("answer")

    @property
    def markers(self) -> Locator:
        """The citation markers in the last answer."""
        return self.turn.get_by_test_id("citation-marker")

    def send(self, question: str) -> None:
        """Write a question and press Enter; returns once its turn is there."""
        before = self.turns.count()
        self.input.fill(question)
        self.input.press("Enter")
        expect(self.turns).to_have_count(before + 1)

    def ask(self, question: str, status: str = "done") -> None:
        """Send a question and wait for how it ends."""
        self.send(question)
        self.wait_for(status)

    def wait_for(self, status: str) -> None:
        """Wait until the last turn has this status."""
        expect(self.turn).to_have_attribute("data-status", status)

    def choose(self, collection: str) -> None:
        """Pick a collection; its name appears once the list is loaded."""
        expect(self.part("collection-picker").locator(f'option[value="{collection}"]')).to_have_count(1)
        self.part("collection-picker").select_option(collection)

    def violations(self) -> list[str]:
        """What the Content-Security-Policy has refused since the page was opened."""
        return cast("list[str]", self.page.evaluate("window.violations"))

    def scrolls_sideways(self) -> bool:
        """Whether the page is wider than the window."""
        return bool(
            self.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
        )

    def shoot(self, name: str) -> None:
        """Keep a screenshot in test-results/."""
        SCREENSHOTS.mkdir(exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png", animations="disabled")


def fully_visible(part: Locator, within: Locator | None = None) -> bool:
    """Whether all of an element lies in the window, and in the box of `within`."""
    box = part.bounding_box()
    window = part.page.viewport_size
    frame = within.bounding_box() if within else None
    if box is None or window is None:
        return False
    top, bottom = (frame["y"], frame["y"] + frame["height"]) if frame else (0.0, float(window["height"]))
    bottom = min(bottom, float(window["height"]))
    return (
        top <= box["y"] and box["y"] + box["height"] <= bottom and box["x"] >= 0
        and box["x"] + box["width"] <= window["width"]
    )  # fmt: skip
