"""A simulated community, as its public API reference has it: `state` is who is connected, `api` the calls."""

from adapters.selfcommunity.simulator.api import SECRET, Platform

__all__ = ["SECRET", "Platform"]
