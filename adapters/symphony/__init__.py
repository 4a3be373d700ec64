"""Symphony pods. Read in this order: settings, wire, tables, credentials, adapter; then the simulator."""

from adapters.symphony.adapter import SymphonyAdapter
from adapters.symphony.settings import Settings

__all__ = ["Settings", "SymphonyAdapter"]
