"""All that is used of httpx beyond what it documents: two objects that are made without parsing or decoding again.

Each saves 12 of the 20 µs that a request and its response cost without it (`python -m benchmarks.internals`): a tenth
of a lookup with a viewer of its own. `tests/adapters/test_upstream.py` and `test_httpx_internals.py`
there compare both with httpx's own, and fail when an upgrade breaks them; `pyproject.toml` caps httpx for their sake.
"""

from __future__ import annotations

import httpx


class BelowURL(httpx.URL):
    """The URL of a path below `base`, which is parsed already. The path is ours: it needs no escaping."""

    def __init__(self, base: httpx.URL, path: str) -> None:
        known = base._uri_reference  # noqa: SLF001  there is no public way around parsing it again
        path, _, query = path.partition("?")
        self._uri_reference = type(known)(
            known.scheme, known.userinfo, known.host, known.port, known.path + path, query or None, None
        )


class WholeResponse(httpx.Response):
    """A response whose body was read and decoded: httpx would take it through its decoders once more."""

    def __init__(
        self, status: int, headers: list[tuple[bytes, bytes]], content: bytes, request: httpx.Request
    ) -> None:
        super().__init__(status, headers=headers, stream=httpx.ByteStream(content), request=request)
        self._content = content
        self.is_closed = self.is_stream_consumed = True
