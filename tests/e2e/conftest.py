"""Two served processes over one database, and Chromium. All of it lives for this package and is shared by its tests;
each of pytest-xdist's workers has its own.

Package scope, not session: Playwright's synchronous API keeps an event loop running in this thread, which must be
gone before asynchronous tests of other packages run.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Playwright, expect, sync_playwright

from tests.e2e.chat import Chat
from tests.e2e.documents import write_bundled, write_hostile, write_literal
from tests.e2e.served import Served, kill_all, processes_of, run
from tests.fakes import ScriptedLlm

WIDE = {"width": 1280, "height": 800}
PHONE = {"width": 360, "height": 740}
_CHROMIUMS = ("chromium", "chromium-browser", "google-chrome")
expect.set_options(timeout=20_000)  # two cores may be busy with much else

OpenChat = Callable[..., Chat]


@pytest.fixture(scope="package")
def made_home(run_folder: Path) -> Path:
    """A PGASK_HOME with all collections in it and no process running; made once a run, in about 25 s."""
    folder = run_folder / "e2e"
    folder.mkdir(exist_ok=True)
    home = folder / "made"
    with (folder / "made.lock").open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.seek(0)
        if lock.read() != "made":
            write_bundled(folder / "bundled")
            write_hostile(folder / "hostile")
            write_literal(folder / "literal")
            run(home, "pgask", "migrate")
            run(home, "ingest", str(folder / "bundled"), "--quiet")
            run(home, "ingest", str(folder / "hostile"), "--collection", "hostile", "--quiet", expect=1)
            run(home, "ingest", str(folder / "literal"), "--collection", "literal", "--quiet")
            assert not processes_of(home)
            lock.write("made")
    return home


def copy_home(made: Path, name: str) -> Path:
    """A home of its own with the same documents."""
    home = made.parent / f"{name}-{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"
    subprocess.run(["cp", "-a", str(made), str(home)], check=True)
    return home


@pytest.fixture(scope="package")
def llm() -> Iterator[ScriptedLlm]:
    """The model behind `model_service`; use `scripted` in tests, which resets it."""
    with ScriptedLlm() as server:
        yield server


@pytest.fixture(scope="package")
def services(made_home: Path, llm: ScriptedLlm) -> Iterator[tuple[Served, Served]]:
    """An extractive service and one with a language model, on the same database."""
    home = copy_home(made_home, "shared")
    extractive, modelled = Served(home), Served(home, llm_base_url=llm.base_url)
    try:
        for service in (extractive, modelled):
            service.start()
        for service in (extractive, modelled):
            service.wait_until_ready()
        yield extractive, modelled
        for service in (extractive, modelled):
            service.interrupt()
    finally:
        for service in (extractive, modelled):
            service.close()
        kill_all(home)


@pytest.fixture
def service(services: tuple[Served, Served]) -> Served:
    """The service without a language model."""
    return services[0]


@pytest.fixture
def model_service(services: tuple[Served, Served]) -> Served:
    """The service with the scripted language model."""
    return services[1]


@pytest.fixture
def scripted(llm: ScriptedLlm, model_service: Served) -> Iterator[ScriptedLlm]:
    """The language model, to be scripted by one test."""
    llm.requests.clear()
    yield llm
    has_failed = llm.mode != "answer"
    llm.mode, llm.answer, llm.token_delay_s = "answer", "Scripted answer [1].", 0.0
    if has_failed:  # failures in a row would open the service's circuit breaker for the tests that follow
        assert model_service.ask("What are ivfflat lists?")["degraded"] is False


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="package")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Debian's Chromium, or the one that PGASK_TEST_CHROMIUM names; skips where there is none."""
    names = (os.environ.get("PGASK_TEST_CHROMIUM") or _CHROMIUMS[0], *_CHROMIUMS)
    path = next((found for name in names if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip("no Chromium: apt install chromium, or set PGASK_TEST_CHROMIUM")
    launched = playwright.chromium.launch(executable_path=path)
    yield launched
    launched.close()


@pytest.fixture
def open_chat(browser: Browser) -> Iterator[OpenChat]:
    """Opens the page of a service in a browser profile of its own: open_chat(service, locale="zh-CN", viewport=PHONE).
    `shows` is the test id of what is there once the page can be used.

    At the end no page may have asked another origin for anything, broken the content policy or thrown an error.
    """
    opened: list[tuple[Chat, BrowserContext]] = []

    def open_one(service: Served, *, shows: str = "question-input", **options: object) -> Chat:
        options = {"viewport": WIDE, "locale": "en-GB", "color_scheme": "light", **options}
        context = browser.new_context(**options)  # type: ignore[arg-type]  # Playwright's own keyword arguments
        chat = Chat(context.new_page(), service.url)
        opened.append((chat, context))
        return chat.open(shows)

    yield open_one
    for chat, context in opened:
        violations = chat.violations()
        context.close()
        assert not [url for url in chat.requests if not url.startswith(f"{chat.url}/")]
        assert not violations
        assert not chat.errors
