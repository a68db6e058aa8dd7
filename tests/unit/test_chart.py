"""The Helm chart: its values fit its schema, it names settings that there are, and what it renders is Kubernetes'.

Rendering needs Helm's own engine (pip install helm-python-sdk, which brings it as a library) and Kubernetes' schemas
(pip install kubernetes-validate); neither is a dependency of pgask. No cluster is asked.
"""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest
import yaml  # type: ignore[import-untyped]

from app.config import Settings

CHART: Final = Path(__file__).parents[2] / "deploy/helm/pgask"
TEMPLATES: Final = sorted((CHART / "templates").glob("*.*"))
IMAGE: Final = {"image": {"repository": "registry.example/pgask"}}
SETTINGS: Final = {f"PGASK_{name.upper()}" for name in Settings.model_fields}


def test_values_and_schema_have_the_same_fields() -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text("utf-8"))
    schema = json.loads((CHART / "values.schema.json").read_text("utf-8"))
    assert set(values) == set(schema["properties"]) - {"global"}
    for name, one in schema["properties"].items():
        form = schema["definitions"]["pods"] if one.get("$ref") == "#/definitions/pods" else one
        if name not in {"global", "settings"} and "properties" in form:
            assert set(values[name]) <= set(form["properties"]), name
            assert form["additionalProperties"] is False, name


def test_settings_that_it_names_are_there() -> None:
    text = "".join(path.read_text("utf-8") for path in TEMPLATES)
    named = set(re.findall(r"\bPGASK_[A-Z_]+\b", text))
    assert {"PGASK_DATABASE_URL", "PGASK_OWNER_DATABASE_URL", "PGASK_WORKERS"} <= named <= SETTINGS
    values = yaml.safe_load((CHART / "values.yaml").read_text("utf-8"))
    assert {f"PGASK_{name}" for name in values["settings"]} <= SETTINGS


def render(**values: Any) -> list[dict[str, Any]]:
    """What `helm template ask` makes of the chart, each object found right by Kubernetes' schemas."""
    helm = pytest.importorskip("helm_python.chart", reason="no Helm: pip install helm-python-sdk")
    kubernetes = pytest.importorskip("kubernetes_validate", reason="pip install kubernetes-validate")
    rendered: Mapping[str, str] = helm.Chart.load(CHART).render(IMAGE | values, name="ask", namespace="docs")
    made = [
        one
        for name, text in rendered.items()
        if name.endswith(".yaml")
        for one in yaml.safe_load_all(text)
        if one
    ]
    for one in made:
        if one["apiVersion"] != "keda.sh/v1alpha1":  # a definition of KEDA's own
            kubernetes.validate(one, "1.30", strict=True)
    return made


def containers(made: list[dict[str, Any]]) -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Name, pod and container of whatever runs."""
    return [
        (one["metadata"]["name"], one["spec"]["template"]["spec"], container)
        for one in made
        if one["kind"] in {"Deployment", "Job"}
        for container in one["spec"]["template"]["spec"]["containers"]
    ]


def test_whatever_runs_is_confined() -> None:
    running = containers(render())
    assert [name for name, _, _ in running] == ["ask-pgask", "ask-pgask-migrate", "ask-pgask-worker"]
    for name, pod, container in running:
        assert pod["automountServiceAccountToken"] is False, name
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert {one["mountPath"] for one in container["volumeMounts"]} == {"/tmp", "/models"}
        assert container["resources"]["limits"]["memory"]
    owners = {
        name
        for name, _, container in running
        if any(one["name"] == "PGASK_OWNER_DATABASE_URL" for one in container["env"])
    }
    assert owners == {"ask-pgask-migrate", "ask-pgask-worker"}  # the service itself may not change the schema


def test_the_schema_is_brought_up_before_pods_change() -> None:
    (job,) = (one for one in render() if one["kind"] == "Job")
    assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
    # nothing of the release is there yet when a hook runs first
    told = json.dumps(job)
    assert "configMapKeyRef" not in told
    assert "serviceAccountName" not in told


def test_scaling_by_the_age_of_the_queue_is_off_until_it_is_asked_for() -> None:
    kinds = {one["kind"] for one in render()}
    assert not kinds & {"ScaledObject", "HorizontalPodAutoscaler"}
    made = render(autoscaling={"kind": "keda", "prometheusUrl": "http://prometheus:9090"})
    (scaled,) = (one for one in made if one["kind"] == "ScaledObject")
    assert "pgask_queue_age_seconds" in scaled["spec"]["triggers"][0]["metadata"]["query"]
    (workers,) = (
        one for one in made if one["metadata"]["name"] == "ask-pgask-worker" and one["kind"] == "Deployment"
    )
    assert "replicas" not in workers["spec"]
    assert scaled["spec"]["scaleTargetRef"]["name"] == workers["metadata"]["name"]
    (scaled,) = (
        one for one in render(autoscaling={"kind": "hpa"}) if one["kind"] == "HorizontalPodAutoscaler"
    )
    assert scaled["spec"]["metrics"][0]["external"]["metric"]["name"] == "pgask_queue_age_seconds"


def test_probes_name_a_host_that_the_service_answers_to() -> None:
    made = render(settings={"AUTH": "keys", "ALLOWED_HOSTS": "ask.example.org, other"})
    ((_, _, app),) = [one for one in containers(made) if one[0] == "ask-pgask"]
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert app[probe]["httpGet"]["httpHeaders"] == [{"name": "Host", "value": "ask.example.org"}]


def test_policies_let_in_and_out_what_is_needed_and_disruptions_leave_one() -> None:
    way_out = {"to": [{"podSelector": {}}], "ports": [{"port": 8000}]}
    made = render(networkPolicy={"egress": [way_out]}, worker={"replicas": 3})
    policies = {one["metadata"]["name"]: one["spec"] for one in made if one["kind"] == "NetworkPolicy"}
    assert set(policies) == {"ask-pgask-app", "ask-pgask-worker"}
    assert way_out in policies["ask-pgask-app"]["egress"]
    assert way_out not in policies["ask-pgask-worker"]["egress"]
    assert "ingress" not in policies["ask-pgask-worker"]  # and of type Ingress: nobody gets in
    assert {port["port"] for one in policies["ask-pgask-worker"]["egress"] for port in one["ports"]} == {
        53,
        5432,
    }
    budgets = [one["metadata"]["name"] for one in made if one["kind"] == "PodDisruptionBudget"]
    assert budgets == ["ask-pgask-app", "ask-pgask-worker"]


@pytest.mark.parametrize(
    "values",
    [
        {"image": {}},  # no image
        {"settings": {"DATABASE_URL": "postgresql://"}},  # addresses are secrets
        {"settings": {"AUTH": 1}},
        {"app": {"replica": 2}},
        {"autoscaling": {"kind": "keda"}},  # asks nobody
        {"ingress": {"enabled": True}},  # of no host
    ],
)
def test_wrong_values_are_refused(values: Mapping[str, Any]) -> None:
    pytest.importorskip("helm_python.chart", reason="no Helm: pip install helm-python-sdk")
    errors = importlib.import_module("helm_python.errors")
    with pytest.raises(errors.HelmError):
        render(**values)
