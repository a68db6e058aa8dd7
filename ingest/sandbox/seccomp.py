"""A filter of system calls for the child: no network, no new processes, no change to any file. Threads where asked.

Linux on x86-64 and AArch64; elsewhere nothing is filtered. The filter lists what is refused (with EPERM) rather than
what is allowed, since the C libraries of the parsers choose their calls themselves. Format of a filter: seccomp(2)
and linux/filter.h.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 38, 22, 2
_LOAD, _JUMP_EQUAL, _JUMP_AT_LEAST, _JUMP_ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _REFUSE, _UNKNOWN = 0x7FFF0000, 0x00050000 | errno.EPERM, 0x00050000 | errno.ENOSYS
_CLONE_THREAD = 0x00010000
_CLONE3 = 435  # the same on all architectures; what it makes can't be told by a filter, so libraries are sent to clone
_AT_NUMBER, _AT_ARCHITECTURE, _AT_ARGUMENTS = 0, 4, 16
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_X32_BIT = 0x40000000  # a second numbering of x86-64's calls


@dataclass(frozen=True, slots=True)
class _Calls:
    architecture: int  # AUDIT_ARCH_*
    refused: frozenset[int]
    clone: int  # makes processes and threads; its first argument has the flags
    opens: dict[int, int]  # call that opens a file → the index of its argument with the flags


# Number on x86-64 (asm/unistd_64.h) and on AArch64 (asm-generic/unistd.h), None: there is no such call.
REFUSED: Final[Mapping[str, tuple[int | None, int | None]]] = {
    # network
    "socket": (41, 198), "connect": (42, 203), "accept": (43, 202), "sendto": (44, 206),
    "sendmsg": (46, 211), "bind": (49, 200), "listen": (50, 201), "socketpair": (53, 199),
    "accept4": (288, 242), "sendmmsg": (307, 269),
    # processes
    "clone": (56, 220), "fork": (57, None), "vfork": (58, None), "execve": (59, 221),
    "execveat": (322, 281), "clone3": (435, 435), "kill": (62, 129), "tkill": (200, 130),
    "rt_sigqueueinfo": (129, 138), "rt_tgsigqueueinfo": (297, 240), "pidfd_send_signal": (424, 424),
    # other processes' memory and files
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "pidfd_getfd": (438, 438),
    # names, modes, owners, times and sizes of files
    "truncate": (76, 45), "ftruncate": (77, 46), "rename": (82, None), "renameat": (264, 38),
    "renameat2": (316, 276), "mkdir": (83, None), "mkdirat": (258, 34), "rmdir": (84, None),
    "creat": (85, None), "link": (86, None), "linkat": (265, 37), "unlink": (87, None),
    "unlinkat": (263, 35), "symlink": (88, None), "symlinkat": (266, 36), "chmod": (90, None),
    "fchmod": (91, 52), "fchmodat": (268, 53), "chown": (92, None), "fchown": (93, 55),
    "lchown": (94, None), "fchownat": (260, 54), "utime": (132, None), "utimes": (235, None),
    "futimesat": (261, None), "utimensat": (280, 88), "mknod": (133, None), "mknodat": (259, 33),
    "setxattr": (188, 5), "lsetxattr": (189, 6), "fsetxattr": (190, 7), "fallocate": (285, 47),
    "openat2": (437, 437),
    "removexattr": (197, 14), "lremovexattr": (198, 15), "fremovexattr": (199, 16), "fchmodat2": (452, 452),
    # the kernel's own interfaces
    "pivot_root": (155, 41), "chroot": (161, 51), "mount": (165, 40), "umount2": (166, 39),
    "reboot": (169, 142), "iopl": (172, None), "ioperm": (173, None), "init_module": (175, 105),
    "finit_module": (313, 273), "delete_module": (176, 106), "kexec_load": (246, 104),
    "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219), "unshare": (272, 97),
    "setns": (308, 268), "perf_event_open": (298, 241), "open_by_handle_at": (304, 265),
    "memfd_create": (319, 279), "bpf": (321, 280), "userfaultfd": (323, 282), "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426), "io_uring_register": (427, 427),
    "kexec_file_load": (320, 294), "open_tree": (428, 428), "move_mount": (429, 429), "fsopen": (430, 430),
    "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433), "mount_setattr": (442, 442),
}  # fmt: skip


_MACHINES: Final = {
    "x86_64": _Calls(
        0xC000003E, frozenset(x for x, _ in REFUSED.values() if x is not None), 56, {2: 1, 257: 2}
    ),
    "aarch64": _Calls(
        0xC00000B7, frozenset(arm for _, arm in REFUSED.values() if arm is not None), 220, {56: 2}
    ),
}


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def filter_calls(*, allow_threads: bool = False) -> bool:
    """Filter this process's system calls from now on, for good; tell whether the kernel took the filter."""
    calls = _MACHINES.get(platform.machine())
    if platform.system() != "Linux" or calls is None:
        return False
    program = _assemble(calls, allow_threads=allow_threads)
    libc = ctypes.CDLL(None, use_errno=True)
    filter_program = _Program(len(program) // 8, program)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return False
    taken: int = libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(filter_program), 0, 0)
    return taken == 0


def _assemble(calls: _Calls, *, allow_threads: bool) -> bytes:
    """Write the filter: jumps count the instructions to skip, from the next one on."""
    tail = [(_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _REFUSE)]
    steps: list[tuple[int, int, int, int]] = [(_LOAD, 0, 0, _AT_ARCHITECTURE)]
    refused = calls.refused - ({calls.clone, _CLONE3} if allow_threads else set())
    after = len(refused) + 3 * len(calls.opens)
    threads = [
        (_JUMP_EQUAL, 0, 1, _CLONE3),
        (_RETURN, 0, 0, _UNKNOWN),
        (_JUMP_EQUAL, 0, 4, calls.clone),
        (_LOAD, 0, 0, _AT_ARGUMENTS),
        (_JUMP_ANY_BIT, 0, 1, _CLONE_THREAD),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _REFUSE),
    ]
    before = len(threads) if allow_threads else 0
    steps.append((_JUMP_EQUAL, 0, before + after + 3, calls.architecture))
    steps.append((_LOAD, 0, 0, _AT_NUMBER))
    steps.append((_JUMP_AT_LEAST, before + after + 1, 0, _X32_BIT))
    if allow_threads:
        steps += threads
    for index, number in enumerate(sorted(refused)):
        steps.append((_JUMP_EQUAL, after - index, 0, number))
    for index, (number, argument) in enumerate(sorted(calls.opens.items())):
        left = 3 * (len(calls.opens) - index - 1)
        steps.append((_JUMP_EQUAL, 0, 2, number))
        steps.append((_LOAD, 0, 0, _AT_ARGUMENTS + 8 * argument))
        steps.append((_JUMP_ANY_BIT, left + 1, left, _WRITING))  # the low half of the argument
    steps += tail
    return b"".join(struct.pack("=HBBI", *step) for step in steps)
