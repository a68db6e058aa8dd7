"""The model that answers: the one that `pgask spaces` chose for this database, else the configured one. Sync."""

from __future__ import annotations

import structlog

from app.config import Settings
from app.embedding import EmbeddingSpace, SentenceTransformerEmbedder
from app.errors import EmbeddingMismatchError
from app.store.connection import Connection
from app.store.twins import read_chosen

_log = structlog.get_logger(__name__)


class ChosenModel:
    """Makes the embedder that a database asks for, and keeps it until the database asks for another."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._made: SentenceTransformerEmbedder | None = None

    def embedder(self, connection: Connection) -> SentenceTransformerEmbedder:
        """The embedder for now. Raises ConfigError, and EmbeddingMismatchError where the chosen model is not on this
        machine as it was."""
        space = read_chosen(connection)
        if self._made is not None and space in (None, self._made.space):
            return self._made
        if space is None:
            self._made = SentenceTransformerEmbedder.from_settings(self._settings)
        else:
            self._made = load_space(self._settings, space)
        return self._made


def space_in_use(settings: Settings, connection: Connection) -> EmbeddingSpace:
    """The space of the model that answers, which is not loaded. Raises ConfigError."""
    return read_chosen(connection) or SentenceTransformerEmbedder.from_settings(settings).space


def load_space(settings: Settings, space: EmbeddingSpace) -> SentenceTransformerEmbedder:
    """The embedder of a space, loaded, whatever model is configured. Raises ConfigError, EmbeddingMismatchError."""
    made = SentenceTransformerEmbedder.of_space(settings, space)
    if made.space != space:
        raise EmbeddingMismatchError(
            f"This database was switched to the model {space.model!r}, and what is found under that name has other "
            f"weights (sha256 {made.space.weights_sha256[:12]}…, wanted {space.weights_sha256[:12]}…). Put the model "
            "back, or go back to the one before: pgask spaces back"
        )
    made.load()
    return made
