"""Talk and questions about the collection, answered from a real one (F-801, F-802, F-744); every quote is exact."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from app.about import About
from app.domain import Answer, ChatTurn, QuotedSpan, SearchFilter
from app.errors import NotFoundError
from app.store.connection import AsyncPool, Database
from app.store.connection_pool import open_pool
from app.store.outlines import HEAD_CHARS
from app.store.texts import whole_text
from tests.integration.ingesting import ingest, open_collection

pytestmark = pytest.mark.integration

ROWS = 6_000  # of a sheet whose text is longer than HEAD_CHARS
DOCUMENTS = {
    "en/handbook/leave.md": (
        "# Leave policy\n\nValid from 1 January.\n\n## Annual leave\n\nEvery employee has 26 days. Ask early.\n\n"
        "## Special leave\n\n| Occasion | Days |\n|---|---|\n| Own wedding | 2 |\n| Moving house | 1 |\n"
    ),
    "en/handbook/parking.md": "# Parking\n\nThe car park closes at nine. Visitors park behind the hall.\n",
    "en/api/limits.md": "# Limits\n\n## How many calls are allowed?\n\nSixty calls a minute are allowed.\n",
    "en/meetings/2026-03-04.md": "# Board meeting, 4 March 2026\n\nThe move to Potsdam takes place in May.\n",
    "en/meetings/2026-03-18.md": "# Board meeting, 18 March 2026\n\n- The move to Potsdam waits until June.\n- No.\n",
    "en/rules/travel-old.md": "# Travel rules\n\nThis document is superseded by the rules of 2026. Fly economy.\n",
    "en/rules/travel.md": "# Travel rules\n\nBook the train. Flights need a reason that the office accepts.\n",
    "en/prices.csv": "SKU,Price\nP-1,10.50\nP-2,11.50\nP-3,12.50\nP-4,13.50\nP-5,14.50\n",
    "zh/年假.md": "# 年假制度\n\n员工每年有十五天年假。\n\n## 申请\n\n请提前两周申请年假。\n",
    "zh/須知.md": "# 辦公室須知\n\n辦公室位於內湖區，訪客須由員工陪同。\n",
}


@pytest_asyncio.fixture
async def pool(database: Database, tmp_path: Path) -> AsyncIterator[AsyncPool]:
    for source, text in DOCUMENTS.items():
        path = tmp_path / source
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    ingest(database, tmp_path)
    async with open_pool(database.app, size=2, statement_timeout_s=30) as opened:
        yield opened


async def ask(
    pool: AsyncPool,
    question: str,
    *,
    only: SearchFilter | None = None,
    history: tuple[ChatTurn, ...] = (),
    collection: str = "default",
) -> Answer:
    """The reply, whose quotes are those of the database and whose marks stand where its claims say."""
    answer = await About(pool).answer(question, collection, only, history)
    assert answer is not None
    assert answer.generator == "extractive"
    assert not answer.abstained
    for claim in answer.claims:
        assert claim.mark_start is not None
        mark = f"[{answer.citations[claim.citations[0]].marker}]"
        assert answer.text[claim.mark_start : claim.mark_end] == mark
    async with pool.connection() as connection:
        for citation in answer.citations:
            spans = citation.spans or (QuotedSpan(citation.char_start, citation.char_end, citation.quote),)
            for span in spans:
                row = await (
                    await connection.execute(
                        f"SELECT substring({whole_text('d.id')} FROM %s FOR %s),"
                        " k.document_id = d.id, k.char_start <= %s"
                        " FROM pgask.documents d, pgask.chunks k WHERE d.id = %s AND k.id = %s",
                        [
                            span.char_start + 1,
                            span.char_end - span.char_start,
                            citation.char_start,
                            citation.document_id,
                            int(citation.chunk_id),
                        ],
                    )
                ).fetchone()
                assert row == (span.quote, True, True)
    return answer


def sources(answer: Answer) -> list[str]:
    return [citation.source for citation in answer.citations]


@pytest.mark.parametrize(
    ("question", "says"),
    [
        (
            "What documents do you have?",
            "There are 10 documents: 8 in English, 2 in Chinese; 9 Markdown, 1 CSV.",
        ),
        ("你有哪些文档？", "共有 10 份文档：8 份英文、2 份中文；9 Markdown、1 CSV。"),
        ("你有哪些文檔？", "共有 10 份文檔"),
        ("How many files are there?", "There are 10 documents"),
        (
            "Which topics can I ask about?",
            "(en/handbook/leave.md) [2]: Annual leave, Special leave",
        ),
    ],
)
async def test_what_the_collection_holds(pool: AsyncPool, question: str, says: str) -> None:
    """F-801."""
    answer = await ask(pool, question)
    assert says in answer.text
    assert answer.kind == "meta"


async def test_each_document_that_is_named_is_cited(pool: AsyncPool) -> None:
    answer = await ask(pool, "list all documents")
    assert sorted(sources(answer)) == sorted(DOCUMENTS)
    assert "en/handbook (2)" in answer.text
    assert {citation.quote for citation in answer.citations} >= {"Leave policy", "年假制度", "Limits"}


async def test_the_filter_holds_for_the_collection_too(pool: AsyncPool) -> None:
    only = SearchFilter(source_prefix="zh/")
    answer = await ask(pool, "What documents do you have?", only=only)
    assert answer.text.startswith("The filter keeps 2 documents")
    assert sorted(sources(answer)) == ["zh/年假.md", "zh/須知.md"]
    about = About(pool)
    nothing = SearchFilter(source_prefix="fr/")
    assert await about.answer("What documents do you have?", "default", nothing, ()) is None
    assert await about.answer("Which document mentions Potsdam?", "default", only, ()) is None
    assert await about.answer("Summarise the leave policy", "default", only, ()) is None


async def test_which_documents_mention_something(pool: AsyncPool) -> None:
    answer = await ask(pool, "Which document mentions Potsdam?")
    assert [citation.quote for citation in answer.citations] == [
        "The move to Potsdam takes place in May.",
        "- The move to Potsdam waits until June.",
    ]
    assert (await ask(pool, "哪個檔案提到了訪客？")).citations[0].source == "zh/須知.md"
    assert (await ask(pool, "哪个文件提到了访客？")).citations[0].source == "zh/須知.md"
    assert await About(pool).answer("Which document mentions Atlantis?", "default", None, ()) is None
    assert await About(pool).answer("Which document mentions the?", "default", None, ()) is None


async def test_the_newest_documents(pool: AsyncPool, database: Database, tmp_path: Path) -> None:
    path = tmp_path / "en/handbook/parking.md"
    path.write_text("# Parking\n\nThe car park is shut for good since the flood.\n", "utf-8")
    ingest(database, tmp_path)
    answer = await ask(pool, "Which documents are new?")
    assert sources(answer)[0] == "en/handbook/parking.md"
    assert len(sources(answer)) == 10


@pytest.mark.parametrize(
    ("question", "source", "says"),
    [
        (
            "Summarise the leave policy",
            "en/handbook/leave.md",
            "Annual leave: Every employee has 26 days. Ask early. [1]",
        ),
        (
            "leave.md",
            "en/handbook/leave.md",
            "table of 2 rows, columns Occasion, Days [1]; first row: Own wedding: Days: 2 [1]",
        ),
        ("What is in parking.md?", "en/handbook/parking.md", "The car park closes at nine."),
        ("What does the leave policy say?", "en/handbook/leave.md", "26 days"),
        (
            "Give me a summary of the board meeting of 18 March",
            "en/meetings/2026-03-18.md",
            "waits until June",
        ),
        ("Summarise the travel rules", "en/rules/travel.md", "Book the train."),
        (
            "What does prices.csv contain?",
            "en/prices.csv",
            "Columns: SKU, Price [1]\nThe first 3 of 5 rows:\n- P-1: Price: 10.50 [1]",
        ),
        ("总结一下年假制度", "zh/年假.md", "申请：请提前两周申请年假。"),
        ("总结一下办公室须知", "zh/須知.md", "辦公室位於內湖區"),
        ("總結一下年假制度", "zh/年假.md", "2 節"),
        ("年假.md里有什么？", "zh/年假.md", "员工每年有十五天年假。"),
    ],
)
async def test_the_overview_of_a_document(pool: AsyncPool, question: str, source: str, says: str) -> None:
    """F-801."""
    answer = await ask(pool, question)
    assert answer.kind == "overview"
    assert set(sources(answer)) == {source}
    assert says in answer.text


async def test_a_name_that_several_documents_have_is_asked_back(pool: AsyncPool) -> None:
    answer = await ask(pool, "Summarise the board meeting")
    assert answer.kind == "meta"
    assert sources(answer) == ["en/meetings/2026-03-04.md", "en/meetings/2026-03-18.md"]


async def test_this_document_is_the_only_one_or_asked_back(pool: AsyncPool) -> None:
    answer = await ask(pool, "Summarize this document")
    assert answer.text.startswith("Which document do you mean?")
    assert answer.kind == "meta"
    alone = await ask(pool, "总结一下这个文档", only=SearchFilter(source_prefix="en/api/"))
    assert alone.kind == "overview"
    assert set(sources(alone)) == {"en/api/limits.md"}


async def test_a_folder_and_the_collection_are_told_by_their_documents(pool: AsyncPool) -> None:
    folder = await ask(pool, "Summarise the handbook")
    assert folder.kind == "overview"
    assert folder.text.startswith("There are 2 documents in en/handbook")
    assert sources(folder) == ["en/handbook/leave.md", "en/handbook/parking.md"]
    assert (await ask(pool, "Summarise default")).text.startswith("There are 10 documents: ")
    assert sources(await ask(pool, "What is in the folder en/api?")) == ["en/api/limits.md"]


@pytest.mark.parametrize(
    "question",
    [
        "Summarise how backups work",
        "Summarise the annual report",
        "What does the contract say?",
        "unknown.md",
        "parking.pdf",
        "What does the board meeting say?",
        "How many days of leave do I get?",
        "Hello world example",
        "介绍一下FM-40X",
        "《合同》讲了什么？",
        "年假有几天？",
        "",
    ],
)
async def test_other_questions_go_to_the_documents(pool: AsyncPool, question: str) -> None:
    assert await About(pool).answer(question, "default", None, ()) is None


async def test_a_greeting_says_what_can_be_asked(pool: AsyncPool) -> None:
    """F-802."""
    answer = await ask(pool, "Hello")
    assert answer.kind == "chat"
    assert "There are 10 documents to ask, such as " in answer.text
    assert len(answer.citations) == 3
    chinese = await ask(pool, "你好")
    assert chinese.citations[0].source.startswith("zh/")
    assert not (await ask(pool, "Thanks, that helped!")).citations
    helped = await ask(pool, "What can you do?")
    assert "- How many calls are allowed? [" in helped.text
    assert "可以" not in helped.text


async def test_talk_needs_no_documents(pool: AsyncPool, database: Database) -> None:
    open_collection(database, name="empty")
    answer = await ask(pool, "Hello", collection="empty")
    assert answer.kind == "chat"
    assert not answer.citations


@pytest.mark.parametrize("said", ["hi", "您好", "Thanks!", "What can you do?", "再见"])
async def test_there_is_no_talk_in_a_collection_that_there_is_not(pool: AsyncPool, said: str) -> None:
    with pytest.raises(NotFoundError):
        await About(pool).answer(said, "none", None, ())
    assert await About(pool).answer("What documents do you have?", "none", None, ()) is None


@pytest.mark.parametrize(
    ("said", "repeats"),
    [
        ("yes", False),
        ("Thanks, that helped!", False),
        ("What did I ask before?", True),
        ("Tell me more", True),
        ("不对", True),
    ],
)
async def test_what_is_said_after_an_answer(pool: AsyncPool, said: str, repeats: bool) -> None:
    """F-744: the former question may be named, the former answer is not given again."""
    asked = "How do I return a device?"
    history = (ChatTurn("user", asked), ChatTurn("assistant", "Ask for a number."), ChatTurn("user", "ok"))
    answer = await ask(pool, said, history=history)
    assert answer.kind == "chat"
    assert (asked in answer.text) is repeats
    assert "number" not in answer.text


async def test_this_after_a_question_is_what_was_asked_about(pool: AsyncPool) -> None:
    history = (ChatTurn("user", "How are limits counted?"), ChatTurn("assistant", "By minute."))
    about = About(pool)
    assert await about.answer("How does this work?", "default", None, history) is None
    assert await about.answer("What is this about?", "default", None, history) is None
    assert (await ask(pool, "How does this work?")).kind == "chat"


async def test_a_text_is_told_of_without_being_read_whole(
    pool: AsyncPool, database: Database, tmp_path: Path
) -> None:
    """Sections that begin beyond what is read at once are quoted too, and rows are counted exactly."""
    parts = [
        f"## Part {n}\n\nPart {n} begins here. " + f"Filler number {n} of the text. " * 1_500
        for n in range(9)
    ]
    (tmp_path / "long.md").write_text("# Long\n\n" + "\n\n".join(parts), "utf-8")
    rows = "".join(f"K-{n},A screw of the size {n} with a head of brass,{n}.50\n" for n in range(ROWS))
    (tmp_path / "parts.csv").write_text("Key,Name,Price\n" + rows, "utf-8")
    ingest(database, tmp_path)
    long = await ask(pool, "Summarise long.md")
    assert max(citation.char_start for citation in long.citations) > HEAD_CHARS
    assert "Part 8: Part 8 begins here. [1]" in long.text
    sheet = await ask(pool, "parts.csv")
    assert f"{ROWS:,} rows" in sheet.text
    assert f"The first 3 of {ROWS:,} rows:" in sheet.text


async def test_names_are_parameters(pool: AsyncPool) -> None:
    for name in (
        "'; DROP TABLE pgask.documents; --.md",
        "%s %(collection)s {lead}.md",
        "a\\.md",
        "\u0000.md",
    ):
        assert await About(pool).answer(f"What is in {name}?", "default", None, ()) is None
    assert (await ask(pool, "How many files are there?")).text.startswith("There are 10 documents")
