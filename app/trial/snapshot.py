"""What kept questions find and are answered, as a file, and what moved since: for before and after an upgrade.

Knows nothing of how questions are asked (`Ask` is given) and of the command line. Replies are quotes alone, which are
the same each time; a model's words are not.
"""

from __future__ import annotations

import json
import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import mean
from typing import Any, Final, Literal

from app.domain import Answer
from app.errors import InvalidRequestError, PgaskError
from app.exchange import AskRequest
from app.store.connection import AsyncConnection
from app.store.ratings import MAX_PAGE, list_ratings
from app.trial.known_questions import MOST_KEPT
from app.trial.question_file import Question

FORMAT: Final = 1
MOST_QUESTIONS: Final = 2_000
MOST_BYTES: Final = 100_000_000  # of a file that is read

Ask = Callable[[AskRequest], Awaitable[Answer]]
Kind = Literal["fails", "refused", "answered", "other answer", "other hits", "same"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a hit lies; half-open, in code points."""

    collection: str
    source: str
    start: int
    end: int

    def meets(self, other: Place) -> bool:
        """Whether both have a character in common."""
        is_same = (self.collection, self.source) == (other.collection, other.source)
        return is_same and self.start < other.end and other.start < self.end


@dataclass(frozen=True, slots=True)
class Replied:
    """A question and what became of it. `code` is that of an error in place of a reply. `hits`: the best first."""

    question: str
    collections: tuple[str, ...]
    refused: bool
    answer: str
    hits: tuple[Place, ...]
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What was replied to each question, by what: `pgask`, `schema` and `model` are versions and names."""

    pgask: str
    schema: str
    model: str
    replies: tuple[Replied, ...]


@dataclass(frozen=True, slots=True)
class Moved:
    """One question before and now. `kept` is the share of the hits before that are met by one now; 1 without any."""

    before: Replied
    now: Replied
    kept: float

    @property
    def kind(self) -> Kind:
        """What moved, the gravest first."""
        before, now = self.before, self.now
        if now.code is not None and now.code != before.code:
            return "fails"
        if now.refused != before.refused:
            return "refused" if now.refused else "answered"
        if now.answer != before.answer:
            return "other answer"
        return "same" if now.hits == before.hits else "other hits"


@dataclass(frozen=True, slots=True)
class Comparison:
    """All questions before and now. Each share is of all of them, in [0, 1]."""

    moved: tuple[Moved, ...]

    @property
    def replies_changed(self) -> float:
        """The share of questions whose reply is another one: an answer, a refusal or an error."""
        return mean(one.kind not in ("same", "other hits") for one in self.moved)

    @property
    def hits_lost(self) -> float:
        """The mean share of hits that are not found any more."""
        return 1 - mean(one.kept for one in self.moved)

    def exceeds(self, bound: float) -> bool:
        """Whether more moved than is allowed."""
        return self.replies_changed > bound or self.hits_lost > bound


async def read_asked(
    connection: AsyncConnection, collection: str | None
) -> list[tuple[str, tuple[str, ...]]]:
    """The questions that readers rated, with the collections that they asked, each once, the newest first; those with
    a filter are left out. Of one collection alone where it is named."""
    found: dict[tuple[str, tuple[str, ...]], None] = {}
    before: int | None = None
    for _ in range(MOST_KEPT // MAX_PAGE):
        rated = await list_ratings(connection, before=before)
        for one in rated:
            names = tuple(one.scope.get("collections") or ())
            if names and not one.scope.get("filter") and collection in (None, *names):
                found.setdefault((one.question, names))
        if len(rated) < MAX_PAGE:
            break
        before = rated[-1].id
    return list(found)


def asked_of(questions: Sequence[Question], collection: str) -> list[tuple[str, tuple[str, ...]]]:
    """The questions of a file with the collections that they ask: the one they name, else `collection`."""
    return [(one.question, (one.collection or collection,)) for one in questions]


async def ask_all(
    ask: Ask, asked: Sequence[tuple[str, tuple[str, ...]]], on_asked: Callable[[], None]
) -> tuple[Replied, ...]:
    """Ask each in turn. An error is noted by its code. `on_asked` is called after each. Raises
    InvalidRequestError (`too_many_questions`)."""
    if len(asked) > MOST_QUESTIONS:
        raise InvalidRequestError(
            f"There are {len(asked):,} questions, and at most {MOST_QUESTIONS:,} are asked. Give a file with fewer.",
            code="too_many_questions",
        )
    replies = []
    for question, collections in asked:
        try:
            answer = await ask(AskRequest(question, collections, quotes_only=True))
        except PgaskError as error:
            replies.append(Replied(question, collections, False, "", (), error.code))
        else:
            hits = tuple(
                Place(hit.collection, hit.source, hit.char_start, hit.char_end) for hit in answer.hits
            )
            replies.append(Replied(question, collections, answer.abstained, answer.text, hits))
        on_asked()
    return tuple(replies)


def compare(before: Snapshot, now: Sequence[Replied]) -> Comparison:
    """Both, question by question. `now` has the replies to the questions of `before`, in order."""
    return Comparison(
        tuple(Moved(one, other, _kept(one, other)) for one, other in zip(before.replies, now, strict=True))
    )


def _kept(before: Replied, now: Replied) -> float:
    if not before.hits:
        return 1.0
    return mean(any(hit.meets(other) for other in now.hits) for hit in before.hits)


def write_snapshot(path: Path, snapshot: Snapshot) -> None:
    """Write a new file, readable by its owner alone: it holds questions and answers. Raises InvalidRequestError
    (`file_exists`, `file_refused`)."""
    text = json.dumps({"format": FORMAT, **asdict(snapshot)}, ensure_ascii=False, indent=1)
    try:
        with os.fdopen(
            os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
        ) as file:
            file.write(text + "\n")
    except FileExistsError as error:
        raise InvalidRequestError(
            f"{path} is there already. Name another file.", code="file_exists"
        ) from error
    except OSError as error:
        raise InvalidRequestError(
            f"{path} can't be written: {error.strerror}.", code="file_refused"
        ) from error


def read_snapshot(path: Path) -> Snapshot:
    """Read what `write_snapshot` wrote. Raises InvalidRequestError (`invalid_snapshot`)."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise _invalid(path, f"it has more than {MOST_BYTES:,} bytes")
        written = json.loads(path.read_text("utf-8"))
        if written["format"] != FORMAT:
            raise _invalid(path, f"its format is {written['format']!r}, and this version reads {FORMAT}")
        replies = tuple(map(_replied, written["replies"]))
        pgask, schema, model = (written[name] for name in ("pgask", "schema", "model"))
        if not replies or not all(isinstance(one, str) for one in (pgask, schema, model)):
            raise _invalid(path, "it has no questions, or does not say what answered them")
        return Snapshot(pgask, schema, model, replies)
    except OSError as error:
        raise _invalid(path, f"it can't be read: {error.strerror}") from error
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise _invalid(path, "it is not what `pgask upgrade --save` writes") from error


def _replied(row: Any) -> Replied:
    """One reply as it was written. Raises whatever another form raises."""
    texts = [row["question"], row["answer"], *row["collections"]]
    texts += [hit[name] for hit in row["hits"] for name in ("collection", "source")]
    numbers = [hit[name] for hit in row["hits"] for name in ("start", "end")]
    if not (
        row["collections"]
        and all(isinstance(text, str) for text in texts)
        and all(isinstance(number, int) for number in numbers)
        and isinstance(row["refused"], bool)
        and (row["code"] is None or isinstance(row["code"], str))
    ):
        raise TypeError
    hits = tuple(Place(hit["collection"], hit["source"], hit["start"], hit["end"]) for hit in row["hits"])
    return Replied(
        row["question"], tuple(row["collections"]), row["refused"], row["answer"], hits, row["code"]
    )


def _invalid(path: Path, fault: str) -> InvalidRequestError:
    return InvalidRequestError(
        f"{path} is no snapshot: {fault}. `pgask upgrade --save` writes one.", code="invalid_snapshot"
    )
