"""`check` where files are watched: which ones, and which of them will never change."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.config.mounts import mounted_alone
from tests.cli.served import Run

LINE = "36 35 98:0 /secrets/acme.pem {path} ro,noatime - ext4 /dev/root rw\n"


def test_check_lists_what_is_watched(run: Run, config: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(LINE.format(path=tmp_path.resolve() / "acme.pem"))
    monkeypatch.setattr("gateway.config.mounts.mounted_alone.__defaults__", (mounts,))
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    result = run("check", "--config", config, GATEWAY_SERVER__RELOAD="watch")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[1:3] == [f"watched: {tmp_path}/acme.pem", f"watched: {config}"]
    assert f"warning: {tmp_path}/acme.pem: mounted by itself" in result.stderr
    assert config not in result.stderr
    assert "watched" not in run("check", "--config", config).stdout


def test_a_mount_point_may_have_spaces_and_a_link_may_lead_to_it(tmp_path: Path) -> None:
    folder = tmp_path / "a b"
    folder.mkdir()
    (folder / "key").touch()
    (tmp_path / "link").symlink_to(folder / "key")
    mounts = tmp_path / "mountinfo"
    mounts.write_text(LINE.format(path=str(folder.resolve() / "key").replace(" ", "\\040")) + "broken\n")
    files = [str(tmp_path / "link"), str(folder)]
    assert mounted_alone(files, mounts) == files[:1]
    assert mounted_alone(files, tmp_path / "nowhere") == []
