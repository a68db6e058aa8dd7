"""Two embedding models on the same questions: what is found of them, and what a switch makes of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from app.cli.space_trial import refuse_if_worse
from app.domain import ScoredChunk
from app.embedding import SentenceTransformerEmbedder
from app.errors import InvalidRequestError
from app.retrieval.retriever import RetrievalSettings, Retriever
from app.store.connection import AsyncConnection, Database, connect, see, transaction, write
from app.store.connection_pool import open_pool
from app.store.documents import replace_document
from app.store.evaluations import forget_evaluations, keep_evaluation, list_trials
from app.store.ratings import rate
from app.store.shelves import ensure_shelf
from app.store.spaces import find_collection
from app.store.tenancy import DEFAULT
from app.store.twins import find_second, list_states, switch
from app.trial.gold import hits
from app.trial.known_questions import place_questions, read_kept
from app.trial.made_questions import make_questions
from tests.chaos.evidence import ROOT
from tests.integration.ingesting import FAKE, embed_document, ingest, version_of
from tests.integration.test_cli import Pgask, pgask
from tests.integration.test_twins import add
from tests.spare_models import save_cut_model

pytestmark = pytest.mark.integration
__all__ = ["pgask"]

DOCUMENTS: Final = sorted((ROOT / "corpus" / "en").glob("*.md"))[:11]
ENGLISH: Final = "all-MiniLM-L6-v2"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "documents"
    made.mkdir()
    for document in DOCUMENTS:
        (made / document.name).write_bytes(document.read_bytes())
    return made


def write_set(path: Path, folder: Path, **more: Any) -> Path:
    """Titles as questions, each for its document."""
    lines = [
        {"question": file.read_text("utf-8").partition("\n")[0].strip("# "), "docs": [file.name], **more}
        for file in sorted(folder.glob("*.md"))
    ]
    nowhere = [
        {"question": "Where is that?", "docs": ["nowhere.md"]},
        {"question": "So?", "answerable": False},
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines + nowhere), "utf-8")
    return path


@pytest.mark.long
@pytest.mark.model
def test_a_worse_model_is_told_from_a_good_one_and_switched_to_by_force_alone(
    database: Database, pgask: Pgask, folder: Path, tmp_path: Path
) -> None:
    ingest(database, folder, embedder=SentenceTransformerEmbedder("english", runtime="torch"))
    questions = write_set(tmp_path / "titles.jsonl", folder)
    blind = str(save_cut_model(tmp_path / "blind", layers=1, reads=False))
    assert pgask("spaces", "add", blind, embedding_runtime="torch").code == 0

    refused = pgask("spaces", "switch")  # it was not evaluated, so it is now
    assert refused.code == 2
    assert f"{blind} is worse than {ENGLISH}: made from English texts" in refused.out
    assert "--force" in refused.err
    assert [one["state"] for one in pgask("spaces", "--json").json["spaces"]] == ["answers", "filled"]

    done = pgask("spaces", "evaluate", "default", "--questions", str(questions), "--json")
    said = done.json
    assert (done.code, said["verdict"], said["serving"], said["second"]) == (1, "worse", ENGLISH, blind)
    rows = {row["questions_from"]: row for row in said["rows"]}
    assert set(rows) == {"titles.jsonl", "made:en"}
    assert rows["titles.jsonl"]["questions"] == len(DOCUMENTS)
    made = rows["made:en"]
    assert made["p"] < 0.05
    assert made["ndcg@10"]["high"] < 0
    assert made["ndcg@10"]["second"] - made["ndcg@10"]["serving"] == pytest.approx(
        made["ndcg@10"]["difference"], abs=1e-5
    )
    again = pgask("spaces", "switch", "--json")  # by what was kept
    assert (again.code, again.json["error"]["code"]) == (2, "space_is_worse")
    assert "made:en" in again.err
    assert pgask("spaces", "switch", "--force", "--json").json["answers"] == blind
    assert pgask("spaces", "back", "--json").json["answers"] == ENGLISH


def test_an_evaluation_holds_until_it_is_forgotten_or_spaces_are_switched(
    database: Database, folder: Path
) -> None:
    ingest(database, folder, embedder=FAKE)
    second = add(database)
    row = {"collection": "default", "questions_from": "made:en", "questions": 90, "verdict": "same"}
    worse = row | {"verdict": "worse", "p": 0.01, "ndcg@10": {"difference": -0.1}}
    with connect(database.owner) as owner:
        (trial,) = list_trials(owner, second)
        assert (trial.name, trial.tenant_id, trial.evaluation) == ("default", 1, None)
        keep_evaluation(owner, trial, [row])
        (trial,) = list_trials(owner, second)
        assert trial.evaluation == [row]
        refuse_if_worse([trial], "other")
        keep_evaluation(owner, trial, [row, worse])
        with pytest.raises(InvalidRequestError, match=r"default, made:en: -0\.100 nDCG@10 on 90 questions"):
            refuse_if_worse(list_trials(owner, second), "other")
        (folder / "later.md").write_text("# Later\n\nA later document.\n", "utf-8")
        ingest(database, folder)
        assert not switch(owner, second)  # it is to be filled, and is evaluated all the same
        add(database)
        (trial,) = list_trials(owner, second)
        assert trial.evaluation == [row, worse]
        forget_evaluations(owner, second)
        (trial,) = list_trials(owner, second)
        assert trial.evaluation is None
        keep_evaluation(owner, trial, [row])
        assert switch(owner, second)
        former = find_second(list_states(owner))
        assert former is not None
        assert [one.evaluation for one in list_trials(owner, former.id)] == [None]
        assert switch(owner, former.id)
        assert [one.evaluation for one in list_trials(owner, second)] == [None]


def test_shelves_are_one_collection_with_one_evaluation(database: Database, folder: Path) -> None:
    ingest(database, folder, embedder=FAKE)
    with connect(database.app) as app:
        see(app, DEFAULT)
        first = find_collection(app, "default")
        kept = ensure_shelf(app, "default", first.space_id, ("board",))
        replace_document(app, kept, version_of("secret.md", "A secret."), embed_document("A secret."))
    second = add(database)
    with connect(database.owner) as owner:
        (trial,) = list_trials(owner, second)
        assert len(trial.twin_ids) == 2
        keep_evaluation(owner, trial, [])
        (trial,) = list_trials(owner, second)
        assert trial.evaluation == []


def test_one_command_changes_spaces_at_a_time(database: Database, pgask: Pgask, folder: Path) -> None:
    ingest(database, folder, embedder=FAKE)
    add(database)
    with connect(database.owner) as owner:
        owner.execute("SELECT pg_advisory_lock(hashtext('pgask.spaces'))")
        for command in (["switch"], ["back"], ["drop", "--yes"], ["evaluate"], ["add", "english"]):
            busy = pgask("spaces", *command, "--json")
            assert (busy.code, busy.json["error"]["code"]) == (2, "spaces_busy"), command
        assert pgask("spaces").code == 0
    none = pgask("spaces", "evaluate", "nowhere", "--json")
    assert (none.code, none.json["error"]["code"]) == (1, "not_found")
    gone = pgask("spaces", "switch", "--json")  # of the model that answers there is no folder
    assert (gone.code, gone.json["error"]["code"]) == (2, "config_error")
    for file in folder.glob("*.md"):
        assert pgask("documents", "delete", file.name, "--yes").code == 0
    assert pgask("spaces", "evaluate").code == 1
    assert pgask("spaces", "switch", "--json").json["answers"] == "other"  # there is nothing to compare


async def read(database: Database, work: Any) -> Any:
    async with (
        open_pool(database.app, size=1, statement_timeout_s=60) as pool,
        transaction(pool) as connection,
    ):
        return await work(connection)


async def test_made_questions_are_the_same_each_time_and_say_less_than_their_sentences(
    database: Database, folder: Path
) -> None:
    ingest(database, folder, embedder=FAKE)

    async def find_nothing(question: str) -> list[ScoredChunk]:
        return []

    made = [
        await read(database, lambda one: make_questions(one, "default", 40, find_nothing)) for _ in range(2)
    ]
    assert made[0] == made[1]
    assert len(made[0]) == 40
    with connect(database.owner) as owner:
        texts = dict(
            owner.execute(
                "SELECT d.source, string_agg(p.text, '' ORDER BY p.part) FROM pgask.documents d"
                " JOIN pgask.document_texts p ON p.document_id = d.id GROUP BY 1"
            ).fetchall()
        )
    for case in made[0]:
        assert case.group == "made:en"
        assert case.gold.span is not None
        start, end = case.gold.span
        sentence = texts[case.gold.sources[0]][start:end]
        assert set(case.question.split()) < set(sentence.split())
        assert 0.3 < len(case.question.split()) / len(sentence.split()) < 0.95
    assert await read(database, lambda one: make_questions(one, "nowhere", 40, find_nothing)) == []
    other = await read(database, lambda one: make_questions(one, "default", 40, find_nothing, seed=1))
    assert other != made[0]


async def test_words_alone_find_no_passage_first_that_a_question_was_made_of(
    database: Database, folder: Path
) -> None:
    ingest(database, folder, embedder=FAKE)
    async with open_pool(database.app, size=2, statement_timeout_s=60) as pool:
        by_words = Retriever(pool, FAKE, RetrievalSettings(dense_weight=0.0))

        async def find(question: str) -> Sequence[ScoredChunk]:
            return (await by_words.retrieve(question, "default", 1)).hits

        async with transaction(pool) as connection:
            made = await make_questions(connection, "default", 40, find)
        assert len(made) > 10
        for case in made:
            (first,) = await find(case.question)
            assert not hits(first, case.gold)


async def test_questions_whose_answers_readers_found_good_are_asked_again(
    database: Database, folder: Path
) -> None:
    ingest(database, folder, embedder=FAKE)
    source = DOCUMENTS[0].name
    text = DOCUMENTS[0].read_text("utf-8")
    quote = text[200:320]

    def rated(number: int, **given: Any) -> dict[str, Any]:
        citation = {"source": source, "quote": quote, "char_start": 200, "char_end": 320, "supported": True}
        return {
            "request_id": f"r{number}", "rating": "up", "reason": None, "comment": "", "question": f"Why {number}?",
            "answer": "Because [1].", "abstained": False, "scope": {"collections": ["default"]},
            "citations": [citation], "state": {},
        } | given  # fmt: skip

    async def work(connection: AsyncConnection) -> None:
        others: list[dict[str, Any]] = [
            {}, {"question": "Why 0?"}, {"rating": "down", "reason": "wrong_source"}, {"abstained": True},
            {"scope": {"collections": ["other"]}},
            {"citations": [{"source": "gone.md", "quote": "x", "char_start": 0, "char_end": 1}]},
        ]  # fmt: skip
        for number, given in enumerate(others):
            await rate(connection, "ada", None, rated(number, **given), days=365)

    async with open_pool(database.app, size=1, statement_timeout_s=60) as pool:
        await write(pool, work)
    kept = await read(database, lambda one: read_kept(one, "default"))
    assert sorted(question.question for question in kept) == ["Why 0?", "Why 5?"]
    (case,) = await read(database, lambda one: place_questions(one, "default", "kept", kept))
    assert (case.question, case.gold.sources) == ("Why 0?", (source,))
    assert case.gold.span is not None
    assert case.gold.span[1] - case.gold.span[0] == len(quote)
