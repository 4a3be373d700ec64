"""What stands between an adapter and the wire: `httpx.AsyncBaseTransport`s, one policy per file."""

from __future__ import annotations

import ssl

# As it is imported, aiohttp loads the system's certificates, twice, for callers who bring none of their own. All of
# ours do, so for that moment there are none to load: it saves 100 ms of every start.
ssl.SSLContext.set_default_verify_paths = lambda _context: None  # type: ignore[assignment, method-assign]
try:
    import aiohttp  # noqa: F401
finally:
    del ssl.SSLContext.set_default_verify_paths  # what it inherits is in force again
