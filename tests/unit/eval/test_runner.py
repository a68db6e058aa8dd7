from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from app.domain import ChatTurn
from app.errors import InvalidRequestError
from app.trial.question_file import Question, load_questions
from eval.corpora import make_corpora
from eval.replies import AskResult
from eval.runner import Evaluation, Wording, run
from eval.wordnet import NO_SYNONYMS

from .conftest import TinySystem


async def evaluate(
    system: TinySystem,
    corpus: Path,
    questions: list[Question],
    top_k: int = 10,
    wording: Wording = "question",
) -> Evaluation:
    return await run(
        system, system, corpora=make_corpora([(None, corpus)], ["tiny"], questions), questions=questions,
        synonyms=NO_SYNONYMS,
        on_progress=lambda stage, done, total: None, top_k=top_k, wording=wording,
    )  # fmt: skip


async def test_a_system_that_finds_and_abstains_rightly(
    tiny_system: TinySystem, corpus: Path, question_file: Path
) -> None:
    evaluation = await evaluate(tiny_system, corpus, load_questions(question_file))
    figures = evaluation.figures
    for key in ("recall@1", "ndcg@10", "answer_contains_gold", "citation_exact", "abstain_auroc"):
        assert figures[key] == 1.0, key
    assert figures["exact_match"] == 0.0  # whole sentences are no exact answers
    assert (figures["questions"], figures["failed"], figures["p50_ms"]) == (3, 0, 20.0)
    assert [reply.abstained for reply in evaluation.replies] == [False, False, True]
    assert "[1]" not in evaluation.replies[0].answer_text


async def test_the_gold_passage_is_found_where_the_stored_text_has_it(
    tiny_system: TinySystem, corpus: Path, question_file: Path
) -> None:
    """Ingestion may clean a text: here a preface went in front and blanks changed."""
    paper = corpus / "paper.md"
    text = paper.read_text(encoding="utf-8")
    paper.write_text("Preface.\n\n" * 30 + text.replace("in China by", "in  China\nby"), encoding="utf-8")
    evaluation = await evaluate(tiny_system, corpus, load_questions(question_file, limit=1))
    gold = evaluation.replies[0].gold
    assert gold is not None
    assert gold.span is not None
    stored = paper.read_text(encoding="utf-8")[slice(*gold.span)]
    assert stored.split() == [
        "Paper",
        "was",
        "made",
        "in",
        "China",
        "by",
        "Cai",
        "Lun",
        "in",
        "the",
        "year",
        "105.",
    ]
    assert evaluation.figures["recall@1"] == 1.0


async def test_a_passage_that_was_not_ingested_is_a_miss(
    tiny_system: TinySystem, corpus: Path, question_file: Path
) -> None:
    (corpus / "paper.md").write_bytes(b"\xff\xff")
    evaluation = await evaluate(tiny_system, corpus, load_questions(question_file, limit=1))
    gold = evaluation.replies[0].gold
    assert gold is not None
    assert gold.missing
    assert evaluation.figures["recall@10"] == 0.0
    assert evaluation.ingested.failed == {"paper.md": "not_text"}


async def test_documents_alone_can_be_gold(tiny_system: TinySystem, corpus: Path) -> None:
    (corpus / "notes.md").write_text("The Danube flows, the Danube ends.\n", encoding="utf-8")
    question = Question("d", "Danube flows ends", doc="gone.md", docs=("gone.md", "rivers.md"))
    evaluation = await evaluate(tiny_system, corpus, [question])
    assert evaluation.replies[0].hits[:2] == [False, True]  # notes.md comes first and is not gold
    assert evaluation.figures["mrr@10"] == 0.5
    assert evaluation.figures["answer_contains_gold"] is None


async def test_a_question_that_fails_counts_as_wrong(
    tiny_system: TinySystem, corpus: Path, question_file: Path
) -> None:
    bad = Question("bad", "explode", ("x",), "paper.md", ("paper.md",))
    evaluation = await evaluate(tiny_system, corpus, [*load_questions(question_file, limit=1), bad])
    assert evaluation.replies[1].error == "generation_failed: It exploded."
    assert evaluation.figures["failed"] == 1
    assert evaluation.figures["recall@10"] == evaluation.figures["answer_contains_gold"] == 0.5


async def test_a_quote_that_is_not_the_stored_text_is_caught(corpus: Path, question_file: Path) -> None:
    class Misquoting(TinySystem):
        async def ask(
            self, question: str, collection: str, top_k: int, history: Sequence[ChatTurn] = ()
        ) -> AskResult:
            result = await super().ask(question, collection, top_k, history)
            assert result.answer is not None
            moved = [
                replace(citation, char_start=citation.char_start + 1) for citation in result.answer.citations
            ]
            lost = [replace(citation, document_id="id:gone") for citation in result.answer.citations]
            return replace(result, answer=replace(result.answer, citations=(*moved, *lost)))

    evaluation = await evaluate(Misquoting(), corpus, load_questions(question_file, limit=2))
    assert evaluation.figures["citation_exact"] == 0.0
    assert [reply.exact for reply in evaluation.replies] == [(False, False)] * 2


async def test_english_originals_can_be_asked(
    tiny_system: TinySystem, corpus: Path, question_file: Path
) -> None:
    questions = load_questions(question_file, limit=2)[1:]
    evaluation = await evaluate(tiny_system, corpus, questions, wording="question_en")
    assert tiny_system.asked == ["Which book did Lu Yu write?"]
    assert evaluation.replies[0].asked == "Which book did Lu Yu write?"


async def test_measures_deeper_than_the_ranking_are_undefined(
    tiny_system: TinySystem, corpus: Path, question_file: Path
) -> None:
    evaluation = await evaluate(tiny_system, corpus, load_questions(question_file), top_k=5)
    assert evaluation.figures["recall@5"] == 1.0
    assert evaluation.figures["recall@10"] is evaluation.figures["ndcg@10"] is None


async def test_progress_is_told(tiny_system: TinySystem, corpus: Path, question_file: Path) -> None:
    told: list[tuple[str, int, int]] = []
    questions = load_questions(question_file)
    await run(
        tiny_system, tiny_system, corpora=make_corpora([(None, corpus)], ["tiny"], questions), questions=questions,
        synonyms=NO_SYNONYMS, on_progress=lambda *progress: told.append(progress),
    )  # fmt: skip
    assert [step for step in told if step[0] == "ingest"] == [("ingest", done, 3) for done in (1, 2, 3)]
    assert [step for step in told if step[0] == "ask"] == [("ask", done, 3) for done in (0, 1, 2, 3)]


async def test_an_ingestion_that_can_not_start_stops_the_run(tiny_system: TinySystem, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(InvalidRequestError):
        await evaluate(tiny_system, empty, [Question("q", "anything")])
