"""A simulated pod, as its public API description has it: `state` is who is connected, `api` the calls."""

from adapters.simulation.demo import Demo
from adapters.simulation.keys import private_key
from adapters.symphony.simulator.api import Platform

__all__ = ["DEMO", "Platform"]

DEMO = Demo("symphony", lambda: {"mode": "bot", "username": "demo", "private_key": private_key()})
