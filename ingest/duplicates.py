"""Finds documents whose text a collection holds already, to the letter or nearly; the only place that knows rensa.

Exact: the same stored text. Near: an estimated Jaccard similarity of at least a threshold (0.9) between the sets of
three consecutive terms of app.lexicon, so English and Chinese alike, by MinHash (Broder 1997, "On the resemblance and
containment of documents") with 128 permutations: standard error 0.027 at 0.9. Candidates come from an index of 16
bands of 8 hashes (Indyk and Motwani 1998; a pair of similarity s shares a band with 1 − (1 − s⁸)¹⁶: 0.9999 at 0.9,
0.95 at 0.8, 0.06 at 0.5), so the work a document does not grow with the collection.

A text that differs in a number or a negation says something else: bands are made with a hash of the sequence of both,
so such texts never meet. The most similar of those that meet are compared word by word (ingest/differences.py): another
name, party or role makes another document. A short text, where one changed word is much, is compared as a whole only.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

import numpy as np
import numpy.typing as npt
from rensa import RMinHash

from app.lexicon import LEXICON_VERSION
from app.store.connection import Connection
from app.store.duplicates import Signature, duplicate_candidates, read_text
from app.store.spaces import Collection
from ingest.differences import says_the_same

PERMUTATIONS: Final = 128
BAND_ROWS: Final = 8
SHINGLE_TERMS: Final = 3
MIN_SHINGLES: Final = (
    60  # distinct ones; below, one changed word (three shingles) is more than a tenth of the text
)
_SEED: Final = 42
_MOST_READ: Final = (
    8  # of the similar texts, the most similar first; a folder of forms holds any number of them
)
_BATCH_SHINGLES: Final = 50_000  # of a long text at once; as one set they take 100 bytes each

# What must be the same, in the same order, for two texts to say the same: numbers (in figures, words and Chinese
# numerals, months and week days) and negations. Characters that are part of other Chinese words too (一些, 非常) only
# make the comparison stricter.
_FIGURE: Final = "\\d零〇一二两兩三四五六七八九十百千万萬亿億壹贰貳叁肆伍陆陸柒捌玖拾佰仟半"
_FIGURES: Final = re.compile(rf"[{_FIGURE}]+(?:[.,]\d+)*|[不没沒无無非未否勿莫別别]")
_ENGLISH_WORD: Final = re.compile("[a-z]+")
_ENGLISH_WORDS: Final = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million "
    "billion dozen half quarter once twice first second third fourth fifth sixth seventh eighth ninth tenth "
    "january february march april may june july august september october november december "
    "monday tuesday wednesday thursday friday saturday sunday "
    "no not t nor none never nothing nobody neither without cannot except unless hardly"  # t: of isn't
)
_ENGLISH: Final = frozenset(_ENGLISH_WORDS.split())


@dataclass(frozen=True, slots=True)
class Duplicate:
    """The document kept in a text's place, and how similar it is: 1 for the same text, else the estimate."""

    of: str
    similarity: float

    @property
    def detail(self) -> str:
        """What is said of the document left out; app.store.documents.rename_document knows the quotation marks."""
        if self.similarity == 1:
            return f'The same text as "{self.of}".'
        return f'Nearly the same text as "{self.of}" (similarity {self.similarity:.2f}).'


def sign(text: str, terms: Sequence[str]) -> Signature:
    """What a text is compared by; `terms` are its terms in order."""
    sha256 = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    shingles = map(" ".join, zip(*(islice(terms, i, None) for i in range(SHINGLE_TERMS)), strict=False))
    minhash = RMinHash(num_perm=PERMUTATIONS, seed=_SEED)
    some: set[str] = set()  # distinct ones, as many as it takes
    while part := set(islice(shingles, _BATCH_SHINGLES)):
        minhash.update(list(part))
        some.update(islice(part, MIN_SHINGLES))
    if len(some) < MIN_SHINGLES:
        return Signature(sha256)
    hashes = np.array(minhash.digest(), dtype="<u4")
    return Signature(sha256, hashes.tobytes(), _bands(hashes, decisive_words(text)))


def decisive_words(text: str) -> list[str]:
    """The figures and Chinese negations of a text in order, then its English numerals and negations in order.

    >>> decisive_words("Pay within 1,000 days, not twenty; 三十天内不退款。")
    ['1000', '三十', '不', 'not', 'twenty']
    """
    folded = unicodedata.normalize("NFKC", text).lower()
    figures = [found.replace(",", "") for found in _FIGURES.findall(folded)]
    return figures + [word for word in _ENGLISH_WORD.findall(folded) if word in _ENGLISH]


def similarity(one: bytes, other: bytes) -> float:
    """The estimated Jaccard similarity of two texts by their signatures, in [0, 1]."""
    return float(np.mean(np.frombuffer(one, dtype="<u4") == np.frombuffer(other, dtype="<u4")))


class DuplicateSearch:
    """Looks through a collection, and through what a run is about to store in it."""

    def __init__(
        self, connection: Connection, collection: Collection, *, threshold: float, outdated: Iterable[str]
    ) -> None:
        """`outdated`: sources whose stored text this run replaces; until `find` comes to them they don't count.
        With a threshold of 1 only the same text is a duplicate."""
        self._connection, self._collection = connection, collection
        self._threshold = threshold
        self._outdated = set(outdated)
        self._awaited: dict[str, tuple[Signature, str]] = {}

    def find(self, source: str, signature: Signature, text: str) -> Duplicate | None:
        """The document that a text of this source duplicates: the most similar, then the first by source."""
        self._outdated.discard(source)
        candidates = [
            (1.0 if found.is_same else self._estimate(signature, found.signature), found.source)
            for found in duplicate_candidates(self._connection, self._collection, source, signature)
            if found.source not in self._outdated and found.source not in self._awaited
        ]
        candidates += [
            (1.0, name)
            if other.text_sha256 == signature.text_sha256
            else (self._near(signature, other), name)
            for name, (other, _) in self._awaited.items()
            if name != source
        ]
        similar = [found for found in candidates if found[0] >= self._threshold]
        for estimate, name in sorted(similar, key=lambda found: (-found[0], found[1]))[:_MOST_READ]:
            if estimate == 1 or says_the_same(text, self._text_of(name)):
                return Duplicate(name, estimate)
        return None

    def expect(self, source: str, signature: Signature, text: str) -> None:
        """Count a document that the run will store shortly."""
        self._awaited[source] = signature, text

    def settle(self, sources: Iterable[str]) -> None:
        """What was expected of these is in the collection by now, or did not get there."""
        for source in sources:
            self._awaited.pop(source, None)

    def _text_of(self, source: str) -> str:
        awaited = self._awaited.get(source)
        return awaited[1] if awaited else read_text(self._connection, self._collection, source)

    def _near(self, one: Signature, other: Signature) -> float:
        """The similarity of two texts of a run; 0 where they share no band, as for those in the collection."""
        return self._estimate(one, other.minhash) if set(one.bands) & set(other.bands) else 0.0

    def _estimate(self, signature: Signature, other: bytes | None) -> float:
        """The similarity to a text that is not the same; below 1, since 1 says that it is."""
        if self._threshold >= 1 or signature.minhash is None or other is None:
            return 0.0
        return min(similarity(signature.minhash, other), 0.99)


def _bands(hashes: npt.NDArray[np.uint32], decisive: Iterable[str]) -> tuple[int, ...]:
    """Signed 64-bit hashes of the bands; texts with other decisive words or made by another algorithm share none."""
    version = f"{RMinHash.ALGORITHM_VERSION} {LEXICON_VERSION} {SHINGLE_TERMS} {PERMUTATIONS} {BAND_ROWS}"
    key = hashlib.blake2b("\n".join([version, *decisive]).encode(), digest_size=16).digest()
    return tuple(
        int.from_bytes(
            hashlib.blake2b(bytes([band]) + rows.tobytes(), key=key, digest_size=8).digest(),
            "big",
            signed=True,
        )
        for band, rows in enumerate(hashes.reshape(-1, BAND_ROWS))
    )
