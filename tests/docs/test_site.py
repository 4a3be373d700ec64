"""The documents build into a site without a broken link, and load nothing from other hosts."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

import pytest

from tests.docs.pages import PAGES, ROOT, output

LOADED = re.compile(r"""<(?:script|img|iframe)[^>]*\ssrc=["']?([^"'\s>]+)|<link[^>]*\shref=["']?([^"'\s>]+)""")


BROKEN = {
    "a page that is not there": "[x](nowhere.md)",
    "a heading that is not there": "[x](api.md#nowhere)",
    "a file outside docs": "[x](../README.md)",
}


async def build(config: Path, site: Path) -> None:
    await output(sys.executable, "-m", "mkdocs", "build", "--strict", "-f", str(config), "-d", str(site))


async def test_the_site_builds_and_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    site = tmp_path / "site"
    await build(ROOT / "mkdocs.yml", site)
    pages = {str(file.relative_to(site).with_suffix(".md")) for file in site.rglob("*.html")} - {"404.md"}
    assert {f"docs/{page}" for page in pages} == {page for page in PAGES if page.startswith("docs/")}
    text = "".join(file.read_text() for file in site.rglob("*.html"))
    loaded = {src or href for src, href in LOADED.findall(text)}
    assert any(each.endswith(".css") for each in loaded)
    assert {each for each in loaded if each.startswith(("http:", "https:", "//"))} == set()


def copied(folder: Path) -> Path:
    """A copy of the documents' sources; the path of its mkdocs.yml."""
    for name in ("docs", "config", "clients/javascript/examples"):
        shutil.copytree(ROOT / name, folder / name)
    return Path(shutil.copy(ROOT / "mkdocs.yml", folder))


async def test_a_good_link_builds(tmp_path: Path) -> None:
    """Otherwise the tests below could fail to build for another reason."""
    config = copied(tmp_path)
    page = tmp_path / "docs" / "index.md"
    page.write_text(f"{page.read_text()}\n[x](api.md#lists)\n")
    await build(config, tmp_path / "site")


@pytest.mark.parametrize("link", BROKEN.values(), ids=BROKEN)
async def test_a_broken_link_stops_the_build(tmp_path: Path, link: str) -> None:
    config = copied(tmp_path)
    page = tmp_path / "docs" / "index.md"
    page.write_text(f"{page.read_text()}\n{link}\n")
    with pytest.raises(AssertionError):
        await build(config, tmp_path / "site")


async def test_a_page_outside_the_navigation_stops_the_build(tmp_path: Path) -> None:
    config = copied(tmp_path)
    (tmp_path / "docs" / "orphan.md").write_text("# Orphan\n")
    with pytest.raises(AssertionError):
        await build(config, tmp_path / "site")


@pytest.mark.parametrize("page", [page for page in PAGES if not page.startswith("docs/")])
def test_links_of_other_documents_lead_somewhere(page: str) -> None:
    for link in re.findall(r"\]\(([^)]+)\)", PAGES[page]):
        path, _, anchor = link.partition("#")
        assert (ROOT / path).is_file(), link
        headings = re.findall(r"^#+ (.*)$", PAGES.get(path, ""), re.MULTILINE)
        assert not anchor or anchor in {
            re.sub(r"[^a-z0-9 _-]", "", each.lower()).replace(" ", "-") for each in headings
        }, link


def test_the_readme_is_short() -> None:
    assert len(PAGES["README.md"].splitlines()) <= 200


def test_files_that_the_documents_name_exist() -> None:
    pattern = re.compile(r"`((?:adapters|tests|benchmarks|config|docs)/[a-z_./]+)`")
    named = {path for text in PAGES.values() for path in pattern.findall(text)}
    assert "tests/contract/dialects.py" in named
    assert {path for path in named if not (ROOT / path).exists()} == set()
