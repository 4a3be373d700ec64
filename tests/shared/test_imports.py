"""Without `[shared]` nothing of it is imported."""

from __future__ import annotations

import subprocess
import sys

CREATE = """
import sys
from gateway.app import create_app
from gateway.config.converter import from_tables
club = {"adapter": "selfcommunity", "base_url": "http://club.example", "credentials": {"mode": "caller"}}
create_app(from_tables({"platforms": {"club": club}}))
print(*sorted(name for name in sys.modules if name.startswith(("redis", "hiredis", "gateway.shared"))))
"""


def test_nothing_of_it_is_imported_without_it() -> None:
    found = subprocess.run([sys.executable, "-c", CREATE], capture_output=True, check=True, text=True)  # noqa: S603  ours
    assert found.stdout.split() == []
