"""The alerts and the dashboard name figures that the service shows, and Prometheus' own tool finds them right."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest
import yaml  # type: ignore[import-untyped]

from app.api.metrics import Metrics
from app.config import Settings
from app.index.maintenance import IndexReport

DEPLOY: Final = Path(__file__).parents[2] / "deploy"
RULES: Final = DEPLOY / "prometheus/pgask.rules.yml"
EXPORTERS: Final = DEPLOY / "prometheus/exporters.rules.yml"
NAME: Final = re.compile(r"\bpgask_[a-z0-9_]+")


def rules(path: Path) -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(path.read_text("utf-8"))["groups"] for rule in group["rules"]]


def shown() -> set[str]:
    """The names of all series that a service can show."""
    metrics = Metrics()
    metrics.watch_indexes(lambda: {1: IndexReport(0)}, lambda: 0.0)
    names: set[str] = set()
    for family in metrics.registry.collect():
        ends = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum")}.get(family.type, ("",))
        names |= {family.name + end for end in ends}
    return names


def test_rules_and_dashboard_ask_for_what_there_is() -> None:
    dashboard = json.loads((DEPLOY / "grafana/pgask.json").read_text("utf-8"))
    asked = [rule["expr"] for rule in rules(RULES)]
    asked += [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    found = {name for expression in asked for name in NAME.findall(expression)}
    assert len(found) > 10
    assert found <= shown()


def test_what_alerts_compare_is_there_before_it_happens() -> None:
    """A day before which nothing was refused was no day to compare with, and the first refusals were no increase."""
    metrics = Metrics()
    for name, labels in (
        ("pgask_answers_total", {"outcome": "answered"}),
        ("pgask_answers_total", {"outcome": "abstained"}),
        ("pgask_answers_total", {"outcome": "degraded"}),
        ("pgask_claims_total", {"supported": "yes"}),
        ("pgask_claims_total", {"supported": "no"}),
    ):
        assert metrics.registry.get_sample_value(name, labels) == 0.0, (name, labels)


def test_each_alert_says_what_to_do_in_both_languages_and_is_tried() -> None:
    alerts = [rule for path in (RULES, EXPORTERS) for rule in rules(path) if "alert" in rule]
    tried = yaml.safe_load((DEPLOY / "prometheus/pgask.rules.test.yml").read_text("utf-8"))["tests"]
    quiet = {one["alertname"] for one in tried[0]["alert_rule_test"]}
    fired = {one["labels"] for one in tried[1]["promql_expr_test"][0]["exp_samples"]}
    documents = [
        (DEPLOY.parent / "docs" / name).read_text("utf-8") for name in ("monitoring.md", "monitoring.zh.md")
    ]
    for alert in alerts:
        name = alert["alert"]
        assert set(alert["annotations"]) == {"summary", "summary_zh", "action", "action_zh"}, name
        assert alert["labels"]["severity"] in {"page", "ticket"}, name
        assert name in quiet, name
        assert f'{{alertname="{name}"}}' in fired, name
        assert all(f"`{name}`" in document for document in documents), name


def test_what_alerts_tell_to_set_is_a_setting() -> None:
    """One named PGASK_LLM_MAX_CONCURRENCY, which there is not."""
    settings = {f"PGASK_{name.upper()}" for name in Settings.model_fields}
    for path in (RULES, EXPORTERS):
        named = set(re.findall(r"PGASK_[A-Z_]+", path.read_text("utf-8")))
        assert named <= settings, named - settings


@pytest.mark.skipif(shutil.which("promtool") is None, reason="no promtool: apt install prometheus")
def test_prometheus_finds_them_right() -> None:
    done = subprocess.run(
        ["promtool", "test", "rules", "pgask.rules.test.yml"],
        cwd=DEPLOY / "prometheus", capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
