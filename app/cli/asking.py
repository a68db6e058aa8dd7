"""`pgask ask` and `pgask search`: a question from the command line, beside the service or without it."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.opening import open_checked, read_settings
from app.cli.output import AsJson, print_json, printable
from app.errors import InvalidRequestError

if TYPE_CHECKING:
    from app.api.components import Components
    from app.api.schemas import AskReply, SearchReply
    from app.config import Settings

Question = Annotated[str, typer.Argument(help="The question, in quotes.")]
Collection = Annotated[str, typer.Option(help="Collection to ask.")]
SourcePrefix = Annotated[str | None, typer.Option(help="Only documents whose source starts so, e.g. docs/.")]
Filter = Annotated[
    str | None,
    typer.Option(
        "--filter", metavar="JSON", help="Only documents that this filter keeps; see docs/filters.md."
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog="Example: pgask ask 'How do I choose the number of lists?' --collection default")(ask)
    app.command(epilog="Example: pgask search '如何选择分块大小？' --top-k 3 --json")(search)


def ask(
    question: Question,
    *,
    collection: Collection = "default",
    top_k: Annotated[int, typer.Option(help="Chunks to answer from, 1 to 50.")] = 6,
    source_prefix: SourcePrefix = None,
    search_filter: Filter = None,
    as_json: AsJson = False,
) -> None:
    """Answer a question from the documents, with its sources."""
    settings = read_settings()
    body = _body(question, collection, top_k, _filter(source_prefix, search_filter))

    async def answer(parts: Components) -> AskReply:
        from app.api.schemas import Ask, ask_reply

        found = await parts.answerer.answer(Ask.model_validate(body).to_domain())
        return ask_reply(found, request_id="cli")

    reply: AskReply = _with_components(settings, answer)
    if as_json:
        print_json(reply.model_dump())
        return
    print(printable(reply.answer))
    if reply.degraded:
        print(f"\n(The language model could not answer: {printable(reply.degraded_reason or 'unknown')})")
    for citation in reply.citations:
        place = _place(citation.source, citation.page, citation.heading)
        print(f"\n[{citation.marker}] {place}  {citation.char_start}-{citation.char_end}")
        print(_indented(citation.quote))


def search(
    question: Question,
    *,
    collection: Collection = "default",
    top_k: Annotated[int, typer.Option(help="Chunks to show, 1 to 50.")] = 6,
    source_prefix: SourcePrefix = None,
    search_filter: Filter = None,
    as_json: AsJson = False,
) -> None:
    """Show the chunks that a question finds, best first."""
    settings = read_settings()
    body = _body(question, collection, top_k, _filter(source_prefix, search_filter))

    async def find(parts: Components) -> SearchReply:
        from app.api.schemas import Search, search_reply

        wanted = Search.model_validate(body)
        found = await parts.retriever.retrieve(
            wanted.question, wanted.collection, wanted.top_k, wanted.search_filter()
        )
        return search_reply(found.hits, found.timings_ms, request_id="cli")

    reply: SearchReply = _with_components(settings, find)
    if as_json:
        print_json(reply.model_dump())
        return
    for hit in reply.hits:
        place = _place(hit.source, hit.page, hit.heading)
        print(f"{hit.rank}. {place}  {hit.char_start}-{hit.char_end}  score {hit.score:.3f}")
        print(_indented(hit.text[:300] + ("…" if len(hit.text) > 300 else "")) + "\n")


def _with_components(settings: Settings, work: Any) -> Any:
    """Run `work` on the parts that the service has, built for this one question."""
    from app.embedding import SentenceTransformerEmbedder
    from app.main import open_components

    async def run(database: Any, embedder: Any) -> Any:
        async with open_components(settings, database, embedder) as parts:
            return await work(parts)

    with open_checked(settings) as database:
        return asyncio.run(run(database, SentenceTransformerEmbedder.from_settings(settings)))


def _filter(source_prefix: str | None, as_json: str | None) -> object:
    """The filter of the request. Raises InvalidRequestError."""
    if as_json is None:
        return {"source_prefix": source_prefix}
    if source_prefix is not None:
        raise InvalidRequestError(
            'Give --source-prefix or --filter, not both: {"field": "source", "op": "prefix", "value": "docs/"} says the'
            " same in a filter."
        )
    try:
        return json.loads(as_json)
    except (ValueError, RecursionError):
        raise InvalidRequestError(
            """--filter is not valid JSON. Put it in single quotes: '{"source_prefix": "docs/"}'."""
        ) from None


def _body(question: str, collection: str, top_k: int, search_filter: object) -> dict[str, Any]:
    """The request, under the same limits as over HTTP. Raises InvalidRequestError."""
    from pydantic import ValidationError

    from app.api.schemas import Search

    body = {
        "question": question,
        "collection": collection,
        "top_k": top_k,
        "filter": search_filter,
    }
    try:
        Search.model_validate(body)
    except ValidationError as error:
        faults = "; ".join(
            f"{_place_of(fault['loc'])}: {fault['msg'].removeprefix('Value error, ')}"
            for fault in error.errors(include_input=False)
        )
        raise InvalidRequestError(f"{faults}.") from None
    return body


def _place_of(location: tuple[str | int, ...]) -> str:
    """Where a fault is, without the names of the filter's forms, which nobody wrote."""
    from app.api.filters import FORMS

    return ".".join(str(part) for part in location if part not in FORMS)


def _place(source: str, page: int | None, heading: str | None) -> str:
    parts = [source, f"p. {page}" if page is not None else None, heading]
    return printable(" · ".join(part for part in parts if part))


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in printable(text).splitlines())
