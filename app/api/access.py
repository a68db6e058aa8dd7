"""Who may do what: the only table from routes to roles, and the order of roles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from app.domain import Role

Needed = Role | Literal["anyone", "known", "operator"]
"""What a route asks for: `anyone` who reaches the port, whoever is `known`, a role, or for what is all tenants' an
`operator`: an admin of PGASK_TENANT's."""

# Every route of the API has a line here: tests/integration/api/test_api_access.py fails for one that has none, and the
# service refuses it to everybody.
ACCESS: Final[Mapping[tuple[str, str], Needed]] = {
    ("GET", "/healthz"): "anyone",
    ("GET", "/readyz"): "anyone",
    ("GET", "/openapi.json"): "anyone",
    ("POST", "/session"): "anyone",
    ("GET", "/session"): "known",
    ("DELETE", "/session"): "known",
    ("POST", "/ask"): "reader",
    ("GET", "/ask/{stream_id}"): "reader",
    ("DELETE", "/ask/{stream_id}"): "reader",
    ("POST", "/search"): "reader",
    ("GET", "/v1/models"): "reader",
    ("GET", "/v1/models/{model:path}"): "reader",
    ("GET", "/v1/models/"): "reader",
    ("POST", "/v1/chat/completions"): "reader",
    ("POST", "/v1/chat/completions/"): "reader",
    ("GET", "/collections"): "reader",
    ("POST", "/collections"): "writer",
    ("PATCH", "/collections/{name}"): "writer",
    ("DELETE", "/collections/{name}"): "writer",
    ("GET", "/documents"): "reader",
    ("POST", "/documents"): "writer",
    ("POST", "/documents/plan"): "writer",
    ("POST", "/documents/reingest"): "writer",
    ("POST", "/documents/{document_id}/reingest"): "writer",
    ("GET", "/documents/{document_id}"): "reader",
    ("GET", "/documents/{document_id}/text"): "reader",
    ("GET", "/documents/{document_id}/original"): "reader",
    ("GET", "/documents/{document_id}/pages"): "reader",
    ("GET", "/documents/{document_id}/pages/{number}.png"): "reader",
    ("GET", "/documents/{document_id}/pages/{number}/lines"): "reader",
    ("GET", "/documents/{document_id}/boxes"): "reader",
    ("PATCH", "/documents/{document_id}"): "writer",
    ("DELETE", "/documents/{document_id}"): "writer",
    ("POST", "/mcp"): "reader",
    ("GET", "/conversations"): "reader",
    ("DELETE", "/conversations"): "reader",
    ("GET", "/conversations/{conversation_id}"): "reader",
    ("PUT", "/conversations/{conversation_id}"): "reader",
    ("DELETE", "/conversations/{conversation_id}"): "reader",
    ("POST", "/feedback"): "reader",
    ("GET", "/feedback"): "admin",
    ("GET", "/jobs"): "writer",
    ("GET", "/jobs/{job_id}"): "writer",
    ("GET", "/jobs/{job_id}/events"): "writer",
    ("POST", "/jobs/{job_id}/retry"): "writer",
    ("POST", "/jobs/{job_id}/cancel"): "writer",
    ("GET", "/metrics"): "operator",
    ("GET", "/status"): "operator",
}

_LEAST: Final[Mapping[Needed, Role]] = {
    "anyone": "reader",
    "known": "reader",
    "reader": "reader",
    "writer": "writer",
}
_ORDER: Final[tuple[Role, ...]] = ("reader", "writer", "admin")


def allows(role: Role, needed: Needed) -> bool:
    """Whether a role is enough; of an operator's tenant nothing is said.

    >>> allows("writer", "reader"), allows("reader", "writer"), allows("reader", "known")
    (True, False, True)
    """
    return _ORDER.index(role) >= _ORDER.index(_LEAST.get(needed, "admin"))
