"""Pictures of pages → lines of text, by rapidocr's models of Chinese and English on OpenVINO. No network.

Runs in the confined child alone (ingest/sandbox): packages, models, which lie in rapidocr's own, and threads must be
there before that is confined.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from ingest.parsers.rasters import Picture, quarter_turned
from ingest.parsers.scans import Reading, ReadLine

_NEEDED: Final = ("rapidocr", "openvino", "pi_heif")
_MAX_SIDE: Final = 5_000  # pixels of a picture that lines are cut from
_FIND_SIDE: Final = 1_536  # of the one that lines are looked for in
_LOOK_SIDE: Final = 736  # of the one that tells a page from a photograph
_LEAST_LINES: Final = 3  # on that, of a page
_BATCH: Final = 4  # lines that are read together
_VOTERS: Final = 12  # lines that are asked which way is up
_VOTER_SHAPE: Final = 4  # times as wide as high is what the model that tells it looks at
_ON_ITS_SIDE: Final = 1.5  # times as high as wide is a line that lies
# Single precision whatever the processor has: in bfloat16 long lines come out as noise. No kernels kept for shapes that
# were seen: every line has its own.
_PROPERTIES: Final = {
    "INFERENCE_PRECISION_HINT": "f32",
    "CPU_RUNTIME_CACHE_CAPACITY": "0",
    "NUM_STREAMS": "1",
}


def is_installed() -> bool:
    """Whether the packages of the extra `ocr` are there."""
    return all(importlib.util.find_spec(name) is not None for name in _NEEDED)


class OcrReader:
    """Reads pictures of pages, see ingest.parsers.scans.PageReader; loading it takes seconds. `on_page` is told before
    each page its number and how many there are."""

    def __init__(self) -> None:
        import cv2
        import openvino
        import rapidocr
        from rapidocr import EngineType, RapidOCR
        from rapidocr.main import RapidOCRError
        from rapidocr.utils.process_img import map_boxes_to_original

        models = Path(rapidocr.__file__).parent / "models"
        engine: Any = RapidOCR(
            params={
                "Global.log_level": "critical",
                "Global.max_side_len": _MAX_SIDE,
                "Det.engine_type": EngineType.OPENVINO,
                "Det.model_path": str(models / "PP-OCRv6_det_small.onnx"),
                "Det.limit_type": "max",
                "Det.limit_side_len": _FIND_SIDE,
                "Cls.engine_type": EngineType.OPENVINO,
                "Cls.model_path": str(models / "ch_ppocr_mobile_v2.0_cls_mobile.onnx"),
                "Rec.engine_type": EngineType.OPENVINO,
                "Rec.model_path": str(models / "PP-OCRv6_rec_small.onnx"),
                "Rec.rec_batch_num": _BATCH,
            }
        )
        cv2.setNumThreads(1)
        self._engine, self._nothing, self._mapped = engine, RapidOCRError, map_boxes_to_original
        self.on_page: Callable[[int, int], None] = lambda _page, _pages: None
        sample = np.full((640, 480, 3), 255, dtype=np.uint8)
        cv2.putText(sample, "Sample 123", (20, 200), cv2.FONT_HERSHEY_SIMPLEX, 2, (0, 0, 0), 4)
        self.read(sample)  # loads the models
        core = openvino.Core()
        for part in (engine.text_det, engine.text_cls, engine.text_rec):
            part.session.session = None
            compiled = core.compile_model(part.session.model, "CPU", _PROPERTIES)
            part.session.session = compiled.create_infer_request()
        self.read(sample)  # and starts the threads

    def begin(self, page: int, pages: int) -> None:
        """See PageReader."""
        self.on_page(page, pages)

    def has_text(self, picture: Picture) -> bool:
        """See PageReader."""
        import cv2

        height, width = picture.shape[:2]
        scale = min(1.0, _LOOK_SIDE / max(height, width))
        small = cv2.resize(picture, (max(1, round(width * scale)), max(1, round(height * scale))))
        return len(self._find(np.asarray(small, dtype=np.uint8))[0]) >= _LEAST_LINES

    def read(self, picture: Picture) -> Reading:
        """See PageReader."""
        boxes, cuts = self._find(picture)
        turns = 0
        lying = [box for box in boxes if _side(box, 1, 2) > _ON_ITS_SIDE * _side(box, 0, 1)]
        if sum(_side(box, 1, 2) for box in lying) > sum(_side(box, 0, 1) for box in boxes) / 2:
            turns, picture = 1, quarter_turned(picture, 1)
            boxes, cuts = self._find(picture)
        height, width = picture.shape[:2]
        if not len(boxes):
            return Reading((), width, height, turns)
        if self._is_upside_down(cuts):
            boxes, cuts, turns = _upended(boxes, width, height), [_turned(cut) for cut in cuts], turns + 2
        reading = self._recognise(boxes, cuts, width, height, turns)
        if not reading.is_confident:  # the vote may have been wrong
            boxes, cuts = _upended(boxes, width, height), [_turned(cut) for cut in cuts]
            other = self._recognise(boxes, cuts, width, height, (turns + 2) % 4)
            reading = max(reading, other, key=lambda one: one.confidence)
        return reading

    def _find(self, picture: Picture) -> tuple[np.ndarray, list[Picture]]:
        """The corners (n, 4, 2) of the lines, and each cut out."""
        image, record = self._engine.preprocess_img(picture)
        try:
            cuts, found = self._engine.detect_and_crop(image, record)
        except self._nothing:
            return np.zeros((0, 4, 2)), []
        return self._mapped(found.boxes, record, *picture.shape[:2]), cuts

    def _is_upside_down(self, cuts: Sequence[Picture]) -> bool:
        longest = sorted(cuts, key=lambda cut: cut.shape[1], reverse=True)[:_VOTERS]
        _, votes = self._engine.cls_and_rotate([cut[:, : _VOTER_SHAPE * cut.shape[0]] for cut in longest])
        return bool(sum(score if label == "180" else -score for label, score in votes.cls_res) > 0)

    def _recognise(
        self, boxes: np.ndarray, cuts: list[Picture], width: int, height: int, turns: int
    ) -> Reading:
        found = self._engine.recognize_txt(cuts)
        lines = []
        for corners, text, score in zip(boxes, found.txts, found.scores, strict=True):
            if text.strip():
                a, b, c, d = ((float(x), float(y)) for x, y in corners)
                lines.append(ReadLine(text, float(score), (a, b, c, d)))
        return Reading(lines, width, height, turns)


def _side(box: np.ndarray, one: int, other: int) -> float:
    return float(np.linalg.norm(box[one] - box[other]))


def _upended(boxes: np.ndarray, width: int, height: int) -> np.ndarray:
    """Corners in the picture turned by half, from the upper left of each clockwise."""
    turned: np.ndarray = (np.array([width, height]) - boxes)[:, [2, 3, 0, 1]]
    return turned


def _turned(cut: Picture) -> Picture:
    return quarter_turned(cut, 2)
