"""Which files are known under another name, or below another folder: their documents move, nothing is embedded anew."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from app.store.sources import KnownDocument
from ingest.file_changes import ComparedFile
from ingest.options import IngestOptions
from ingest.roots import Claim, is_gone, is_missing, is_same, path_text
from ingest.sources import FoundSources


def renamed_in_place(known: Mapping[str, KnownDocument], found: FoundSources) -> list[tuple[str, str]]:
    """Pairs (old, new) of a file that is where it was and has another name now: its folder is called otherwise, or
    another folder around it was given."""
    present = {file.source for file in found.files} | {failure.source for failure in found.failures}
    by_origin = {
        document.origin: source
        for source, document in sorted(known.items(), reverse=True)
        if document.origin and source not in present
    }
    pairs = []
    for file in found.files if by_origin else ():
        old, document = by_origin.get(path_text(file.place)), known.get(file.source)
        if old is not None and (document is None or document.duplicate_of == old):
            del by_origin[path_text(file.place)]
            pairs.append((old, file.source))
    return pairs


def with_new_names(
    known: Mapping[str, KnownDocument], renamed: Sequence[tuple[str, str]]
) -> Mapping[str, KnownDocument]:
    """What is known once the documents are renamed."""
    if not renamed:
        return known
    names = dict(renamed)

    def moved(document: KnownDocument) -> KnownDocument:
        kept = document.duplicate_of
        source = names.get(document.source, document.source)
        return replace(document, source=source, duplicate_of=names.get(kept, kept) if kept else None)

    stayed = {source: moved(document) for source, document in known.items() if source not in names}
    return stayed | {new: moved(known[old]) for old, new in renamed}


def moved_files(
    files: Sequence[ComparedFile],
    known: Mapping[str, KnownDocument],
    gone: Collection[str],
    options: IngestOptions,
) -> list[tuple[str, str]]:
    """Pairs (old, new) of a source that is `gone`, or whose file is nowhere, and another with the same bytes, read in
    the same way, that is new or was left out in favour of the old one."""
    present = {compared.source for compared in files}
    candidates: dict[tuple[str | None, str], list[str]] = defaultdict(list)
    for source in sorted(known, reverse=True):
        document = known[source]
        if (
            source not in present
            and document.status == "ready"
            and options.is_made_so(document.pipeline, document.media_type)
        ):
            candidates[document.content_sha256, document.media_type].append(source)
    pairs = []
    for compared in files:
        same = candidates.get((compared.content_sha256, compared.file.media_type), [])
        there = known.get(compared.source)
        for old in reversed(same):
            is_free = there is None or there.duplicate_of == old
            if is_free and (old in gone or is_gone(known[old].origin)):
                same.remove(old)
                pairs.append((old, compared.source))
                break
    return pairs


def moved_roots(
    known: Mapping[str, KnownDocument],
    files: Mapping[str, ComparedFile],
    taken_over: Sequence[Claim],
    renamed: Sequence[tuple[str, str]],
) -> dict[str, str]:
    """Old → new path of each root that is gone and most of whose documents were found below one given folder: what is
    left of it was in the same folder."""
    found: Counter[tuple[str, str]] = Counter()
    same = [(claim.source, claim.source) for claim in taken_over if is_same(claim, known)]
    for old, new in [*same, *renamed]:
        root, now = known[old].root, files[new].state.root
        if root is not None and now is not None and root not in {now, known[old].origin}:
            found[root, now] += 1
    if not found:
        return {}
    held = Counter(document.root for document in known.values() if document.status == "ready")
    return {root: now for (root, now), count in found.items() if 2 * count > held[root] and is_missing(root)}
