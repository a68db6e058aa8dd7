"""Entry points of the commands `pgask`, `ingest` and `rag-eval`; imports nothing until one is called.

Loading a command's modules takes up to seconds, in which a Ctrl-C would end in a traceback out of somebody's import.
Nothing is open by then, so the process simply leaves.
"""

from __future__ import annotations

import importlib
import os
import signal
from typing import Final

INTERRUPTED: Final = 130  # what a shell says of a command that Ctrl-C ended


def pgask() -> None:
    """The `pgask` command."""
    _run("app.cli")


def ingest() -> None:
    """The `ingest` command."""
    _run("ingest.cli")


def rag_eval() -> None:
    """The `rag-eval` command."""
    _run("eval.cli")


def _run(module: str) -> None:
    usual = signal.getsignal(signal.SIGINT)
    if usual is signal.default_int_handler:  # else it is ignored, as in a shell's background job
        signal.signal(signal.SIGINT, _leave)
    main = importlib.import_module(module).main
    signal.signal(signal.SIGINT, usual)
    main()


def _leave(*_: object) -> None:
    os._exit(INTERRUPTED)
