"""Takes from the child what a parser does not need: memory, time, files, network, processes.

Limits of resources hold on every POSIX system; the filters of files and system calls on Linux. What the machine can't
do is left out and told: see Confinement.
"""

from __future__ import annotations

import os
import resource
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from ingest.sandbox.landlock import allow_reading_only
from ingest.sandbox.seccomp import filter_calls

MEMORY_BYTES = 512 * 2**20  # above what the process has when it starts
CPU_S = 60  # of one file
_OPEN_FILES = 32
_PROCESSES = 0


@dataclass(frozen=True, slots=True)
class Confinement:
    """What holds: `memory` an address space limit, `calls` the filter of system calls, `files` that of reading."""

    memory: bool
    calls: bool
    files: bool

    def as_dict(self) -> dict[str, bool]:
        """Return it for JSON."""
        return asdict(self)


def confine(
    gauge: MemoryGauge, memory_bytes: int = MEMORY_BYTES, *, allow_threads: bool = False
) -> Confinement:
    """Confine this process for good. Modules that parsers need must have been imported before. With `allow_threads` the
    filter of calls alone sees to it that it starts no process."""
    root = Path(__file__).resolve().parents[2]
    folders = [Path(sys.prefix), Path(sys.base_prefix), *(root / name for name in ("app", "ingest"))]
    folders += [
        Path(entry) for entry in sys.path if entry and Path(entry).name in {"site-packages", "lib-dynload"}
    ]
    files = allow_reading_only(folders)
    used = gauge.size_bytes()
    if used:
        resource.setrlimit(resource.RLIMIT_AS, (used + memory_bytes, used + memory_bytes))
    for kind, limit in (
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
        *(() if allow_threads else ((resource.RLIMIT_NPROC, _PROCESSES),)),  # it counts threads too
    ):
        resource.setrlimit(kind, (limit, limit))
    return Confinement(memory=used > 0, calls=filter_calls(allow_threads=allow_threads), files=files)


def allow_cpu(seconds: int) -> None:
    """Let this process use so many more seconds of CPU; then it is killed by SIGXCPU."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    used = int(usage.ru_utime + usage.ru_stime)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (used + seconds + 1, hard))


class MemoryGauge:
    """Tells how much address space this process has; opened before it is confined, since files can't be after."""

    def __init__(self) -> None:
        try:
            self._status = os.open("/proc/self/status", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:  # not Linux: nothing is told, and nothing limited
            self._status = -1

    def size_bytes(self) -> int:
        """Return the size now; 0 where the system does not say."""
        return self._read(b"VmSize")

    def peak_bytes(self) -> int:
        """Return the largest size so far; 0 where the system does not say."""
        return self._read(b"VmPeak")

    def _read(self, name: bytes) -> int:
        if self._status < 0:
            return 0
        status = os.pread(self._status, 4096, 0)
        return int(status.partition(name + b":")[2].split()[0]) * 1024
