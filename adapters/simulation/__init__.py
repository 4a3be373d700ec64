"""Simulated platforms: real ASGI apps for the demo, the tests, the benchmarks and our users' own tests.

Each adapter has its platform in its own `simulator` module. Here is what all of them share: the faults, the
counters, the control calls under `/_simulator/`, and a server on loopback.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from adapters.simulation.app import Simulator
from adapters.simulation.demo import Demo
from adapters.simulation.keys import private_key
from adapters.simulation.serving import serving

__all__ = ["Demo", "Simulator", "demo", "private_key", "serving", "simulator"]


def simulator(adapter: str, **options: Any) -> Simulator:
    """The simulator of `adapter`. Options: `empty` seeds nobody; a pod also takes a `public_key` in PEM."""
    return Simulator(import_module(f"adapters.{adapter}.simulator").Platform(**options))


def demo(adapter: str) -> Demo:
    """How the simulator of `adapter` stands in the demo."""
    found: Demo = import_module(f"adapters.{adapter}.simulator").DEMO
    return found
