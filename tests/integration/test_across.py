"""A question in one language, its answer in documents of the other, or of both: by an embedder that reads both."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any, Final

import pytest

from app.answering import Answerer, AnswerSettings
from app.domain import Answer
from app.exchange import AskRequest
from app.index.maintenance import maintain
from app.index.manifest import IndexSettings
from app.retrieval.mending import Mender
from app.retrieval.retriever import RetrievalSettings, Retriever
from app.store.connection import Database, connect
from app.store.connection_pool import open_pool
from tests.fakes import FakeEmbedder
from tests.integration.ingesting import ingest, open_collection

pytestmark = pytest.mark.integration

_SAME: Final = {
    "备": "backup", "份": "archive", "保": "kept", "留": "days", "访": "visitor", "客": "guests", "停": "park",
    "车": "cars", "里": "garage", "哪": "where", "几": "garage", "位": "garage",
    "표값": "입장료는", "얼마인가요": "팔천",
}  # fmt: skip


class Bilingual(FakeEmbedder):
    """Reads some Chinese characters as English words."""

    def _token_id(self, token: str) -> int:
        return super()._token_id(_SAME.get(token, token))


READS_BOTH: Final = Bilingual("bilingual")
BACKUPS_EN: Final = "# Backup archive\n\nBackup archive kept days: 35."
BACKUPS_ZH: Final = "# 备份\n\n备份保留35天。"
OTHERS: Final = {
    "lunch.md": "# Lunch\n\nThe canteen opens at noon. Soup costs two euros.",
    "walls.md": "# Walls\n\nPaint dries in a day. Brushes are cleaned with water.",
    "食堂.md": "# 食堂\n\n食堂中午开门。汤两元一碗，米饭一元。",
    "墙面.md": "# 墙面\n\n油漆一天干透，刷子用水清洗。",
}

Ask = Callable[[str, dict[str, str]], Coroutine[Any, Any, Answer]]


@pytest.fixture
async def ask(database: Database, tmp_path: Path) -> AsyncIterator[Ask]:
    async with open_pool(database.app, size=2, statement_timeout_s=10) as pool:
        answerer = Answerer(
            Retriever(pool, READS_BOTH, RetrievalSettings()),
            READS_BOTH,
            None,
            AnswerSettings(),
            mender=Mender(pool),
        )

        async def put_and_ask(question: str, documents: dict[str, str]) -> Answer:
            for name, text in (OTHERS | documents).items():
                (tmp_path / name).write_text(text + "\n", "utf-8")
            assert ingest(database, tmp_path, embedder=READS_BOTH).failed == []
            with connect(database.owner) as owner:
                maintain(owner, open_collection(database, READS_BOTH).space_id, IndexSettings())
            return await answerer.answer(AskRequest(question))

        yield put_and_ask


async def test_what_only_the_other_language_says_is_quoted_and_said_to_be_so(ask: Ask) -> None:
    answer = await ask("备份保留？", {"backups.md": BACKUPS_EN})
    assert answer.text.startswith("文档中没有相关的中文内容，以下引用原文：\n\nBackup archive kept days: 35.")
    assert [citation.source for citation in answer.citations] == ["backups.md"]


async def test_and_so_the_other_way_round(ask: Ask) -> None:
    answer = await ask("For backup archive, days kept?", {"备份.md": BACKUPS_ZH})
    assert answer.text.startswith(
        "The documents say this in Chinese only; they are quoted as they are written:"
    )
    assert "备份保留35天" in answer.text


@pytest.mark.parametrize(
    ("question", "source"), [("备份保留？", "备份.md"), ("Backup archive, days kept?", "backups.md")]
)
async def test_where_both_languages_say_it_the_question_s_own_answers(
    ask: Ask, question: str, source: str
) -> None:
    answer = await ask(question, {"backups.md": BACKUPS_EN, "备份.md": BACKUPS_ZH})
    assert {citation.source for citation in answer.citations} == {source}
    assert "以下引用" not in answer.text
    assert "quoted as" not in answer.text


async def test_what_no_document_says_is_refused_in_the_question_s_language(ask: Ask) -> None:
    answer = await ask("访客停车？", {"backups.md": BACKUPS_EN})
    assert answer.abstained
    assert answer.text == "文档中没有这个问题的答案。"


async def test_a_code_that_the_other_language_does_not_name_is_not_answered(ask: Ask) -> None:
    answer = await ask("BK-77备份保留？", {"backups.md": BACKUPS_EN})
    assert answer.abstained


async def test_a_misspelt_word_is_mended_though_the_nearest_text_is_in_the_other_language(ask: Ask) -> None:
    """firm-065: 密马 for 密码 (password) was taken for a word that only English documents hold."""
    documents = {
        "garage.md": "# Garage\n\nGarage, garage: garage.",
        "密码.md": "# 密码\n\n密码由八个数字组成。",
    }
    answer = await ask("密马几位？", documents)
    assert "密码由八个数字组成" in answer.text
    assert answer.searched_for == "密码几位？"


KOREAN: Final = "입장료는 팔천 원입니다. 월요일은 쉽니다."


async def test_in_a_language_whose_words_are_not_known_meaning_answers(ask: Ask) -> None:
    """Issue 13.5: what was found was refused, since the question's words stood nowhere."""
    answer = await ask("표값 얼마인가요?", {"박물관.md": f"# 박물관\n\n{KOREAN}"})
    (citation,) = answer.citations
    assert answer.text == "입장료는 팔천 원입니다. [1]"
    assert citation.quote == "입장료는 팔천 원입니다."
    refused = await ask("공항은 어디인가요?", {})
    assert (refused.abstained, refused.text) == (True, "The documents do not contain the answer.")
