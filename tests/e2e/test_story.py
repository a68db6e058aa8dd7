"""A team's first day in small; as `make chaos ONLY=story` tells it, it has forty files."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos import story

pytestmark = [pytest.mark.e2e, pytest.mark.model, pytest.mark.long]


@pytest.mark.skipif(story.chromium() is None, reason="no Chromium")
def test_a_teams_first_day(tmp_path: Path) -> None:
    figures = story.live(tmp_path, files=9, kills=1, questions=6, seed=1, shots=None)
    assert figures.passed(), figures
    assert figures.kills == 1
    assert figures.routes > 40
    assert figures.lists == {"embedded": 6}
