"""What the machine computes on and in; asks torch only where a GPU may be, since importing it takes seconds."""

from __future__ import annotations

import os
import sys
from functools import lru_cache
from pathlib import Path
from typing import Final

# Linux has one of these where a driver for NVIDIA, AMD or (in WSL) any GPU is loaded.
_GPU_FILES: Final = ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg")


_MOST_STREAMS: Final = 8
# Linux's names of flags, and what people call them; the fastest first.
_INSTRUCTION_SETS: Final = {
    "amx_bf16": "AMX-BF16",
    "avx512_bf16": "AVX512-BF16",
    "avx512_vnni": "AVX512-VNNI",
    "avx_vnni": "AVX-VNNI",
    "avx512f": "AVX512",
    "avx2": "AVX2",
    "avx": "AVX",
}
# How many times as many tokens int8 embeds in a second as what is used without it, measured with all-MiniLM-L6-v2
# (eval/LOG.md, 2026-11-30). Without VNNI's sums of four products AVX2 needs three instructions for them.
INT8_GAIN: Final = {"AVX512-BF16": 1.5, "AVX512-VNNI": 2.5, "AVX-VNNI": 2.0, "AVX512": 1.5, "AVX2": 0.7}
BFLOAT16_SETS: Final = frozenset({"AMX-BF16", "AVX512-BF16"})


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def cpu_streams() -> int:
    """How many batches to encode at once on a CPU, each on one processor or an equal share of them.

    Where one batch is on all processors, each of its layers waits for the slowest: for one that the parser, the
    tokenizer, PostgreSQL or anything else is on.
    """
    return min(processors(), _MOST_STREAMS)


def resolve_device(device: str) -> str:
    """The device that "auto" means here: "cuda" where torch can use one, else "cpu"; others as they are."""
    if device != "auto":
        return device
    if sys.platform == "linux" and not any(Path(file).exists() for file in _GPU_FILES):
        return "cpu"
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


@lru_cache(maxsize=4)
def computes_bfloat16(device: str) -> bool:
    """Whether the hardware multiplies bfloat16 natively (2.3 times fp32 on AVX512-BF16, cosine to fp32 .9999)."""
    if device.startswith("cuda"):
        import torch

        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return instruction_set() in BFLOAT16_SETS


@lru_cache(maxsize=1)
def instruction_set(cpuinfo: Path = Path("/proc/cpuinfo")) -> str | None:
    """The most that the processors multiply with, by its usual name; None where the system doesn't say."""
    text = cpuinfo.read_text("utf-8", errors="ignore") if cpuinfo.exists() else ""
    flags = set(next((line for line in text.splitlines() if line.startswith("flags")), "").split())
    return next((name for flag, name in _INSTRUCTION_SETS.items() if flag in flags), None)


def is_bfloat16(dtype: str, device: str) -> bool:
    """Whether the setting `dtype` means bfloat16 on `device`."""
    return dtype == "bfloat16" or (dtype == "auto" and computes_bfloat16(device))
