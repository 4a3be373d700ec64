"""The manifests under `config/kubernetes`, rendered by kubectl and validated against Kubernetes' own schemas."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from kubernetes_validate import utils

from adapters.simulation import private_key
from gateway.config.loader import load
from gateway.config.settings import ServerSettings
from tests.operations.tools import CONFIG, needs, output_of

FOLDER = CONFIG / "kubernetes"
BASES = ["service", "sidecar", "shared"]
OLDEST = (1, 29)
"""Kubernetes' first version with sidecars that are on by default."""
MONITORING = "monitoring.coreos.com/v1"
RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}
POD = {
    "runAsNonRoot": True,
    "runAsUser": 10001,
    "runAsGroup": 10001,
    "fsGroup": 10001,
    "seccompProfile": {"type": "RuntimeDefault"},
}


def versions() -> list[str]:
    """All that the validator has schemas of, beginning with the oldest that we support."""
    known = {(int(major), int(minor)) for major, minor, *_ in (each.split(".") for each in utils.all_versions())}
    return [f"{major}.{minor}" for major, minor in sorted(known) if (major, minor) >= OLDEST]


def rendered(base: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(output_of("kubectl", "kustomize", FOLDER / base)))


def deployment(base: str) -> dict[str, Any]:
    file = FOLDER / base / "deployment.yaml"
    return dict(yaml.safe_load(file.read_text()))


def gateway_of(pod: dict[str, Any]) -> dict[str, Any]:
    containers = [*pod.get("initContainers", ()), *pod["containers"]]
    return dict(next(each for each in containers if each["name"] == "gateway"))


@needs("kubectl")
@pytest.mark.parametrize("base", BASES)
def test_every_resource_is_valid_in_every_version(base: str) -> None:
    resources = [each for each in rendered(base) if each["apiVersion"] != MONITORING]
    assert resources
    assert len(versions()) >= 9
    for version in versions():
        for each in resources:
            kubernetes_validate.validate(each, version, strict=True)


def test_a_key_that_kubernetes_does_not_know_is_found() -> None:
    wrong = copy.deepcopy(deployment("service"))
    wrong["spec"]["template"]["spec"]["containers"][0]["readynessProbe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError, match="readynessProbe"):
        kubernetes_validate.validate(wrong, versions()[-1], strict=True)


@needs("kubectl")
def test_monitoring_adds_what_the_prometheus_operator_reads() -> None:
    added = {each["kind"] for each in rendered("monitoring") if each["apiVersion"] == MONITORING}
    assert added == {"ServiceMonitor", "PrometheusRule"}


def test_the_rules_are_those_of_prometheus() -> None:
    rule = yaml.safe_load((FOLDER / "monitoring/prometheusrule.yaml").read_text())
    assert rule["spec"] == yaml.safe_load((CONFIG / "prometheus/alerts.yaml").read_text())


def test_the_monitor_selects_the_service_and_its_port() -> None:
    monitor = yaml.safe_load((FOLDER / "monitoring/servicemonitor.yaml").read_text())
    service = yaml.safe_load((FOLDER / "service/service.yaml").read_text())
    assert monitor["spec"]["selector"]["matchLabels"] == service["metadata"]["labels"]
    (endpoint,) = monitor["spec"]["endpoints"]
    assert endpoint["port"] == "admin"
    assert [each["name"] for each in service["spec"]["ports"]] == ["http", "admin"]


@pytest.mark.parametrize("base", ["service", "sidecar"])
def test_pods_are_restricted(base: str) -> None:
    pod = deployment(base)["spec"]["template"]["spec"]
    assert pod["securityContext"] == POD
    assert pod["automountServiceAccountToken"] is False
    for each in [*pod.get("initContainers", ()), *pod["containers"]]:
        assert each["securityContext"] == RESTRICTED
        assert set(each["resources"]["requests"]) == {"cpu", "memory"}


def test_the_image_has_the_same_user_as_a_number() -> None:
    """kubelet refuses `runAsNonRoot` where the image names its user."""
    assert f"USER {POD['runAsUser']}:{POD['runAsGroup']}" in (CONFIG.parent / "Dockerfile").read_text().splitlines()


def test_a_sidecar_starts_first_and_takes_nothing_out_of_service() -> None:
    gateway = gateway_of(deployment("sidecar")["spec"]["template"]["spec"])
    assert gateway["restartPolicy"] == "Always"
    assert "readinessProbe" not in gateway
    assert "startupProbe" in gateway


@pytest.mark.parametrize("base", ["service", "sidecar"])
def test_the_configuration_loads_and_leaves_time_to_drain(base: str, tmp_path: Path) -> None:
    pod = deployment(base)["spec"]["template"]["spec"]
    server = loaded(base, pod, tmp_path)
    assert pod["terminationGracePeriodSeconds"] > server.drain_delay + server.drain_timeout


def test_a_service_goes_on_until_its_endpoints_are_gone(tmp_path: Path) -> None:
    assert loaded("service", deployment("service")["spec"]["template"]["spec"], tmp_path).drain_delay >= 4


@pytest.mark.parametrize("base", ["service", "sidecar"])
def test_probes_ask_the_admin_listener(base: str, tmp_path: Path) -> None:
    pod = deployment(base)["spec"]["template"]["spec"]
    gateway = gateway_of(pod)
    ports = {each["name"]: each["containerPort"] for each in gateway["ports"]}
    probes = [probe["httpGet"] for name, probe in gateway.items() if name.endswith("Probe")]
    admin = loaded(base, pod, tmp_path).admin
    assert len(probes) >= 2
    assert admin is not None
    assert {ports[each["port"]] for each in probes} == {admin.port}
    assert {each["path"] for each in probes} == {"/livez", "/readyz"}


def loaded(base: str, pod: dict[str, Any], folder: Path) -> ServerSettings:
    """The ConfigMap's file, with the secrets where the pod has them. Nothing in it is worth a warning."""
    mounts = {each["name"]: each["mountPath"] for each in gateway_of(pod)["volumeMounts"]}
    assert mounts["configuration"] == "/etc/gateway"
    (folder / "acme.pem").write_text(private_key())
    (folder / "acme.pem").chmod(0o440)
    text = (FOLDER / base / "gateway.toml").read_text()
    assert mounts["secrets"] in text
    (folder / "gateway.toml").write_text(text.replace(mounts["secrets"], str(folder)))
    settings = load(folder / "gateway.toml", {})
    assert settings.warnings == ()
    if settings.server.socket is not None:
        assert Path(settings.server.socket).parent == Path(mounts["socket"])
    return settings.server
