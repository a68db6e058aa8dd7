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
    flags = Path("/proc/cpuinfo")
    text = flags.read_text("utf-8", errors="ignore") if flags.exists() else ""
    return " avx512_bf16" in text or " amx_bf16" in text


def is_bfloat16(dtype: str, device: str) -> bool:
    """Whether the setting `dtype` means bfloat16 on `device`."""
    return dtype == "bfloat16" or (dtype == "auto" and computes_bfloat16(device))
