"""Configuration files to begin with, and how a test loads one."""

from __future__ import annotations

from pathlib import Path

from gateway.config.loader import load
from gateway.config.settings import Settings

CLUB = """
[platforms.club]
adapter = "selfcommunity"
base_url = "https://club.example"
credentials = { mode = "caller" }
"""
ACME = """
[platforms.acme]
adapter = "symphony"
base_url = "https://acme.example"
credentials = { mode = "bot", username = "bot", private_key_file = "acme.pem" }
"""


def loaded(folder: Path, text: str, **environ: str) -> Settings:
    file = folder / "gateway.toml"
    file.write_text(text)
    return load(file, environ)
