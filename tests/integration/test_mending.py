"""Misspelt words and acronyms meet what a collection holds (F-771, F-772), and what is bounded."""

from __future__ import annotations

import random
import string
from collections.abc import Sequence
from pathlib import Path

import pytest

from app.retrieval.mending import MAX_CHARS, Mended, Mender
from app.store.connection import Database, PooledConnection, run_alone
from app.store.connection_pool import open_pool
from app.store.vocabulary import count_chunks, find_headings, load_texts, load_texts_of_all, walk_terms
from tests.integration.ingesting import ingest

pytestmark = pytest.mark.integration

DOCUMENTS = {
    "leave.md": "# Annual leave\n\nEmployees get 26 days of annual leave a year. Leave is requested in the portal.",
    "access.md": "# Access\n\nA password has a minimum length of 14 characters. The accommodation desk helps."
    " Single sign-on is for all. Ask the chief executive officer.",
    "contract.md": "# Contract\n\nThe contract with Nordwind has a notice period of 90 days. You may return devices."
    " We met Marten there.",
    "recovery.md": "# Plan\n\nThe recovery time objective (RTO) is eight hours. It holds for all outages.",
    "model.md": "# Target Operating Model\n\nHow teams work together. Every team has a lead.",
    "security.md": "# 信息安全\n\n密码长度不得少于12位。员工应当重置网关。"
    "邮箱必须开启双因素认证（2FA）。首席执行官批准。",
    "expenses.md": "# 差旅\n\n报销期限是四十五天。报销单由财务总监审批。固定资产每年盘点一次。",
    "tw.md": "# 規定\n\n員工離職須於三十日前遞交辭呈，辭呈由經理簽署。",
}


@pytest.fixture
def filled(database: Database, tmp_path: Path) -> Database:
    folder = tmp_path / "corpus"
    folder.mkdir()
    for name, text in DOCUMENTS.items():
        (folder / name).write_text(text + "\n", "utf-8")
    assert ingest(database, folder).failed == []
    return database


async def mend(database: Database, *questions: str, collection: str = "default") -> list[Mended | None]:
    async with open_pool(database.app, size=1, statement_timeout_s=10) as pool:
        mender = Mender(pool)
        return [await mender.mend(question, collection) for question in questions]


async def test_typos_are_mended_by_what_the_collection_holds(filled: Database) -> None:
    """F-771: the question as a person would write it, and what was replaced."""
    asked = {
        "How many days of anual leev do I get?": "How many days of annual leave do I get?",
        "What is the passwrod minimum lenght?": "What is the password minimum length?",
        "Nordwnd contract notice peroid": "Nordwind contract notice period",
        "How to retrun it? And Nordwnd?": "How to return it? And Nordwind?",
        "Where is the acomodation?": "Where is the accommodation?",
        "PASSWROD": "PASSWORD",
        "员工如何重制网关GW7？": "员工如何重置网关GW7？",
        "报消期限是几天？": "报销期限是几天？",
        "密马至少多少位": "密码至少多少位",
        "固定资严多久盘点": "固定资产多久盘点",
    }
    for (question, right), mended in zip(asked.items(), await mend(filled, *asked), strict=True):
        assert mended is not None, question
        assert mended.question == right
        assert mended.added == ()
    twice = (await mend(filled, "anual leev, anual leev"))[0]
    assert twice == Mended("annual leave, annual leave", (("anual", "annual"), ("leev", "leave")), ())


async def test_traditional_characters_are_mended_in_their_script(filled: Database) -> None:
    """F-771: a question in traditional characters gets the word as the documents write it."""
    mended, simplified, traditional = await mend(filled, "報消期限", "离职递交辞成", "離職遞交辭成")
    assert mended is not None
    assert mended.replaced == (("報消", "报销"),)
    assert simplified is not None
    assert simplified.question == "离职递交辞呈"
    assert traditional is not None
    assert traditional.question == "離職遞交辭呈"


async def test_what_is_held_or_right_or_a_code_stays(filled: Database) -> None:
    """F-771: never a word that the collection holds, a frequent word, an identifier, a version, a short word."""
    questions = [
        "How many days of annual leave do I get?",
        "What is the weather in France, the salary, the bread of a grandchild?",
        "legth1 of GW-7 passwrod_1 v2.4.0 peroid.md",
        "ler lev pas",
        "几天？怎么重置？",
        "面包和工资是多少",
        "介绍一下好吗",
        "x" * (MAX_CHARS + 1),
        "   ",
        "?!",
    ]
    for question, mended in zip(questions, await mend(filled, *questions), strict=True):
        assert mended is None, question


async def test_acronyms_get_what_they_stand_for(filled: Database) -> None:
    """F-772: explained in the documents, else of the list where the documents have it, else initials of a heading."""
    asked: dict[str, Sequence[str]] = {
        "What is our RTO?": ["recovery time objective"],
        "What is the rto?": ["recovery time objective"],
        "Is 2FA mandatory?": ["双因素认证"],
        "SSO supported?": ["single sign-on"],
        "Who is the CEO?": ["chief executive officer", "首席执行官"],
        "CFO是谁？": ["财务总监"],
        "What is the TOM about?": ["Target Operating Model"],
        "the recovery time objective": ["RTO"],
    }
    for (question, forms), mended in zip(asked.items(), await mend(filled, *asked), strict=True):
        assert mended is not None, question
        assert mended.question == question  # the acronym stays
        assert mended.replaced == ()
        assert list(mended.added) == forms


async def test_acronyms_that_nothing_is_known_of_stay(filled: Database) -> None:
    questions = ["What is the QZX?", "Who is the CTO?", "Our MSA?", "RTO means recovery time objective"]
    assert await mend(filled, *questions) == [None] * len(questions)


async def test_typo_and_acronym_in_one_question(filled: Database) -> None:
    mended = (await mend(filled, "passwrod for SSO"))[0]
    assert mended == Mended("password for SSO", (("passwrod", "password"),), ("single sign-on",))


async def test_a_collection_that_is_not_there_mends_nothing(filled: Database) -> None:
    assert await mend(filled, "anual leev", "RTO", "重制", collection="other") == [None, None, None]


@pytest.mark.parametrize(
    "question",
    ["'; DROP TABLE x; --", "%s %(terms)s passwrodd\\", "\u202epasswrd", "(" * 500, "RT\\M", "𠀀𠀁密马"],
)
async def test_hostile_questions(filled: Database, question: str) -> None:
    assert len(await mend(filled, question)) == 1


async def test_the_vocabulary_is_read_in_bounds(filled: Database) -> None:
    async def look(connection: PooledConnection) -> None:
        held = await count_chunks(connection, "default", ["leav", "password", "zzz"], most=5)
        assert held == {"leav": 1, "password": 1}
        assert await count_chunks(connection, "default", []) == {}
        every = await walk_terms(connection, "default", ["pa", "le"], lengths=(1, 64), most=100)
        assert {"password", "leav", "length", "lead"} <= set(every)
        assert len(await walk_terms(connection, "default", ["pa", "le"], lengths=(1, 64), most=3)) <= 3
        assert await walk_terms(connection, "default", ["le"], lengths=(6, 6), most=100) == ["length"]
        assert await walk_terms(connection, "default", ["zzz", ""], lengths=(1, 64), most=9) == []
        texts = await load_texts(connection, "default", ["password", "zzz"], most=2)
        assert "minimum length" in texts["password"][0]
        assert list(texts) == ["password"]
        groups = [["recoveri", "object"], [], ["recoveri", "leav"], ["leav"]]
        found = await load_texts_of_all(connection, "default", groups, most=3)
        assert [len(some) for some in found] == [1, 0, 0, 1]
        lines = await find_headings(connection, "default", r"\mtarget", most=5)
        assert lines == ["Target Operating Model"]

    async with open_pool(filled.app, size=1, statement_timeout_s=10) as pool:
        await run_alone(pool, look)


async def test_a_word_at_two_edits_is_found_in_a_large_vocabulary(database: Database, tmp_path: Path) -> None:
    """F-771: among some 10,000 terms, of which a thousand begin like the word that was meant."""
    rng = random.Random(3)
    folder = tmp_path / "corpus"
    folder.mkdir()
    made = ["reim" + "".join(rng.choices(string.ascii_lowercase, k=6)) for _ in range(1_000)]
    made += ["".join(rng.choices(string.ascii_lowercase, k=9)) for _ in range(9_000)]
    for number in range(20):
        (folder / f"{number}.txt").write_text(" ".join(made[number::20]) + ".\n", "utf-8")
    (folder / "policy.txt").write_text("The reimbursement policy is for all.\n", "utf-8")
    assert ingest(database, folder).failed == []
    mended, nothing = await mend(database, "What is the reimbersment policy?", "qqqqqqqqqqqqq policy")
    assert mended is not None
    assert mended.question == "What is the reimbursement policy?"
    assert nothing is None
