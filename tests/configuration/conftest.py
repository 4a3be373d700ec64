from __future__ import annotations

from pathlib import Path

import pytest

from tests.gateways import KEY


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "acme.pem").write_text(KEY)
    (tmp_path / "token").write_text("secret-token\n")
    (tmp_path / "hash-key").write_text("0123456789abcdef")
    (tmp_path / "spaced").write_text("a b")
    (tmp_path / "empty").write_text(" \n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    return tmp_path
