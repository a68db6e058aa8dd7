"""A run over all shelves of a collection: who may read each file, and one plan a shelf (ADR 0039).

A file's readers are those of the nearest `.pgask.toml`, else those of --readers, else those that its document has; a
new file that has the very bytes of a document that is kept for some is kept for the same, as after a rename. What lies
on another shelf than it shall is moved there first, with nothing embedded again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

from app.errors import DocumentError
from app.store.connection import Connection
from app.store.shelves import Readers, Shelf, ensure_shelf, list_shelves, move_source
from app.store.sources import UPLOADED, KnownDocument, known_documents
from app.store.spaces import Collection
from ingest.options import IngestOptions
from ingest.pipeline import IngestRun, Plan, Report
from ingest.planning import Survey, survey
from ingest.readers_files import ReadersFiles
from ingest.roots import is_gone, path_text
from ingest.sources import SourceFile, content_sha256, read_source

T = TypeVar("T")
_ONCE = ("skipped", "excluded_documents")  # what each shelf's plan has again


@dataclass(frozen=True, slots=True)
class ReadersChange:
    """A document that other groups shall read."""

    source: str
    old: Readers
    new: Readers


@dataclass(frozen=True, slots=True)
class ShelvedPlan:
    """What a run would do: a plan of all shelves, and whose readers change."""

    plan: Plan
    changes: tuple[ReadersChange, ...]


class ShelvedRun:
    """One run over some paths into one collection. `make_run` opens a run into a row of it (None: not made yet)."""

    def __init__(
        self,
        connection: Connection,
        collection: str,
        options: IngestOptions,
        make_run: Callable[[Collection | None], IngestRun],
        readers: Readers | None = None,
    ) -> None:
        self._connection, self._collection = connection, collection
        self._options, self._make_run, self._given = options, make_run, readers
        self._files = ReadersFiles()
        self._runs: dict[int, IngestRun] = {}
        self._changed = 0

    @property
    def report(self) -> Report:
        """Of all shelves; right at any moment."""
        made = joined_reports([run.report for run in self._runs.values()])
        made.failed += self._files.failures
        made.readers_changed = self._changed
        return made

    def renew_terms(self) -> None:
        """As IngestRun.renew_terms, of all shelves."""
        for shelf in self._ensure_shelves():
            self._run_of(shelf.collection).renew_terms()

    def plan(self, paths: Sequence[Path]) -> ShelvedPlan:
        """What `execute` would do; nothing is written."""
        shelves = list_shelves(self._connection, self._collection)
        known = self._read_known(shelves)
        surveyed = survey(_all(known), paths, self._options)
        now = _places(surveyed, known)
        wanted = self._choose(surveyed, known, now)
        changes = tuple(
            ReadersChange(source, now[source], readers)
            for source, readers in sorted(wanted.items())
            if source in now and now[source] != readers
        )
        collections = {shelf.readers: shelf.collection for shelf in shelves}
        plans = []
        for readers in dict.fromkeys([(), *known, *wanted.values()]):
            own = frozenset(source for source in wanted if now.get(source, wanted[source]) == readers)
            if own or known.get(readers) or not readers:
                run = self._make_run(collections.get(readers))
                plans.append(run.plan(paths, replace(surveyed, own=own, known=known.get(readers))))
        plan = joined_plans(plans)
        return ShelvedPlan(replace(plan, failed=(*plan.failed, *self._files.failures)), changes)

    def execute(self, paths: Sequence[Path]) -> Report:
        """Put documents on their shelves, and carry out the plan of each."""
        ensured = self._ensure_shelves()
        shelves = {shelf.readers: shelf.collection for shelf in ensured}
        known = self._read_known(ensured)
        surveyed = survey(_all(known), paths, self._options)
        now = _places(surveyed, known)
        wanted = self._choose(surveyed, known, now)
        for readers in set(wanted.values()) - shelves.keys():
            space_id = shelves[()].space_id
            shelves[readers] = ensure_shelf(self._connection, self._collection, space_id, readers)
        moved_between: set[Readers] = set()
        for source, readers in now.items():
            if wanted[source] != readers:
                moved_between |= {readers, wanted[source]}
                old, new = shelves[readers], shelves[wanted[source]]
                self._changed += move_source(self._connection, old, source, new)
        for readers, collection in shelves.items():
            own = frozenset(source for source, theirs in wanted.items() if theirs == readers)
            if own or known.get(readers) or not readers:
                run = self._run_of(collection)
                there = None if readers in moved_between else known.get(readers)
                run.execute(run.plan(paths, replace(surveyed, own=own, known=there)))
        return self.report

    def _ensure_shelves(self) -> list[Shelf]:
        """All shelves, empty ones in the space of the first. Raises EmbeddingMismatchError for one whose text is for
        another model."""
        first, *others = list_shelves(self._connection, self._collection)
        space_id = first.collection.space_id
        return [
            first,
            *(
                Shelf(
                    ensure_shelf(self._connection, self._collection, space_id, shelf.readers), shelf.readers
                )
                for shelf in others
            ),
        ]

    def _run_of(self, collection: Collection) -> IngestRun:
        """One run a shelf: terms that it made anew are those of its plan."""
        if collection.id not in self._runs:
            self._runs[collection.id] = self._make_run(collection)
        return self._runs[collection.id]

    def _read_known(self, shelves: Sequence[Shelf]) -> dict[Readers, Mapping[str, KnownDocument]]:
        return {shelf.readers: known_documents(self._connection, shelf.collection) for shelf in shelves}

    def _choose(
        self,
        surveyed: Survey,
        known: Mapping[Readers, Mapping[str, KnownDocument]],
        now: Mapping[str, Readers],
    ) -> Mapping[str, Readers]:
        """The readers of each file that was found, by its source."""
        alike = _KeptBytes(known, self._options.max_file_bytes)
        wanted: dict[str, Readers] = {}
        for file in surveyed.found.files:
            own = self._files.of(file.path)
            own = self._given if own is None else own
            own = now.get(file.source) if own is None else own
            wanted[file.source] = alike.readers_of(file) if own is None else own
        for failure in surveyed.found.failures:
            at = surveyed.found.failed_at.get(failure.source)
            own = self._files.of(at[1]) if at is not None else None
            own = self._given if own is None else own
            wanted[failure.source] = now.get(failure.source, ()) if own is None else own
        return wanted


class _KeptBytes:
    """The bytes of documents that are kept for some groups."""

    def __init__(self, known: Mapping[Readers, Mapping[str, KnownDocument]], max_file_bytes: int) -> None:
        self._max_file_bytes = max_file_bytes
        self._by_hash = {
            document.content_sha256: readers
            for readers, documents in known.items()
            for document in documents.values()
            if readers and document.content_sha256
        }
        self._sizes = {
            document.size_bytes
            for readers, documents in known.items()
            if readers
            for document in documents.values()
        }

    def readers_of(self, file: SourceFile) -> Readers:
        """The readers of a document with a new file's bytes; none where there is none. Only what is as long as one is
        read."""
        if file.size_bytes not in self._sizes:
            return ()
        try:
            content = read_source(file, self._max_file_bytes).content
        except DocumentError:  # the run says so
            return ()
        return self._by_hash.get(content_sha256(content), ())


def _places(surveyed: Survey, known: Mapping[Readers, Mapping[str, KnownDocument]]) -> dict[str, Readers]:
    """Who reads the documents that the found files have, by source. A document of the same name whose file lies
    elsewhere is another one's."""
    found = {file.source: file.place for file in surveyed.found.files}
    found |= {source: place for source, (_, place) in surveyed.found.failed_at.items()}
    return {
        source: readers
        for readers, documents in known.items()
        for source, document in documents.items()
        if source in found
        and (document.origin in (None, path_text(found[source])) or is_gone(document.origin))
        and document.root != UPLOADED
    }


def _all(known: Mapping[Readers, Mapping[str, KnownDocument]]) -> Mapping[str, KnownDocument]:
    return dict(chain.from_iterable(documents.items() for documents in known.values()))


def joined_plans(plans: Sequence[Plan]) -> Plan:
    """The plans of several shelves as one."""
    return Plan(**{field.name: _joined(field.name, plans) for field in fields(Plan)})


def joined_reports(reports: Sequence[Report]) -> Report:
    """The reports of several shelves as one."""
    if not reports:
        return Report()
    made = Report(**{field.name: _joined(field.name, reports) for field in fields(Report)})
    made.seconds = round(made.seconds, 3)
    return made


def _joined(name: str, parts: Sequence[Any]) -> Any:
    values = [getattr(part, name) for part in parts]
    first = values[0]
    if isinstance(first, int | float):
        return max(values) if name in _ONCE else sum(values)
    if isinstance(first, Mapping):
        are_counts = all(isinstance(value, int) for one in values for value in one.values())
        return dict(sum(map(Counter, values), Counter())) if are_counts else dict(_items(values))
    if isinstance(first, frozenset):
        return frozenset().union(*values)
    together = chain.from_iterable(values)
    return type(first)(dict.fromkeys(together) if name in _ONCE else together)


def _items(values: Sequence[Mapping[str, T]]) -> Iterator[tuple[str, T]]:
    return chain.from_iterable(one.items() for one in values)
