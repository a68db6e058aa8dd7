"""ISO 8601 days and times as PostgreSQL reads them without fail; pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

# ISO 8601 as PostgreSQL reads it without fail: a day that exists, then perhaps a time and a zone. The same expression
# in Python and in PostgreSQL, hence [0-9]: \d also means digits of other scripts.
_DAY: Final = (
    r"(?!0000)(?:[0-9]{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
    r"|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))"
    r"|(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:0[48]|[2468][048]|[13579][26])00)-02-29)"
)
_TIME: Final = r"[T ](?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,6})?)?"
_ZONE: Final = r"(?:Z|[+-](?:0[0-9]|1[0-4]):[0-5][0-9])"
MOMENT: Final = f"^{_DAY}(?:{_TIME}{_ZONE}?)?$"
ZONED: Final = f"[T ].*{_ZONE}$"
_is_moment = re.compile(MOMENT.removesuffix("$") + r"\Z").match


def time_span(text: str) -> tuple[datetime, datetime] | None:
    """The first moment of an ISO 8601 day or time and the first one after it; None where the text is neither.

    Without a zone it is UTC's. A time is a microsecond long.

    >>> [str(moment) for moment in time_span("2024-02-29") or ()]
    ['2024-02-29 00:00:00+00:00', '2024-03-01 00:00:00+00:00']
    >>> time_span("2023-02-29"), time_span("yesterday")
    (None, None)
    """
    if not _is_moment(text):
        return None
    start = datetime.fromisoformat(text)
    start = start if start.tzinfo else start.replace(tzinfo=UTC)
    length = timedelta(days=1) if len(text) == len("2024-02-29") else timedelta(microseconds=1)
    try:
        return start, start + length
    except OverflowError:  # the last day that Python knows
        return start, datetime.max.replace(tzinfo=start.tzinfo)
