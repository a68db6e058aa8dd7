"""A team's first day, from outside: two tenants, three keys, forty files on the page, agents, a worker that dies, and
the collection on another machine.

    .venv/bin/python -m tests.chaos.story [--files N] [--kills N] [--questions N] [--seed S] [--shots FOLDER]

Commands, the page in Chromium, REST and the SDK's own client of MCP, as people have them, with the bundled model. What
a person would stumble over is a line of `stumbles`; what the other tenant gets to see, of `leaks`. With PGASK_OTHER_URL
the collection also goes to that PostgreSQL, an empty database of the owner that the address names.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import csv
import io
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx2
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from playwright.sync_api import Browser, expect, sync_playwright

from tests import office
from tests.chaos.evidence import report
from tests.e2e.chat import Chat
from tests.e2e.served import Served, environment, kill_all, processes_of
from tests.e2e.test_screens import DROP
from tests.pdfs import build_pdf

COLLECTION: Final = "pumps"
MOST_BYTES: Final = 300_000  # of a file, so that one that is too large need not be large
MARK: Final = "Kestrelwick"  # stands in each document of the first tenant and nowhere else
_BIN: Final = Path(sys.executable).parent
_COMMAND_S: Final = 300.0
_PLACES: Final = {
    "name": COLLECTION,
    "conversation_id": "c1",
    "number": "1",
    "stream_id": "s1",
    "model": f"pgask/{COLLECTION}",
}


@dataclass(frozen=True, slots=True)
class Dropped:
    """A file, and what becomes of it: its state and the code of its reason."""

    name: str
    content: bytes
    state: str = "succeeded"
    code: str | None = None
    is_sent: bool = True  # the page sends what the service would take
    inside: tuple[str, ...] = ()  # documents of a zip


@dataclass(slots=True)
class Figures:
    """What the day was like."""

    files: int = 0
    states: dict[str, int] = field(default_factory=dict)
    kills: int = 0
    taken_in_s: float = 0.0
    asked: int = 0
    right: int = 0
    citations: int = 0
    routes: int = 0  # that the other tenant tried
    tools: int = 0
    agents_agree: dict[str, int] = field(default_factory=dict)
    lists: dict[str, int] = field(default_factory=dict)  # equal lists of hits, by where the collection went
    # What should be empty
    leaks: list[str] = field(default_factory=list)
    stumbles: list[str] = field(default_factory=list)

    def passed(self) -> bool:
        """Tell whether the day went well."""
        return not self.leaks and not self.stumbles and self.right == self.asked > 0


def fact(number: int, *, chinese: bool = False) -> str:
    """What one document alone says, of a pump with this number."""
    litres = 1_000 + 37 * number
    if chinese:
        return f"{number}号水泵的容量是{litres}升，由{MARK}公司在{1950 + number}年制造。检修周期为{number + 3}个月。"
    return (
        f"Pump {number} of {MARK} holds {litres} litres and was built in {1950 + number}. Its filter is replaced"
        f" every {number + 3} months."
    )


def question(number: int, *, chinese: bool = False) -> str:
    """What is asked about it."""
    return f"{number}号水泵的容量是多少升？" if chinese else f"How many litres does pump {number} hold?"


def answer(number: int) -> str:
    """What an answer holds."""
    return str(1_000 + 37 * number)


def files_of(count: int) -> list[Dropped]:
    """So many files: English and Chinese, PDF and office, a table, a zip, one broken, one too large, one twice."""
    made: list[Dropped] = []
    for number in range(count - 5):
        chinese = number % 2 == 1
        text = fact(number, chinese=chinese)
        title = f"{number}号水泵" if chinese else f"Pump {number}"
        kinds = ("md", "txt", "pdf", "docx", "pptx", "xlsx", "html", "csv")
        kind = kinds[number // 2 % len(kinds)]
        made.append(Dropped(f"{title.replace(' ', '-')}.{kind}", _file(kind, title, text)))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("north/pump-900.md", f"# Pump 900\n\n{fact(900)}\n")
        archive.writestr("北/901.md", f"# 901号水泵\n\n{fact(901, chinese=True)}\n")
    return [
        *made,
        Dropped("more.zip", packed.getvalue(), inside=("more/north/pump-900.md", "more/北/901.md")),
        Dropped("torn.pdf", b"%PDF-1.7 torn", "failed", "parse_failed"),
        Dropped("copy of pump 0.md", _file("md", "Pump 0", fact(0)), "skipped", "duplicate"),
        Dropped("huge.txt", b"far too much " * (MOST_BYTES // 12), "failed", "too_large", is_sent=False),
        Dropped("photo.jpg.exe", b"MZ\0\0" * 100, "failed", "program", is_sent=False),
    ]


def _file(kind: str, title: str, text: str) -> bytes:
    rows = io.StringIO()
    csv.writer(rows).writerows([["pump", "note"], [title, text]])
    page = f"<!doctype html><meta charset=utf-8><title>{title}</title><h1>{title}</h1><p>{text}</p>"
    made: Mapping[str, bytes] = {
        "pdf": build_pdf([[title, *[text[at : at + 70] for at in range(0, len(text), 70)]]], title=title),
        "docx": office.build_docx(office.paragraph(title, "Heading1") + office.paragraph(text)),
        "pptx": office.build_pptx([office.shape(title, kind="title") + office.shape(text)]),
        "xlsx": office.build_xlsx({title: office.row(title, text)}),
        "html": page.encode(),
        "csv": rows.getvalue().encode(),
        "md": f"# {title}\n\n{text}\n".encode(),
        "txt": f"{title}\n\n{text}\n".encode(),
    }
    return made[kind]


def command(home: Path, *given: str, **settings: str) -> str:
    """Run one of our commands; its standard output. Raises RuntimeError with what it said."""
    done = subprocess.run(
        [str(_BIN / given[0]), *given[1:]],
        cwd=home.parent,
        env=environment(home, **settings),
        capture_output=True,
        text=True,
        timeout=_COMMAND_S,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(given)}: {done.returncode}: {done.stderr[-500:]}")
    return done.stdout


def make_key(home: Path, tenant: str, name: str, role: str) -> str:
    """A key as an admin makes one: it is in what the command prints."""
    told = command(home, "pgask", "keys", "create", "--name", name, "--role", role, "--tenant", tenant)
    return next(word for word in told.split() if word.startswith("pgask_"))


def bearer(key: str) -> dict[str, str]:
    """The header that a program sends."""
    return {"Authorization": f"Bearer {key}"}


class Day:
    """One run: a service, its keys, and what was found."""

    def __init__(
        self, service: Served, keys: Mapping[str, str], files: Sequence[Dropped], shots: Path | None
    ) -> None:
        self.service, self.keys, self.files, self.shots = service, keys, files, shots
        self.figures = Figures(files=len(files))
        self.rest = httpx2.Client(base_url=service.url, headers=bearer(keys["bo"]), timeout=60)
        self.ids: dict[str, str] = {}
        self.job = ""

    def stumble(self, what: str) -> None:
        """Note what a person would not expect."""
        self.figures.stumbles.append(what[:300])

    def shoot(self, chat: Chat, name: str) -> None:
        """Keep what the page looks like, for a person to see."""
        if self.shots is not None:
            self.shots.mkdir(parents=True, exist_ok=True)
            chat.page.screenshot(path=self.shots / f"{name}.png", animations="disabled")

    # the page

    def open(self, browser: Browser, who: str, **options: Any) -> Chat:
        """A browser of somebody's, who logs in."""
        context = browser.new_context(
            **({"viewport": {"width": 1280, "height": 800}, "locale": "en-GB"} | options)
        )
        chat = Chat(context.new_page(), self.service.url).open("login-key")
        chat.part("login-key").fill(self.keys[who])
        chat.part("login-key").press("Enter")
        expect(chat.input).to_be_visible()
        return chat

    def drop(self, chat: Chat, kills: int) -> None:
        """Drop all files, send them, kill the worker meanwhile, and wait for the end."""
        named = [[file.name, base64.b64encode(file.content).decode()] for file in self.files]
        self.shoot(chat, "welcome")
        chat.part("nav-library").click()
        self.shoot(chat, "library-empty")
        chat.page.evaluate(DROP, named)
        planned = chat.part("planned-file")
        expect(planned.first).to_have_attribute("data-outcome", "refused", timeout=60_000)
        self.shoot(chat, "planned")
        with chat.page.expect_response(
            lambda reply: reply.request.method == "POST" and "/documents?" in reply.url
        ) as sent:
            chat.part("send-files").click()
        self.job = sent.value.json()["job"]["id"]
        began = time.monotonic()
        upload = chat.part("upload")
        expect(upload).to_be_visible()
        self.shoot(chat, "upload-begun")
        at = [int(share * len(self.files)) for share in (0, 0.3, 0.6, 0.8)]
        while (job := self.told_job())["state"] in ("queued", "running"):
            if time.monotonic() - began > 600:
                self.stumble(
                    f"the job has not ended after 600 s: {job['stage']} {job['done']} of {job['total']}"
                )
                break
            if self.figures.kills < kills and job["done"] >= at[self.figures.kills] and self.kill_worker():
                self.figures.kills += 1
                self.shoot(chat, f"killed-{self.figures.kills}")
            time.sleep(0.02)
        if self.figures.kills < kills:
            self.stumble(f"the job ended before its worker was killed {kills} times")
        self.figures.taken_in_s = round(time.monotonic() - began, 1)
        expect(upload).to_have_attribute("data-state", "succeeded", timeout=30_000)
        self.shoot(chat, "upload-done")
        self.look_at_states(chat)

    def kill_worker(self) -> bool:
        """SIGKILL to the worker that runs now, as a lack of memory would."""
        for pid in processes_of(self.service.home):
            with suppress(OSError):
                if b"ingest.worker" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    os.kill(pid, signal.SIGKILL)
                    return True
        return False

    def told_job(self) -> dict[str, Any]:
        """The job as REST tells it."""
        job: dict[str, Any] = self.rest.get(f"/jobs/{self.job}").raise_for_status().json()
        return job

    def look_at_states(self, chat: Chat) -> None:
        """Each file ends as it should, for REST and for the eye."""
        job = self.told_job()
        found = {file["source"]: file for file in job["files"]}
        self.figures.states = dict(Counter(file["state"] for file in job["files"]))
        for file in self.files:
            if not file.is_sent:
                continue
            for name in file.inside or (file.name,):
                ended = found.pop(name, None)
                if ended is None or (ended["state"], ended["code"]) != (file.state, file.code):
                    self.stumble(f"{name} should be {file.state} {file.code}: {ended}")
        if more := {name: one["state"] for name, one in found.items() if not name.endswith(".zip")}:
            self.stumble(f"files that nobody sent: {more}")
        lines = chat.part("upload").get_by_test_id("job-file")
        if lines.count() != len(job["files"]):
            self.stumble(f"the page shows {lines.count()} of {len(job['files'])} files")
        listed: dict[str, Any] = self.rest.get(
            "/documents", params={"collection": COLLECTION, "limit": 1000}
        ).json()
        self.ids = {one["source"]: one["id"] for one in listed["documents"]}

    def ask(self, chat: Chat, numbers: Sequence[int], *, chinese: bool) -> None:
        """Ask on the page; the answer is right and what it cites is in the document, to the character."""
        for number in numbers:
            chat.ask(question(number, chinese=chinese))
            self.figures.asked += 1
            said = chat.turn.inner_text()
            if answer(number) not in said.replace(",", ""):
                self.stumble(f"asked {question(number, chinese=chinese)!r}, the page says {said[:120]!r}")
                continue
            self.figures.right += 1
            chat.markers.first.click()
            if chat.part("view-text").count() and chat.part("view-text").first.is_visible():
                chat.part("view-text").first.click()
            expect(chat.part("cited-span").first).to_be_visible()
            shown = "".join("".join(chat.part("cited-span").all_inner_texts()).split())
            body = {"question": question(number, chinese=chinese), "collection": COLLECTION}
            reply = self.rest.post("/ask", json=body).raise_for_status().json()
            self.shoot(chat, f"cited-{number}")
            self.check_citations(reply)
            quotes = ["".join(one["quote"].split()) for one in reply["citations"]]
            if not any(_plain(shown) in _plain(quote) or _plain(quote) in _plain(shown) for quote in quotes):
                self.stumble(f"the page marks {shown[:80]!r}, cited is {quotes!r}"[:300])
            chat.part("close-source").click()

    def check_citations(self, reply: Mapping[str, Any]) -> None:
        """Each quote is what stands at its place."""
        for cited in reply["citations"]:
            self.figures.citations += 1
            place = {"start": cited["char_start"], "end": cited["char_end"]}
            text = (
                self.rest.get(f"/documents/{cited['document_id']}/text", params=place)
                .raise_for_status()
                .json()["text"]
            )
            if text != cited["quote"]:
                self.stumble(f"{cited['source']}: cited {cited['quote']!r}, there stands {text!r}")

    # others

    def spy(self) -> None:
        """The other tenant's admin tries every route there is with the first tenant's ids and names, and every tool."""
        described = httpx2.get(f"{self.service.url}/openapi.json", timeout=30).json()
        document, job = next(iter(self.ids.values())), self.job
        with httpx2.Client(base_url=self.service.url, headers=bearer(self.keys["eve"]), timeout=60) as eve:
            for path, methods in described["paths"].items():
                for method in methods:
                    self.figures.routes += 1
                    where = path.replace("{document_id}", document).replace("{job_id}", job)
                    for name, value in _PLACES.items():
                        where = where.replace(f"{{{name}}}", value)
                    reply, body = self.try_route(eve, method.upper(), where)
                    if reply is None:
                        continue
                    self.judge(
                        f"{method.upper()} {path}", reply.text, [where, json.dumps(body, ensure_ascii=False)]
                    )
                    if reply.status_code >= 500:
                        self.stumble(f"{method.upper()} {path}: {reply.status_code} {reply.text[:150]}")
        after = self.rest.get("/documents", params={"collection": COLLECTION, "limit": 1000}).json()[
            "documents"
        ]
        if {one["source"]: one["id"] for one in after} != self.ids:
            self.figures.leaks.append("the other tenant has changed something")

    def try_route(self, eve: httpx2.Client, method: str, where: str) -> tuple[httpx2.Response | None, Any]:
        """Send what the route takes; the reply, where one came in time, and what was sent."""
        asked = {"question": question(2), "collection": COLLECTION}
        bodies: Mapping[str, Any] = {
            "/ask": asked,
            "/search": asked,
            "/v1/chat/completions": {
                "model": f"pgask/{COLLECTION}",
                "messages": [{"role": "user", "content": question(2)}],
            },
            "/collections": {"name": "spies"},
            "/documents/plan": {
                "files": [{"name": self.files[0].name, "size_bytes": len(self.files[0].content)}]
            },
            "/documents/reingest": {"documents": list(self.ids.values())[:5]},
            "/feedback": {"request_id": "x", "rating": "up"},
            "/session": {"key": self.keys["eve"]},
            f"/collections/{COLLECTION}": {"name": "stolen"},
        }
        parameters = (
            {"collection": COLLECTION, "q": MARK, "start": "0", "end": "50"} if method == "GET" else {}
        )
        body = bodies.get(where, {"title": "stolen"} if "/documents/" in where else {})
        with suppress(httpx2.TimeoutException):
            if where == "/documents" and method == "POST":
                mine = {"files": ("a.md", b"# mine\n\nnothing")}
                return eve.post(where, files=mine, params={"collection": "mine"}), None
            if method in ("POST", "PUT", "PATCH"):
                return eve.request(method, where, json=body), body
            return eve.request(method, where, params=parameters), parameters
        return None, None

    def judge(self, what: str, text: str, sent: Sequence[str]) -> None:
        """Nothing of the first tenant's is in a reply but what was sent."""
        known = " ".join(sent)
        # The answer is four digits, which a request's id may hold by chance
        if re.search(rf"(?<![0-9a-f]){re.escape(answer(2))}(?![0-9a-f])", text) and answer(2) not in known:
            self.figures.leaks.append(f"{what}: {answer(2)}")
        for secret in (MARK, *self.ids, *self.ids.values(), self.job):
            if secret in text and secret not in known:
                self.figures.leaks.append(f"{what}: {secret}")

    async def agents(self, questions: Sequence[str]) -> None:
        """An agent of the first tenant finds what REST finds, by HTTP and by stdio; one of the other one nothing."""
        address = f"{self.service.url}/mcp"
        async with (
            httpx2.AsyncClient(headers=bearer(self.keys["bo"]), timeout=60) as http,
            Client(streamable_http_client(address, http_client=http)) as agent,
        ):
            self.figures.agents_agree["http"] = await self.compare(agent, questions)
        async with (
            httpx2.AsyncClient(headers=bearer(self.keys["eve"]), timeout=60) as http,
            Client(streamable_http_client(address, http_client=http)) as spy,
        ):
            for tool in (await spy.list_tools()).tools:
                self.figures.tools += 1
                for arguments in (
                    {"question": question(2), "collection": COLLECTION},
                    {"collection": COLLECTION},
                    {"document_id": next(iter(self.ids.values())), "start": 0, "end": 99},
                    {},
                ):
                    told = await spy.call_tool(tool.name, arguments)
                    self.judge(f"tool {tool.name}", str(told), [json.dumps(arguments)])
            listed = await spy.list_resources()
            self.judge("resources", str(listed), [])
            for document in list(self.ids.values())[:3]:
                with suppress(MCPError):  # a refusal
                    read = await spy.read_resource(f"pgask://documents/{document}")
                    self.figures.leaks.append(f"resource {document}: {str(read)[:80]}")
        server = StdioServerParameters(
            command=str(_BIN / "pgask"), args=["mcp"], env=environment(self.service.home, tenant="north")
        )
        async with Client(server) as agent:
            self.figures.agents_agree["stdio"] = await self.compare(agent, questions)

    async def compare(self, agent: Client, questions: Sequence[str]) -> int:
        """For how many questions an agent gets what REST gives."""
        same = 0
        for asked in questions:
            body = {"question": asked, "collection": COLLECTION}
            there = (await agent.call_tool("search", body)).structured_content
            here = self.rest.post("/search", json=body).raise_for_status().json()
            same += _hits(there) == _hits(here)
        return same

    def move(self, stack: ExitStack, folder: Path, questions: Sequence[str]) -> None:
        """The collection as one file, to another home and to a PostgreSQL of one's own; the same questions there."""
        file = folder / "pumps.pgask"
        command(self.service.home, "pgask", "export", COLLECTION, str(file), tenant="north")
        here = [self.lists(self.rest, asked) for asked in questions]
        targets: dict[str, dict[str, str]] = {"embedded": {}}
        if other := os.environ.get("PGASK_OTHER_URL"):
            targets["own PostgreSQL"] = {"database_url": other}
        for name, settings in targets.items():
            home = folder / f"other-{len(self.figures.lists)}" / "home"
            home.parent.mkdir()
            command(home, "pgask", "migrate", **settings)
            command(home, "pgask", "import", str(file), **settings)
            there = Served(home, **settings)
            stack.callback(kill_all, home)
            stack.callback(there.close)
            there.start()
            there.wait_until_ready()
            with httpx2.Client(base_url=there.url, timeout=60) as rest:
                found = [self.lists(rest, asked) for asked in questions]
            self.figures.lists[name] = sum(one == two for one, two in zip(here, found, strict=True))
            there.close()

    def lists(self, rest: httpx2.Client, asked: str) -> list[Any]:
        """What a question finds."""
        body = {"question": asked, "collection": COLLECTION, "top_k": 10}
        return _hits(rest.post("/search", json=body).raise_for_status().json())


def _plain(text: str) -> str:
    """A text without what Markdown and tables are made of."""
    return "".join(one for one in text if one.isalnum())


def _hits(reply: Any) -> list[Any]:
    return [
        (one["source"], one["char_start"], one["char_end"], one["text"], round(one["score"], 6))
        for one in reply["hits"]
    ]


def chromium() -> str | None:
    """Debian's Chromium, or the one that PGASK_TEST_CHROMIUM names."""
    names = (os.environ.get("PGASK_TEST_CHROMIUM") or "chromium", "chromium-browser", "google-chrome")
    return next((found for name in names if (found := shutil.which(name))), None)


def live(folder: Path, *, files: int, kills: int, questions: int, seed: int, shots: Path | None) -> Figures:
    """Live through the day."""
    rng = random.Random(seed)
    home = folder / "team" / "home"
    home.parent.mkdir(parents=True)
    command(home, "pgask", "migrate")
    for tenant in ("north", "south"):
        command(home, "pgask", "tenants", "create", tenant)
    people = (("ann", "north", "admin"), ("bo", "north", "writer"), ("eve", "south", "admin"))
    keys = {name: make_key(home, tenant, name, role) for name, tenant, role in people}
    dropped = files_of(files)
    numbers = range(files - 5)
    asked = [question(number, chinese=bool(number % 2)) for number in rng.choices(numbers, k=questions)]
    with ExitStack() as stack:
        service = Served(home, auth="keys", max_upload_bytes=str(MOST_BYTES))
        stack.callback(kill_all, home)
        stack.callback(service.close)
        service.start()
        service.wait_until_ready()
        day = Day(service, keys, dropped, shots)
        made = httpx2.post(
            f"{service.url}/collections", json={"name": COLLECTION}, headers=bearer(keys["ann"]), timeout=30
        )
        made.raise_for_status()
        browse(day, rng, kills=kills, numbers=numbers)
        asyncio.run(day.agents(asked[: max(3, questions // 5)]))
        day.spy()
        day.move(stack, folder, asked)
        day.rest.close()
    figures = day.figures
    for where, same in figures.lists.items():
        if same != len(asked):
            day.stumble(f"{where}: {len(asked) - same} of {len(asked)} lists differ")
    for how, same in figures.agents_agree.items():
        if same != max(3, questions // 5):
            day.stumble(f"agent by {how}: {same} alike")
    return figures


def browse(day: Day, rng: random.Random, *, kills: int, numbers: Sequence[int]) -> None:
    """What people do on the page."""
    phone = {
        "viewport": {"width": 360, "height": 740},
        "locale": "zh-CN",
        "has_touch": True,
        "is_mobile": True,
    }
    english = rng.sample([one for one in numbers if not one % 2], 2)
    chinese = rng.sample([one for one in numbers if one % 2], 2)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium())
        try:
            chat = day.open(browser, "bo")
            day.drop(chat, kills)
            chat.part("upload").get_by_role("button", name="Close").click()
            chat.part("nav-activity").click()
            expect(chat.part("job").first).to_have_attribute("data-state", "succeeded")
            day.shoot(chat, "activity")
            chat.part("nav-library").click()
            expect(chat.part("document").first).to_be_visible()
            day.shoot(chat, "library")
            _ask_here(chat)
            day.ask(chat, english, chinese=False)
            small = day.open(browser, "ann", **phone)
            _ask_here(small)
            day.ask(small, chinese, chinese=True)
            day.shoot(small, "phone-answer")
            if small.scrolls_sideways():
                day.stumble("the page on a phone is wider than the phone")
            small.part("nav-library").tap()
            expect(small.part("document").first).to_be_visible()
            day.shoot(small, "phone-library")
            small.part("nav-activity").tap()
            expect(small.part("job").first).to_be_visible()
            day.shoot(small, "phone-activity")
            other = day.open(browser, "eve")
            day.shoot(other, "other-tenant")
            day.judge("the other tenant's page", other.page.content(), [])
            for screen in ("library", "activity", "status"):
                other.part(f"nav-{screen}").click()
                other.page.wait_for_timeout(800)
                day.shoot(other, f"other-{screen}")
                day.judge(f"the other tenant's {screen}", other.page.content(), [])
            for one in (chat, small, other):
                for error in one.errors:
                    day.stumble(f"an error in the page: {error}")
        finally:
            browser.close()


def _ask_here(chat: Chat) -> None:
    """Go to the questions, and choose the collection as one who knows its name does."""
    chat.part("nav-ask").click()
    if chat.part("collection-picker").count() and chat.part("collection-picker").input_value() != COLLECTION:
        chat.choose(COLLECTION)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; exit status 0 if the day went well."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--files", type=int, default=40)
    options.add_argument("--kills", type=int, default=2)
    options.add_argument("--questions", type=int, default=50)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--shots", type=Path)
    options.add_argument("--out", type=Path)
    chosen = options.parse_args(arguments)
    if chromium() is None:
        print("No Chromium: apt install chromium, or set PGASK_TEST_CHROMIUM.", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="pgask-story-") as made:
        figures = live(
            Path(made),
            files=chosen.files,
            kills=chosen.kills,
            questions=chosen.questions,
            seed=chosen.seed,
            shots=chosen.shots,
        )
    told = asdict(figures) | {"passed": figures.passed()}
    return 0 if report("story", chosen.seed, told, out=chosen.out) else 1


if __name__ == "__main__":
    sys.exit(main())
