"""POST /documents: files into the database, with a job for a worker, by way of which alone they reach the parsers.

GET /documents/{id}/original gives a file back as it came, and PATCH /documents/{id} changes what is said of it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Annotated, Any, Final
from urllib.parse import quote

from fastapi import APIRouter, Body, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import Field, ValidationError
from pydantic import JsonValue as Json

from app.api.bodies import UNSTORABLE, NullIsDefault, Text
from app.api.bodies import Request as RequestBody
from app.api.collections import check_name_of_key
from app.api.components import Parts
from app.api.documentation import example, problems
from app.api.documents import DocumentId
from app.api.multipart import Form, ReceivedFile, UploadLimits, open_form, read_form
from app.api.problems import Fault, FaultError
from app.api.requests import CollectionName
from app.api.schemas import JobReply
from app.errors import NotFoundError
from app.file_names import clean_name
from app.store import catalog, originals
from app.store.connection import AsyncConnection, run_alone, transaction, write
from app.store.jobs import Job, NewFile, create_job
from app.store.shelves import MOST_GROUP_CHARS, MOST_GROUPS, Readers, ensure_shelf_for, read_groups
from app.store.sources import MAX_SOURCE_BYTES
from app.store.tenancy import current_scope
from app.tracing import PARENT, parent_of_more

router = APIRouter(tags=["documents"])

MOST_AT_ONCE: Final = 4  # uploads that are received at once: each may fill a temporary file
_MOST_METADATA_CHARS: Final = 20_000
_FIELDS: Final = ("folder", "readers", "metadata")
_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["files"],
                    "properties": {
                        "files": {"type": "array", "items": {"type": "string", "format": "binary"}},
                        "folder": {"type": "string", "description": "What the documents' names begin with"},
                        "readers": {
                            "type": "array",
                            "items": {"type": "string"},
                            "description": "Groups that alone may read them; none: all who read the collection",
                        },
                        "metadata": {"type": "string", "description": "A JSON object for each document"},
                    },
                },
                "examples": {"two files": {"value": {"files": ["…", "…"], "folder": "handbook"}}},
            }
        },
    }
}

_FILE: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {"application/octet-stream": {"example": "…"}}}
}
_BUSY: Final = Fault(
    "too_many_requests",
    429,
    f"{MOST_AT_ONCE} uploads are being received now; that is all at once. Try again in a few seconds.",
    detail_zh=f"正在接收 {MOST_AT_ONCE} 个上传，已达上限，请几秒后重试。",
    retry_after_s=5,
)
_NO_FILES: Final = Fault(
    "invalid_request",
    422,
    "There is no file in the request: send at least one, in a part named files.",
    detail_zh="请求中没有文件：请至少发送一个文件，放在名为 files 的部分中。",
)
# Whoever writes a document reads it, or nobody could tell what became of it.
_NOT_ITS_GROUP: Final = Fault(
    "forbidden",
    403,
    "Documents can be kept for groups of which you are in one; an admin can keep them for any.",
    detail_zh="只能把文档限定给包含您所在分组的读者；admin 可以限定给任意分组。",
)
_Group = Annotated[Text, Field(max_length=MOST_GROUP_CHARS)]


class ChangedDocument(NullIsDefault, RequestBody):
    """What is said of a document. What is left out, or null, stays as it is."""

    title: Annotated[Text, Field(min_length=1, max_length=1_000)] | None = None
    metadata: Annotated[dict[str, Json], Field(description="In place of all that there is")] | None = None
    readers: (
        Annotated[
            list[_Group],
            Field(
                max_length=MOST_GROUPS,
                description="Groups that alone may read it; an empty list: all who read the collection",
            ),
        ]
        | None
    ) = None


@router.post(
    "/documents",
    status_code=202,
    summary="Send files to be taken into a collection",
    responses=example("job", 202) | problems(404, 413, 415, 422, 429),
    openapi_extra=_BODY,
)
async def upload_documents(
    request: Request, parts: Parts, collection: Annotated[CollectionName, Query()] = "default"
) -> JobReply:
    """Replies as soon as the files are stored; a worker takes them in, and the job tells how far it is. A file of the
    name of an earlier upload replaces that document, where it has the same readers; a zip is unpacked. The collection
    is made if it is not there."""
    limits = UploadLimits.from_settings(parts.settings)
    async with _a_turn(request):
        with open_form() as form:
            await read_form(request, form, limits)
            groups = current_scope(parts.pool.otherwise).groups
            options, readers = _options(form, groups), _readers(form.fields.get("readers", []), groups)
            if not form.files:
                raise FaultError(_NO_FILES)
            folder = clean_name("".join(form.fields.get("folder", [])[:1]))
            created_by = request.state.caller.name
            noted = {**options, "request_id": request.state.request_id}  # the worker's log names it
            if parts.settings.auth != "off":
                noted["sender"] = created_by
            if (parent := parent_of_more()) is not None:
                noted[PARENT] = parent

            async def store(connection: AsyncConnection) -> Job:
                await _check_quota(connection, form, parts.settings.originals_quota_bytes)
                shelf = await _ensure_shelf(connection, collection, readers, parts)
                files = [
                    await _store(connection, form, file, *named)
                    for file, named in zip(
                        form.files, sources_of([file.name for file in form.files], folder), strict=True
                    )
                ]
                return await create_job(connection, shelf, files, options=noted, created_by=created_by)

            return JobReply(job=await write(parts.pool, store))


@router.get(
    "/documents/{document_id}/original",
    summary="Get a document's file as it came",
    response_class=StreamingResponse,
    responses=_FILE | problems(404, 422),
)
async def get_original(document_id: DocumentId, parts: Parts) -> StreamingResponse:
    """As a download, never shown by the browser: it is a stranger's file."""
    async with transaction(parts.pool) as connection:
        found = await originals.find_original(connection, document_id)

    async def send() -> AsyncIterator[bytes]:
        number = 0
        while True:
            wanted = number

            async def read(connection: AsyncConnection, wanted: int = wanted) -> bytes | None:
                return await originals.read_part(connection, found.id, wanted)

            part = await run_alone(parts.pool, read)
            if part is None:
                return
            yield part
            number += 1

    return StreamingResponse(
        send(),
        media_type="application/octet-stream",
        headers={
            "Content-Length": str(found.size_bytes),
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(found.name, safe='')}",
            "Content-Security-Policy": "sandbox; default-src 'none'",
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "private, no-store",
        },
    )


@router.patch(
    "/documents/{document_id}",
    summary="Change a document's title, metadata or readers",
    responses=example("document") | problems(403, 404, 409, 415, 422),
)
async def change_document(
    document_id: DocumentId,
    body: Annotated[
        ChangedDocument,
        Body(
            openapi_examples={
                "title": {"value": {"title": "Handbook, third edition"}},
                "readers": {"value": {"readers": ["hr", "board"]}},
            }
        ),
    ],
    parts: Parts,
) -> catalog.DocumentDetail:
    """Filters see the new metadata at once, and other readers hold at once. What the search knows of the text stays as
    it is: a new title is shown, and found by once the file is taken in again."""
    metadata = body.metadata
    if metadata is not None:
        _check_metadata(metadata)

    groups = current_scope(parts.pool.otherwise).groups
    readers = None if body.readers is None else _readers(body.readers, groups)

    async def change(connection: AsyncConnection) -> catalog.DocumentDetail:
        if readers is not None:
            await catalog.change_readers(connection, document_id, readers)
        await catalog.change_document(connection, document_id, title=body.title, metadata=metadata)
        return await catalog.get_document(connection, document_id)

    return await write(parts.pool, change)


@asynccontextmanager
async def _a_turn(request: Request) -> AsyncIterator[None]:
    turns: asyncio.Semaphore = request.app.state.uploads
    if turns.locked():
        raise FaultError(_BUSY)
    async with turns:
        yield


def sources_of(names: Sequence[str], folder: str) -> list[tuple[str, str | None]]:
    """What the document of each file of this name is called, and what is wrong with the name."""
    seen: set[str] = set()
    named = []
    for given in names:
        name = clean_name(given)
        source = f"{folder}/{name}" if folder and name else name
        fault = None
        if not name:
            source, fault = "?", "The file's name has no letter in it that can be kept; rename it."
        elif len(source.encode()) > MAX_SOURCE_BYTES:
            source, fault = (
                source.encode()[:200].decode("utf-8", "ignore").rstrip("/") + "…",
                f"The path has more than {MAX_SOURCE_BYTES:,} bytes; shorten the names.",
            )
        elif source in seen:
            fault = "Another file of this upload has the same name; rename one of them."
        seen.add(source)
        named.append((source, fault))
    return named


async def _store(
    connection: AsyncConnection, form: Form, file: ReceivedFile, source: str, fault: str | None
) -> NewFile:
    if fault is not None:
        return NewFile(source, file.size_bytes, code="bad_name", detail=fault)
    name = source.rpartition("/")[2]
    original = await originals.add_original(
        connection, name, file.sha256, file.size_bytes, form.parts_of(file)
    )
    return NewFile(source, file.size_bytes, original)


async def _check_quota(connection: AsyncConnection, form: Form, quota_bytes: int) -> None:
    if not quota_bytes:
        return
    held = await originals.count_bytes(connection)
    brought = sum(file.size_bytes for file in form.files)
    if held + brought > quota_bytes:
        raise FaultError(
            Fault(
                "quota_exceeded",
                413,
                f"The originals kept have {held:,} bytes and these files {brought:,}; the limit is {quota_bytes:,} "
                "(PGASK_ORIGINALS_QUOTA_BYTES). Delete documents that are not needed, or have the quota raised.",
                detail_zh=f"已保存的原件有 {held:,} 字节，这些文件有 {brought:,} 字节，上限为 {quota_bytes:,}"
                "（PGASK_ORIGINALS_QUOTA_BYTES）。请删除不需要的文档，或调高该配额。",
            )
        )


async def _ensure_shelf(connection: AsyncConnection, name: str, readers: Readers, parts: Parts) -> int:
    """The id of where a collection's documents lie that these may read; made where it is missing."""
    try:
        await catalog.find_shelf_ids(connection, name)
    except NotFoundError:
        check_name_of_key(name)
        await catalog.create_collection(connection, name, parts.space)
    return await ensure_shelf_for(connection, name, await catalog.find_space_id(connection, name), readers)


def _readers(given: Iterable[str], groups: Readers | None) -> Readers:
    """The groups that shall read a document. Raises FaultError where whoever asks, who is in `groups`, would not."""
    readers = read_groups(name for one in given for name in one.split(","))
    if readers and groups is not None and not set(readers) & set(groups):
        raise FaultError(_NOT_ITS_GROUP)
    return readers


def _options(form: Form, groups: Readers | None) -> Mapping[str, Any]:
    """What came with the files. Raises FaultError for a field that is none."""
    for name, values in form.fields.items():
        if name not in _FIELDS:
            raise _wrong(name[:60], f"is no field; there are files, {', '.join(_FIELDS)}", "不是可用的字段")
        if any(UNSTORABLE.search(value) for value in values):
            raise _wrong(name, "must not contain NUL or lone surrogates", "不能包含 NUL 或孤立的代理字符")
        if len(values) > 1 and name != "readers":
            raise _wrong(name, "may be given once", "只能出现一次")
    # A worker sees what whoever sends the files does
    options: dict[str, Any] = {"groups": None if groups is None else list(groups)}
    for text in form.fields.get("metadata", []):
        try:
            metadata = ChangedDocument.model_validate({"metadata": json.loads(text)}).metadata
        except (ValueError, RecursionError, ValidationError):
            raise _wrong("metadata", "must be a JSON object", "须为 JSON 对象") from None
        _check_metadata(metadata or {})
        options["metadata"] = metadata
    return options


def _check_metadata(metadata: Mapping[str, Any]) -> None:
    try:
        text = json.dumps(metadata, ensure_ascii=False, allow_nan=False)
    except (ValueError, RecursionError):
        raise _wrong("metadata", "must be a JSON object", "须为 JSON 对象") from None
    if len(text) > _MOST_METADATA_CHARS:
        raise _wrong(
            "metadata",
            f"may have {_MOST_METADATA_CHARS:,} characters",
            f"最多 {_MOST_METADATA_CHARS:,} 个字符",
        )
    if UNSTORABLE.search(text) or "\\u0000" in text:
        raise _wrong("metadata", "must not contain NUL or lone surrogates", "不能包含 NUL 或孤立的代理字符")


def _wrong(name: str, english: str, chinese: str) -> FaultError:
    shown = "".join(c if c.isprintable() else "�" for c in name)
    return FaultError(
        Fault(
            "invalid_request",
            422,
            f"{shown}: {english}.",
            detail_zh=f"{shown}：{chinese}。",
            extra={"errors": [{"field": shown, "message": english}]},
        )
    )
