"""A tiny in-memory system that really ingests a folder, ranks its paragraphs and answers with a sentence."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from app.domain import Answer, ChatTurn, Citation, RetrievalScores, ScoredChunk
from app.errors import GenerationError, InvalidRequestError, NotFoundError
from eval.replies import AskResult
from eval.runner import Ingested
from eval.tokenization import words

PAPER = "# Paper\n\nPaper was made in China by Cai Lun in the year 105.\n\nIt is made of plant fibres.\n"
TEA = "# 茶\n\n茶的原产地是中国西南部。\n\n陆羽写了《茶经》，这是第一部茶书。\n"
RIVERS = "# Rivers\n\nThe Danube flows through Vienna and ends in the Black Sea.\n"


class TinySystem:
    """Chunks are paragraphs; the score is the share of the question's words that a paragraph holds."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.asked: list[str] = []
        self.opened_with: list[dict[str, object]] = []
        self.answers = True

    async def ingest(
        self, corpus: Path, collection: str, on_document: Callable[[int, int], None]
    ) -> Ingested:
        files = _list_files(corpus)
        if not files:
            raise InvalidRequestError(f"{corpus} holds no documents.")
        documents, failed = {}, {}
        for done, path in enumerate(files, start=1):
            source = path.relative_to(corpus).as_posix()
            try:
                self.texts[f"id:{source}"] = path.read_text(encoding="utf-8")
                documents[source] = f"id:{source}"
            except UnicodeDecodeError:
                failed[source] = "not_text"
            on_document(done, len(files))
        has_index = bool(self.opened_with) and "probes" in self.opened_with[-1]
        return Ingested(documents, failed, seconds=0.5, index_recall=0.75 if has_index else None)

    async def ask(
        self, question: str, collection: str, top_k: int, history: Sequence[ChatTurn] = ()
    ) -> AskResult:
        self.asked.append(question)
        if "explode" in question:
            raise GenerationError("It exploded.")
        ranked = sorted(self._chunks(question), key=lambda chunk: (-chunk[0], chunk[1], chunk[2]))[:top_k]
        hits = [self._scored(rank, *chunk) for rank, chunk in enumerate(ranked, start=1)]
        latency_ms = 10.0 * len(self.asked)
        if not self.answers:
            return AskResult(None, hits, None, latency_ms)
        best = hits[0]
        if best.score < 0.5:
            answer = Answer("That is not in the documents.", True, "extractive", (), question)
        else:
            cited = Citation(
                1, best.document_id, best.chunk_id, best.collection, best.source, best.title, None, None,
                best.char_start, best.char_end, best.text, best.score, supported=True,
            )  # fmt: skip
            answer = Answer(f"{best.text} [1]", False, "extractive", (cited,), question)
        return AskResult(answer, hits, answerability=best.score, latency_ms=latency_ms)

    async def stored_text(self, document_id: str) -> str:
        if document_id not in self.texts:
            raise NotFoundError(f"There is no document {document_id}.")
        return self.texts[document_id]

    def _chunks(self, question: str) -> list[tuple[float, str, int, int]]:
        wanted = set(words(question))
        chunks = []
        for document_id, text in self.texts.items():
            start = 0
            for paragraph in text.rstrip("\n").split("\n\n"):
                score = len(wanted & set(words(paragraph))) / len(wanted)
                chunks.append((score, document_id, start, start + len(paragraph)))
                start += len(paragraph) + 2
        return chunks

    def _scored(self, rank: int, score: float, document_id: str, start: int, end: int) -> ScoredChunk:
        source = document_id.removeprefix("id:")
        return ScoredChunk(
            f"{source}#{start}", document_id, "default", source, source, None, None, start, end,
            self.texts[document_id][start:end], score, RetrievalScores(None, score, None), rank,
        )  # fmt: skip


def _list_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def tiny_system() -> TinySystem:
    return TinySystem()


@pytest.fixture
def open_tiny_system(tiny_system: TinySystem) -> Callable[[], object]:
    @asynccontextmanager
    async def open_system(**overrides: object) -> AsyncIterator[TinySystem]:
        tiny_system.opened_with.append(overrides)
        tiny_system.answers = overrides.get("answers", True) is True
        yield tiny_system

    return open_system


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "corpus"
    (folder / "zh").mkdir(parents=True)
    (folder / "paper.md").write_text(PAPER, encoding="utf-8")
    (folder / "rivers.md").write_text(RIVERS, encoding="utf-8")
    (folder / "zh" / "tea.md").write_text(TEA, encoding="utf-8")
    return folder


def gold(text: str, context: str, doc: str) -> dict[str, object]:
    start = text.index(context)
    return {"doc": doc, "context": context, "context_start": start, "context_end": start + len(context)}


QUESTIONS: list[dict[str, object]] = [
    {
        "id": "en",
        "question": "Who made paper in China?",
        "answers": ["Cai Lun"],
        **gold(PAPER, "Paper was made in China by Cai Lun in the year 105.", "paper.md"),
    },
    {
        "id": "zh",
        "question": "陆羽写了什么茶书？",
        "question_en": "Which book did Lu Yu write?",
        "answers": ["《茶经》"],
        **gold(TEA, "陆羽写了《茶经》，这是第一部茶书。", "zh/tea.md"),
    },
    {
        "id": "none",
        "question": "How tall are giraffes usually?",
        "answers": [],
        "answerable": False,
        **gold(RIVERS, "The Danube flows through Vienna", "rivers.md"),
    },
]


@pytest.fixture
def question_file(tmp_path: Path) -> Path:
    path = tmp_path / "questions.jsonl"
    lines = [json.dumps(row, ensure_ascii=False) for row in QUESTIONS]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
