"""The gateway: one HTTP API over every configured platform."""

__version__ = "0.1.0"
