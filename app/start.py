"""Entry points of the commands `pgask`, `ingest` and `rag-eval`; imports nothing until one is called.

Loading a command's modules takes up to seconds, in which a Ctrl-C would end in a traceback out of somebody's import;
one while the interpreter ends would, too. Nothing is open then, so the process simply leaves. Only the interpreter's
own start comes before: `_signal` and no `typing`, since that and the enums of `signal` took 7 of the 9 ms until the
handler stood.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]
import os
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
    _run("eval.cli")


def _run(module: str) -> None:
    usual = _signal.getsignal(_signal.SIGINT)
    # Else it is ignored, as in a shell's background job.
    early = _leave if usual is _signal.default_int_handler else usual
    _signal.signal(_signal.SIGINT, early)
    import contextlib
    import importlib

    main = importlib.import_module(module).main
    _signal.signal(_signal.SIGINT, usual)
    try:
        main()
    finally:
        with contextlib.suppress(OSError):  # the reader of a pipe may be gone, as the interpreter will say
            sys.stdout.flush()
        _signal.signal(_signal.SIGINT, early)


def _leave(*_: object) -> None:
    os._exit(INTERRUPTED)
