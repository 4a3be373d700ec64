"""The manifests with which replicas share: `config/kubernetes/shared` and `config/compose.shared.yaml`."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.utils import canonicalize_name
from redis import Redis
from redis.exceptions import RedisError

from adapters.simulation import private_key
from gateway.config.loader import load
from tests.operations.test_image import needed
from tests.operations.test_kubernetes import POD, RESTRICTED, rendered
from tests.operations.tools import CONFIG, needs, output_of
from tests.shared.valkey import PATIENCE, VALKEY, until_listening

ROOT = CONFIG.parent
OVERLAY = CONFIG / "kubernetes/shared"
COMPOSE = CONFIG / "compose.shared.yaml"
STORE = "connection-gateway-store"


def store(kind: str) -> dict[str, Any]:
    found = yaml.safe_load_all((OVERLAY / "store.yaml").read_text())
    return dict(next(each for each in found if each["kind"] == kind))


def test_the_configuration_is_that_of_the_service_and_shares(tmp_path: Path) -> None:
    text = (OVERLAY / "gateway.toml").read_text()
    tables = tomllib.loads(text)
    shared = tables.pop("shared")
    assert tables == tomllib.loads((CONFIG / "kubernetes/service/gateway.toml").read_text())
    secrets = {"acme.pem": private_key(), "shared-key": "7d" * 32, "store-password": "right"}
    for name, secret in secrets.items():
        (tmp_path / name).write_text(secret)
        (tmp_path / name).chmod(0o440)
    (tmp_path / "gateway.toml").write_text(text.replace("/run/secrets/gateway", str(tmp_path)))
    settings = load(tmp_path / "gateway.toml", {})
    assert settings.warnings == ()
    assert settings.shared is not None
    (port,) = store("Service")["spec"]["ports"]
    assert (settings.shared.url.host, settings.shared.url.port) == (STORE, port["port"])
    assert shared["password_file"].rpartition("/")[2] == "store-password"


@needs("kubectl")
def test_gateways_reach_the_store_and_nobody_else_does() -> None:
    policies = {
        each["metadata"]["name"]: each["spec"] for each in rendered("shared") if each["kind"] == "NetworkPolicy"
    }
    to_store = policies["connection-gateway"]["egress"][-1]
    assert to_store["to"][0]["podSelector"]["matchLabels"] == {"app.kubernetes.io/name": STORE}
    assert to_store["ports"][0]["port"] == 6379
    assert len(policies["connection-gateway"]["egress"]) == 3
    (from_gateways,) = policies[STORE]["ingress"]
    assert from_gateways["from"][0]["podSelector"]["matchLabels"] == {"app.kubernetes.io/name": "connection-gateway"}
    assert "egress" not in policies[STORE]
    (mounted,) = [each["data"] for each in rendered("shared") if each["kind"] == "ConfigMap"]
    assert "[shared]" in mounted["gateway.toml"]


def test_the_store_s_pod_is_restricted() -> None:
    pod = store("Deployment")["spec"]["template"]["spec"]
    assert pod["securityContext"] == POD | {"runAsUser": 999, "runAsGroup": 999, "fsGroup": 999}
    (container,) = pod["containers"]
    assert container["securityContext"] == RESTRICTED


def test_the_store_s_command_starts_a_server_that_wants_the_password(tmp_path: Path, port: int) -> None:
    (container,) = store("Deployment")["spec"]["template"]["spec"]["containers"]
    (tmp_path / "store-password").write_text("right")
    (script,) = container["args"]
    script = script.replace(container["volumeMounts"][0]["mountPath"], str(tmp_path)).replace("6379", str(port))
    path = f"{VALKEY.parent}{os.pathsep}{os.environ['PATH']}"
    process = subprocess.Popen(  # noqa: S603  ours
        [*container["command"], script], env={"PATH": path}, cwd=tmp_path, stdout=subprocess.DEVNULL
    )
    try:
        until_listening(port)
        with Redis(port=port, password="right", socket_timeout=PATIENCE) as client:
            assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "volatile-ttl"}
        with Redis(port=port, socket_timeout=PATIENCE) as client, pytest.raises(RedisError, match="authenticat"):
            client.ping()
    finally:
        process.terminate()
        assert process.wait() == 0


def test_compose_is_as_the_specification_has_it() -> None:
    output_of("check-jsonschema", "--builtin-schema", "vendor.compose-spec", COMPOSE)


def test_the_replicas_of_compose_share() -> None:
    services = yaml.safe_load(COMPOSE.read_text())["services"]
    found = [load(CONFIG / "compose/gateway.toml", services[each]["environment"]) for each in ("gateway", "replica")]
    assert [each.warnings for each in found] == [(), ()]
    assert [each.server.port for each in found] == [8080, 8081]
    for each in found:
        assert each.shared is not None
        assert each.shared.url.host in services
    assert all(port.startswith("127.0.0.1:") for each in services.values() for port in each.get("ports", ()))


def test_the_image_can_be_built_with_what_they_need() -> None:
    def locked(name: str) -> set[str]:
        return set(re.findall(r"^[A-Za-z0-9._-]+==\S+", (ROOT / name).read_text(), re.MULTILINE))

    base, shared = locked("requirements.lock"), locked("requirements-shared.lock")
    assert base < shared
    added = {canonicalize_name(each.partition("==")[0]) for each in shared - base}
    assert {"redis", "hiredis"} <= added <= needed("redis", ("", "hiredis")) | {"async-timeout"}
    assert "!requirements-shared.lock" in (ROOT / ".dockerignore").read_text().splitlines()
    lock = yaml.safe_load(COMPOSE.read_text())["services"]["gateway"]["build"]["args"]["LOCK"]
    assert lock == "requirements-shared.lock"
