"""Asyncio primitives."""
