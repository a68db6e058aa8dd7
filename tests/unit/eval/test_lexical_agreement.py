"""What the agreement bench asks, and its embedder that reads nothing."""

from __future__ import annotations

import pytest

from app.errors import InvalidRequestError
from eval.bench.lexical_agreement import OPTIONS, BlindEmbedder, split_passages
from eval.dataset import Question


def test_each_passage_stands_once_and_unanswerable_questions_are_left_out() -> None:
    questions = [
        Question("1", "Who made paper?", context="Cai Lun made paper."),
        Question("2", "Where does the Danube end?", context="It ends in the Black Sea."),
        Question("3", "When was paper made?", context="Cai Lun made paper."),
        Question("4", "How tall are giraffes?", context="The Rhine is long.", answerable=False),
        Question("5", "No passage?"),
    ]
    passages, asked = split_passages(questions)
    assert passages == ["Cai Lun made paper.", "It ends in the Black Sea."]
    assert asked == [("Who made paper?", 0), ("Where does the Danube end?", 1), ("When was paper made?", 0)]
    with pytest.raises(InvalidRequestError, match="passage"):
        split_passages(questions[3:])


@pytest.mark.parametrize(
    "text", ["The Danube ends in the Black Sea.", "多瑙河注入黑海。" * 200, "a" * 1_000, ""]
)
def test_a_passage_is_one_chunk_of_tokens_that_cover_it(text: str) -> None:
    tokens = BlindEmbedder().tokenize(text)
    assert len(tokens) <= OPTIONS.chunk_tokens
    covered = "".join(text[a:b] for a, b in zip(tokens.starts.tolist(), tokens.ends.tolist(), strict=True))
    assert covered == "".join(text.split())
