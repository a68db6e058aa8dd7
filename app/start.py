"""Entry points of the commands `pgask`, `ingest` and `rag-eval`; imports nothing until one is called.

Loading a command's modules takes up to seconds, in which a Ctrl-C would end in a traceback out of somebody's import.
Nothing is open by then, so the process simply leaves. Only the interpreter's own start comes before: `_signal` and no
`typing`, since the enums of `signal` and those took 7 of the 9 ms until the handler stood.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]
import os

INTERRUPTED = 130  # what a shell says of a command that Ctrl-C ended


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
    usual = _signal.getsignal(_signal.SIGINT)
    if usual is _signal.default_int_handler:  # else it is ignored, as in a shell's background job
        _signal.signal(_signal.SIGINT, _leave)
    import importlib

    main = importlib.import_module(module).main
    _signal.signal(_signal.SIGINT, usual)
    main()


def _leave(*_: object) -> None:
    os._exit(INTERRUPTED)
