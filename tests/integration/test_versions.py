"""The valid version of a document is asked too where the hits hold an old one alone, on a real collection (F-751)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from app.answering import Answerer, AnswerSettings
from app.domain import Answer, SearchFilter
from app.exchange import AskRequest
from app.retrieval.retriever import RetrievalSettings, Retriever
from app.store.connection import Database, connect, transaction
from app.store.connection_pool import open_pool
from app.store.named_documents import MAX_NAMED, find_named
from tests.integration.ingesting import FAKE, ingest, random_text

pytestmark = pytest.mark.integration

HOUSE_RULES = "\n\n".join(
    f"## Rule {number}\n\n{random_text(number, 3)}" for number in range(6)
)  # the same each year
DOCUMENTS = {
    "hr/travel-policy.md": "# Travel policy\n\nA hotel may cost 140 EUR a night.\n",
    "hr/archive/travel-policy-2019.md": "# Travel policy\n\nThe limit for a hotel is 90 EUR a night: hotel limit.\n",
    "it/password.md": (
        '# Password rules\n\nSuperseded by "Access policy".\n\nThe password length is eight: password length.\n'
    ),
    "it/access.md": "# Access policy\n\nA password has a length of fourteen characters.\n",
    "hr/old/desk.md": "# Home office rules\n\nThe desk allowance is 200 EUR: desk allowance.\n",
    "hr/mobile.md": (
        "# Mobile work\n\nIt replaces the home office rules of 2022.\n\nThe allowance for a desk is 350 EUR.\n"
    ),
    "house/rules-2025.md": f"# House rules\n\nThe gate closes at 21:00.\n\n{HOUSE_RULES}\n",
    "house/rules-2026.md": f"# House rules\n\nThe gate closes at 22:00.\n\n{HOUSE_RULES}\n",
    "制度/历史版本/差旅办法.md": "# 差旅办法\n\n出差餐补每天八十元，出差餐补凭票。\n",
    "制度/差旅办法.md": "# 差旅辦法\n\n出差每天發給餐補一百二十元。\n",
    "contracts/falk.md": "# Falk Druck\n\nNumber FD-2023-118.\n\nThe payment term is 30 days: payment term.\n",
    "contracts/falk-2.md": "# Amendment 2\n\nChanges FD-2023-118.\n\nThe term of payment is 45 days.\n",
    "pets/Draft pets rules.md": "# Pets\n\nStatus: draft\n\nDogs may come on Fridays.\n",
}


@pytest_asyncio.fixture
async def answerer(database: Database, tmp_path: Path) -> AsyncIterator[Answerer]:
    for source, text in DOCUMENTS.items():
        path = tmp_path / source
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    ingest(database, tmp_path)
    async with open_pool(database.app, size=2, statement_timeout_s=30) as pool:
        retriever = Retriever(pool, FAKE, RetrievalSettings())
        yield Answerer(retriever, FAKE, None, AnswerSettings(abstain_threshold=0.0))


async def ask(answerer: Answerer, question: str, only: SearchFilter | None = None) -> Answer:
    """The answer from one hit, and what is looked up beside it."""
    answer = await answerer.answer(AskRequest(question, top_k=1, filter=only))
    assert not answer.abstained
    return answer


@pytest.mark.parametrize(
    ("question", "valid", "old"),
    [
        ("What is the hotel limit a night?", "hr/travel-policy.md", "hr/archive/travel-policy-2019.md"),
        ("What is the password length?", "it/access.md", "it/password.md"),
        ("How high is the desk allowance?", "hr/mobile.md", "hr/old/desk.md"),
        ("How long is the payment term?", "contracts/falk-2.md", "contracts/falk.md"),
        ("出差餐补每天多少？", "制度/差旅办法.md", "制度/历史版本/差旅办法.md"),
    ],
)
async def test_the_valid_version_is_asked_where_the_hits_hold_an_old_one_alone(
    answerer: Answerer, question: str, valid: str, old: str
) -> None:
    """F-751: the only hit was of a document that another one replaces, and nothing looked for that."""
    found = await answerer._retriever.retrieve(question, "default", 1)
    assert [hit.source for hit in found.hits] == [old]
    answer = await ask(answerer, question)
    assert answer.citations[0].source == valid


async def test_of_versions_that_read_alike_the_latest_answers(answerer: Answerer) -> None:
    """F-751: nearly identical chunks are one hit, which was that of the year before."""
    for question in ("When does the gate close?", "When does the gate close: 21:00?"):
        answer = await ask(answerer, question)
        assert answer.citations[0].source == "house/rules-2026.md"
    answer = await ask(answerer, "When did the gate close in 2025?")
    assert {citation.source for citation in answer.citations} == {"house/rules-2025.md"}


async def test_an_old_version_says_that_it_is_alone(answerer: Answerer) -> None:
    """F-751."""
    answer = await ask(answerer, "When may dogs come?")
    assert (
        answer.text
        == "Pets (draft): Dogs may come on Fridays. [1]\n\nNo document in force was found that says this."
    )


async def test_what_the_filter_keeps_out_is_not_looked_up(answerer: Answerer) -> None:
    answer = await ask(answerer, "What is the hotel limit a night?", SearchFilter("hr/archive/"))
    assert {citation.source for citation in answer.citations} == {"hr/archive/travel-policy-2019.md"}


async def test_documents_are_found_by_their_names(answerer: Answerer, database: Database) -> None:
    async with (
        open_pool(database.app, size=1, statement_timeout_s=30) as pool,
        transaction(pool) as connection,
    ):
        named = await find_named(connection, "default", None, [["travel", "policy"], ["差旅辦法"]])
        assert sorted(document.source for document in named) == sorted(
            ["hr/travel-policy.md", "hr/archive/travel-policy-2019.md", "制度/差旅办法.md"]
        )
        assert await find_named(connection, "default", None, [["policies", "travel"]]) == []
        assert await find_named(connection, "other", None, [["travel"]]) == []
        (one,) = await find_named(connection, "default", SearchFilter("it/acc"), [[]])
        assert (one.title, one.head) == ("Access policy", DOCUMENTS["it/access.md"])
    with connect(database.app) as app:
        app.execute(
            "INSERT INTO pgask.documents (collection_id, source, status, title, chunk_count)"
            " SELECT c.id, 'many/' || n, 'ready', 'travel policy', 1 FROM pgask.collections c,"
            " generate_series(1, 60) n"
        )
    async with (
        open_pool(database.app, size=1, statement_timeout_s=30) as pool,
        transaction(pool) as connection,
    ):
        assert len(await find_named(connection, "default", None, [["travel"]])) == MAX_NAMED
