"""Every page has a picture in the README of the dashboard, made from its example, and small."""

from __future__ import annotations

import re
from pathlib import Path

from PIL import Image

from tests.examples import PAGES, every_page
from tests.take_pictures import LARGEST_BYTES, SMALL_WIDTH, cells

DASHBOARD = Path(__file__).parent.parent / "dashboard"
SHOWN = re.compile(r"!\[[^\]]+\]\(pictures/pages/([a-z_]+)\.png\)")


def without_picture(readme: str) -> list[str]:
    """Pages of the house of which the README shows none."""
    shown = set(SHOWN.findall(readme))
    return [name for name in every_page() if name not in shown]


def test_every_page_has_its_picture_in_the_readme() -> None:
    readme = (DASHBOARD / "README.md").read_text(encoding="utf-8")
    assert without_picture(readme) == [], "make pictures-small, and name it in dashboard/README.md"
    assert without_picture(readme.replace("pictures/pages/feeds.png", "")) == ["feeds"]


def test_pictures_are_small_and_of_pages_that_are_there() -> None:
    for file in sorted((DASHBOARD / "pictures" / "pages").glob("*.png")):
        assert file.stem in PAGES, file.name
        assert file.stat().st_size < LARGEST_BYTES, file.name
        with Image.open(file) as found:
            assert found.width == SMALL_WIDTH, file.name


def test_what_is_named_is_taken() -> None:
    assert {cell.page for cell in cells(["feeds", "wall/stale"])} == {"feeds", "wall"}
    assert {cell.example for cell in cells(["wall/stale"])} == {"stale"}
    assert {cell.page for cell in cells([])} == set(PAGES)
