"""What is asked, and what is told on the way to the answer."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.domain import Answer, ChatTurn, Citation, CollectionNames, GenerationParams, SearchFilter
from app.generation.completion_text import Stage


@dataclass(frozen=True, slots=True)
class AskRequest:
    """A question and how to answer it."""

    question: str
    collection: CollectionNames = "default"
    top_k: int = 6
    filter: SearchFilter | None = None
    history: tuple[ChatTurn, ...] = ()
    generation: GenerationParams = field(default_factory=GenerationParams)
    explain: bool = False
    quotes_only: bool = False  # no language model writes, whatever is set

    @property
    def conversation(self) -> str:
        """What stays the same from one question of a conversation to the next: its first one."""
        return next((turn.content for turn in self.history if turn.role == "user"), self.question)


@dataclass(frozen=True, slots=True)
class SourcesEvent:
    """The evidence so far, before the first token."""

    citations: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class TokenEvent:
    """A piece of the answer's text."""

    text: str


@dataclass(frozen=True, slots=True)
class DoneEvent:
    """The whole answer; it stands in place of all tokens before it."""

    answer: Answer


@dataclass(frozen=True, slots=True)
class StageEvent:
    """What a model that reasons does from here on. "answer" takes back all tokens before it: they were reasoning."""

    stage: Stage


AnswerEvent = SourcesEvent | StageEvent | TokenEvent | DoneEvent
