"""What the service shows of a PDF's pages, drawn in the confined child: it satisfies app.api.pages.PageViews."""

from __future__ import annotations

from ingest.sandbox import SandboxedParser
from ingest.sandbox.wire import decode_boxes, decode_lines, decode_picture, decode_sizes


class SandboxedPages:
    """A child of its own; threads wait for each other. Raises DocumentError for what can't be drawn."""

    def __init__(self) -> None:
        self._child = SandboxedParser(wall_s=20.0, cpu_s=20)

    def sizes(self, content: bytes) -> list[tuple[float, float]]:
        """Width and height of each page in points."""
        return self._child.look(content, {"view": "sizes"}, decode_sizes)

    def picture(self, content: bytes, page: int, scale: float) -> bytes:
        """A page as PNG, `scale` pixels a point."""
        return self._child.look(content, {"view": "picture", "page": page, "scale": scale}, decode_picture)

    def boxes(
        self, content: bytes, page: int, text: str, start: int, end: int
    ) -> list[tuple[float, float, float, float]]:
        """Where text[start:end] stands on a page whose stored text is `text`: x, y, width, height; empty where that is
        not certain."""
        wanted = {"view": "boxes", "page": page, "text": text, "start": start, "end": end}
        return self._child.look(content, wanted, decode_boxes)

    def lines(
        self, content: bytes, page: int, text: str
    ) -> list[tuple[str, int, int, float, float, float, float]]:
        """The lines of a page whose stored text is `text`, in its order: the words, where they stand in it (-1, -1: not
        known), x, y, width, height."""
        return self._child.look(content, {"view": "lines", "page": page, "text": text}, decode_lines)

    def close(self) -> None:
        """End the child."""
        self._child.close()
