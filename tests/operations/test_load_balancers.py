"""nginx and Envoy in front of gateways: valid configurations that hash on the viewer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

# Messages that Envoy's configuration names by their type: importing them makes them known
from envoy.config.bootstrap.v3 import bootstrap_pb2
from envoy.extensions.filters.http.router.v3 import router_pb2 as _router
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2 as _manager
from envoy.extensions.upstreams.http.v3 import http_protocol_options_pb2 as _options
from google.protobuf import json_format

from tests.operations.tools import CONFIG, needs, run

NGINX = CONFIG / "nginx/connection-gateway.conf"
ENVOY = CONFIG / "envoy/envoy.yaml"
IDENTITY = {"x-api-key", "sessiontoken", "authorization", "x-platform-token", "x-on-behalf-of"}
KNOWN = [_router, _manager, _options]


def envoy() -> dict[str, Any]:
    return dict(yaml.safe_load(ENVOY.read_text()))


def checked(text: str, folder: Path) -> tuple[int, str]:
    """What `nginx -t` says of this as a part of `http { }`."""
    (folder / "part.conf").write_text(text)
    whole = f"pid {folder}/pid; error_log stderr; events {{}} http {{ access_log off; include {folder}/part.conf; }}"
    (folder / "nginx.conf").write_text(whole)
    done = run("nginx", "-t", "-q", "-p", folder, "-c", folder / "nginx.conf")
    return done.returncode, done.stderr


@needs("nginx")
def test_nginx_takes_its_file(tmp_path: Path) -> None:
    assert checked(NGINX.read_text(), tmp_path) == (0, "")


@needs("nginx")
def test_nginx_refuses_what_it_does_not_know(tmp_path: Path) -> None:
    code, said = checked(NGINX.read_text().replace("keepalive 64", "keepalife 64"), tmp_path)
    assert code != 0
    assert "keepalife" in said


def test_envoy_knows_every_key() -> None:
    assert KNOWN
    json_format.ParseDict(envoy(), bootstrap_pb2.Bootstrap())


def test_envoy_refuses_what_it_does_not_know() -> None:
    wrong = envoy()
    wrong["static_resources"]["clusters"][0]["lb_policie"] = "RING_HASH"
    with pytest.raises(json_format.ParseError, match="lb_policie"):
        json_format.ParseDict(wrong, bootstrap_pb2.Bootstrap())


def test_both_hash_on_every_header_that_names_an_identity() -> None:
    chain = envoy()["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    route = chain["route_config"]["virtual_hosts"][0]["routes"][0]["route"]
    assert {each["header"]["header_name"] for each in route["hash_policy"]} == IDENTITY
    (line,) = (line for line in NGINX.read_text().splitlines() if line.strip().startswith("hash "))
    assert {name.removeprefix("$http_").replace("_", "-") for name in line.split('"')[1].split("|")} == IDENTITY
