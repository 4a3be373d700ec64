"""What the Dockerfile leaves in the image, and the bill of materials that it puts beside it."""

from __future__ import annotations

import re
import sys
from importlib.metadata import requires
from typing import Any

import msgspec
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.operations.tools import CONFIG, output_of

ROOT = CONFIG.parent
LOCKED = {
    canonicalize_name(name)
    for name in re.findall(r"^([A-Za-z0-9._-]+)==", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
}


def needed(name: str, extras: tuple[str, ...] = ("",)) -> set[str]:
    """The packages that this one needs at run time, itself among them."""
    found: set[str] = {canonicalize_name(name)}
    for text in requires(name) or ():
        each = Requirement(text)
        if each.marker is None or any(each.marker.evaluate({"extra": extra}) for extra in extras):
            found |= needed(each.name, ("", *each.extras))
    return found


def test_only_what_it_needs_to_run_is_left() -> None:
    (removed,) = re.findall(r"uninstall --yes \\\n((?: +[a-z-]+)+)", (ROOT / "Dockerfile").read_text())
    assert LOCKED - set(removed.split()) <= needed("connection-gateway")
    assert not set(removed.split()) & needed("connection-gateway")


def test_the_image_is_compiled_without_looking_at_times() -> None:
    text = (ROOT / "Dockerfile").read_text()
    assert text.count("--no-compile") == 2
    assert "--invalidation-mode unchecked-hash /venv/lib" in text


def test_the_bill_of_materials_has_every_package_with_its_hashes() -> None:
    document: dict[str, Any] = msgspec.json.decode(output_of(sys.executable, ROOT / ".ci/sbom"))
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.5")
    found = {each["name"]: each for each in document["components"]}
    assert set(found) >= LOCKED
    assert all(found[name]["properties"] and found[name]["purl"].startswith("pkg:pypi/") for name in LOCKED)
    assert document["metadata"]["component"]["name"] == "connection-gateway"
    references = [each["bom-ref"] for each in document["components"]]
    assert len(set(references)) == len(references)
