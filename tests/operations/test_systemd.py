"""The systemd units: valid, and hardened."""

from __future__ import annotations

import re
from pathlib import Path

from tests.operations.tools import CONFIG, needs, output_of, run

FOLDER = CONFIG / "systemd"
UNITS = ["connection-gateway.service", "connection-gateway.socket"]
COMMAND = "/opt/connection-gateway/bin/connection-gateway"
MOST = "20"
"""Of `systemd-analyze security`, in tenths: 0 is the safest, 100 the least."""


def installed(folder: Path, **replaced: str) -> list[Path]:
    """The units in a folder, with a command that exists on this machine."""
    for name in UNITS:
        text = (FOLDER / name).read_text().replace(COMMAND, "/bin/true")
        for old, new in replaced.items():
            assert old in text or name != UNITS[0]
            text = text.replace(old, new)
        (folder / name).write_text(text)
    return [folder / name for name in UNITS]


@needs("systemd-analyze")
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    checked = run("systemd-analyze", "verify", *installed(tmp_path))
    assert (checked.returncode, checked.stderr) == (0, "")


@needs("systemd-analyze")
def test_a_setting_that_systemd_does_not_know_is_found(tmp_path: Path) -> None:
    checked = run("systemd-analyze", "verify", *installed(tmp_path, WatchdogSec="WatchDog"))
    assert "WatchDog" in checked.stderr


@needs("systemd-analyze")
def test_the_service_is_hardened() -> None:
    output_of("systemd-analyze", "security", "--offline=true", f"--threshold={MOST}", FOLDER / UNITS[0])


def test_the_service_is_given_more_time_to_stop_than_it_takes() -> None:
    found = re.search(r"^TimeoutStopSec=(\d+)$", (FOLDER / UNITS[0]).read_text(), re.MULTILINE)
    assert found
    assert int(found[1]) > 10.0  # drain_timeout's default; drain_delay's is 0
