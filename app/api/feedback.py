"""POST /feedback: what a reader thinks of a reply; GET /feedback for who runs the service."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Final, Self

from fastapi import APIRouter, Body, Query, Request, Response
from pydantic import Field, model_validator

from app.api.authentication import Caller
from app.api.bodies import NullIsDefault, Text, refusal
from app.api.bodies import Request as RequestBody
from app.api.components import Parts
from app.api.documentation import KEPT, example, problems
from app.api.problems import Fault, FaultError
from app.api.rateable import CHAT
from app.api.schemas import Reply
from app.store import ratings
from app.store.connection import transaction, write

router = APIRouter(tags=["questions"])

_OFF: Final = Fault(
    "feedback_off",
    404,
    "This service keeps no feedback (PGASK_FEEDBACK_DAYS=0).",
    detail_zh="本服务不保存反馈（PGASK_FEEDBACK_DAYS=0）。",
)
_GONE: Final = Fault(
    "reply_gone",
    410,
    "This reply is not known any more: the newest replies can be rated for a day, by who asked. Ask again, and rate "
    "that reply.",
    detail_zh="该回答已不可评价：只有最新的回答可在一天内由提问者评价。请重新提问后再评价。",
)


class Rated(NullIsDefault, RequestBody):
    """What a reader thinks of a reply; null stands for a field's default."""

    request_id: Annotated[
        Text,
        Field(
            min_length=1, max_length=80, description="`request_id` of the reply, or `id` of a chat completion"
        ),
    ]
    rating: ratings.Rating
    reason: Annotated[ratings.Reason | None, Field(description="Of a thumb that is down")] = None
    comment: Annotated[Text, Field(max_length=2_000)] = ""

    @model_validator(mode="after")
    def _reason_is_of_a_thumb_down(self) -> Self:
        if self.rating == "up" and self.reason is not None:
            raise refusal(
                "reason_of_up",
                "A reason belongs to a thumb that is down: send rating down, or no reason.",
                "reason 仅用于 rating 为 down 的评价：请发送 down，或不要发送 reason。",
            )
        return self


class RatedReply(Reply):
    """An answer and what its reader thought of it, with what was asked and cited."""

    id: int
    at: datetime
    actor: str
    request_id: str
    rating: ratings.Rating
    reason: ratings.Reason | None
    comment: str
    question: str
    answer: str
    abstained: bool
    scope: dict[str, Any]
    citations: list[dict[str, Any]]
    state: dict[str, Any]
    case: Annotated[
        dict[str, Any] | None,
        Field(description="A line of rag-eval's questions; null where it is not said what would be right"),
    ]


class FeedbackList(Reply):
    """Ratings, the newest first; `next_before` is null on the last page."""

    feedback: list[RatedReply]
    next_before: int | None


@router.post(
    "/feedback",
    status_code=204,
    response_class=Response,
    summary="Say what one thinks of a reply",
    responses=KEPT | problems(404, 410, 415, 422),
)
async def rate(
    body: Annotated[
        Rated,
        Body(
            openapi_examples={
                "up": {"value": {"request_id": "7d3f0c5b9a3e4f0c8d1e2b6a5c4d3e2f", "rating": "up"}},
                "down": {
                    "value": {
                        "request_id": "7d3f0c5b9a3e4f0c8d1e2b6a5c4d3e2f",
                        "rating": "down",
                        "reason": "wrong_source",
                        "comment": "The newer edition says otherwise.",
                    }
                },
            }
        ),
    ],
    request: Request,
    parts: Parts,
) -> Response:
    """Kept with question, answer, cited passages and what answered, for `pgask feedback`. A second rating of the same
    reply takes the place of the first. No rating changes how anything is ranked."""
    if parts.replies is None:
        raise FaultError(_OFF)
    caller: Caller = request.state.caller
    replied = await parts.replies.find(caller, body.request_id)
    if replied is None:
        raise FaultError(_GONE)
    rated = body.model_dump() | {"request_id": body.request_id.removeprefix(CHAT), **replied}
    days = parts.settings.feedback_days
    await write(
        parts.pool,
        lambda connection: ratings.rate(connection, caller.name, caller.key_id, rated, days=days),
    )
    return Response(status_code=204)


@router.get(
    "/feedback",
    summary="List what readers thought of replies, the newest first",
    responses=example("feedback") | problems(422),
)
async def list_feedback(
    parts: Parts,
    rating: Annotated[ratings.Rating | None, Query(description="Only these")] = None,
    limit: Annotated[int, Query(ge=1, le=ratings.MAX_PAGE)] = 50,
    before: Annotated[
        int | None, Query(ge=1, le=2**63 - 1, description="`next_before` of the page before")
    ] = None,
) -> FeedbackList:
    """Questions and answers in readers' own words: for admins."""
    async with transaction(parts.pool) as connection:
        found = await ratings.list_ratings(connection, rating=rating, before=before, most=limit + 1)
    shown = [RatedReply(**asdict(one), case=ratings.case_of(one)) for one in found[:limit]]
    return FeedbackList(feedback=shown, next_before=shown[-1].id if len(found) > limit else None)
