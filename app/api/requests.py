"""Requests with their limits, and how they become the domain's values.

Limits are counted in code points. A request with an unknown field is refused: a misspelt limit must not pass silently.
"""

from __future__ import annotations

import unicodedata
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from app.api.bodies import NUMBER, WHOLE, Flag, NullIsDefault, Request, Text, refusal
from app.api.filters import AnyFilter
from app.domain import MAX_COLLECTIONS, ChatTurn, CollectionNames, GenerationParams, SearchFilter
from app.exchange import AskRequest

MAX_QUESTION_CHARS: Final = 8_000
MAX_TURNS: Final = 50
MAX_TOP_K: Final = 50


def not_blank(text: str) -> str:
    """Refuse text of nothing but white space and invisible characters."""
    if all(character.isspace() or unicodedata.category(character) in ("Cc", "Cf") for character in text):
        raise refusal("empty_question", "The question is empty.", "问题是空的。")
    return text


# COLLECTION_NAME of app/store/spaces.py in the words of JSON Schema, whose \w is ASCII: some of what is allowed
MOST_DESCRIPTION_CHARS: Final = 1_000
_NAME_PATTERN: Final = r"^[A-Za-z0-9](?:[\w .\-]{0,62}[A-Za-z0-9])?$"
CollectionName = Annotated[Text, Field(min_length=1, max_length=64, examples=["default"])]
Question = Annotated[
    Text,
    Field(
        max_length=MAX_QUESTION_CHARS,
        examples=["How do I choose the number of lists?"],
        # not checked so, that it is told in the words of not_blank; \S is all that a pattern can say of it
        json_schema_extra={"minLength": 1, "pattern": r"^[^\u0000]*[^\s\u0000][^\u0000]*$"},
    ),
    AfterValidator(not_blank),
]


class Turn(Request):
    """An earlier turn of the conversation."""

    role: Literal["user", "assistant"]
    content: Annotated[Text, Field(max_length=MAX_QUESTION_CHARS)]


class Generation(NullIsDefault, Request):
    """Sampling settings for the language model; without one they have no effect. null stands for a default."""

    temperature: Annotated[float, Field(ge=0, le=2), NUMBER] = 0.2
    top_p: Annotated[float, Field(gt=0, le=1), NUMBER] = 0.9
    top_k: Annotated[int, Field(ge=1, le=1_000), WHOLE] = 40
    max_tokens: Annotated[int, Field(ge=1, le=4_096), WHOLE] = 512
    stop: list[Annotated[Text, Field(min_length=1, max_length=64)]] = Field(
        default_factory=list, max_length=8
    )


class Asked(NullIsDefault, Request):
    """What a search and a question to be answered have in common. null stands for a field's default."""

    question: Question
    collection: CollectionName = "default"
    collections: list[CollectionName] = Field(
        default_factory=list,
        max_length=MAX_COLLECTIONS,
        description="Several collections as one, in place of `collection`; `*` alone: all that may be read",
        examples=[["handbook", "contracts"]],
    )
    top_k: Annotated[int, Field(ge=1, le=MAX_TOP_K), WHOLE] = 6
    filter: AnyFilter | None = None
    explain: Annotated[
        Flag, Field(description="Show what each stage of the search thought of each candidate")
    ] = False

    @model_validator(mode="after")
    def _one_way_alone(self) -> Self:
        if self.collections and "collection" in self.model_fields_set:
            raise refusal(
                "two_kinds_of_collections",
                "Give collection or collections, not both.",
                "collection 和 collections 只能给出一个。",
            )
        return self

    def asked(self) -> CollectionNames:
        """The collections that are asked."""
        return tuple(self.collections) or self.collection

    def search_filter(self) -> SearchFilter | None:
        """The filter, None where there is none or it keeps everything."""
        return self.filter.to_domain() if self.filter else None


class Search(Asked):
    """A question to the retriever; null stands for a field's default."""

    neighbors: Annotated[
        int, Field(ge=0, le=2, description="Chunks before and after each hit that are added to it"), WHOLE
    ] = 0


class Ask(Asked):
    """A question to be answered; null stands for a field's default."""

    history: list[Turn] = Field(default_factory=list, max_length=MAX_TURNS)
    stream: Flag = False
    stream_id: (
        Annotated[
            str,
            Field(
                pattern=r"^[A-Za-z0-9_-]{16,64}$",
                description="A name of your making for a stream, by which it is taken up again (GET /ask/{stream_id}) "
                "for some seconds after its connection broke",
            ),
        ]
        | None
    ) = None
    generation: Generation = Generation()
    quotes_only: Annotated[
        Flag, Field(description="Quote the documents, though a language model is there to write")
    ] = False

    def to_domain(self) -> AskRequest:
        sampling = self.generation.model_dump() | {"stop": tuple(self.generation.stop)}
        return AskRequest(
            question=self.question,
            collection=self.asked(),
            top_k=self.top_k,
            filter=self.search_filter(),
            history=tuple(ChatTurn(turn.role, turn.content) for turn in self.history),
            generation=GenerationParams(**sampling),
            explain=self.explain,
            quotes_only=self.quotes_only,
        )


_NewName = Annotated[CollectionName, Field(json_schema_extra={"pattern": _NAME_PATTERN})]
_Description = Annotated[
    Text, Field(max_length=MOST_DESCRIPTION_CHARS, description="What it holds, for people who choose one")
]


class NewCollection(NullIsDefault, Request):
    """A collection to be made."""

    name: _NewName
    description: _Description = ""


class ChangedCollection(NullIsDefault, Request):
    """What a collection is to be called, and what is said of it. What is left out, or null, stays as it is."""

    name: _NewName | None = None
    description: _Description | None = None
