"""SelfCommunity communities. Read: settings, wire, tables, credentials, answers, adapter; then the simulator."""

from adapters.selfcommunity.adapter import SelfCommunityAdapter
from adapters.selfcommunity.settings import Settings

__all__ = ["SelfCommunityAdapter", "Settings"]
