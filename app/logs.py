"""Structured logs on standard error; one line an event, nothing secret, no question text unless it is asked for.

What libraries log, warnings, and errors that end a thread take the same form.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from types import TracebackType
from typing import Any, Final

import structlog
from structlog.stdlib import ProcessorFormatter

DRIVER_LOGGERS: Final = ("psycopg", "psycopg.pool")
QUIET_S: Final = 60.0  # after a line of the pool of connections
_STAMP: Final = structlog.processors.TimeStamper(fmt="iso", utc=True)


class DriverNews(logging.Filter):
    """One line a minute in place of the many in which PostgreSQL's driver tells of each connection that it finds closed
    or can't open, in words that say what follows from it; none of errors that it raises as well."""

    def __init__(self) -> None:
        super().__init__()
        self._last: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a line is written; its words are ours then."""
        said = " ".join(record.getMessage().split())
        if said.startswith("error ignored"):  # behind another one, which is raised
            return False
        if said.startswith("discarding closed connection"):
            event = "PostgreSQL has closed connections; new ones are opened"
        elif said.startswith("error connecting"):
            words = said.partition(": ")[2][:300]
            event = f"no connection to PostgreSQL; it is tried again until there is one. `pgask doctor` helps: {words}"
        else:
            return True
        now, kind = time.monotonic(), event.partition(";")[0]
        if now < self._last.get(kind, -QUIET_S) + QUIET_S:
            return False
        self._last[kind] = now
        record.msg, record.args = event, ()
        return True


def configure_logs(level: str) -> None:
    """Log events of at least `level` to standard error, of libraries warnings and worse: readable on a terminal, JSON
    elsewhere."""
    threshold = getattr(logging, level.upper())
    renderer: structlog.types.Processor = (
        structlog.dev.ConsoleRenderer(colors=True)
        if sys.stderr.isatty()
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    of_libraries = logging.StreamHandler(sys.stderr)
    of_libraries.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=[
                structlog.contextvars.merge_contextvars,
                structlog.stdlib.add_logger_name,
                structlog.stdlib.add_log_level,
                _STAMP,
            ],
            processors=[
                ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                renderer,
            ],
        )
    )
    logging.basicConfig(level=max(threshold, logging.WARNING), handlers=[of_libraries], force=True)
    for name in DRIVER_LOGGERS:
        logging.getLogger(name).filters = [DriverNews()]
    logging.captureWarnings(True)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            _STAMP,
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


def log_stray_errors() -> None:
    """Log what ends a thread or is raised where nobody can catch it, which Python prints as plain text. For a process
    that is the service and nothing else."""
    log = structlog.get_logger(__name__)

    def of_thread(failed: threading.ExceptHookArgs) -> None:
        if failed.exc_value is not None and failed.exc_type is not SystemExit:
            name = failed.thread.name if failed.thread else "unknown"
            log.error("a thread ended with an error", thread=name, exc_info=failed.exc_value)

    def of_unraisable(failed: Any) -> None:  # sys.UnraisableHookArgs, which only type checkers know
        log.error("an error where none can be raised", at=failed.err_msg, exc_info=failed.exc_value)

    def of_process(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
        else:
            log.critical("the process ends with an error", exc_info=error)

    threading.excepthook = of_thread
    sys.unraisablehook = of_unraisable
    sys.excepthook = of_process
