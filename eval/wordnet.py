"""English synonyms for METEOR from a WordNet that the machine already has; downloads nothing.

Looked for in NLTK's own data folders first, then where Debian's `wordnet-base` puts it. Without one, METEOR
matches words exactly and by stem only, and `Synonyms.name` lets the report say so.
"""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path
from typing import Any, Final, Protocol

import nltk.data
from nltk.corpus import wordnet
from nltk.corpus.reader.wordnet import WordNetCorpusReader

DEBIAN_WORDNET: Final = Path("/usr/share/wordnet")
_LEXICOGRAPHER_FILES: Final = 45  # lexnames(5WN)


class Synonyms(Protocol):
    """A dictionary of single-word synonyms."""

    @property
    def name(self) -> str:
        """How METEOR matches words with these synonyms, for the report."""
        ...

    def synonyms(self, word: str) -> frozenset[str]:
        """Words in lower case that share a sense with `word`; empty for a word it does not know."""
        ...


class NoSynonyms:
    """Stands in where the machine has no WordNet: no word has a synonym."""

    name = "exact and stem"

    def synonyms(self, word: str) -> frozenset[str]:  # noqa: ARG002 - the protocol's signature
        """The empty set."""
        return frozenset()


class WordNetSynonyms:
    """Synonyms from an NLTK WordNet reader, each word looked up once."""

    name = "exact, stem and WordNet synonyms"

    def __init__(self, reader: Any) -> None:
        self._reader = reader
        self._known: dict[str, frozenset[str]] = {}

    def synonyms(self, word: str) -> frozenset[str]:
        """The single-word lemmas of all synsets of the word."""
        if word not in self._known:
            names = (lemma.name() for synset in self._reader.synsets(word) for lemma in synset.lemmas())
            self._known[word] = frozenset(name.lower() for name in names if "_" not in name)
        return self._known[word]


NO_SYNONYMS: Final = NoSynonyms()


@cache  # NLTK keeps the files of a reader open as long as it lives
def load_synonyms(debian_folder: Path = DEBIAN_WORDNET) -> Synonyms:
    """The first WordNet found, else NO_SYNONYMS. Reading one takes about two seconds."""
    try:
        wordnet.ensure_loaded()
        return WordNetSynonyms(wordnet)
    except LookupError:
        pass
    if not (debian_folder / "data.noun").is_file():
        return NO_SYNONYMS
    if str(debian_folder) not in nltk.data.path:
        nltk.data.path.append(str(debian_folder))  # NLTK reads from the folders of this list only
    return WordNetSynonyms(_DebianWordNet(str(debian_folder), omw_reader=object()))


class _DebianWordNet(WordNetCorpusReader):  # type: ignore[misc]  # NLTK has no types
    """Reads Debian's files, which lack two that NLTK asks for and synonyms do not need."""

    def open(self, file: str) -> Any:
        if file == "lexnames":
            return io.StringIO("".join(f"{n:02d}\tfile{n}\t1\n" for n in range(_LEXICOGRAPHER_FILES)))
        return super().open(file)

    def map_wn(self, version: str = "wordnet") -> None:
        """No mapping between WordNet versions: it would need index.sense."""
