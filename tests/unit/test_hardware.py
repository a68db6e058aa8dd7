"""What the machine computes with, as Linux tells it."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.encoders.hardware import instruction_set


@pytest.mark.parametrize(
    ("flags", "name"),
    [
        ("fpu avx avx2 avx512f avx512_bf16 amx_bf16", "AMX-BF16"),
        ("fpu avx avx2 avx512f avx512_bf16", "AVX512-BF16"),
        ("avx512f avx2", "AVX512"),
        ("avx512f avx512_vnni avx_vnni avx2", "AVX512-VNNI"),
        ("avx2 avx_vnni", "AVX-VNNI"),
        ("fpu avx2 avx", "AVX2"),
        ("fpu sse4_2 avx_vnni_int8", None),  # a name within a name is another one
    ],
)
def test_the_fastest_set_is_told(tmp_path: Path, flags: str, name: str | None) -> None:
    (tmp_path / "cpuinfo").write_text(f"processor\t: 0\nflags\t\t: {flags}\n\nprocessor\t: 1\n")
    assert instruction_set(tmp_path / "cpuinfo") == name


def test_a_system_that_doesn_t_say(tmp_path: Path) -> None:
    assert instruction_set(tmp_path / "none") is None
