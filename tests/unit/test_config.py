"""Settings: where they come from, what a wrong one says, and that .env.example lists them all."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from app.config import Settings, load_settings
from app.errors import ConfigError

EXAMPLE = Path(__file__).parents[2] / ".env.example"


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An environment without settings, in a folder without .env."""
    for name in Settings.model_fields:
        monkeypatch.delenv(f"PGASK_{name.upper()}", raising=False)
    monkeypatch.chdir(tmp_path)


def entries() -> dict[str, tuple[str, str]]:
    """Setting → (comment above it, value), in the order of .env.example."""
    found: dict[str, tuple[str, str]] = {}
    comment: list[str] = []
    for line in EXAMPLE.read_text(encoding="utf-8").splitlines():
        setting = re.fullmatch(r"#PGASK_([A-Z0-9_]+)=(.*)", line)
        if setting:
            found[setting[1].lower()] = (" ".join(comment), setting[2])
        comment = [*comment, line[2:]] if line.startswith("# ") else []
    return found


class TestExample:
    def test_lists_every_setting_in_order_with_its_description(self) -> None:
        assert list(entries()) == list(Settings.model_fields)
        for name, (comment, _) in entries().items():
            description = Settings.model_fields[name].description
            assert description, f"{name} has no description"
            assert comment.startswith(description), name

    def test_uncommented_it_is_the_defaults(self, tmp_path: Path) -> None:
        defaults = load_settings()
        text = EXAMPLE.read_text(encoding="utf-8")
        (tmp_path / ".env").write_text(re.sub(r"(?m)^#(?=PGASK_)", "", text), encoding="utf-8")
        assert load_settings() == defaults

    def test_shows_the_range_of_every_bounded_setting(self) -> None:
        for name, (comment, _) in entries().items():
            if Settings.model_fields[name].metadata:
                assert comment.endswith("]"), name


class TestSources:
    def test_environment_wins_over_file_and_override_over_both(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        (tmp_path / ".env").write_text("PGASK_PORT=9001\nPGASK_HOST=0.0.0.0\n", encoding="utf-8")
        assert (load_settings().port, load_settings().host) == (9001, "0.0.0.0")
        monkeypatch.setenv("PGASK_PORT", "9002")
        assert load_settings().port == 9002
        assert load_settings(port=9003, host=None).port == 9003
        assert load_settings(host=None).host == "0.0.0.0"

    def test_empty_is_unset(self, monkeypatch: pytest.MonkeyPatch) -> None:
        defaults = load_settings()
        for name in ("DATABASE_URL", "EMBEDDING_MODEL", "LLM_BASE_URL", "LLM_CONTEXT_TOKENS"):
            monkeypatch.setenv(f"PGASK_{name}", "")
        assert load_settings() == defaults

    def test_home_is_absolute(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("HOME", str(tmp_path))
        assert load_settings().home == tmp_path / ".local/share/pgask"
        assert load_settings(home="here").home == tmp_path / "here"

    def test_frozen(self) -> None:
        with pytest.raises(ValidationError, match="frozen"):
            load_settings().port = 1


class TestFaults:
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("PORT", "0"),
            ("PORT", "eight"),
            ("CHUNK_TOKENS", "64"),
            ("EMBEDDING_DTYPE", "float64"),
            ("DENSE_WEIGHT", "1.1"),
            ("LOG_QUESTIONS", "maybe"),
        ],
    )
    def test_a_wrong_value_names_the_setting_in_one_line(
        self, monkeypatch: pytest.MonkeyPatch, name: str, value: str
    ) -> None:
        monkeypatch.setenv(f"PGASK_{name}", value)
        with pytest.raises(ConfigError, match=f"PGASK_{name}:") as caught:
            load_settings()
        assert "\n" not in str(caught.value)

    def test_a_model_that_is_required_must_be_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PGASK_LLM_REQUIRED", "true")
        with pytest.raises(ConfigError, match="Wrong setting: PGASK_LLM_REQUIRED needs PGASK_LLM_BASE_URL"):
            load_settings()
        monkeypatch.setenv("PGASK_LLM_BASE_URL", "http://llm:8001/v1")
        assert load_settings().llm_required

    def test_no_secret_is_shown(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PGASK_DATABASE_URL", "postgresql://me:hush-hush@db/x")
        monkeypatch.setenv("PGASK_LLM_API_KEY", "hush-hush")
        monkeypatch.setenv("PGASK_PORT", "0")
        with pytest.raises(ConfigError) as caught:
            load_settings()
        shown = f"{caught.value} {caught.value.__cause__!r} {load_settings(port=1)!r} {load_settings(port=1)}"
        assert "hush-hush" not in shown
