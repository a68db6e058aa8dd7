"""POST /documents/plan: what would become of files, told by their names, sizes and sums before any of them is sent.

What is no document by its name, ingest alone knows: whoever starts the service hands that in (app/cli/serving.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Body, Query, Request
from pydantic import Field

from app.api.bodies import WHOLE, NullIsDefault, Text
from app.api.bodies import Request as RequestBody
from app.api.components import Parts
from app.api.documentation import example, problems
from app.api.requests import CollectionName
from app.api.schemas import Reply
from app.api.uploads import sources_of
from app.file_limits import UPLOAD_BYTES, over
from app.file_names import clean_name
from app.store.connection import transaction
from app.store.planned import StoredFile, find_stored
from app.store.shelves import MOST_GROUP_CHARS, MOST_GROUPS, Readers, read_groups

router = APIRouter(tags=["documents"])

MOST_FILES: Final = 2_000
Refuses = Callable[[str], str | None]
"""The reason code of a file that is no document by its name; None where it may be one."""
Outcome = Literal["new", "changed", "unchanged", "duplicate", "refused"]


def refuses_nothing(_name: str) -> str | None:
    """Every name may be a document's."""
    return None


class CheckedFile(NullIsDefault, RequestBody):
    """A file that is to come. Without its sum it is not told whether it holds what is there already."""

    name: Annotated[Text, Field(max_length=4_000, description="Its path below the folder")]
    size_bytes: Annotated[int, Field(ge=0, le=2**53), WHOLE]
    sha256: Annotated[Text, Field(pattern=r"^[0-9a-f]{64}$")] | None = None


class CheckedFiles(NullIsDefault, RequestBody):
    """Files that are to come. null stands for a field's default."""

    folder: Annotated[Text, Field(max_length=4_000, description="What the documents' names begin with")] = ""
    readers: Annotated[
        list[Annotated[Text, Field(max_length=MOST_GROUP_CHARS)]],
        Field(
            max_length=MOST_GROUPS,
            description="Groups that are to read them; none: all who read the collection",
        ),
    ] = Field(default_factory=list)
    files: Annotated[list[CheckedFile], Field(min_length=1, max_length=MOST_FILES)]


@dataclass(frozen=True, slots=True)
class PlannedFile:
    """What becomes of a file: `source` is its document's name. `code` says why it is refused, `detail` with the figures
    of a limit; `duplicate_of` is the document, or the file before it, that holds the same bytes."""

    source: str
    outcome: Outcome
    code: str | None = None
    duplicate_of: str | None = None
    detail: str | None = None


class PlanReply(Reply):
    """The files in the order in which they were given."""

    files: list[PlannedFile]


@router.post(
    "/documents/plan",
    summary="Tell what would become of files",
    responses=example("plan") | problems(404, 415, 422),
)
async def plan_documents(
    body: Annotated[
        CheckedFiles,
        Body(openapi_examples={"a file": {"value": {"files": [{"name": "a.md", "size_bytes": 9}]}}}),
    ],
    request: Request,
    parts: Parts,
    collection: Annotated[CollectionName, Query()] = "default",
) -> PlanReply:
    """Changes nothing. What a file holds is looked at only once it comes: one that is new here may yet fail, or repeat
    another one's text."""
    named = sources_of([file.name for file in body.files], clean_name(body.folder))
    sums = {file.sha256 for file in body.files if file.sha256 is not None}
    async with transaction(parts.pool) as connection:
        stored = await find_stored(connection, collection, [source for source, _ in named], sums)
    refuses: Refuses = request.app.state.refuses
    plan = _Plan(stored, read_groups(body.readers), refuses, parts.settings.max_upload_bytes)
    return PlanReply(
        files=[
            plan.look_at(file, source, fault) for file, (source, fault) in zip(body.files, named, strict=True)
        ]
    )


class _Plan:
    """Goes through the files in their order."""

    def __init__(
        self, stored: Sequence[StoredFile], readers: Readers, refuses: Refuses, max_file_bytes: int
    ) -> None:
        same = [one for one in stored if tuple(one.readers) == readers]
        self._by_source = {one.source: one for one in same}
        self._by_sum = {one.sha256: one.source for one in reversed(same) if one.status == "ready"}
        self._of_others = {one.source for one in stored} - self._by_source.keys()
        self._refuses = refuses
        self._max_file_bytes = max_file_bytes

    def look_at(self, file: CheckedFile, source: str, fault: str | None) -> PlannedFile:
        """What becomes of a file."""
        before = self._by_source.get(source)
        code = "bad_name" if fault is not None else self._refuses(source)
        if code is None and source in self._of_others:
            code = "other_readers"
        if code is None and before is not None and not before.was_uploaded:
            code = "name_taken"
        if code is None and file.size_bytes > self._max_file_bytes:
            code = "too_large"
        if code is not None:
            detail = fault
            if code == "too_large":
                detail = over("bytes", file.size_bytes, self._max_file_bytes, UPLOAD_BYTES)
            return PlannedFile(source, "refused", code, detail=detail)
        if before is not None:
            is_same = before.status == "ready" and before.sha256 == file.sha256
            return PlannedFile(source, "unchanged" if is_same else "changed")
        if file.sha256 is None:
            return PlannedFile(source, "new")
        first = self._by_sum.setdefault(file.sha256, source)
        if first != source:
            return PlannedFile(source, "duplicate", duplicate_of=first)
        return PlannedFile(source, "new")
