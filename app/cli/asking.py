"""`pgask ask` and `pgask search`: a question from the command line, beside the service or without it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.opening import open_checked, read_settings
from app.cli.output import AsJson, print_json, printable
from app.errors import InvalidRequestError

if TYPE_CHECKING:
    from app.api.answers import AskReply
    from app.api.components import Components
    from app.api.found import SearchReply
    from app.config import Settings
    from app.domain import Citation, ExplainedCandidate, Hit

Question = Annotated[str, typer.Argument(help="The question, in quotes.")]
Collections = Annotated[
    list[str] | None,
    typer.Option("--collection", help="Collection to ask; may be given several times, '*' stands for all."),
]
Explain = Annotated[bool, typer.Option("--explain", help="Show how each candidate was ranked.")]
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
    collection: Collections = None,
    top_k: Annotated[int, typer.Option(help="Chunks to answer from, 1 to 50.")] = 6,
    source_prefix: SourcePrefix = None,
    search_filter: Filter = None,
    explain: Explain = False,
    as_json: AsJson = False,
) -> None:
    """Answer a question from the documents, with its sources."""
    settings = read_settings()
    body = _body(question, collection, top_k, _filter(source_prefix, search_filter), explain=explain)

    async def answer(parts: Components) -> AskReply:
        from app.api.answers import ask_reply
        from app.api.requests import Ask

        found = await parts.answerer.answer(Ask.model_validate(body).to_domain())
        return ask_reply(found, request_id="cli")

    reply: AskReply = with_components(settings, answer)
    if as_json:
        print_json(reply.model_dump())
        return
    if reply.searched_for:
        print(f"Searched for: {printable(reply.searched_for)}\n")
    print("\n".join(printable(line) for line in reply.answer.splitlines()))
    if reply.degraded:
        print(f"\n(The language model could not answer: {printable(reply.degraded_reason or 'unknown')})")
    for citation in reply.citations:
        place = _place(citation, body)
        print(f"\n[{citation.marker}] {place}  {citation.char_start}-{citation.char_end}")
        print(_indented(citation.quote))
    for miss in reply.nearest:
        print(f"\nNearest: {_place(miss, body)}  {printable(miss.why.sentence)}")
        print(_indented(miss.text[:300] + ("…" if len(miss.text) > 300 else "")))
    _print_search(reply)


def search(
    question: Question,
    *,
    collection: Collections = None,
    top_k: Annotated[int, typer.Option(help="Chunks to show, 1 to 50.")] = 6,
    source_prefix: SourcePrefix = None,
    search_filter: Filter = None,
    neighbors: Annotated[int, typer.Option(help="Chunks before and after each hit to show, 0 to 2.")] = 0,
    explain: Explain = False,
    as_json: AsJson = False,
) -> None:
    """Show the chunks that a question finds, best first."""
    settings = read_settings()
    chosen = _filter(source_prefix, search_filter)
    body = _body(question, collection, top_k, chosen, explain=explain, neighbors=neighbors)

    async def find(parts: Components) -> SearchReply:
        from app.api.found import search_reply
        from app.api.requests import Search
        from app.api.search import search_with_neighbors

        found, surroundings = await search_with_neighbors(parts.retriever, Search.model_validate(body))
        return search_reply(found, surroundings, found.timings_ms, request_id="cli")

    reply: SearchReply = with_components(settings, find)
    if as_json:
        print_json(reply.model_dump())
        return
    for hit in reply.hits:
        place = _place(hit, body)
        print(f"{hit.rank}. {place}  {hit.char_start}-{hit.char_end}  score {hit.score:.3f}")
        for text in (
            *(beside.text for beside in hit.neighbors or () if beside.steps < 0),
            hit.text,
            *(beside.text for beside in hit.neighbors or () if beside.steps > 0),
        ):
            print(_indented(text[:300] + ("…" if len(text) > 300 else "")) + "\n")
    _print_search(reply)


def _print_search(reply: AskReply | SearchReply) -> None:
    """How the search went, where that was asked for, and what the reranker could not do."""
    if reply.rerank_failure:
        print(f"\n({printable(reply.rerank_failure)})")
    if reply.explain is None:
        return
    shown = reply.explain
    print("\nterms: " + "  ".join(f"{printable(one.term)} {one.idf:.2f}" for one in shown.terms))
    probes = f", {shown.probes} probes" if shown.probes is not None else ""
    print(
        f"{shown.search}{probes}, {shown.rows:,} chunks, {shown.candidates_per_search} candidates a search, "
        f"{shown.reranked} reranked, dense weight {shown.dense_weight:g}, window share {shown.window_share:g}"
    )
    stages = asdict(shown.stages_ms).items()
    print("ms: " + "  ".join(f"{stage} {ms:.1f}" for stage, ms in stages))
    print("\nrank  fused  score  dense (rank)  BM25 window  BM25 (rank)  rerank  source, chunk")
    for one in shown.candidates:
        print(
            f"{_or_dash(one.rank):>4}  {one.fused_rank:>5}  {one.score:.3f}  "
            f"{one.dense:>5.3f} {f'({_or_dash(one.dense_rank)})':>6}  {one.window_lexical:>11.2f}  "
            f"{one.lexical:>5.2f} {f'({_or_dash(one.lexical_rank)})':>5}  {_or_dash(one.rerank):>6}  "
            f"{printable(one.source)}, {one.chunk_id}{_why(one)}"
        )


def _why(one: ExplainedCandidate) -> str:
    """Why a candidate is no hit; one beyond top_k needs no word."""
    if one.dropped in (None, "top_k"):
        return ""
    return f"  {one.dropped}" + (f" to {one.near_identical_to}" if one.near_identical_to else "")


def _or_dash(value: float | None) -> str:
    if value is None:
        return "–"
    return str(value) if isinstance(value, int) else f"{value:.3f}"


def with_components(settings: Settings, work: Any) -> Any:
    """Run `work` on the parts that the service has, built for this one command."""
    from app.main import open_components
    from app.store.chosen_model import ChosenModel
    from app.store.connection import connect

    async def run(database: Any, embedder: Any) -> Any:
        async with open_components(settings, database, embedder) as parts:
            return await work(parts)

    with open_checked(settings) as database:
        with connect(database.app) as connection:
            embedder = ChosenModel(settings).embedder(connection)
        return asyncio.run(run(database, embedder))


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


def _body(
    question: str, collections: list[str] | None, top_k: int, search_filter: object, **more: bool | int
) -> dict[str, Any]:
    """The request, under the same limits as over HTTP. Raises InvalidRequestError."""
    from pydantic import ValidationError

    from app.api.requests import Search

    body = {
        "question": question,
        "collections": collections or ["default"],
        "top_k": top_k,
        "filter": search_filter,
        **more,
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


def _place(found: Hit | Citation, body: Mapping[str, Any]) -> str:
    """Where something stands: with its collection, where several are asked."""
    is_one = len(body["collections"]) == 1 and body["collections"] != ["*"]
    page = f"p. {found.page}" if found.page is not None else None
    parts = [None if is_one else found.collection, found.source, page, found.heading]
    return printable(" · ".join(part for part in parts if part))


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in printable(text).splitlines())
