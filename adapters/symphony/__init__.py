"""Symphony pods. Read: settings, wire, tables, credentials, answers, adapter; then the simulator."""

from adapters.symphony.adapter import SymphonyAdapter
from adapters.symphony.settings import Settings

__all__ = ["Settings", "SymphonyAdapter"]
