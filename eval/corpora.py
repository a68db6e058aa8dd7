"""Which questions are asked, and of which corpus: several corpora, and halves of a set.

A question may name a collection; `--corpus NAME=DIR` says which folder that is.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final, Protocol, TypeVar

from app.errors import InvalidRequestError

_NAMED: Final = re.compile(r"([\w.-]+)=(.+)", re.DOTALL)


class Half(StrEnum):
    """Half of a question set: tune on one, look at the other."""

    ODD = "odd"
    EVEN = "even"


@dataclass(frozen=True, slots=True)
class Corpus:
    """A folder of documents, and the collection of the database that it goes into."""

    folder: Path
    collection: str
    name: str | None = None  # what questions call it


class Asked(Protocol):
    """A question or a dialogue."""

    @property
    def id(self) -> str: ...

    @property
    def collection(self) -> str | None: ...


_Asked = TypeVar("_Asked", bound=Asked)


@dataclass(frozen=True, slots=True)
class Corpora:
    """The corpora of a run, by the names that questions use; at least one. `plain` is the one that was given without a
    name, if any."""

    all: tuple[Corpus, ...]
    plain: Corpus | None = None

    def find(self, asked: Asked) -> Corpus | None:
        """The corpus that a question or a dialogue asks. One that names none asks the plain one, or the only
        one. None: its collection was not given."""
        for corpus in self.all:
            if corpus.name == asked.collection:
                return corpus
        if asked.collection is None:
            return self.all[0] if len(self.all) == 1 else self.plain
        return None

    def place(self, asked: Asked) -> Corpus:
        """The corpus of a question or dialogue that `keep` kept. Raises LookupError for any other."""
        corpus = self.find(asked)
        if corpus is None:
            raise LookupError(f"no corpus was given for {asked.id}")
        return corpus

    def keep(self, asked: Sequence[_Asked]) -> list[_Asked]:
        """Those whose corpus was given, in their order."""
        return [one for one in asked if self.find(one) is not None]


def make_corpora(
    given: Sequence[tuple[str | None, Path]], collections: Sequence[str], questions: Sequence[Asked]
) -> Corpora:
    """The corpora as `parse_corpora` read them, each with its collection. One without a name stands for the collection
    that most questions name; see `name_plain`."""
    names = [name for name, _ in given]
    plain_name = name_plain(names, questions)
    corpora = tuple(
        Corpus(folder, collection, plain_name if name is None else name)
        for (name, folder), collection in zip(given, collections, strict=True)
    )
    return Corpora(corpora, corpora[names.index(None)] if None in names else None)


def parse_corpora(texts: Sequence[str]) -> list[tuple[str | None, Path]]:
    """Names and folders of `DIR` (at most one) and `NAME=DIR`, in their order; a folder that is there with "=" in its
    path is a DIR. Raises InvalidRequestError."""
    corpora: list[tuple[str | None, Path]] = []
    for text in texts:
        named = None if Path(text).is_dir() else _NAMED.fullmatch(text)
        name, folder = (named[1], Path(named[2])) if named else (None, Path(text))
        if not folder.is_dir():
            raise InvalidRequestError(f"There is no folder {folder}; name one with --corpus.")
        if name in [other for other, _ in corpora]:
            twice = "Two corpora have no name" if name is None else f"Two corpora are named {name}"
            raise InvalidRequestError(f"{twice}; write --corpus NAME=DIR with a name of its own for each.")
        corpora.append((name, folder))
    if not corpora:
        raise InvalidRequestError("No corpus is given; name one with --corpus.")
    return corpora


def name_plain(named: Sequence[str | None], questions: Sequence[Asked]) -> str | None:
    """What questions call the corpus that was given without a name: the collection that most of them name, the first of
    equals, those left out that were given by name. None where no question names another."""
    counts = Counter(
        question.collection
        for question in questions
        if question.collection is not None and question.collection not in named
    )
    return counts.most_common(1)[0][0] if counts else None


def choose_half(asked: Sequence[_Asked], half: Half | None) -> list[_Asked]:
    """The questions or dialogues of a half, in their order; all where `half` is None."""
    return [one for one in asked if half is None or find_half(one.id) is half]


def find_half(question_id: str) -> Half:
    """By the last number in the id, or by the id's SHA-256 where it has none.

    >>> find_half("firm-031").value, find_half("DEV_7_QUERY_2").value, find_half("pronoun").value
    ('odd', 'even', 'even')
    """
    numbers = re.findall("[0-9]+", question_id)
    if numbers:
        last = int(numbers[-1][-1])
    else:
        last = hashlib.sha256(question_id.encode("utf-8", "surrogatepass")).digest()[-1]
    return Half.ODD if last % 2 else Half.EVEN
