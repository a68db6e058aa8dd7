"""Structured logs on standard error; one line an event, nothing secret, no question text unless it is asked for."""

from __future__ import annotations

import logging
import sys

import structlog


def configure_logs(level: str) -> None:
    """Log events of at least `level` to standard error: readable on a terminal, JSON elsewhere."""
    threshold = getattr(logging, level.upper())
    logging.basicConfig(
        level=max(threshold, logging.WARNING), stream=sys.stderr, format="%(message)s", force=True
    )
    renderer = (
        structlog.dev.ConsoleRenderer(colors=True)
        if sys.stderr.isatty()
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
