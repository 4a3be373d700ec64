"""A simulated pod, as its public API description has it: `state` is who is connected, `api` the calls."""

from adapters.symphony.simulator.api import Platform

__all__ = ["Platform"]
