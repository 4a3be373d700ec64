"""The figures of the configuration hold for all workers together."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.config.converter import from_tables
from gateway.config.settings import ConfigurationError, Settings
from gateway.workers.share import share
from tests.gateways import OWN, tables


def settings(each: dict[str, Any] | None = None, cache: dict[str, Any] | None = None, **server: Any) -> Settings:
    return from_tables(tables(OWN, server, each=each, cache=cache))


@pytest.mark.parametrize("workers", [1, 2, 3, 7])
def test_the_parts_make_up_the_whole(workers: int) -> None:
    whole = settings({"max_calls": 64, "max_waiting": 10}, {"max_entries": 1000}, max_concurrency=100)
    parts = [share(whole, number, workers) for number in range(1, workers + 1)]
    assert sum(each.server.max_concurrency for each in parts) == 100
    assert sum(each.watch.max_streams for each in parts) == 1000
    assert sum(each.cache.max_entries for each in parts) == 1000
    for name in ("acme", "club"):
        assert sum(each.platforms[name].max_calls for each in parts) == 64
        assert sum(each.platforms[name].max_waiting or 0 for each in parts) == 10
    figures = [each.server.max_concurrency for each in parts]
    assert max(figures) - min(figures) <= 1


def test_a_figure_that_is_derived_stays_derived() -> None:
    assert share(settings(), 1, 2).platforms["acme"].max_waiting is None


def test_what_does_not_suffice_for_all_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"^platforms\.acme\.max_calls: 2 can't be divided among 3 workers$"):
        share(settings({"max_calls": 2}), 1, 3)


@pytest.mark.parametrize("keeps", [True, False])
def test_a_refresh_token_is_for_one_process(keeps: bool, tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("secrets") / "token"
    file.write_text("a-refresh-token")
    token: dict[str, Any] = {"refresh_token": "a-refresh-token"}
    if keeps:
        token["refresh_token_file"] = str(file)
    credentials = {"mode": "oauth2", "client_id": "demo", "client_secret": "a-client-secret", **token}
    with pytest.raises(ConfigurationError, match=r"^platforms\.club\.credentials: a refresh token"):
        share(from_tables(tables({"club": credentials})), 1, 2)
