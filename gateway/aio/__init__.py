"""Asyncio primitives that know nothing of the gateway: background tasks and deadlines. No HTTP, no platform."""
