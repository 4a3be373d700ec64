"""The figures of the console: what its scripts compute from scrapes of a gateway."""

from __future__ import annotations

import asyncio
import re
import shutil
from asyncio.subprocess import PIPE
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families

from adapters.simulation.faults import Fault
from gateway.telemetry.exposition import text_of
from gateway.telemetry.metrics import Metrics
from tests.docs.pages import ROOT
from tests.docs.test_client import FOLDER, NODE
from tests.gateways import Gateway, running

SCRIPTS = ("metrics.js", "figures.js")

pytestmark = pytest.mark.skipif(not NODE, reason="there is no node")


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    """A folder with the scripts, which node takes for modules there."""
    for name in SCRIPTS:
        shutil.copy(ROOT / "gateway" / "pages" / "console" / name, tmp_path)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    return tmp_path


async def figures(folder: Path, *scrapes: tuple[float, str]) -> Any:
    """What the console shows after these scrapes, each at a time in seconds."""
    given = [{"at": at * 1000, "text": text} for at, text in scrapes]
    process = await asyncio.create_subprocess_exec(
        NODE, FOLDER / "figures.mjs", folder, stdin=PIPE, stdout=PIPE, env={}
    )
    printed, _ = await asyncio.wait_for(process.communicate(msgspec.json.encode(given)), 60)
    assert process.returncode == 0
    return msgspec.json.decode(printed)


def latest(found: Any, figure: str) -> dict[str, Any]:
    values: dict[str, Any] = found["points"][figure][-1]["values"]
    return values


async def scrape(gateway: Gateway) -> str:
    return (await gateway.client.get("/metrics")).text


async def test_every_sample_of_a_scrape_is_read(gateway: Gateway, scripts: Path) -> None:
    await gateway.client.get("/v1/connections/acme/101")
    text = await scrape(gateway)
    expected = {
        (sample.name, frozenset(sample.labels.items()), sample.value)
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    found = await figures(scripts, (0, text))
    read = {(name, frozenset(labels.items()), float(value)) for name, labels, value in found["samples"]}
    assert len(expected) > 50
    assert read == expected


async def test_labels_are_unescaped(scripts: Path) -> None:
    found = await figures(scripts, (0, 'x{a="one\\"two\\\\three\\nfour, {five}",b=""} 1e3\n'))
    assert found["samples"] == [["x", {"a": 'one"two\\three\nfour, {five}', "b": ""}, "1000"]]


async def test_requests_are_counted_by_outcome(gateway: Gateway, scripts: Path) -> None:
    before = await scrape(gateway)
    for _ in range(8):
        await gateway.client.get("/v1/connections/acme/101")
    for user_id in ("0", "404404"):
        await gateway.client.get(f"/v1/connections/club/{user_id}")
    gateway.club.misbehave(Fault(status=500))
    await gateway.client.get("/v1/connections/club/101")
    await gateway.client.get("/v1/platforms")
    found = await figures(scripts, (0, before), (2, await scrape(gateway)))
    assert latest(found, "requests") == {"answered": 4.0, "refused": 1.0, "failed": 0.5}
    counts = {slug: count for slug, count in found["problems"].items() if count}
    assert counts == {"invalid-request": 1, "user-not-found": 1, "platform-error": 1}


async def test_logins_are_counted_per_minute(gateway: Gateway, scripts: Path) -> None:
    before = await scrape(gateway)
    await gateway.client.get("/v1/connections/acme/101")
    found = await figures(scripts, (0, before), (30, await scrape(gateway)))
    assert latest(found, "logins") == {"ok": 2.0, "refused": 0.0, "failed": 0.0}


def of_durations(seconds: Sequence[float]) -> str:
    metrics = Metrics()
    for each in seconds:
        metrics.request("GET", "/v1/connections/{platform}/{user_id}", 200, None, each)
    metrics.request("GET", "/v1/platforms", 200, None, 9.0)
    return text_of(metrics.snapshot()).decode()


async def test_quantiles_are_those_of_the_window(scripts: Path) -> None:
    old = [5.0] * 100
    found = await figures(scripts, (0, of_durations(old)), (30, of_durations([*old, *[0.2] * 98, 0.9, 0.9])))
    p50, p99 = latest(found, "durations").values()
    assert 100 < p50 < 250
    assert 750 < p99 < 1000


async def test_nothing_is_shown_where_nothing_happened(scripts: Path) -> None:
    found = await figures(scripts, (0, of_durations([0.2])), (2, of_durations([0.2])))
    assert latest(found, "durations") == {"p50": None, "p99": None}
    assert latest(found, "requests") == {"answered": 0.0, "refused": 0.0, "failed": 0.0}


async def test_a_restart_is_no_negative_rate(scripts: Path) -> None:
    found = await figures(scripts, (0, of_durations([0.2] * 50)), (2, of_durations([0.2] * 6)))
    assert latest(found, "requests")["answered"] == 3.0


async def test_only_five_minutes_are_kept(scripts: Path) -> None:
    found = await figures(scripts, *((at, of_durations([0.2] * at)) for at in range(0, 700, 100)))
    assert [point["at"] for point in found["points"]["requests"]] == [400_000, 500_000, 600_000]
    assert found["span"] == 300_000


async def test_the_cache_answers_a_share_and_a_platform_call_answers_several(scripts: Path) -> None:
    before = """\
connection_gateway_cache_lookups_total{platform="acme",outcome="hit"} 1000
connection_gateway_cache_lookups_total{platform="acme",outcome="miss"} 100
connection_gateway_stale_answers_total{platform="acme"} 0
connection_gateway_batch_size_count{platform="acme"} 10
"""
    after = """\
connection_gateway_cache_lookups_total{platform="acme",outcome="hit"} 1060
connection_gateway_cache_lookups_total{platform="acme",outcome="miss"} 120
connection_gateway_cache_lookups_total{platform="club",outcome="expired"} 15
connection_gateway_cache_lookups_total{platform="club",outcome="bypassed"} 5
connection_gateway_stale_answers_total{platform="acme"} 5
connection_gateway_batch_size_count{platform="acme"} 14
connection_gateway_batch_size_count{platform="club"} 6
connection_gateway_entry_problems_total{error_type="user-not-found"} 3
"""
    found = await figures(scripts, (0, before), (2, after))
    assert latest(found, "cache") == {"fresh": 0.6, "stale": 0.05}
    assert latest(found, "batches") == {"lookups": 4.0}
    assert found["problems"] == {"user-not-found": 3}


async def test_every_metric_that_the_scripts_name_is_exported(gateway: Gateway) -> None:
    await gateway.client.get("/v1/connections/acme/101")
    users = [{"platform": "club", "user_id": "404404"}, {"platform": "club", "user_id": "101"}]
    await gateway.client.post("/v1/lookup", json={"users": users})
    exported = {line.split("{")[0].split()[0] for line in (await scrape(gateway)).splitlines() if line[0] != "#"}
    folder = ROOT / "gateway" / "pages" / "console"
    named = {
        name
        for file in folder.glob("*.js")
        for name in re.findall(r'"((?:connection_gateway|http)_[a-z_]+)"', file.read_text())
    }
    assert len(named) >= 11
    assert named - exported == set()


async def test_hits_of_a_real_cache_are_shown(scripts: Path) -> None:
    async with running(cache={"fresh_for": 60}) as gateway:
        before = await scrape(gateway)
        for _ in range(4):
            await gateway.client.get("/v1/connections/acme/101")
        found = await figures(scripts, (0, before), (2, await scrape(gateway)))
    assert latest(found, "cache") == {"fresh": 0.75, "stale": 0}
    assert latest(found, "batches") == {"lookups": 1.0}
