"""A simulated site, as BuddyPress' REST API has it: `state` is who is friends, `api` the calls."""

from adapters.buddypress.simulator.api import Platform
from adapters.simulation.demo import Demo

__all__ = ["DEMO", "Platform"]

DEMO = Demo("site", lambda: {"mode": "password", "username": "demo", "password": "demo"})
