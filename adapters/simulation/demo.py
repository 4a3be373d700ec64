"""How a simulated platform stands in the demo."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec


class Demo(msgspec.Struct, frozen=True):
    """Each adapter's `simulator` module has one, as `DEMO`."""

    name: str
    """what the platform is called there"""
    credentials: Callable[[], dict[str, Any]]
    """makes the table with which the gateway asks its simulator as viewer 1"""
