"""A simulated community, as its public API reference has it: `state` is who is connected, `api` the calls."""

from adapters.selfcommunity.simulator.api import SECRET, Platform
from adapters.simulation.demo import Demo

__all__ = ["DEMO", "SECRET", "Platform"]

DEMO = Demo("community", lambda: {"mode": "token", "token": "demo"})
