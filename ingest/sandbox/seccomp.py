"""A filter of system calls for the child: no network, no new processes, no change to any file.

Linux on x86-64 and AArch64; elsewhere nothing is filtered. The filter lists what is refused (with EPERM) rather than
what is allowed, since the C libraries of the parsers choose their calls themselves. Format of a filter: seccomp(2)
and linux/filter.h; numbers: asm/unistd_64.h and asm-generic/unistd.h.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
from dataclasses import dataclass

_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 38, 22, 2
_LOAD, _JUMP_EQUAL, _JUMP_AT_LEAST, _JUMP_ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | errno.EPERM
_AT_NUMBER, _AT_ARCHITECTURE, _AT_ARGUMENTS = 0, 4, 16
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_X32_BIT = 0x40000000  # a second numbering of x86-64's calls


@dataclass(frozen=True, slots=True)
class _Calls:
    architecture: int  # AUDIT_ARCH_*
    refused: frozenset[int]
    opens: dict[int, int]  # call that opens a file → the index of its argument with the flags


# network; processes; other processes' memory; names, modes and sizes of files; the kernel's own interfaces
_X86_64 = _Calls(
    0xC000003E,
    frozenset({41, 42, 43, 44, 46, 49, 50, 53, 288, 307})
    | frozenset({56, 57, 58, 59, 62, 200, 322, 435})
    | frozenset({101, 310, 311})
    | frozenset(
        {76, 77, 82, 83, 84, 85, 86, 87, 88, 90, 91, 92, 93, 94, 132, 133, 188, 189, 190, 235, 258, 259, 260}
    )
    | frozenset({261, 263, 264, 265, 266, 268, 280, 285, 316, 437})
    | frozenset(
        {155, 161, 165, 166, 169, 172, 173, 175, 176, 246, 248, 249, 250, 272, 298, 304, 308, 313, 319, 321}
    )
    | frozenset({323, 425, 426, 427}),
    {2: 1, 257: 2},
)
_AARCH64 = _Calls(
    0xC00000B7,
    frozenset({198, 199, 200, 201, 202, 203, 206, 211, 242, 269})
    | frozenset({129, 130, 220, 221, 281, 435})
    | frozenset({117, 270, 271})
    | frozenset({5, 6, 7, 33, 34, 35, 36, 37, 38, 45, 46, 47, 52, 53, 54, 55, 88, 276, 437})
    | frozenset({39, 40, 41, 51, 97, 104, 105, 106, 142, 217, 218, 219, 241, 265, 268, 273, 279, 280, 282})
    | frozenset({425, 426, 427}),
    {56: 2},
)
_MACHINES = {"x86_64": _X86_64, "aarch64": _AARCH64}


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def filter_calls() -> bool:
    """Filter this process's system calls from now on, for good; tell whether the kernel took the filter."""
    calls = _MACHINES.get(platform.machine())
    if platform.system() != "Linux" or calls is None:
        return False
    program = _assemble(calls)
    libc = ctypes.CDLL(None, use_errno=True)
    filter_program = _Program(len(program) // 8, program)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return False
    taken: int = libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(filter_program), 0, 0)
    return taken == 0


def _assemble(calls: _Calls) -> bytes:
    """Write the filter: jumps count the instructions to skip, from the next one on."""
    tail = [(_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _REFUSE)]
    steps: list[tuple[int, int, int, int]] = [(_LOAD, 0, 0, _AT_ARCHITECTURE)]
    after = len(calls.refused) + 3 * len(calls.opens)
    steps.append((_JUMP_EQUAL, 0, after + 3, calls.architecture))
    steps.append((_LOAD, 0, 0, _AT_NUMBER))
    steps.append((_JUMP_AT_LEAST, after + 1, 0, _X32_BIT))
    for index, number in enumerate(sorted(calls.refused)):
        steps.append((_JUMP_EQUAL, after - index, 0, number))
    for index, (number, argument) in enumerate(sorted(calls.opens.items())):
        left = 3 * (len(calls.opens) - index - 1)
        steps.append((_JUMP_EQUAL, 0, 2, number))
        steps.append((_LOAD, 0, 0, _AT_ARGUMENTS + 8 * argument))
        steps.append((_JUMP_ANY_BIT, left + 1, left, _WRITING))  # the low half of the argument
    steps += tail
    return b"".join(struct.pack("=HBBI", *step) for step in steps)
