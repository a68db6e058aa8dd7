"""What a run would do: the files of some paths compared with what a collection holds. Writes nothing.

In steps: find and name the files (ingest/sources.py, ingest/roots.py), compare them (ingest/file_changes.py), see what
moved (ingest/moves.py), what is gone, and what has to be read.
"""

from __future__ import annotations

from collections.abc import Collection as Some
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from app.lexicon import LEXICON_VERSION
from app.store.connection import Connection
from app.store.sources import FileState, KnownDocument, SeenFile, known_documents
from app.store.spaces import Collection
from ingest.file_changes import ComparedFile, Progress, compare, recognising
from ingest.moves import moved_files, moved_roots, renamed_in_place, with_new_names
from ingest.options import IngestOptions, renewed_pipeline
from ingest.pruning import check_pruning
from ingest.roots import Claim, claim_names, given_for, is_below, is_gone, name_paths, path_text
from ingest.sources import (
    FoundSources,
    GivenPath,
    SkippedSource,
    SourceFailure,
    SourceFile,
    find_sources,
    skipped_picture,
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run would do. Sources in order; `renamed` is (old, new), `duplicates` is (source, the one kept) for files
    whose very bytes the collection or the run has already: near duplicates show once they are read."""

    new: tuple[str, ...]
    changed: tuple[str, ...]
    renamed: tuple[tuple[str, str], ...]
    unchanged: tuple[str, ...]
    removed: tuple[str, ...]
    failed: tuple[SourceFailure, ...]
    retried: tuple[SourceFailure, ...]  # files that failed before, are as they were, and are tried again
    duplicates: tuple[tuple[str, str], ...]
    work: tuple[
        SourceFile, ...
    ]  # the files to read, those last that were left out in favour of one that changes
    replaced: frozenset[str]  # sources in `work` of which an older version is stored
    moved: tuple[SourceFile, ...]  # the files that `renamed` leads to, in its order
    skipped: tuple[SkippedSource, ...] = ()
    forgotten: tuple[
        str, ...
    ] = ()  # skipped sources that an earlier run noted as failed: no documents either
    excluded_documents: int = (
        0  # stored ones whose file is there and is skipped by now: they stay as they are
    )
    still_failed: tuple[
        SourceFailure, ...
    ] = ()  # files that failed before and are as they were: left as they are
    seen: tuple[SeenFile, ...] = ()  # unchanged files that lie elsewhere or look otherwise than is noted
    moved_roots: tuple[tuple[str, str], ...] = ()  # old and new path of folders that were moved
    taken_over: tuple[
        tuple[str, str | None, FileState], ...
    ] = ()  # source, root until now, where the file is
    failed_at: Mapping[str, FileState] = field(default_factory=dict)  # of `failed`, by source


@dataclass(frozen=True, slots=True)
class Survey:
    """The given paths and what lies there; `own` are the sources that are compared with one shelf of the collection,
    None: all of them. `known` are that shelf's documents, None: they have to be read."""

    given: Sequence[GivenPath]
    found: FoundSources
    own: frozenset[str] | None = None
    known: Mapping[str, KnownDocument] | None = None


def survey(known: Mapping[str, KnownDocument], paths: Sequence[Path], options: IngestOptions) -> Survey:
    """Look through the paths; `known` are the collection's documents. Raises InvalidRequestError for paths that do not
    exist."""
    given = name_paths(paths, known.values(), options.names)
    recognise = recognising(known, rehash=options.rehash)
    return Survey(given, find_sources(given, options.selection, recognise, ocr=options.ocr))


def make_plan(
    connection: Connection,
    collection: Collection | None,
    paths: Sequence[Path],
    options: IngestOptions,
    progress: Progress,
    *,
    surveyed: Survey | None = None,
) -> Plan:
    """Compare the files with the collection; None stands for one that is not made yet. Raises InvalidRequestError for
    paths that do not exist, where a file has the name of another root's document, and where files that are to be
    forgotten seem to be on a disk that is not there now."""
    stored = _stored(connection, collection, surveyed.known if surveyed else None) if collection else {}
    surveyed = surveyed or survey(stored, paths, options)
    given = surveyed.given
    found = surveyed.found if surveyed.own is None else surveyed.found.narrowed(surveyed.own)
    in_place = renamed_in_place(stored, found)
    known = with_new_names(stored, in_place)
    files, failures = compare(
        found,
        known,
        progress,
        max_file_bytes=options.max_file_bytes,
        bytes_setting=options.bytes_setting,
        rehash=options.rehash,
    )
    failed_at = _places_of_failures(found, failures)
    taken_over = claim_names(
        [
            *(Claim(file.source, file.state, file.content_sha256) for file in files),
            *(Claim(source, state, None) for source, state in failed_at.items()),
        ],
        known,
        given,
    )
    ours = _ours(known, given)
    present = {file.source for file in files} | set(failed_at)
    skipped = _skipped(ours, known, found)
    gone = {
        source
        for source, folder in ours.items()
        if source not in present and source not in skipped and _is_away(known[source], folder, found)
    }
    moved = moved_files(files, known, gone, options)
    by_source = {file.source: file for file in files}
    roots = moved_roots(known, by_source, taken_over, moved)
    gone |= _left_behind(known, present, roots, given)
    gone -= {old for old, _ in moved}
    textless = {
        source for source in gone if known[source].status == "skipped"
    }  # no document is removed with them
    gone -= textless
    if options.prune and not options.prune_anyway:
        check_pruning(gone, known, ours, surveyed.found)
    work = _find_work(files, known, {new for _, new in moved}, gone if options.prune else set(), options)

    read = {file.source for file in work.files}
    replaced = frozenset(source for source in read if _has_content(known.get(source)))
    failing = {file.source for file in (*work.still_failed, *work.still_skipped)}
    kept = [file for file in files if file.source not in read | failing]
    duplicates = _copies(kept, work.files, options)
    aside = {source for source, _ in duplicates} | {file.source for file in work.retried}
    renamed = [*in_place, *moved]
    new_names = {new for _, new in renamed}
    after = with_new_names(known, moved)
    seen = (file.seen(after[file.source]) for file in [*kept, *work.still_failed, *work.still_skipped])
    no_documents = {source for source in skipped if known[source].status in {"failed", "skipped"}}
    forgotten = tuple(sorted(no_documents | textless))
    found_files = {file.source: file for file in found.files}
    return Plan(
        new=tuple(sorted(read - replaced - aside)),
        changed=tuple(sorted(replaced - aside)),
        renamed=tuple(renamed),
        unchanged=tuple(file.source for file in kept if file.source not in new_names),
        removed=tuple(sorted(gone)) if options.prune else (),
        failed=(*found.failures, *failures),
        retried=_failures(work.retried, known),
        duplicates=tuple(duplicates),
        work=tuple(file.file for file in work.files),
        replaced=replaced,
        moved=tuple(found_files[new] for _, new in renamed),
        skipped=(*found.skipped, *(skipped_picture(file.source) for file in work.still_skipped)),
        forgotten=forgotten,
        excluded_documents=len(skipped - no_documents),
        still_failed=_failures(work.still_failed, known),
        seen=tuple(one for one in seen if one is not None),
        moved_roots=tuple(roots.items()),
        taken_over=tuple((claim.source, known[claim.source].root, claim.file) for claim in taken_over),
        failed_at=failed_at,
    )


def _stored(
    connection: Connection, collection: Collection, known: Mapping[str, KnownDocument] | None
) -> Mapping[str, KnownDocument]:
    if known is None:
        known = known_documents(connection, collection)
    if collection.lexicon_version == LEXICON_VERSION:
        return known
    return {  # what the run does before it plans
        source: replace(one, pipeline=renewed_pipeline(one.pipeline))
        if one.pipeline and one.status != "failed"
        else one
        for source, one in known.items()
    }


def _places_of_failures(found: FoundSources, failures: Iterable[SourceFailure]) -> Mapping[str, FileState]:
    at = {file.source: (file.root, file.place) for file in found.files}
    places = {**found.failed_at, **{failure.source: at[failure.source] for failure in failures}}
    return {source: FileState(path_text(root), path_text(place)) for source, (root, place) in places.items()}


def _failures(files: Iterable[ComparedFile], known: Mapping[str, KnownDocument]) -> tuple[SourceFailure, ...]:
    """Why these files failed before."""
    documents = (known[file.source] for file in files)
    return tuple(
        SourceFailure(document.source, document.reason or "", document.reason_detail or "")
        for document in documents
    )


def _ours(known: Mapping[str, KnownDocument], given: Sequence[GivenPath]) -> Mapping[str, GivenPath]:
    """The known sources of documents that lie in the given folders, with the folder."""
    found = ((source, given_for(document, given)) for source, document in known.items())
    return {source: folder for source, folder in found if folder is not None}


def _skipped(ours: Iterable[str], known: Mapping[str, KnownDocument], found: FoundSources) -> set[str]:
    """Those of `ours` whose file is there and is skipped now, by itself or with its folder."""
    skipped = {skipped.source for skipped in found.skipped}
    folders = tuple(source for source in skipped if source.endswith("/"))
    return {
        source
        for source in ours
        if source in skipped or (source.startswith(folders) and not is_gone(known[source].origin))
    }


def _is_away(document: KnownDocument, folder: GivenPath, found: FoundSources) -> bool:
    """Whether the file of a document in a given folder, where it was not found, is not there any more. What lies in a
    folder that can't be read now, or that no run looks into, may be."""
    origin, top = document.origin, path_text(folder.place)
    closed = [path_text(path) for path in found.closed]
    if origin is None:
        behind = tuple(failure.source for failure in found.failures if failure.source.endswith("/"))
        is_closed = top in closed or document.source.startswith(behind)
        return not is_closed and (document.root is not None or document.status == "failed")
    if any(is_below(origin, path) for path in closed):
        return False
    is_looked_into = not any(name.startswith(".") for name in origin[len(top) :].split("/"))
    return (document.root == path_text(folder.root) and is_looked_into) or is_gone(origin)


def _left_behind(
    known: Mapping[str, KnownDocument],
    present: Some[str],
    roots: Mapping[str, str],
    given: Sequence[GivenPath],
) -> set[str]:
    """Sources of documents of a folder that was moved whose file did not come along."""
    left = set()
    for source, document in known.items():
        root, origin = document.root, document.origin
        if source in present or root is None or origin is None or root not in roots:
            continue
        place = roots[root] + origin.removeprefix(root)
        if is_gone(place) and any(is_below(place, path_text(one.place)) for one in given if one.is_folder):
            left.add(source)
    return left


@dataclass(frozen=True, slots=True)
class _Work:
    """The files to read, those that failed before and are tried again among them, and those that are not."""

    files: Sequence[ComparedFile]
    retried: Sequence[ComparedFile]
    still_failed: Sequence[ComparedFile]
    still_skipped: Sequence[ComparedFile]  # pictures that OCR found no text in


def _find_work(
    files: Iterable[ComparedFile],
    known: Mapping[str, KnownDocument],
    moved: Some[str],
    removed: Some[str],
    options: IngestOptions,
) -> _Work:
    """What is new, changed or made by other settings; then the duplicates whose reason is gone."""
    stale: list[ComparedFile] = []
    retried: list[ComparedFile] = []
    still_failed: list[ComparedFile] = []
    still_skipped: list[ComparedFile] = []
    current: list[ComparedFile] = []
    for file in files:
        document = known.get(file.source)
        if file.source in moved:
            continue
        if document is None or not _is_same(document, file, options):
            stale.append(file)
        elif document.status in {"failed", "stale"}:  # these very bytes could not be taken in
            (retried if options.rehash else still_failed).append(file)
        elif document.status == "skipped":
            (stale if options.rehash else still_skipped).append(file)
        else:
            current.append(file)
    stale += retried
    outdated = {file.source for file in stale} | set(removed)
    released = [file for file in current if _is_released(known[file.source], known, outdated, options)]
    return _Work(sorted(stale, key=lambda file: file.source) + released, retried, still_failed, still_skipped)


def _is_same(known: KnownDocument, file: ComparedFile, options: IngestOptions) -> bool:
    """Whether what is stored, or that nothing is, comes of these bytes and settings."""
    return known.content_sha256 == file.content_sha256 and options.is_made_so(
        known.pipeline, file.file.media_type
    )


def _is_released(
    document: KnownDocument,
    known: Mapping[str, KnownDocument],
    outdated: set[str],
    options: IngestOptions,
) -> bool:
    """Whether a document that was left out as a duplicate has to be looked at again."""
    if document.status != "duplicate":
        return False
    kept = document.duplicate_of
    return (
        options.duplicates == "keep_all" or kept is None or kept in outdated or not _has_content(known[kept])
    )


def _has_content(known: KnownDocument | None) -> bool:
    """Whether some version of the source can be found; one that only ever failed is new when it gets in."""
    return known is not None and known.status in {"ready", "stale"}


def _copies(
    stored: Iterable[ComparedFile], work: Iterable[ComparedFile], options: IngestOptions
) -> list[tuple[str, str]]:
    """Pairs (source, the one kept) of files with the same bytes, read in the same way; empty files fail instead."""
    if options.duplicates == "keep_all":
        return []
    first: dict[tuple[str, str], str] = {}
    for file in stored:
        first.setdefault((file.content_sha256, file.file.media_type), file.source)
    copies = []
    for file in work:
        kept = first.setdefault((file.content_sha256, file.file.media_type), file.source)
        if kept != file.source and file.size_bytes and file.file.media_type:
            copies.append((file.source, kept))
    return sorted(copies)
