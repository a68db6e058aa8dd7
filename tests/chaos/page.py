"""What browsers would run, load or follow, in names of files, titles and texts of documents, on the real page (R32).

    .venv/bin/python -m tests.chaos.page [--payloads N] [--seed S] [--out FOLDER]

Each payload is the title and the text of one document and the name of another's file. The page lists them, answers
from each, and opens its source. Nothing may run, no other origin may be asked, the content policy may have nothing to
refuse, and nothing active may stand in what is shown. Needs Chromium and the built page (`make web`). Prints one JSON
object.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from playwright.sync_api import Locator, expect, sync_playwright

from tests.chaos.clients import Figures
from tests.chaos.evidence import report
from tests.chaos.served import Service
from tests.e2e.chat import Chat
from tests.e2e.conftest import WIDE
from tests.e2e.test_hostile import ACTIVE

AWAY: Final = "http://elsewhere.example"
RUN: Final = "window.attacked=true"
WRITTEN: Final = (
    f"<script>{RUN}</script>",
    f"<img src=x onerror={RUN}>",
    f"<svg onload={RUN}>",
    f"<svg><script>{RUN}</script></svg>",
    f"<iframe srcdoc='<script>parent.{RUN}</script>'></iframe>",
    f"<body onload={RUN}>",
    f"<details open ontoggle={RUN}>",
    f"<video><source onerror={RUN}></video>",
    f"<a href=javascript:{RUN}>x</a>",
    f"[x](javascript:{RUN})",
    f"[x](data:text/html,<script>{RUN}</script>)",
    f"![x]({AWAY}/i.png)",
    f"[x]: {AWAY}/r.png\n![x][x]",
    f"<{AWAY}/auto>",
    f"{AWAY}/bare",
    f"<link rel=stylesheet href={AWAY}/s.css>",
    f"<style>@import '{AWAY}/s.css'</style>",
    f"<meta http-equiv=refresh content='0;url={AWAY}'>",
    f"<base href={AWAY}/>",
    f"<form action={AWAY}><input autofocus></form>",
    f"<object data={AWAY}/o></object>",
    f"<embed src={AWAY}/e>",
    f"<math><mi href=javascript:{RUN}>x</mi></math>",
    f"<noscript><p title='</noscript><img src=x onerror={RUN}>'>",
    f"<svg></p><style><a id='</style><img src=x onerror={RUN}>'>",
    f"<form><math><mtext></form><form><mglyph><style></math><img src onerror={RUN}>",
    f"<template><img src=x onerror={RUN}></template>",
    f"<input onfocus={RUN} autofocus>",
    f"<marquee onstart={RUN}>x</marquee>",
    f"$\\href{{javascript:{RUN}}}{{x}}$",
    f'```mermaid\ngraph TD; A-->B; click A href "javascript:{RUN}"\n```',
    f"\\(\\url{{{AWAY}}}\\)",
    f"<img srcset='{AWAY}/a 1x'>",
    f"<div style='background:url({AWAY}/b)'>x</div>",
    f"<button onclick={RUN} data-testid=citation-marker>1</button>",
    f'"><script>{RUN}</script>',
    f"'><img src=x onerror={RUN}>",
    f"{{{{constructor.constructor('{RUN}')()}}}}",
    f"${{{RUN}}}",
    f"<a href={AWAY} ping={AWAY}/p target=_blank>x</a>",
    f"<portal src={AWAY}>",
    f"<!--><img src=x onerror={RUN}>-->",
    f"<![CDATA[<img src=x onerror={RUN}>]]>",
    f"<x onclick={RUN} tabindex=1 id=x>",
    f"<isindex type=image src=1 onerror={RUN}>",
)


def payloads(count: int, seed: int) -> list[str]:
    """WRITTEN, then the same in other letters, escaped, split by characters that nobody sees, or inside each other."""
    rng, made = random.Random(seed), list(WRITTEN)
    while len(made) < count:
        one, other = rng.choice(WRITTEN), rng.choice(WRITTEN)
        made.append(
            rng.choice(
                (
                    one.replace("script", "ScRiPt").replace("img", "iMg"),
                    one.replace("<", "&lt;").replace(">", "&gt;"),
                    one.replace("<", "&#x3c;"),
                    one.replace("javascript", "java\tscript"),
                    one.replace("<", "\uff1c"),
                    one.replace("=", "=\u200b"),
                    f"**{one}** {other}",
                    f"| {one} | {other} |",
                    one[: len(one) // 2] + other,
                    f"{one}\u202e{other}",
                )
            )
        )
    return made[:count]


def write(folder: Path, given: Sequence[str]) -> None:
    """Two documents a payload: one by title and text, one by name. What a name can't hold is left out of it."""
    folder.mkdir(parents=True)
    for number, payload in enumerate(given):
        title = json.dumps(payload.replace("\n", " "), ensure_ascii=False)
        text = (
            f"---\ntitle: {title}\n---\nBeacon number {number} is lit by the keeper. {payload}\n\n{payload}\n"
        )
        (folder / f"beacon{number}.md").write_text(text, "utf-8")
        name = (
            payload.replace("/", "\u2215")
            .replace("\n", " ")
            .replace("\0", "")
            .encode()[:200]
            .decode("utf-8", "ignore")
        )
        named = folder / f"p{number} {name}.md"
        named.write_text(f"# Buoy {number}\n\nBuoy number {number} is painted green.\n", "utf-8")


def look(chat: Chat, given: Sequence[str], found: Figures) -> None:
    """The list of documents, then an answer and a source for each document."""
    shown = 0

    def harmless(part: Locator, where: str) -> None:
        count = part.locator(ACTIVE).evaluate_all("found => found.filter(e => !e.closest('svg.icon')).length")
        found.hold(f"nothing active: {where}", count == 0)
        found.hold(f"nothing ran: {where}", chat.page.evaluate("window.attacked") is None)

    chat.part("nav-library").click()
    expect(chat.part("documents")).to_contain_text("beacon0.md")
    harmless(chat.part("documents"), "the list")
    chat.part("nav-ask").click()
    for number in range(len(given)):
        for question in (f"Who lights beacon number {number}?", f"How is buoy number {number} painted?"):
            chat.ask(question)
            if chat.markers.count():
                chat.markers.first.click()
                expect(chat.part("source-text")).to_be_visible()
                harmless(chat.part("source-pane"), f"source of {question}")
                shown += 1
            harmless(chat.turn, question)
        if number % 20 == 19:  # a long conversation gets slow
            chat.reload()
            chat.page.evaluate("localStorage.clear()")
            chat.page.goto(chat.url)
    found.figures["sources_opened"] = shown
    found.hold("sources were opened", shown > len(given))


def run(count: int, seed: int, root: Path, found: Figures) -> None:
    """Serve the documents and read them in Chromium."""
    given = payloads(count, seed)
    write(root / "documents", given)
    named = os.environ.get("PGASK_TEST_CHROMIUM") or "chromium"
    names = (named, "chromium-browser", "google-chrome")
    path = next((there for name in names if (there := shutil.which(name))), None)
    with Service(root / "home") as service, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path)
        context = browser.new_context(
            viewport={"width": WIDE["width"], "height": WIDE["height"]}, locale="en-GB"
        )
        chat = Chat(context.new_page(), service.url("")).open()
        look(chat, given, found)
        away = [url for url in chat.requests if not url.startswith(service.url("/"))]
        found.figures |= {
            "payloads": count,
            "requests": len(chat.requests),
            "away": away[:5],
            "errors": chat.errors[:5],
        }
        found.hold("no other origin is asked", not away)
        found.hold("the content policy has nothing to refuse", not chat.violations())
        found.hold("no script error", not chat.errors)
        browser.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; exit status 0 if all held."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    options.add_argument("--payloads", type=int, default=150)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--out", type=Path)
    chosen = options.parse_args(arguments)
    found = Figures()
    with tempfile.TemporaryDirectory(prefix="pgask-chaos-") as scratch:
        run(chosen.payloads, chosen.seed, Path(scratch), found)
    told = {**found.figures, "faults": found.faults[:20], "passed": not found.faults}
    return 0 if report("page", chosen.seed, told, out=chosen.out) else 1


if __name__ == "__main__":
    sys.exit(main())
