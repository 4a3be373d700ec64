"""SelfCommunity communities. Read in this order: settings, wire, tables, credentials, adapter; then the simulator."""

from adapters.selfcommunity.adapter import SelfCommunityAdapter
from adapters.selfcommunity.settings import Settings

__all__ = ["SelfCommunityAdapter", "Settings"]
