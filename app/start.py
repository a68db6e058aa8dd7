"""Entry points of the commands `pgask`, `ingest` and `rag-eval`; imports nothing large until one is called.

Loading a command's modules takes up to seconds, in which a Ctrl-C would end in a traceback out of somebody's import;
one while the interpreter ends would, too. Nothing is open then, so the process simply leaves.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import signal
import sys

INTERRUPTED = 130  # what a shell says of a command that Ctrl-C ended


def pgask() -> None:
    """The `pgask` command."""
    _run("app.cli")


def ingest() -> None:
    """The `ingest` command."""
    _run("ingest.cli")


def rag_eval() -> None:
    """The `rag-eval` command."""
    _run("eval.__main__")


def _run(module: str) -> None:
    usual = signal.getsignal(signal.SIGINT)
    # Else it is ignored, as in a shell's background job.
    early = _leave if usual is signal.default_int_handler else usual
    signal.signal(signal.SIGINT, early)
    main = importlib.import_module(module).main
    signal.signal(signal.SIGINT, usual)
    try:
        main()
    finally:
        with contextlib.suppress(OSError):  # the reader of a pipe may be gone, as the interpreter will say
            sys.stdout.flush()
        signal.signal(signal.SIGINT, early)


def _leave(*_: object) -> None:
    os._exit(INTERRUPTED)
