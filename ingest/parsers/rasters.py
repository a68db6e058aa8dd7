"""Pictures as arrays, for whoever reads them by OCR; numpy and nothing else."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]  # (height, width, 3), blue, green, red

_LEAST_CONTRAST: Final = (
    3.0  # standard deviation of the brightness, 0 to 255; one line of text on a page makes 10
)


def as_picture(pixels: npt.NDArray[Any]) -> Picture:
    """Pixels of one, three or four channels as those of three, in memory of their own."""
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[:, :, None], 3, axis=2)
    return np.array(pixels[:, :, :3], dtype=np.uint8, order="C")


def is_blank(picture: Picture) -> bool:
    """Whether there is nothing to see, so that nobody misses text."""
    return float(picture[:, :, 1].std()) < _LEAST_CONTRAST


def quarter_turned(picture: Picture, turns: int) -> Picture:
    """The picture turned clockwise by quarters."""
    return np.ascontiguousarray(np.rot90(picture, -turns))
