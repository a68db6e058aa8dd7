"""Lists and tables over several chunks, asked through one hit: a count is exact and says of what, or "at least"."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from app import split_blocks
from app.answering import Answerer, AnswerSettings
from app.domain import Answer, QuotedSpan
from app.exchange import AskRequest
from app.retrieval.retriever import RetrievalSettings, Retriever
from app.store.connection import AsyncPool, Database
from app.store.connection_pool import open_pool
from app.store.texts import whole_text
from app.stored_markdown import ends_in_block
from tests.integration.ingesting import FAKE, SMALL, ingest

pytestmark = pytest.mark.integration

ROWS, STEPS, ITEMS, RECORDS = 41, 37, 45, 33
COLD = len(range(1, ITEMS - 5, 3))  # of ITEMS have a cold store
DOCUMENTS = {
    "valves.md": "# Valves\n\n| Valve | Material |\n|---|---|\n"
    + "".join(f"| V-{n:03} | brass of melt {n} |\n" for n in range(ROWS)),
    "shutdown.md": "# Shutdown of the boiler\n\nThe boiler is big.\n\n"
    + "".join(f"{n}. Turn wheel {n} to the left.\n" for n in range(1, STEPS + 1))
    + "\nThen rest.\n",
    "库房.md": "# 库房\n\n库房如下：\n\n"
    + "".join(f"- 第{n}号院{'，有冷柜' if n % 3 == 1 else ''}\n" for n in range(ITEMS - 5))
    + "".join(f"- 郊外{n}号\n" for n in range(5)),
    "lamps.csv": "Lamp,Watt\n" + "".join(f"L-{n},{n}\n" for n in range(RECORDS)),
}


@pytest_asyncio.fixture
async def pool(database: Database, tmp_path: Path) -> AsyncIterator[AsyncPool]:
    for source, text in DOCUMENTS.items():
        (tmp_path / source).write_text(text, "utf-8")
    ingest(database, tmp_path, options=SMALL)
    async with open_pool(database.app, size=2, statement_timeout_s=30) as opened:
        yield opened


async def ask(pool: AsyncPool, question: str, top_k: int = 1) -> Answer:
    """The answer from so many hits; each of its quotes stands in the document."""
    retriever = Retriever(pool, FAKE, RetrievalSettings())
    answerer = Answerer(retriever, FAKE, None, AnswerSettings(abstain_threshold=0.0))
    answer = await answerer.answer(AskRequest(question, top_k=top_k))
    assert not answer.abstained
    async with pool.connection() as connection:
        for citation in answer.citations:
            first = QuotedSpan(citation.char_start, citation.char_end, citation.quote)
            for span in citation.spans or (first,):
                found = await connection.execute(
                    f"SELECT substring({whole_text('id')} FROM %s FOR %s) FROM pgask.documents WHERE id = %s",
                    [span.char_start + 1, span.char_end - span.char_start, citation.document_id],
                )
                assert await found.fetchone() == (span.quote,)
    return answer


@pytest.mark.parametrize("top_k", [1, 3])
@pytest.mark.parametrize(
    ("question", "counted", "more"),
    [
        ("How many valves are there?", f"{ROWS} rows in “Valves”:", f"… and {ROWS - 15} more in valves.md."),
        (
            "How many steps does the shutdown of the boiler have?",
            f"{STEPS} items in “Shutdown of the boiler”:",
            f"… and {STEPS - 15} more in shutdown.md.",
        ),
        ("有多少个库房？", f"“库房”共有 {ITEMS} 项：", f"……还有 {ITEMS - 15} 项，见 库房.md。"),
        ("有幾個庫房有冷櫃？", f"“库房”的 {ITEMS} 項中有 {COLD} 項：", ""),
        (
            "How many lamps are there?",
            f"{RECORDS} rows in “lamps”:",
            f"… and {RECORDS - 15} more in lamps.csv.",
        ),
    ],
)
async def test_a_count_goes_over_the_borders_of_chunks(
    pool: AsyncPool, question: str, counted: str, more: str, top_k: int
) -> None:
    """F-711: one hit in the middle is enough; no row of two chunks that overlap counts twice."""
    answer = await ask(pool, question, top_k)
    assert answer.kind == "count"
    assert answer.text.split("\n\n")[0] == counted
    assert answer.text.endswith(more)


async def test_steps_come_from_the_first_one_on(pool: AsyncPool) -> None:
    """F-712: however far from the hit they begin."""
    answer = await ask(pool, "What are the steps of the shutdown of the boiler?")
    assert answer.text.splitlines()[0].startswith("1. Turn wheel 1 to the left.")
    assert answer.text.splitlines()[14].startswith("15. Turn wheel 15 to the left.")


async def test_what_is_too_long_to_read_is_counted_as_at_least(
    pool: AsyncPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F-711."""
    monkeypatch.setattr(split_blocks, "MAX_STEPS", 1)
    english = (await ask(pool, "How many valves are there?")).text.split()
    assert english[:2] == ["At", "least"]
    assert 0 < int(english[2]) < ROWS
    assert "至少" in (await ask(pool, "有多少个库房？")).text


async def test_hits_without_lists_are_left_alone(pool: AsyncPool) -> None:
    retriever = Retriever(pool, FAKE, RetrievalSettings())
    found = await retriever.retrieve("The boiler is big", "default", 1)
    plain = [hit for hit in found.hits if not ends_in_block(hit.text)]
    assert await split_blocks.join_split_blocks(retriever, plain) == (plain, True)
