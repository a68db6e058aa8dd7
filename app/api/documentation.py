"""The examples that /openapi.json shows for each operation, and the problems that an operation may answer with."""

from __future__ import annotations

from typing import Any, Final

from fastapi.openapi.models import Example

from app.api.openai_errors import openai_error, openai_status
from app.api.problems import MEDIA_TYPE, Problem

_DOCUMENT_ID: Final = "0b9c1f2e-6a1d-4c58-9f0e-2f3b6d1a7c44"
_QUOTE: Final = "Start with the square root of the number of rows."
_REQUEST_ID: Final = "7d3f0c5b9a3e4f0c8d1e2b6a5c4d3e2f"
_UPDATED_AT: Final = "2026-11-24T10:15:00Z"

_CITATION: Final[dict[str, Any]] = {
    "marker": 1,
    "document_id": _DOCUMENT_ID,
    "chunk_id": "412",
    "source": "en/ivfflat.md",
    "title": "Choosing lists and probes",
    "page": None,
    "heading": "ivfflat › Lists",
    "char_start": 120,
    "char_end": 120 + len(_QUOTE),
    "quote": _QUOTE,
    "score": 0.82,
    "supported": True,
}
ASK_EXAMPLES: Final[dict[str, Example]] = {
    "question": {
        "summary": "A question alone",
        "value": {"question": "How do I choose the number of ivfflat lists?"},
    },
    "filtered": {
        "summary": "A question to some documents of a collection, streamed",
        "value": {
            "question": "如何选择分块大小？",
            "collection": "default",
            "top_k": 6,
            "filter": {"source_prefix": "zh/", "metadata": {}},
            "stream": True,
        },
    },
    "follow_up": {
        "summary": "A question that needs the conversation before it",
        "value": {
            "question": "And how many probes?",
            "history": [
                {"role": "user", "content": "How do I choose the number of ivfflat lists?"},
                {"role": "assistant", "content": f"{_QUOTE} [1]"},
            ],
            "generation": {"temperature": 0.2, "top_p": 0.9, "top_k": 40, "max_tokens": 512, "stop": []},
        },
    },
}
ASK_REPLY: Final[dict[str, Any]] = {
    "answer": f"{_QUOTE} [1]",
    "abstained": False,
    "generator": "extractive",
    "degraded": False,
    "degraded_reason": None,
    "standalone_question": "How do I choose the number of ivfflat lists?",
    "citations": [_CITATION],
    "claims": [
        {
            "start": 0,
            "end": len(_QUOTE),
            "mark_start": len(_QUOTE) + 1,
            "mark_end": len(_QUOTE) + 4,
            "citations": [0],
            "supported": True,
        }
    ],
    "kind": "passage",
    "searched_for": None,
    "reason": None,
    "nearest": [],
    "usage": {"prompt_tokens": 0, "completion_tokens": 0},
    "timings_ms": {"embed": 9.1, "retrieve": 6.4, "rerank": 0.0, "generate": 3.2, "total": 18.9},
    "request_id": _REQUEST_ID,
}
ASK_STREAM: Final = (
    'event: sources\ndata: {"citations":[…]}\n\nevent: token\ndata: {"text":"Start with"}\n\n'
    'event: done\ndata: {"answer":"…", …}\n\n'
)
SEARCH_EXAMPLES: Final[dict[str, Example]] = {
    "question": {
        "summary": "The five best chunks",
        "value": {"question": "How do I choose the number of ivfflat lists?", "top_k": 5},
    },
    "explained": {
        "summary": "Why these chunks, and what stands beside each",
        "value": {
            "question": "How do I choose the number of ivfflat lists?",
            "explain": True,
            "neighbors": 1,
        },
    },
    "filtered": {
        "summary": "Only some documents: those of a folder with a tag",
        "value": {
            "question": "How do I choose the number of ivfflat lists?",
            "filter": {"source_prefix": "en/", "metadata": {"lang": "en"}},
        },
    },
    "tree": {
        "summary": "Only some documents: a tree of tests",
        "value": {
            "question": "How do I choose the number of ivfflat lists?",
            "filter": {
                "all": [
                    {"field": "updated_at", "op": "range", "from": "2026-01-01", "to": "2026-12-31"},
                    {
                        "any": [
                            {"field": "language", "op": "equal", "value": "en"},
                            {"field": "metadata.tags", "op": "in", "values": ["index", "索引"]},
                        ]
                    },
                    {"not": {"field": "source", "op": "prefix", "value": "drafts/"}},
                ]
            },
        },
    },
}
SEARCH_REPLY: Final[dict[str, Any]] = {
    "hits": [
        {
            key: _CITATION[key]
            for key in ("chunk_id", "document_id", "source", "title", "page", "heading", "char_start", "char_end")
        }
        | {
            "text": _QUOTE,
            "score": 0.82,
            "scores": {"dense": 0.71, "lexical": 11.4, "rerank": None},
            "rank": 1,
        }
    ],
    "explain": {
        "terms": [{"term": "list", "idf": 3.2}, {"term": "ivfflat", "idf": 2.9}],
        "unknown_share": 0.0,
        "dense_weight": 0.6,
        "window_share": 0.67,
        "search": "exact",
        "probes": None,
        "rows": 320,
        "candidates_per_search": 50,
        "reranked": 0,
        "candidates": [
            {
                "chunk_id": "412",
                "document_id": _DOCUMENT_ID,
                "source": "en/ivfflat.md",
                "dense_rank": 2,
                "dense": 0.71,
                "lexical_rank": 1,
                "lexical": 11.4,
                "window_lexical": 7.2,
                "readability": 1.0,
                "score": 0.82,
                "fused_rank": 1,
                "rerank": None,
                "rank": 1,
                "dropped": None,
                "near_identical_to": None,
            }
        ],
        "stages_ms": {"embed": 9.1, "plan": 0.6, "search": 4.1, "fuse": 0.3, "rerank": 0.0, "load": 1.4},
        "answerability": None,
    },
    "timings_ms": {"embed": 9.1, "retrieve": 6.4, "rerank": 0.0, "total": 15.6},
    "request_id": _REQUEST_ID,
}  # fmt: skip
DOCUMENT: Final[dict[str, Any]] = {
    "id": _DOCUMENT_ID,
    "source": "en/ivfflat.md",
    "title": "Choosing lists and probes",
    "media_type": "text/markdown",
    "language": "en",
    "status": "ready",
    "reason": None,
    "pages": None,
    "chars": 5210,
    "chunks": 4,
    "tokens": 1190,
    "updated_at": _UPDATED_AT,
}
CHAT_EXAMPLES: Final[dict[str, Example]] = {
    "question": {
        "summary": "A question alone",
        "value": {
            "model": "pgask",
            "messages": [{"role": "user", "content": "How do I choose the number of ivfflat lists?"}],
        },
    },
    "streamed": {
        "summary": "A follow-up question to a collection, streamed, without the list of sources",
        "value": {
            "model": "pgask/handbook",
            "messages": [
                {"role": "user", "content": "How do I choose the number of ivfflat lists?"},
                {"role": "assistant", "content": f"{_QUOTE} [1]"},
                {"role": "user", "content": "And how many probes?"},
            ],
            "stream": True,
            "stream_options": {"include_usage": True},
            "pgask": {"source_list": False},
        },
    },
}
CHAT_REPLY: Final[dict[str, Any]] = {
    "id": f"chatcmpl-{_REQUEST_ID}",
    "object": "chat.completion",
    "created": 1795515300,
    "model": "pgask",
    "system_fingerprint": None,
    "choices": [
        {
            "index": 0,
            "message": {
                "role": "assistant",
                "content": f"{_QUOTE} [1]\n\nSources:  \n[1] Choosing lists and probes — en/ivfflat.md",
                "refusal": None,
                "pgask": {
                    "citations": [_CITATION],
                    "abstained": False,
                    "generator": "extractive",
                    "degraded": False,
                    "degraded_reason": None,
                    "standalone_question": "How do I choose the number of ivfflat lists?",
                    "claims": ASK_REPLY["claims"],
                    "kind": "passage",
                    "searched_for": None,
                    "reason": None,
                    "nearest": [],
                    "timings_ms": ASK_REPLY["timings_ms"],
                },
            },
            "logprobs": None,
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
}
CHAT_STREAM: Final = (
    'data: {"object":"chat.completion.chunk","choices":[{"index":0,"delta":{"role":"assistant","content":""},…}],…}\n\n'
    'data: {…"choices":[{"index":0,"delta":{"content":"Start with"},…}],…}\n\n'
    'data: {…"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"pgask":{"citations":[…],…}}\n\n'
    "data: [DONE]\n\n"
)
MODEL_REPLY: Final[dict[str, Any]] = {
    "id": "pgask/default",
    "object": "model",
    "created": 1795515300,
    "owned_by": "pgask",
}
MODEL_LIST: Final[dict[str, Any]] = {
    "object": "list",
    "data": [MODEL_REPLY | {"id": "pgask"}, MODEL_REPLY],
}
SESSION: Final[dict[str, Any]] = {
    "auth": "keys",
    "name": "Ada",
    "role": "writer",
    "tenant": "default",
    "groups": [],
    "token": "q0xYcZ1mJm1n8cKQ2d0o4J3i7nQW7wq0m3mB8m9e2kE",
}
DELETED: Final[dict[int | str, dict[str, Any]]] = {204: {"description": "It is gone"}}
DOCUMENT_LIST: Final[dict[str, Any]] = {"documents": [DOCUMENT], "next_cursor": None}
DOCUMENT_DETAIL: Final[dict[str, Any]] = DOCUMENT | {
    "collection": "default",
    "reason_detail": None,
    "duplicate_of": None,
    "size_bytes": 5398,
    "unknown_tokens": 0,
    "unknown_share": 0.0,
    "is_unreadable": False,
    "page_spans": [],
    "sections": [{"char_start": 0, "char_end": 5210, "heading_path": ["ivfflat"]}],
    "metadata": {"lang": "en"},
    "dropped": {},
    "lost_share": 0.0,
    "is_lossy": False,
    "created_at": _UPDATED_AT,
}
TEXT: Final[dict[str, Any]] = {
    "text": _QUOTE,
    "start": 120,
    "end": 120 + len(_QUOTE),
    "total_chars": 5210,
}
COLLECTION: Final[dict[str, Any]] = {
    "name": "default",
    "documents": 30,
    "chunks": 122,
    "model": "all-MiniLM-L6-v2",
    "created_at": _UPDATED_AT,
}
READINESS: Final[dict[str, Any]] = {
    "status": "ready",
    "checks": {
        "database": {"ok": True, "detail": "reachable"},
        "migrations": {"ok": True, "detail": "at 0001"},
        "embedding": {"ok": True, "detail": "all-MiniLM-L6-v2 agrees with the stored vectors"},
    },
}
_PROBLEMS: Final[dict[int, tuple[str, str, str]]] = {
    400: ("bad_request", "The request can't be read", "The body can't be read as JSON."),
    401: ("unauthenticated", "A key is needed", "This service asks for a key: send Authorization: …"),
    403: ("forbidden", "Not allowed", "This needs the role writer; this key's is reader. …"),
    408: ("request_timeout", "The request came too slowly", "The request's body did not come in time …"),
    404: ("not_found", "Not found", "There is no collection 'handbook'. GET /collections lists them."),
    409: ("embedding_mismatch", "The embedding model does not fit the stored vectors", "…"),
    413: ("body_too_large", "The request is too large", "The request's body is larger than …"),
    415: ("unsupported_media_type", "JSON is expected", "Send the body as JSON, …"),
    421: ("bad_host", "Wrong host", "This service answers to 127.0.0.1, …"),
    422: ("invalid_request", "The request is not valid", "top_k: Input should be less than or equal to 50."),
    429: ("too_many_requests", "Too many questions at once", "32 questions are being answered now; …"),
    503: ("store_unavailable", "The database can't be reached", "The database can't be reached just now. …"),
}
ANYWHERE: Final = (400, 401, 403, 408, 413, 421, 503)  # what any request may meet
_PROBLEM_SCHEMA: Final = Problem.model_json_schema()


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of an operation that may answer with problems of these statuses, and of those of ANYWHERE."""
    return {
        status: {
            "description": title,
            "content": {
                MEDIA_TYPE: {
                    "schema": _PROBLEM_SCHEMA,
                    "example": {
                        "type": "about:blank",
                        "code": code,
                        "title": title,
                        "detail": detail,
                        "status": status,
                        "request_id": _REQUEST_ID,
                    },
                }
            },
        }
        for status, (code, title, detail) in _PROBLEMS.items()
        if status in statuses or status in ANYWHERE
    }


def openai_errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of an operation under /v1 that may answer with errors of these statuses."""
    others = {"4XX": {"description": "Every other fault of the request, in the same form"}}
    return others | {
        openai_status(status): {
            "description": title,
            "content": {
                "application/json": {
                    "schema": {"type": "object", "required": ["error"]},
                    "example": openai_error(status, code, detail, None),
                }
            },
        }
        for status, (code, title, detail) in _PROBLEMS.items()
        if status in statuses
    }


def example(value: dict[str, Any], status: int = 200) -> dict[int | str, dict[str, Any]]:
    """The `responses` entry that shows `value` as an operation's JSON reply."""
    return {status: {"content": {"application/json": {"example": value}}}}
