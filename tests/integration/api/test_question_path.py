"""How much is to be read to follow a question from the route to the SQL and back: counted, by what runs."""

from __future__ import annotations

import sys
from pathlib import Path
from types import FrameType
from typing import Final

import pytest
from fastapi.testclient import TestClient

import app
from tests.integration.processes import ROOT

pytestmark = pytest.mark.integration

PACKAGE: Final = Path(app.__file__).parent
MOST_FILES: Final = 10
MOST_LINES: Final = 1_800

# What every request goes through, whatever it asks, before and after its route and around its database connection.
FRAME: Final = {
    "api/admission.py", "api/authentication.py", "api/bodies.py", "api/components.py", "api/metrics.py",
    "api/middleware.py", "api/rates.py", "api/receiving.py", "api/requests.py", "api/stream.py",
    "generation/concurrency.py", "sqlstates.py", "store/questions.py", "store/replicas.py", "store/tenancy.py",
    "tracing.py",
}  # fmt: skip
# What makes a vector and terms of the question: the language's and the model's part.
READING: Final = {
    "embedding.py", "latin_languages.py", "letters.py", "letterspacing.py", "lexicon.py", "question/",
    "retrieval/reading.py", "search/background_reader.py", "search/standard.py", "sentences.py", "stored_markdown.py",
    "threads.py", "values.py",
}  # fmt: skip


def files_that_run(client: TestClient) -> set[str]:
    """The files of app/ that run on the event loop while a question is searched for."""
    seen: set[str] = set()

    def profile(frame: FrameType, event: str, _: object) -> None:
        path = Path(frame.f_code.co_filename)
        if event == "call" and path.is_relative_to(PACKAGE):
            seen.add(path.relative_to(PACKAGE).as_posix())

    assert client.portal is not None
    client.portal.call(sys.setprofile, profile)
    try:
        assert client.post("/search", json={"question": "How many lists?"}).json()["hits"]
    finally:
        client.portal.call(sys.setprofile, None)
    return seen


def is_one_of(name: str, places: set[str]) -> bool:
    return any(name == place or (place.endswith("/") and name.startswith(place)) for place in places)


def lines_of(path: Path) -> int:
    return len(path.read_text("utf-8").splitlines())


def test_a_question_passes_ten_files(client: TestClient) -> None:
    """With the statement as it is sent as one of them."""
    client.post("/search", json={"question": "How many lists?"})  # statements are put together once
    path = {name for name in files_that_run(client) if not is_one_of(name, FRAME | READING)}
    assert path == named_in_the_documentation()
    read = [*(PACKAGE / name for name in path), ROOT / "tests/golden/hits.sql"]
    assert len(read) <= MOST_FILES
    assert sum(map(lines_of, read)) <= MOST_LINES


def named_in_the_documentation() -> set[str]:
    """Those of the table in docs/architecture.md."""
    text = (ROOT / "docs/architecture.md").read_text("utf-8")
    table = text.partition("<!-- path -->")[2].partition("<!-- /path -->")[0]
    return {
        cell.removeprefix("app/")
        for cell in table.split("`")
        if cell.startswith("app/") and cell.endswith(".py")
    }
