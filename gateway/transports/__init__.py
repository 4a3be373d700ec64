"""What stands between an adapter and the wire: `httpx.AsyncBaseTransport`s, one policy per file."""
