"""What the memory benchmark looks at: the process and every child, whichever thread started it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

from eval.bench.ingest_memory import processes_of


def test_children_of_every_thread_are_seen_and_those_that_ended_are_not() -> None:
    children: list[subprocess.Popen[bytes]] = []
    done = threading.Event()

    def start() -> None:
        children.append(subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE))
        done.wait()

    thread = threading.Thread(target=start)
    thread.start()
    try:
        while not children:
            thread.join(0.01)
        (child,) = children
        sizes = dict(processes_of(os.getpid()))
        assert sizes.keys() >= {os.getpid(), child.pid}
        assert sizes[os.getpid()] > 1_000_000
        child.communicate(b"\n")
        assert child.pid not in dict(processes_of(os.getpid()))
    finally:
        done.set()
        thread.join()
