"""BuddyPress sites. Read: settings, wire, tables, credentials, answers, adapter; then the simulator."""

from adapters.buddypress.adapter import BuddyPressAdapter
from adapters.buddypress.settings import Settings

__all__ = ["BuddyPressAdapter", "Settings"]
