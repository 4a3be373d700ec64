"""A simulated site, as BuddyPress' REST API has it: `state` is who is friends, `api` the calls."""

from adapters.buddypress.simulator.api import Platform

__all__ = ["Platform"]
