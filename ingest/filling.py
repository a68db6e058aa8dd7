"""A collection's stored texts → its twin in another embedding space: cut by that model's tokenizer, encoded, stored.

No file is read. What is stored already is left alone, so that an interrupted run goes on where it was. Knows nothing of
files.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from app.embedding import Embedder
from app.errors import DocumentError, NotFoundError
from app.store.connection import Connection
from app.store.documents import stored_windows
from app.store.renewal import read_document
from app.store.spaces import Collection
from app.store.twins import (
    MissingCopy,
    ensure_twin,
    finish_twin,
    list_missing,
    list_originals,
    store_copy,
    store_unreadable,
)
from ingest.options import IngestOptions, options_of
from ingest.preparing import Prepared, pooled, prepare, slices
from ingest.windows import encode_windows

GROUP_TOKENS: Final = 8192  # embedded together, so that the encoder's batches are full
ROUNDS: Final = 5  # what changes meanwhile is filled in the next round


class FillProgress(Protocol):
    """Told of each document: how many are done, of how many."""

    def __call__(self, done: int, total: int) -> None: ...


def fill_space(
    connection: Connection,
    space_id: int,
    embedder: Embedder,
    options: IngestOptions,
    *,
    group_tokens: int = GROUP_TOKENS,
    watch: Callable[[str], FillProgress],
) -> int:
    """Fill the twins of all collections in a space. Returns how many documents were stored. `watch` gives what is told
    of a collection's documents, by its name; a collection that is deleted meanwhile is left out."""
    stored = 0
    for original in list_originals(connection, space_id):
        try:
            twin = ensure_twin(connection, original, space_id)
            filling = Filling(connection, original, twin, embedder, options, group_tokens)
            stored += filling.run(watch(original.name))
        except NotFoundError:
            continue
    return stored


@dataclass(frozen=True, slots=True)
class Filling:
    """What is filled from where, by which model."""

    connection: Connection
    original: Collection
    twin: Collection
    embedder: Embedder
    options: IngestOptions
    group_tokens: int = GROUP_TOKENS

    def run(self, progress: FillProgress) -> int:
        """Bring the twin up to the collection as it is now. Returns how many documents were stored."""
        stored = 0
        for _ in range(ROUNDS):
            missing = list_missing(self.connection, self.twin)
            if not missing:
                break
            group: list[tuple[MissingCopy, Prepared]] = []
            for place, one in enumerate(missing, 1):
                prepared = self._prepare(one)
                if prepared is not None:
                    group.append((one, prepared))
                is_full = sum(len(made.tokens) for _, made in group) >= self.group_tokens
                if group and (is_full or place == len(missing)):
                    stored += self._store(group)
                    group = []
                progress(place - len(group), len(missing))
        finish_twin(self.connection, self.twin)
        return stored

    def _prepare(self, missing: MissingCopy) -> Prepared | None:
        document = read_document(self.connection, self.original, missing.source)
        if document is None:
            return None
        options = options_of(missing.pipeline or "", self.options)
        try:
            return prepare(missing.version, document, self.embedder, options, is_new=False)
        except DocumentError as error:
            store_unreadable(self.connection, self.twin, missing, str(error))
            return None

    def _store(self, group: Sequence[tuple[MissingCopy, Prepared]]) -> int:
        older = [stored_windows(self.connection, self.twin, missing.source) for missing, _ in group]
        encoded = encode_windows(self.embedder, [slices(prepared) for _, prepared in group], older)
        return sum(
            store_copy(self.connection, self.twin, missing, pooled(prepared, windows))
            for (missing, prepared), windows in zip(group, encoded, strict=True)
        )
